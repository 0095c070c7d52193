package client

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"

	"github.com/tidegate/tidegate/amqp/websocket"
)

// form is how a URL is written.
const form = "write amqp://[user:password@]HOST[:PORT], amqps://, ws:// or wss://"

// connect opens the stream that a URL names, with TLS or WebSocket around it.
func connect(ctx context.Context, u *url.URL, secure *tls.Config) (net.Conn, error) {
	if u.Hostname() == "" {
		return nil, errors.New(u.Redacted() + ": " + form)
	}
	if secure == nil {
		secure = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	at := func(port string) string {
		if p := u.Port(); p != "" {
			port = p
		}
		return net.JoinHostPort(u.Hostname(), port)
	}
	switch u.Scheme {
	case "amqp":
		return new(net.Dialer).DialContext(ctx, "tcp", at("5672"))
	case "amqps":
		return (&tls.Dialer{Config: secure}).DialContext(ctx, "tcp", at("5671"))
	case "ws", "wss":
		bare := *u
		bare.User = nil // for SASL, not for HTTP
		return websocket.Dial(ctx, bare.String(), secure)
	}
	return nil, errors.New(u.Redacted() + ": " + form)
}
