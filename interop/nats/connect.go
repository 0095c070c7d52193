package nats

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// handshake is how long one server may take to let us in.
	handshake = 5 * time.Second
	// pingEvery and pingsOut find a connection that is dead without having been closed.
	pingEvery = 10 * time.Second
	pingsOut  = 2
	// flushTime is how long the server may take to take what was written; farewell the
	// same when a session closes.
	flushTime = 30 * time.Second
	farewell  = 500 * time.Millisecond
)

// dialer dials within a context.
type dialer struct {
	within func() context.Context
}

func (d *dialer) Dial(network, address string) (net.Conn, error) {
	return (&net.Dialer{Timeout: handshake}).DialContext(d.within(), network, address)
}

// connect connects and logs in. What goes wrong afterwards goes to l.
func (c *settings) connect(ctx context.Context, l *line) (*nats.Conn, error) {
	o := nats.GetDefaultOptions()
	o.Name = "tidegate " + c.gateway + " " + c.name
	o.AllowReconnect, o.RetryOnFailedConnect, o.NoCallbacksAfterClientClose = false, false, true
	o.NoEcho, o.Timeout, o.PingInterval, o.MaxPingsOut = c.noEcho, handshake, pingEvery, pingsOut
	o.TLSConfig = c.tls
	o.ClosedCB = func(nc *nats.Conn) {
		err := nc.LastError()
		if err == nil {
			err = errors.New("NATS closed the connection")
		}
		l.failed(fmt.Errorf("the connection to NATS ended: %w", err))
	}
	o.AsyncErrorCB = l.trouble
	if c.embedded != nil {
		o.InProcessServer = c.embedded
	} else {
		o.Servers = c.servers
		o.CustomDialer = &dialer{func() context.Context { return ctx }}
	}
	for _, set := range c.login {
		if err := set(&o); err != nil {
			return nil, fmt.Errorf("credentials: %w", err)
		}
	}
	nc, err := o.Connect()
	switch {
	case err == nil:
		return nc, nil
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
		return nil, fmt.Errorf("NATS refuses the login: %w: look at credentials, or username and password", err)
	case errors.Is(err, nats.ErrSecureConnRequired), errors.Is(err, nats.ErrSecureConnWanted):
		return nil, fmt.Errorf("NATS at %s: %w: write tls:// in url where the server wants TLS, and nats:// where it has none", c.where(), err)
	}
	return nil, fmt.Errorf("NATS at %s: %w", c.where(), err)
}

// where names the servers without passwords.
func (c *settings) where() string {
	if c.embedded != nil {
		return "embedded"
	}
	all := ""
	for i, s := range c.servers {
		if i > 0 {
			all += ", "
		}
		all += redacted(s)
	}
	return all
}

func redacted(server string) string {
	u, err := url.Parse(server)
	if err != nil {
		return "an unreadable url"
	}
	return u.Redacted()
}
