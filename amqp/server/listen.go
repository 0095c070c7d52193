package server

import (
	"fmt"
	"net"
	"net/url"
)

// Listen opens the listener of a URL such as amqp://127.0.0.1:5672; amqps is not
// served by this version.
func Listen(address string) (net.Listener, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("listen %q: %w", address, err)
	}
	if u.Scheme != "amqp" || u.Host == "" || (u.Path != "" && u.Path != "/") {
		return nil, fmt.Errorf("listen %q: write amqp://HOST:PORT, for example amqp://127.0.0.1:5672", address)
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = "5672"
	}
	return net.Listen("tcp", net.JoinHostPort(host, port))
}
