package sasl

import (
	"strings"
	"unicode/utf8"
)

// scramFields splits a SCRAM message at its commas and checks that the fields
// begin with the given letters, in that order; more may follow (rfc 5802, 5.1).
// An m field, which the receiver must understand, is refused.
func scramFields(mechanism, message, letters string) ([]string, error) {
	if len(message) > MaxMessage {
		return nil, refuse("%s: a message of %d bytes, at most %d are taken", mechanism, len(message), MaxMessage)
	}
	if !utf8.ValidString(message) {
		return nil, refuse("%s: a message is not UTF-8", mechanism)
	}
	fields := strings.Split(message, ",")
	if strings.HasPrefix(fields[0], "m=") {
		return nil, refuse("%s: a mandatory extension", mechanism)
	}
	if len(fields) < len(letters) {
		return nil, refuse("%s: a message has %d fields instead of %d", mechanism, len(fields), len(letters))
	}
	for i := range len(letters) {
		if !strings.HasPrefix(fields[i], letters[i:i+1]+"=") {
			return nil, refuse("%s: field %d of a message is not %c=", mechanism, i+1, letters[i])
		}
		fields[i] = fields[i][2:]
	}
	return fields, nil
}

// escapeName writes a name as a SCRAM value (rfc 5802, 5.1: saslname).
func escapeName(name string) string {
	return strings.NewReplacer("=", "=3D", ",", "=2C").Replace(name)
}

// unescapeName reads a SCRAM value; any other use of = is refused.
func unescapeName(value string) (string, bool) {
	if strings.Count(value, "=") != strings.Count(value, "=3D")+strings.Count(value, "=2C") {
		return "", false
	}
	return strings.NewReplacer("=2C", ",", "=3D", "=").Replace(value), true
}

// isNonce tells whether s can be a nonce: printable ASCII without a comma.
func isNonce(s string) bool {
	if s == "" || len(s) > MaxNonce {
		return false
	}
	for i := range len(s) {
		if s[i] < 0x21 || s[i] > 0x7e || s[i] == ',' {
			return false
		}
	}
	return true
}

// draw takes a nonce from its source, which the program owes.
func draw(source func() string) string {
	if source == nil {
		panic("sasl: SCRAM without a source of nonces")
	}
	nonce := source()
	if !isNonce(nonce) || len(nonce) > MaxNonce/2 {
		panic("sasl: a nonce that is empty, too long or not printable")
	}
	return nonce
}

// xor gives a with b's bits flipped in it; both are of one length.
func xor(a, b []byte) []byte {
	out := make([]byte, len(a))
	for i := range a {
		out[i] = a[i] ^ b[i]
	}
	return out
}
