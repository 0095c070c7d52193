package sasl

import (
	"fmt"
	"slices"
	"strings"
)

// Client is one login at a client. Set the fields, then call Start, Next for
// each challenge, and Finish with the outcome.
type Client struct {
	// Mechanism is the only one to use; empty for the strongest of those offered
	// that the fields suffice for. Without a User that is ANONYMOUS.
	Mechanism      string
	User, Password string
	// External: the server knows us by our TLS certificate. It is used where no
	// User is given.
	External bool
	// Claims: the rights come by tokens once the connection is open. MSSBCBS is used if
	// it is offered, else ANONYMOUS.
	Claims bool
	// Nonce is as in Server; SCRAM needs it.
	Nonce func() string

	running conversation
}

// conversation is a mechanism at the client.
type conversation interface {
	initial() []byte
	next(challenge []byte) ([]byte, error)
	finish(additional []byte) error
}

// Start chooses among the mechanisms offered and gives the initial response. Its
// error wraps ErrMechanism.
func (c *Client) Start(offered []string) (mechanism string, initial []byte, err error) {
	for i := range mechanisms {
		m := &mechanisms[i]
		if !slices.Contains(offered, m.name) {
			continue
		}
		if m.name == c.Mechanism || c.Mechanism == "" && m.usable(c) {
			if strings.ContainsRune(c.User+c.Password, 0) || len(c.User) > MaxName || len(c.Password) > MaxPassword {
				return "", nil, fmt.Errorf("%w: the user's name or password is too long or has a zero byte", ErrMechanism)
			}
			c.running = m.client(c)
			return m.name, c.running.initial(), nil
		}
	}
	if c.Mechanism != "" {
		return "", nil, fmt.Errorf("%w: %q is wanted, the server offers %.200q", ErrMechanism, c.Mechanism, offered)
	}
	if c.User == "" {
		return "", nil, fmt.Errorf("%w: the server offers %.200q, which need a user and a password", ErrMechanism, offered)
	}
	return "", nil, fmt.Errorf("%w: the server offers %.200q", ErrMechanism, offered)
}

// Next answers a challenge.
func (c *Client) Next(challenge []byte) ([]byte, error) {
	switch {
	case c.running == nil:
		return nil, refuse("the server sends a challenge before a mechanism is chosen")
	case len(challenge) > MaxMessage:
		return nil, refuse("a challenge of %d bytes, at most %d are taken", len(challenge), MaxMessage)
	}
	return c.running.next(challenge)
}

// Finish takes the additional-data of a good outcome. An error means that the
// server could not show that it knows the password, and must not be trusted.
func (c *Client) Finish(additional []byte) error {
	switch {
	case c.running == nil:
		return refuse("the server lets us in before a mechanism is chosen")
	case len(additional) > MaxMessage:
		return refuse("an outcome with %d bytes of data, at most %d are taken", len(additional), MaxMessage)
	}
	return c.running.finish(additional)
}
