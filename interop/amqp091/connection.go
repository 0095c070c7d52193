package amqp091

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	// closeTime is how long the goodbye to the broker may take: with it go the
	// acknowledgements that were given last.
	closeTime = 700 * time.Millisecond
	// dialTime is for one URL of several.
	dialTime = 10 * time.Second
)

// connection is one to the broker.
type connection struct {
	*amqp.Connection
	raw net.Conn // to be closed where the library waits for the peer
	mu  sync.Mutex
	aux *amqp.Channel // for declarations: an error closes it, and nothing else
}

// dial connects to the first URL that answers. purpose is what the broker's operator
// sees.
func (c *settings) dial(ctx context.Context, purpose string) (*connection, error) {
	var failed []error
	for _, u := range c.urls {
		conn, err := c.dialOne(ctx, u, purpose)
		if err == nil {
			return conn, nil
		}
		failed = append(failed, fmt.Errorf("%s: %w", redacted(u), c.hide(explain(err))))
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(failed...)
}

func redacted(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "url"
	}
	u.RawQuery = ""
	return u.Redacted()
}

// hide takes passwords out of an error's text.
func (c *settings) hide(err error) error {
	text := err.Error()
	for _, secret := range append([]string{c.password}, c.secrets...) {
		if secret != "" && len(secret) > 2 && strings.Contains(text, secret) {
			return errors.New(strings.ReplaceAll(text, secret, "…"))
		}
	}
	return err
}

func (c *settings) dialOne(ctx context.Context, u, purpose string) (*connection, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	var raw net.Conn
	var stop func() bool
	config := amqp.Config{
		Locale:     "en_US",
		Properties: amqp.NewConnectionProperties(),
		Dial: func(network, addr string) (net.Conn, error) {
			d := net.Dialer{KeepAlive: 30 * time.Second}
			conn, err := d.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			if until, ok := ctx.Deadline(); ok { // the library takes it off when it is in
				_ = conn.SetDeadline(until)
			}
			raw = gather(conn)
			stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
			return raw, nil
		},
	}
	config.Properties["product"] = "Tidegate"
	config.Properties["connection_name"] = c.server + " " + c.name + " " + purpose
	if c.tls != nil {
		config.TLSClientConfig = c.tls.Clone()
	}
	if parsed, err := url.Parse(u); err == nil && parsed.User == nil && !parsed.Query().Has("auth_mechanism") {
		switch {
		case c.user != "":
			config.SASL = []amqp.Authentication{&amqp.PlainAuth{Username: c.user, Password: c.password}}
		case c.certified && parsed.Scheme == "amqps":
			config.SASL = []amqp.Authentication{&amqp.ExternalAuth{}}
		}
	}
	conn, err := amqp.DialConfig(u, config)
	if stop != nil {
		stop()
	}
	if err != nil {
		if raw != nil {
			_ = raw.Close()
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("no answer in time: %w", err)
		}
		return nil, err
	}
	return &connection{Connection: conn, raw: raw}, nil
}

// end says goodbye, and closes in any case.
func (c *connection) end() {
	if err := c.CloseDeadline(time.Now().Add(closeTime)); err != nil && !errors.Is(err, amqp.ErrClosed) {
		_ = c.raw.Close()
	}
}

// try does something on a channel of its own that an error may close.
func (c *connection) try(do func(ch *amqp.Channel) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.aux == nil || c.aux.IsClosed() {
		ch, err := c.Channel()
		if err != nil {
			return err
		}
		c.aux = ch
	}
	return do(c.aux)
}
