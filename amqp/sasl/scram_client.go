package sasl

import (
	"crypto/hmac"
	"encoding/base64"
	"strconv"
	"strings"
)

// scramClient is the client's side of SCRAM (rfc 5802, 5).
type scramClient struct {
	*variant
	password  string
	nonce     string
	bare      string // client-first-message-bare
	state     scramState
	signature []byte // that the server must prove itself with
	proven    bool
}

// gs2Header says: no channel binding, nobody else to act as.
const gs2Header = "n,,"

func newScramClient(c *Client, v *variant) *scramClient {
	nonce := draw(c.Nonce)
	return &scramClient{
		variant: v, password: c.Password, nonce: nonce,
		bare: "n=" + escapeName(prepare(c.User)) + ",r=" + nonce,
	}
}

func (x *scramClient) initial() []byte { return []byte(gs2Header + x.bare) }

func (x *scramClient) next(challenge []byte) (response []byte, err error) {
	switch x.state {
	case scramFirst:
		x.state = scramFinal
		response, err = x.prove(string(challenge))
	case scramFinal:
		x.state = scramOver
		response, err = []byte{}, x.verify(string(challenge))
	default:
		err = refuse("%s: the server sends a challenge too many", x.name)
	}
	if err != nil {
		x.state = scramOver
		return nil, err
	}
	return response, nil
}

func (x *scramClient) finish(additional []byte) error {
	switch {
	case x.proven:
		return nil
	case x.state != scramFinal || len(additional) == 0:
		return refuse("%s: the server has not shown that it knows the password", x.name)
	}
	x.state = scramOver
	return x.verify(string(additional))
}

// prove reads server-first-message and makes client-final-message.
func (x *scramClient) prove(message string) ([]byte, error) {
	fields, err := scramFields(x.name, message, "rsi")
	if err != nil {
		return nil, err
	}
	nonce := fields[0]
	if !isNonce(nonce) || !strings.HasPrefix(nonce, x.nonce) || len(nonce) == len(x.nonce) {
		return nil, refuse("%s: the server's nonce does not continue ours", x.name)
	}
	salt, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil || len(salt) == 0 || len(salt) > MaxSalt {
		return nil, refuse("%s: the salt is not up to %d bytes in base64", x.name, MaxSalt)
	}
	iterations, err := strconv.Atoi(fields[2])
	if err != nil || iterations < MinIterations || iterations > MaxIterations {
		return nil, refuse("%s: the server asks for %.20q iterations, %d to %d are accepted",
			x.name, fields[2], MinIterations, MaxIterations)
	}
	final := "c=" + base64.StdEncoding.EncodeToString([]byte(gs2Header)) + ",r=" + nonce
	auth := x.bare + "," + message + "," + final
	salted := x.salted(prepare(x.password), salt, iterations)
	key := x.mac(salted, clientKey)
	proof := xor(key, x.mac(x.digest(key), auth))
	x.signature = x.mac(x.mac(salted, serverKey), auth)
	return []byte(final + ",p=" + base64.StdEncoding.EncodeToString(proof)), nil
}

// verify reads server-final-message.
func (x *scramClient) verify(message string) error {
	if reason, failed := strings.CutPrefix(message, "e="); failed {
		return refuse("%s: the server says %.80q", x.name, reason)
	}
	fields, err := scramFields(x.name, message, "v")
	if err != nil {
		return err
	}
	given, err := base64.StdEncoding.DecodeString(fields[0])
	if err != nil || !hmac.Equal(given, x.signature) {
		return refuse("%s: the server does not know the password; it may be another than it says", x.name)
	}
	x.proven = true
	return nil
}
