package sasl

import (
	"strings"
	"unicode/utf8"
)

// plainServer checks a name and a password (rfc 4616).
type plainServer struct {
	server *Server
	asked  bool
	over   bool
	user   string
	proven bool
}

func (x *plainServer) User() string { return x.user }
func (x *plainServer) Proven() bool { return x.proven }

func (x *plainServer) Next(response []byte) ([]byte, bool, error) {
	switch {
	case x.over:
		return nil, false, refuse("%s: the exchange is over", Plain)
	case len(response) == 0 && !x.asked: // no initial response: ask for it
		x.asked = true
		return []byte{}, false, nil
	}
	x.over = true
	user, password, err := parsePlain(response)
	if err != nil {
		return nil, false, err
	}
	if x.server.open() {
		if user == "" {
			user = AnonymousUser
		}
		x.user = user
		if x.server.Users != nil {
			v, known := x.server.Users.Lookup(user) // no work for names that nobody has
			x.proven = known && v.CheckPlain(password)
		}
		return nil, true, nil
	}
	v, known := x.server.lookup(user)
	if fits := v.CheckPlain(password); !fits || !known {
		return nil, false, refuse("%s: user %q or the password is wrong", Plain, user)
	}
	x.user, x.proven = user, true
	return nil, true, nil
}

// parsePlain takes a message apart. To act for another user is not supported, so
// an authorization identity may only repeat the name. Unlike rfc 4616, name and
// password may be empty: users without a password log in like this.
func parsePlain(message []byte) (user, password string, err error) {
	if len(message) > MaxMessage {
		return "", "", refuse("%s: the message has %d bytes, at most %d are taken", Plain, len(message), MaxMessage)
	}
	if !utf8.Valid(message) {
		return "", "", refuse("%s: the message is not UTF-8", Plain)
	}
	parts := strings.Split(string(message), "\x00")
	if len(parts) != 3 {
		return "", "", refuse("%s: the message has %d fields instead of 3", Plain, len(parts))
	}
	identity, user, password := parts[0], parts[1], parts[2]
	switch {
	case len(user) > MaxName:
		return "", "", refuse("%s: a user name of %d bytes, at most %d are taken", Plain, len(user), MaxName)
	case len(password) > MaxPassword:
		return "", "", refuse("%s: a password of %d bytes, at most %d are taken", Plain, len(password), MaxPassword)
	case identity != "" && identity != user:
		return "", "", refuse("%s: user %q asks to act as another", Plain, user)
	}
	return user, password, nil
}

type plainClient struct{ user, password string }

func (c *plainClient) initial() []byte {
	return []byte("\x00" + c.user + "\x00" + c.password)
}

// next answers a server that overlooked the initial response.
func (c *plainClient) next(challenge []byte) ([]byte, error) {
	if len(challenge) > 0 {
		return nil, refuse("%s: the server sends a challenge", Plain)
	}
	return c.initial(), nil
}

func (c *plainClient) finish([]byte) error { return nil }
