package server

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"

	"github.com/tidegate/tidegate/amqp/websocket"
)

// The first byte of what a client may speak. Anything else is the engine's to
// answer (amqp 2.2).
const (
	firstTLS  = 0x16 // the record type of a ClientHello (rfc 8446, 5.1)
	firstHTTP = 'G'  // GET
)

// begin reads the first bytes, puts TLS and WebSocket around the socket where
// they ask for it, and hands the first bytes of AMQP to the engine. It gives the
// stream that AMQP comes by; false: nothing is to be read.
//
// All of it is bounded by the engine's time for login: when that is over the
// socket is closed.
func (c *Conn) begin() (net.Conn, bool) {
	stream := c.sock
	secured, framed := false, false
	for {
		c.mu.Lock()
		space := c.e.Space()
		c.mu.Unlock()
		n, err := stream.Read(space)
		if n == 0 && err == nil {
			continue
		}
		if n == 0 {
			c.quiet("connection ended before it said anything", err)
			return nil, c.over()
		}
		first := space[:n]
		switch {
		case first[0] == firstTLS && !secured && !framed && c.server.tls != nil:
			if stream, err = c.secure(stream, first); err != nil {
				c.quiet("TLS handshake failed", err)
				return nil, c.over()
			}
			secured = true
			c.secured.Store(true)
			continue
		case c.listener.Secure && !secured:
			c.server.cfg.Logger.Warn("plain text refused: this listener takes TLS only",
				"listener", c.listener.URL(), "peer", c.sock.RemoteAddr().String())
			return nil, c.over()
		case first[0] == firstTLS && !secured && !framed:
			c.server.cfg.Logger.Warn("a client speaks TLS, and there is no certificate: start with --tls-cert and --tls-key",
				"peer", c.sock.RemoteAddr().String())
		case first[0] == firstHTTP && !framed:
			ws, err := websocket.Accept(websocket.Replay(stream, slices.Clone(first)), c.server.cfg.Origins)
			if err != nil {
				c.quiet("WebSocket handshake failed", err)
				return nil, c.over()
			}
			stream, framed = ws, true
			continue
		}
		c.mu.Lock()
		c.stream = stream
		c.mu.Unlock()
		return stream, c.took(n, err)
	}
}

// secure runs the handshake and tells the engine who the certificate names.
func (c *Conn) secure(sock net.Conn, first []byte) (net.Conn, error) {
	t := tls.Server(websocket.Replay(sock, slices.Clone(first)), c.server.tls)
	if err := t.Handshake(); err != nil { // cut ends it
		return nil, err
	}
	state := t.ConnectionState()
	if len(state.VerifiedChains) > 0 && c.server.cfg.External != nil {
		user := c.server.cfg.External(state.PeerCertificates[0])
		c.mu.Lock()
		c.e.External(user)
		c.mu.Unlock()
	}
	return records{t}, nil
}

// over ends a connection that never came to AMQP; always false.
func (c *Conn) over() bool {
	c.cut()
	return false
}

// quiet logs why a connection never came to AMQP. Whoever only looks whether the
// port is open (a health check, a time-out's cut) is no warning.
func (c *Conn) quiet(what string, err error) {
	log := c.server.cfg.Logger.Warn
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		log = c.server.cfg.Logger.Debug
	}
	log(what, "peer", c.sock.RemoteAddr().String(), "err", err)
}
