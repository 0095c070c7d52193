package sasl

import (
	"crypto/hmac"
	"crypto/subtle"
	"encoding/base64"
	"strconv"
	"strings"
)

// scramServer is the server's side of SCRAM (rfc 5802, 5).
type scramServer struct {
	server *Server
	*variant
	state    scramState
	asked    bool
	name     string // as the client says
	user     string // when it is proven
	verifier Verifier
	known    bool
	gs2      string // the header that client-final repeats
	bare     string // client-first-message-bare
	first    string // server-first-message
	nonce    string
}

type scramState uint8

const (
	scramFirst scramState = iota
	scramFinal
	scramOver
)

func newScramServer(s *Server, v *variant) *scramServer {
	return &scramServer{server: s, variant: v}
}

func (x *scramServer) User() string { return x.user }

// Proven: it is not offered where it would prove nothing.
func (x *scramServer) Proven() bool { return x.user != "" }

func (x *scramServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if len(response) > MaxMessage {
		x.state = scramOver
		return nil, false, refuse("%s: a message of %d bytes, at most %d are taken", x.variant.name, len(response), MaxMessage)
	}
	switch x.state {
	case scramFirst:
		if len(response) == 0 && !x.asked { // no initial response: ask for it
			x.asked = true
			return []byte{}, false, nil
		}
		x.state = scramFinal
		challenge, err = x.begin(string(response))
	case scramFinal:
		x.state = scramOver
		challenge, err = x.prove(string(response))
		done = err == nil
	default:
		err = refuse("%s: the exchange is over", x.variant.name)
	}
	if err != nil {
		x.state = scramOver
		return nil, false, err
	}
	return challenge, done, nil
}

// begin reads client-first-message and makes server-first-message.
func (x *scramServer) begin(message string) ([]byte, error) {
	mechanism := x.variant.name
	// gs2-header: whether the client can bind to the channel, which we do not
	// offer; who it acts as; then the message proper.
	parts := strings.SplitN(message, ",", 3)
	if len(parts) != 3 || parts[0] != "n" && parts[0] != "y" {
		return nil, refuse("%s: the message does not begin with n,, or y,, (channel binding is not supported)", mechanism)
	}
	x.gs2 = parts[0] + "," + parts[1] + ","
	x.bare = parts[2]
	fields, err := scramFields(mechanism, x.bare, "nr")
	if err != nil {
		return nil, err
	}
	name, ok := unescapeName(fields[0])
	if !ok || name == "" || len(name) > MaxName || strings.ContainsRune(name, 0) {
		return nil, refuse("%s: the user name is empty, longer than %d bytes or wrongly escaped", mechanism, MaxName)
	}
	if identity, told := strings.CutPrefix(parts[1], "a="); told != (parts[1] != "") || told && identity != fields[0] {
		return nil, refuse("%s: user %q asks to act as another", mechanism, name)
	}
	if !isNonce(fields[1]) || len(fields[1]) > MaxNonce/2 {
		return nil, refuse("%s: the client's nonce is empty, too long or not printable", mechanism)
	}
	x.name = name
	x.nonce = fields[1] + draw(x.server.Nonce)
	x.verifier, x.known = x.server.lookup(name)
	x.first = "r=" + x.nonce + ",s=" + base64.StdEncoding.EncodeToString(x.verifier.Salt) +
		",i=" + strconv.Itoa(x.verifier.Iterations)
	return []byte(x.first), nil
}

// prove reads client-final-message and makes server-final-message.
func (x *scramServer) prove(message string) ([]byte, error) {
	mechanism := x.variant.name
	fields, err := scramFields(mechanism, message, "cr")
	if err != nil {
		return nil, err
	}
	last := fields[len(fields)-1]
	proof, ok := strings.CutPrefix(last, "p=")
	if !ok || len(fields) < 3 {
		return nil, refuse("%s: the last message has no proof", mechanism)
	}
	if fields[0] != base64.StdEncoding.EncodeToString([]byte(x.gs2)) {
		return nil, refuse("%s: the channel binding does not repeat the header", mechanism)
	}
	if subtle.ConstantTimeCompare([]byte(fields[1]), []byte(x.nonce)) != 1 {
		return nil, refuse("%s: the nonce is not ours", mechanism)
	}
	given, err := base64.StdEncoding.Strict().DecodeString(proof)
	if err != nil || len(given) != x.size {
		return nil, refuse("%s: the proof is not %d bytes in base64", mechanism, x.size)
	}
	keys := x.keys(&x.verifier)
	if !x.known { // no password fits, but the work is the usual
		keys = &Keys{Stored: make([]byte, x.size), Server: make([]byte, x.size)}
	}
	auth := x.bare + "," + x.first + "," + strings.TrimSuffix(message, ","+last)
	key := xor(given, x.mac(keys.Stored, auth))
	signature := x.mac(keys.Server, auth)
	if fits := hmac.Equal(x.digest(key), keys.Stored); !fits || !x.known {
		return nil, refuse("%s: user %q or the password is wrong", mechanism, x.name)
	}
	x.user = x.name
	return []byte("v=" + base64.StdEncoding.EncodeToString(signature)), nil
}
