package sasl

import "strings"

// Tokens knows who a bearer token stands for.
type Tokens interface {
	// Check gives the user that a token which came for user admits. user may be
	// empty; the answer is what the connection is known by.
	Check(user, token string) (name string, ok bool)
}

// xoauth2Server takes a bearer token, in one message without quoting:
// "user=" name, "auth=Bearer " token, each ended by a 0x01, and one more.
type xoauth2Server struct {
	server *Server
	over   bool
	user   string
}

func (x *xoauth2Server) User() string { return x.user }

// Proven: a token is never taken unseen.
func (x *xoauth2Server) Proven() bool { return x.user != "" }

func (x *xoauth2Server) Next(response []byte) ([]byte, bool, error) {
	if x.over {
		return nil, false, refuse("%s: the exchange is over", XOAUTH2)
	}
	x.over = true
	user, token, err := parseXOAUTH2(response)
	if err != nil {
		return nil, false, err
	}
	name, ok := x.server.Tokens.Check(user, token)
	if !ok {
		return nil, false, refuse("%s: the token of user %q is not accepted", XOAUTH2, user)
	}
	x.user = name
	return nil, true, nil
}

func parseXOAUTH2(message []byte) (user, token string, err error) {
	if len(message) > MaxMessage {
		return "", "", refuse("%s: the message has %d bytes, at most %d are taken", XOAUTH2, len(message), MaxMessage)
	}
	rest, ended := strings.CutSuffix(string(message), "\x01\x01")
	if !ended {
		return "", "", refuse("%s: the message does not end in two 0x01", XOAUTH2)
	}
	for field := range strings.SplitSeq(rest, "\x01") {
		if v, ok := strings.CutPrefix(field, "user="); ok {
			user = v
		}
		if v, ok := strings.CutPrefix(field, "auth=Bearer "); ok {
			token = v
		}
	}
	switch {
	case token == "":
		return "", "", refuse("%s: there is no token", XOAUTH2)
	case len(user) > MaxName:
		return "", "", refuse("%s: a user name of %d bytes, at most %d are taken", XOAUTH2, len(user), MaxName)
	}
	return user, token, nil
}
