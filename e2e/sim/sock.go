package sim

import (
	"net"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/gateway"
	"github.com/tidegate/tidegate/amqp/server"
)

// pipe is one direction of a connection: bytes under way.
type pipe struct {
	b      []byte
	closed bool // nothing more is put in; what is in still arrives
}

func (p *pipe) put(b []byte) {
	if !p.closed {
		p.b = append(p.b, b...)
	}
}

func (p *pipe) take(into []byte) int {
	n := copy(into, p.b)
	p.b = p.b[n:]
	if len(p.b) == 0 {
		p.b = nil
	}
	return n
}

// cut closes the pipe; only the first n bytes still arrive.
func (p *pipe) cut(n int) {
	p.closed = true
	p.b = p.b[:min(n, len(p.b))]
}

var _ gateway.Road = (*sock)(nil)

// sock is the broker's end of a connection: it does in pieces, in any order
// that goroutines could have, what amqp/server.Conn does.
type sock struct {
	p        *process
	e        *engine.Conn
	h        server.Handler
	up, down *pipe
	tap      *tap
	in, out  *mangler
	events   []engine.Event // read, not handled yet
	awake    bool
	wrote    bool // Wrote is due
	pauses   int  // of reading
	half     bool // the peer sends nothing more
	done     bool
	over     bool // Closed was called
}

func (p *process) accept(up, down *pipe) *sock {
	s := &sock{p: p, up: up, down: down, tap: newTap(p.w), in: newMangler(p.w.breaks.up), out: newMangler(p.w.breaks.down), e: engine.New(p.gateway.Engine(), p.w.now)}
	s.h = p.gateway.Handler(s)
	p.socks = append(p.socks, s)
	return s
}

// RemoteAddr implements gateway.Socket.
func (s *sock) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// Wake implements gateway.Socket.
func (s *sock) Wake() { s.awake = true }

// Engine implements gateway.Socket.
func (s *sock) Engine(do func(*engine.Conn)) {
	do(s.e)
	s.awake = true
}

// Pause implements gateway.Road.
func (s *sock) Pause() { s.pauses++ }

// Resume implements gateway.Road.
func (s *sock) Resume() { s.pauses-- }

// Serial implements gateway.Road: who holds events handles them first.
func (s *sock) Serial(do func()) {
	if s.events != nil {
		s.handle()
	}
	do()
	s.awake = true
}

// read takes up to n bytes; what they bring is handled at once or, apart, at the
// next call: in the real server the writer may come between.
func (s *sock) read(n int, apart bool) bool {
	switch {
	case s.over:
		return false
	case s.events != nil:
		s.handle()
		return true
	case s.half || s.done || s.pauses > 0:
		return false
	case len(s.up.b) == 0:
		if s.up.closed {
			s.half, s.awake = true, true
			return true
		}
		return false
	}
	if s.in != nil {
		return s.mangled(n)
	}
	space := s.e.Space()
	n = s.up.take(space[:min(n, len(space))])
	s.tap.up(space[:n])
	s.input(n, apart)
	return true
}

func (s *sock) input(n int, apart bool) {
	if err := s.e.Input(s.p.w.now, n); err != nil {
		s.p.w.fail("the broker finds a fault of the client's: %v", err)
	}
	if s.events = s.e.Events(); len(s.events) == 0 {
		s.events = nil
	} else if !apart {
		s.handle()
	}
	s.awake = s.awake || s.e.Pending() || s.e.Done()
}

// mangled reads as read does, through a break.
func (s *sock) mangled(n int) bool {
	b := make([]byte, min(n, len(s.up.b)))
	s.up.take(b)
	s.tap.up(b)
	for b = s.in.bytes(b); len(b) > 0; {
		n := copy(s.e.Space(), b)
		b = b[n:]
		s.input(n, false)
	}
	return true
}

func (s *sock) handle() {
	events := s.events
	s.events = nil
	s.h.Events(events)
	s.awake = s.awake || s.e.Pending() || s.e.Done()
}

// write does what the writer does up to the socket, or behind it.
func (s *sock) write() bool {
	switch {
	case s.over:
		return false
	case s.wrote:
		s.wrote = false
		s.h.Wrote()
		if s.done {
			s.close()
		}
		return true
	case s.awake:
		s.awake = false
		s.h.Output(s.e, s.p.w.now)
		parts := s.e.Output(s.p.w.now, nil)
		s.done = s.e.Done()
		for _, b := range parts {
			b = s.out.bytes(b)
			s.tap.down(b)
			s.down.put(b)
		}
		s.tap.flushed()
		s.wrote = true
		s.awake = s.awake || len(parts) > 0
		return true
	case s.half && s.events == nil:
		s.close()
		return true
	}
	return false
}

func (s *sock) close() {
	s.over = true
	s.down.closed, s.up.closed = true, true
	s.up.b = nil
	s.h.Closed()
}

func (s *sock) tick(now time.Time) {
	d := s.e.Deadline()
	if s.over || s.events != nil || d.IsZero() || d.After(now) {
		return
	}
	_ = s.e.Tick(now) // a peer that said nothing for too long
	if events := s.e.Events(); len(events) > 0 {
		s.events = events
		s.handle()
	}
	s.awake = true
}
