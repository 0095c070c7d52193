package client

import (
	"context"
	"errors"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
)

// What follows is for programs with many links and many deliveries under way: nothing
// waits for an answer, which comes as an event.

// Event, Link and Delivery are the engine's.
type (
	Event    = engine.Event
	Link     = engine.Link
	Outgoing = engine.Delivery
)

// The events that a handler of links meets.
const (
	Attached  = engine.EventAttach
	Flow      = engine.EventFlow
	Delivered = engine.EventDelivery
	Settled   = engine.EventSettle
	Detached  = engine.EventDetach
	Ended     = engine.EventEnd
)

// Session is one more session of a connection, whose events go to handlers. They are
// called with the connection held, as steps of Do are: they may call what belongs to
// links and sessions, but no method of Conn, and must not wait.
type Session struct {
	c     *Conn
	s     *engine.Session
	began bool
	err   error
	ended func(error)
}

// handler is whoever has a link of a Session.
type handler struct {
	handle    func(Event)
	overdrawn func(ref uint64)
}

func (h *handler) event(e engine.Event) { h.handle(e) }

// overdrawn gives a delivery back that the server takes no more.
func overdrawn(l *engine.Link, ref uint64) {
	if h, ok := l.Ref.(*handler); ok && h.overdrawn != nil {
		h.overdrawn(ref)
	}
}

// Begin begins a session, and waits until the server has. ended is told of its end,
// if the server ends it.
func (c *Conn) Begin(ctx context.Context, ended func(error)) (*Session, error) {
	stop := context.AfterFunc(ctx, c.cond.Broadcast)
	defer stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &Session{c: c, ended: ended}
	if c.err != nil {
		return nil, c.err
	}
	if s.s = c.e.Begin(); s.s == nil {
		return nil, errors.New("no channel is free for a session")
	}
	s.s.Ref = s
	c.flush()
	c.wait(func() bool { return s.began || s.err != nil || ctx.Err() != nil })
	return s, errors.Join(c.err, s.err, ctx.Err())
}

// event is the session's end.
func (s *Session) event(e engine.Event) {
	s.err = &Error{e.Error}
	if !e.Local {
		e.Session.End(nil)
	}
	if s.ended != nil {
		s.ended(s.err)
	}
}

// Attach attaches a link, in a step of Do or a handler; Role says which way it goes.
// handle is given what the server does on it; overdrawn, of a sender, the refs of
// deliveries that come back because the server has taken their credit away, the last
// first. A Detached that is not Local is to be answered by Link.Detach. The error: no
// link is free.
func (s *Session) Attach(a frame.Attach, handle func(Event), overdrawn func(ref uint64)) (*Link, error) {
	l := s.s.Attach(a)
	if l == nil {
		return nil, errors.New("no link is free")
	}
	l.Ref = &handler{handle, overdrawn}
	return l, nil
}

// Links is how many links the session may have at a time.
func (s *Session) Links() int { return int(s.s.HandleMax()) + 1 }

// Settle tells the outcome of deliveries first to last, in a step of Do or a handler.
func (s *Session) Settle(first, last uint32, state frame.DeliveryState) {
	s.s.Settle(first, last, state, true)
}

// End ends the session, in a step of Do or a handler.
func (s *Session) End() { s.s.End(nil) }

// Do holds the connection for a step, and writes what came of it. The error is the
// connection's: it has ended, and the step was not done.
func (c *Conn) Do(step func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	step()
	c.flush()
	return nil
}

// Peer is what the server said of itself.
func (c *Conn) Peer() *frame.Open { return c.e.Peer() }

// Ended is closed when the connection has ended; Err says why.
func (c *Conn) Ended() <-chan struct{} { return c.ended }

// Err is why the connection has ended; nil: it has not.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}
