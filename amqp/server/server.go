// Package server is the shell of AMQP connections: listeners, TLS and WebSocket,
// told apart by the first bytes, and for each connection a reader and a writer goroutine around an engine. What the
// protocol means is its Handler's business.
package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/websocket"
)

// Limits.
const (
	// DefaultMaxConnections is how many clients may be connected.
	DefaultMaxConnections = 10_000
	// DefaultStuck is how long a socket may take no byte before its connection
	// is given up.
	DefaultStuck = 60 * time.Second
	// outputBuffer is what a writer begins to gather in, in bytes; it grows with
	// what the peer takes.
	outputBuffer = 64 << 10
	// acceptPause is the wait after a failed accept (no file descriptors).
	acceptPause = 100 * time.Millisecond
)

// Handler is what a connection's protocol events mean. Its methods are never
// called at the same time as each other, except Output and Wrote, which the
// writer calls while the reader may be in Events.
type Handler interface {
	// Events takes what the peer did.
	Events(events []engine.Event)
	// Output moves what may leave into the engine; the engine's lock is held.
	Output(e *engine.Conn, now time.Time)
	// Wrote says that all that Output gave is with the operating system.
	Wrote()
	// Closed ends it: the socket is closed.
	Closed()
	// Shutdown asks it to close the connection in good order.
	Shutdown()
}

// Config is a server's.
type Config struct {
	Engine         func() engine.Config
	New            func(*Conn) Handler
	MaxConnections int
	Stuck          time.Duration
	Logger         *slog.Logger
	// Certificates let clients speak TLS; nil: none can.
	Certificates *Certificates
	// External names the user whom a verified client certificate stands for; ""
	// is nobody. Nil: certificates say nothing about users.
	External func(*x509.Certificate) string
	// Origins are the web pages that may come by WebSocket.
	Origins websocket.Origins
}

// Server accepts connections.
type Server struct {
	cfg Config
	tls *tls.Config // nil: no TLS

	unsent atomic.Int64  // bytes of writes under way
	logins chan struct{} // held while a connection that is not logged in is handled

	buffers sync.Pool // of *[]byte: what writers gather in

	mu        sync.Mutex
	strangers strangers
	conns     map[*Conn]struct{}
	listeners []*Listener
	closing   bool
	ended     sync.WaitGroup
}

// New makes a server.
func New(cfg Config) *Server {
	if cfg.MaxConnections == 0 {
		cfg.MaxConnections = DefaultMaxConnections
	}
	if cfg.Stuck == 0 {
		cfg.Stuck = DefaultStuck
	}
	s := &Server{cfg: cfg, conns: map[*Conn]struct{}{}, logins: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))}
	s.buffers.New = func() any {
		buf := make([]byte, 0, outputBuffer)
		return &buf
	}
	if cfg.Certificates != nil {
		s.tls = cfg.Certificates.Config()
	}
	return s
}

// Serve accepts connections from l until Shutdown. It returns at once.
func (s *Server) Serve(l *Listener) {
	s.mu.Lock()
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	s.ended.Add(1)
	go s.accept(l)
}

func (s *Server) accept(l *Listener) {
	defer s.ended.Done()
	for {
		sock, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			s.cfg.Logger.Warn("accept failed", "listener", l.Addr().String(), "err", err)
			time.Sleep(acceptPause)
			continue
		}
		s.start(l, sock)
	}
}

// SetMaxConnections changes how many clients may be connected; those that are, stay.
// 0: DefaultMaxConnections.
func (s *Server) SetMaxConnections(n int) {
	if n == 0 {
		n = DefaultMaxConnections
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.MaxConnections = n
}

func (s *Server) start(l *Listener, sock net.Conn) {
	s.mu.Lock()
	var victim *Conn
	limit := s.cfg.MaxConnections
	if len(s.conns) >= limit {
		victim = s.strangers.first
	}
	if s.closing || (victim == nil && len(s.conns) >= limit) {
		full := !s.closing
		s.mu.Unlock()
		if full {
			s.cfg.Logger.Warn("connection refused: too many", "limit", limit, "peer", sock.RemoteAddr().String())
		}
		_ = sock.Close()
		return
	}
	c := newConn(s, l, sock)
	s.conns[c] = struct{}{}
	s.strangers.add(c)
	if victim != nil {
		s.strangers.remove(victim)
	}
	s.ended.Add(1)
	s.mu.Unlock()
	if victim != nil {
		s.cfg.Logger.Warn("too many connections: the one that has been without login for longest is cut",
			"limit", limit, "peer", victim.sock.RemoteAddr().String())
		victim.cut()
	}
	c.run()
}

// knows says that c has logged in.
func (s *Server) knows(c *Conn) {
	s.mu.Lock()
	s.strangers.remove(c)
	s.mu.Unlock()
}

// left says that c has ended.
func (s *Server) left(c *Conn) {
	s.mu.Lock()
	s.strangers.remove(c)
	delete(s.conns, c)
	s.mu.Unlock()
	s.ended.Done()
}

// Connections is how many there are.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Shutdown stops accepting, asks every connection to close in good order, and
// cuts those that have not after the time given.
func (s *Server) Shutdown(within time.Duration) {
	s.mu.Lock()
	s.closing = true
	for _, l := range s.listeners {
		_ = l.Close()
	}
	conns := make([]*Conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	for _, c := range conns {
		c.handler.Shutdown()
	}
	cut := time.AfterFunc(within, func() {
		for _, c := range conns {
			c.cut()
		}
	})
	s.ended.Wait()
	cut.Stop()
}
