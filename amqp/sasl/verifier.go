package sasl

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"hash"
	"strconv"
	"strings"
)

// Scheme begins the text form of a Verifier.
const Scheme = "$tg1$"

// Verifier is what a server keeps instead of a password: enough for PLAIN and
// both SCRAMs, not enough to log in with elsewhere.
type Verifier struct {
	Iterations int
	Salt       []byte
	SHA256     Keys
	SHA512     Keys
}

// Keys are those that rfc 5802 section 3 derives from the salted password.
type Keys struct {
	Stored, Server []byte
}

// NewVerifier derives a verifier. The salt is random, of SaltSize bytes, new
// for each user. Salt or iterations out of bounds are a mistake of the program.
func NewVerifier(password string, salt []byte, iterations int) Verifier {
	if len(salt) < MinSalt || len(salt) > MaxSalt || iterations < MinIterations || iterations > MaxIterations {
		panic(fmt.Sprintf("sasl: verifier with %d bytes of salt, %d iterations", len(salt), iterations))
	}
	password = prepare(password)
	keys := func(v *variant) Keys {
		salted := v.salted(password, salt, iterations)
		return Keys{
			Stored: v.digest(v.mac(salted, clientKey)),
			Server: v.mac(salted, serverKey),
		}
	}
	return Verifier{
		Iterations: iterations, Salt: salt,
		SHA256: keys(sha256Variant), SHA512: keys(sha512Variant),
	}
}

// CheckPlain tells whether the password is the right one, in a time that depends
// only on the iterations.
func (v Verifier) CheckPlain(password string) bool {
	salted := sha256Variant.salted(prepare(password), v.Salt, v.Iterations)
	stored := sha256Variant.digest(sha256Variant.mac(salted, clientKey))
	return subtle.ConstantTimeCompare(stored, v.SHA256.Stored) == 1
}

// String keeps keys out of logs; Text gives them.
func (v Verifier) String() string { return "verifier" }

// Text is the form for a file: $tg1$iterations$salt and the four keys, in base64
// behind a dollar each, without colon, quote or blank.
func (v Verifier) Text() string {
	var b strings.Builder
	b.WriteString(Scheme)
	b.WriteString(strconv.Itoa(v.Iterations))
	for _, field := range [][]byte{v.Salt, v.SHA256.Stored, v.SHA256.Server, v.SHA512.Stored, v.SHA512.Server} {
		b.WriteByte('$')
		b.WriteString(base64.RawStdEncoding.EncodeToString(field))
	}
	return b.String()
}

// maxText is longer than any text form.
const maxText = 1 << 10

// ParseVerifier reads what Text wrote.
func ParseVerifier(text string) (Verifier, error) {
	rest, ours := strings.CutPrefix(text, Scheme)
	if !ours {
		return Verifier{}, fmt.Errorf("a password hash that does not begin with %s: set the password anew", Scheme)
	}
	fields := strings.Split(rest, "$")
	if len(text) > maxText || len(fields) != 6 {
		return Verifier{}, fmt.Errorf("a password hash %s that is damaged: set the password anew", Scheme)
	}
	var v Verifier
	var err error
	if v.Iterations, err = strconv.Atoi(fields[0]); err != nil || v.Iterations < MinIterations || v.Iterations > MaxIterations {
		return Verifier{}, fmt.Errorf("a password hash %s whose iterations %q are not between %d and %d: set the password anew",
			Scheme, fields[0], MinIterations, MaxIterations)
	}
	into := []struct {
		field    *[]byte
		min, max int
	}{
		{&v.Salt, MinSalt, MaxSalt},
		{&v.SHA256.Stored, sha256.Size, sha256.Size},
		{&v.SHA256.Server, sha256.Size, sha256.Size},
		{&v.SHA512.Stored, sha512.Size, sha512.Size},
		{&v.SHA512.Server, sha512.Size, sha512.Size},
	}
	for i, f := range into {
		*f.field, err = base64.RawStdEncoding.Strict().DecodeString(fields[i+1])
		if n := len(*f.field); err != nil || n < f.min || n > f.max {
			return Verifier{}, fmt.Errorf("a password hash %s whose field %d is damaged: set the password anew", Scheme, i+2)
		}
	}
	return v, nil
}

// variant is SCRAM over one hash.
type variant struct {
	name string
	hash func() hash.Hash
	size int
	keys func(v *Verifier) *Keys
}

var (
	sha256Variant = &variant{SCRAMSHA256, sha256.New, sha256.Size, func(v *Verifier) *Keys { return &v.SHA256 }}
	sha512Variant = &variant{SCRAMSHA512, sha512.New, sha512.Size, func(v *Verifier) *Keys { return &v.SHA512 }}
)

// What the keys are derived from (rfc 5802, 3).
const (
	clientKey = "Client Key"
	serverKey = "Server Key"
)

// salted is rfc 5802's SaltedPassword.
func (v *variant) salted(password string, salt []byte, iterations int) []byte {
	key, err := pbkdf2.Key(v.hash, password, salt, iterations, v.size)
	if err != nil { // only where a FIPS-only process forbids the parameters
		panic("sasl: " + err.Error())
	}
	return key
}

func (v *variant) mac(key []byte, message string) []byte {
	h := hmac.New(v.hash, key)
	h.Write([]byte(message))
	return h.Sum(nil)
}

func (v *variant) digest(b []byte) []byte {
	h := v.hash()
	h.Write(b)
	return h.Sum(nil)
}
