package server

import (
	"fmt"
	"net"
	"net/url"
)

// Listener is an open port. What a client speaks there (AMQP, TLS, WebSocket) is
// told by its first bytes.
type Listener struct {
	net.Listener
	// Secure is an amqps:// listener: it refuses whoever does not begin with TLS.
	Secure bool
}

// URL is where it listens, with the port that the system chose for 0.
func (l *Listener) URL() string {
	if l.Secure {
		return "amqps://" + l.Addr().String()
	}
	return "amqp://" + l.Addr().String()
}

// Ports of amqp:// and amqps:// (IANA).
const (
	port       = "5672"
	securePort = "5671"
)

// Listen opens the listener of a URL such as amqp://127.0.0.1:5672, or amqps://
// where only TLS is taken.
func Listen(address string) (*Listener, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("listen %q: %w", address, err)
	}
	if (u.Scheme != "amqp" && u.Scheme != "amqps") || u.Host == "" || (u.Path != "" && u.Path != "/") {
		return nil, fmt.Errorf("listen %q: write amqp://HOST:PORT or amqps://HOST:PORT, for example amqp://127.0.0.1:5672", address)
	}
	secure := u.Scheme == "amqps"
	p := u.Port()
	switch {
	case p != "":
	case secure:
		p = securePort
	default:
		p = port
	}
	l, err := net.Listen("tcp", net.JoinHostPort(u.Hostname(), p))
	if err != nil {
		return nil, err
	}
	return &Listener{Listener: l, Secure: secure}, nil
}
