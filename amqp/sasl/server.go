package sasl

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"
)

// Server decides which mechanisms are offered and runs exchanges. It is not
// changed by them, and may serve many connections at once if its Users may.
type Server struct {
	// Users are who may log in. Nil: authorization is off, any name and password
	// are accepted, and SCRAM, which cannot let an unknown user in, is not offered.
	Users Users
	// Lenient has authorization off although there are Users: what they could log
	// in with is checked only for what Exchange.Proven says.
	Lenient bool
	// Tokens admits by bearer token (XOAUTH2); nil: that is not offered.
	Tokens Tokens
	// Claims offers that mechanism: whoever holds the connection then is to take
	// its tokens, and give no rights without.
	Claims bool
	// Only, if not nil, names the mechanisms that are offered at most.
	Only []string
	// Anonymous offers ANONYMOUS although there are Users.
	Anonymous bool
	// External is whom the peer showed to be by other means, its TLS certificate;
	// EXTERNAL is offered for that user. Empty: it is not. The user must be among
	// Users, where there are.
	External string
	// Nonce makes 16 random bytes or more in printable ASCII without a comma,
	// new ones at each call (rfc 5802, 5.1). Needed where there are Users.
	Nonce func() string
	// Secret makes the salts that unknown users are answered with; whoever knows
	// it can tell that they are unknown. Best random, and kept over restarts.
	Secret []byte
	// Iterations is that of nearly all Users' verifiers, which unknown users are
	// answered with; 0 stands for DefaultIterations.
	Iterations int
}

// Users knows verifiers by user name.
type Users interface {
	Lookup(name string) (Verifier, bool)
}

// UserMap is Users held in a map.
type UserMap map[string]Verifier

// Lookup finds a user.
func (m UserMap) Lookup(name string) (Verifier, bool) {
	v, ok := m[name]
	return v, ok
}

// Exchange is one login at the server.
type Exchange interface {
	// Next takes the client's response, the first time the initial one or nil,
	// and gives the challenge to send, or with done what goes into the outcome's
	// additional-data; that is nil where there is none. After done or an error,
	// which wraps ErrAuthentication, the exchange is over.
	Next(response []byte) (challenge []byte, done bool, err error)
	// User is who has logged in; empty before done.
	User() string
	// Proven says whether a server that is not Lenient would have taken it as well.
	// Without Users nobody's name is.
	Proven() bool
}

// open says whether everybody is let in.
func (s *Server) open() bool { return s.Users == nil || s.Lenient }

// Mechanisms names what is offered, strongest first.
func (s *Server) Mechanisms() []string {
	names := make([]string, 0, len(mechanisms))
	for i := range mechanisms {
		if m := &mechanisms[i]; s.offers(m) {
			names = append(names, m.name)
		}
	}
	return names
}

func (s *Server) offers(m *mechanism) bool {
	return m.offer(s) && (s.Only == nil || slices.Contains(s.Only, m.name))
}

// Start begins a login by a mechanism that is offered.
func (s *Server) Start(name string) (Exchange, error) {
	for i := range mechanisms {
		if m := &mechanisms[i]; m.name == name && s.offers(m) {
			return m.server(s), nil
		}
	}
	return nil, fmt.Errorf("%w: %.64q is not offered", ErrMechanism, name)
}

// lookup finds a user's verifier. For a user who is not known it makes up one
// that no password fits, the same at each try, so that the exchange takes its
// usual course and time.
func (s *Server) lookup(name string) (v Verifier, known bool) {
	iterations := s.Iterations
	if iterations == 0 {
		iterations = DefaultIterations
	}
	mac := hmac.New(sha256.New, s.Secret)
	mac.Write([]byte(name))
	fake := Verifier{Iterations: iterations, Salt: mac.Sum(nil)[:SaltSize]}
	if v, known = s.Users.Lookup(name); !known {
		v = fake
	}
	return v, known
}
