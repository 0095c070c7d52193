package engine

import (
	"fmt"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

// Link is one link. It is a sending link where we are the sender.
type Link struct {
	session *Session
	Name    string
	Sending bool
	Ref     any // the driver's own
	// Progress is the driver's own as well, for whoever calls Conn.Progress.
	Progress any
	// Second: the receiver settles second; PeerSettled: the sender said that it
	// sends settled.
	Second      bool
	PeerSettled bool

	handle   uint32 // ours
	remote   uint32 // the peer's
	attached bool   // our attach is sent
	answered bool   // the peer's attach came
	detached bool   // our detach is sent
	gone     bool   // the peer's detach came
	stale    uint32 // detaches that the peer owes for earlier links of its handle
	ours     *frame.Attach
	fault    *frame.Error // the peer's, before our attach was sent

	// Credit, both directions. count is the delivery-count (amqp 2.6.7).
	count uint32
	limit uint32 // count up to which deliveries may go

	// Receiving.
	maxSize uint64
	partial partial
	early   uint32 // deliveries that came before our attach
	slack   uint32 // deliveries that may still come although credit was reduced

	// Sending: how far deliveries got, for Progress.
	begun, done uint64
	overdrawn   bool // in Conn.overdrawn
	progressed  bool
	source      *outgoing   // the delivery under way that comes from a Source
	behind      []*outgoing // what waits for its end, in order
	queued      int32       // deliveries in the session's queue that are not begun
	drains      int         // answers to drains that wait among them
	drainTo     uint32      // the delivery-count of the last of those
	undrained   int32       // of queued: behind the last of those
}

// Session is the link's session.
func (l *Link) Session() *Session { return l.session }

// Live says whether the link can still be used.
func (l *Link) Live() bool {
	return l.attached && !l.detached && !l.gone && !l.session.ended && l.session.conn.phase == opened
}

// Credit is how many deliveries may go in the link's direction.
func (l *Link) Credit() int32 { return int32(l.limit - l.count) }

// Count is the link's delivery-count.
func (l *Link) Count() uint32 { return l.count }

// Attach begins a link from our side; Handle, and for a sender the
// initial-delivery-count, are filled in. EventAttach tells of the answer. nil:
// no handle is free, or the session is over.
func (s *Session) Attach(a frame.Attach) *Link {
	if s.ended || s.conn.phase >= closing {
		return nil
	}
	l := &Link{session: s, Name: a.Name, Sending: a.Role == frame.RoleSender, Second: a.RcvSettleMode == frame.ReceiverSettleModeSecond, maxSize: a.MaxMessageSize}
	if !s.giveHandle(l) {
		return nil
	}
	l.ours = &a
	l.sendAttach(&a)
	return l
}

func (s *Session) giveHandle(l *Link) bool {
	h := uint32(0)
	for int(h) < len(s.handles) && s.handles[h] != nil {
		h++
	}
	if h > s.handleMax {
		return false
	}
	if int(h) == len(s.handles) {
		s.handles = append(s.handles, nil)
	}
	s.handles[h] = l
	l.handle = h
	return true
}

func (l *Link) sendAttach(a *frame.Attach) {
	a.Handle = l.handle
	a.Name = l.Name
	a.Role = frame.RoleReceiver
	if l.Sending {
		a.Role = frame.RoleSender
		a.InitialDeliveryCount = wire.Some(l.count)
	}
	l.attached = true
	l.session.conn.frame(l.session.channel, a)
}

func (s *Session) onAttach(a *frame.Attach) error {
	if s.ended {
		return nil
	}
	earlier := s.link(a.Handle)
	switch {
	case a.Handle > s.conn.cfg.HandleMax:
		return s.conn.fail(frame.ConditionFramingError, fmt.Sprintf("handle %d is above the handle-max of %d", a.Handle, s.conn.cfg.HandleMax))
	case earlier != nil && !earlier.detached:
		return s.fail(frame.ConditionHandleInUse, fmt.Sprintf("handle %d is in use", a.Handle))
	case a.Role == frame.RoleSender && !a.InitialDeliveryCount.OK && a.Source != nil:
		return s.fail(frame.ConditionInvalidField, "attach of a sender without initial-delivery-count")
	}
	sending := a.Role == frame.RoleReceiver
	l := s.waiting(a.Name, sending)
	if l == nil {
		l = &Link{session: s, Name: a.Name, Sending: sending}
		l.Second = a.RcvSettleMode == frame.ReceiverSettleModeSecond
	} else {
		l.answered = true
	}
	l.remote = a.Handle
	if earlier != nil {
		// go-amqp takes a handle to be free once it has read our detach, and may
		// send its own behind the handle's next attach.
		s.peerLeft(earlier)
		l.stale = earlier.stale + 1
	}
	if !sending {
		l.count = a.InitialDeliveryCount.Or(0)
		l.limit = l.count
		l.PeerSettled = a.SndSettleMode == frame.SenderSettleModeSettled
		if !l.attached {
			l.maxSize = s.conn.cfg.MaxMessageSize
		}
	}
	for uint32(len(s.links)) <= a.Handle {
		s.links = append(s.links, nil)
	}
	s.links[a.Handle] = l
	if s.conn.links++; s.conn.links > MaxLinks+maxRefused {
		return s.conn.fail(frame.ConditionResourceLimitExceeded, fmt.Sprintf("%d links, at most %d are allowed", s.conn.links, MaxLinks))
	} else if s.conn.links > MaxLinks {
		l.Refuse(fault(frame.ConditionResourceLimitExceeded, fmt.Sprintf("the connection has %d links, no more are allowed", MaxLinks)), a)
		return nil
	}
	s.conn.events = append(s.conn.events, Event{Kind: EventAttach, Session: s, Link: l, Attach: a})
	return nil
}

// waiting finds a link of ours that the peer has not answered yet. Links are
// known by name and direction (amqp 2.6.1).
func (s *Session) waiting(name string, sending bool) *Link {
	for _, l := range s.handles {
		if l != nil && l.Name == name && l.Sending == sending && l.ours != nil && !l.answered {
			return l
		}
	}
	return nil
}

// Accept answers EventAttach: a is what is in force; name, handle and role are
// filled in. For a receiving link maxSize bounds a message.
func (l *Link) Accept(a frame.Attach) {
	if l.attached || l.session.ended || l.session.conn.phase != opened {
		return
	}
	if !l.session.giveHandle(l) {
		l.session.fail(frame.ConditionResourceLimitExceeded, "no handle is free") //nolint:errcheck // always nil: the fault is the session's
		return
	}
	l.maxSize = a.MaxMessageSize
	l.Second = a.RcvSettleMode == frame.ReceiverSettleModeSecond
	l.sendAttach(&a)
	if l.fault != nil {
		l.Detach(true, l.fault)
	}
}

// over says that what the peer sends on the link is passed over.
func (l *Link) over() bool { return l.detached || l.fault != nil }

// Refuse answers EventAttach with an attach whose own terminus is null, and a
// detach (amqp 2.6.3).
func (l *Link) Refuse(e *frame.Error, theirs *frame.Attach) {
	a := frame.Attach{SndSettleMode: theirs.SndSettleMode, RcvSettleMode: theirs.RcvSettleMode}
	if l.Sending {
		a.Target = theirs.Target
	} else {
		a.Source = theirs.Source
	}
	l.Accept(a)
	l.Detach(true, e)
}

// Forget passes over what the peer may yet say of deliveries that we sent on the
// link: they are the driver's. Detach does so too, except where it is in order
// and does not close: then a disposition may still come (amqp 2.6.6).
func (l *Link) Forget() { l.session.sent.drop(l) }

// Detach ends the link from our side, or answers the peer's detach.
func (l *Link) Detach(closed bool, e *frame.Error) {
	s := l.session
	if l.detached || !l.attached || s.ended || s.conn.phase != opened {
		return
	}
	l.detached = true
	s.dropQueued(l)
	if closed || e != nil {
		l.Forget()
	}
	s.conn.frame(s.channel, &frame.Detach{Handle: l.handle, Closed: closed, Error: e})
	l.release()
}

// release frees the handle once both sides have detached.
func (l *Link) release() {
	if l.detached && l.gone && int(l.handle) < len(l.session.handles) && l.session.handles[l.handle] == l {
		l.session.handles[l.handle] = nil
	}
}

func (s *Session) onDetach(d *frame.Detach) error {
	if s.ended {
		return nil
	}
	l := s.link(d.Handle)
	if l == nil {
		return s.fail(frame.ConditionUnattachedHandle, fmt.Sprintf("a detach for handle %d, which is not attached", d.Handle))
	}
	if l.stale > 0 { // of a link before it
		l.stale--
		return nil
	}
	s.peerLeft(l)
	if l.detached {
		return nil
	}
	s.conn.events = append(s.conn.events, Event{Kind: EventDetach, Session: s, Link: l, Closed: d.Closed, Error: d.Error, Sent: []Sent{{Ref: l.done}}})
	return nil
}

// peerLeft is the peer's end of a link.
func (s *Session) peerLeft(l *Link) {
	s.links[l.remote] = nil
	s.conn.links--
	l.gone = true
	l.dropPartial()
	s.dropQueued(l)
	l.release()
}

// fail detaches the link for a fault of the peer's.
func (l *Link) fail(condition wire.Symbol, description string) error {
	if l.over() {
		return nil
	}
	e := fault(condition, description)
	if !l.attached {
		l.fault = e // told behind our attach
	}
	l.session.conn.events = append(l.session.conn.events, Event{Kind: EventDetach, Local: true, Session: l.session, Link: l, Closed: true, Error: e})
	l.Detach(true, e)
	return nil
}

func (l *Link) onFlow(f *frame.Flow) {
	c := l.session.conn
	if !l.Sending {
		if f.DeliveryCount.OK && !before(f.DeliveryCount.V, l.count) {
			l.count = f.DeliveryCount.V // the sender used up credit without sending
		}
		if f.Echo && l.attached {
			c.frame(l.session.channel, l.flow(false))
		}
		return
	}
	if f.LinkCredit.OK {
		l.limit = f.DeliveryCount.Or(0) + f.LinkCredit.V
		if f.LinkCredit.V > 1<<31-1 {
			l.limit = f.DeliveryCount.Or(0) + 1<<31 - 1
		}
		if l.tooMany() && !l.overdrawn {
			l.overdrawn = true
			c.overdrawn = append(c.overdrawn, l)
		}
	}
	if f.LinkCredit.OK || f.Drain { // a drain is answered whatever else it says
		c.events = append(c.events, Event{Kind: EventFlow, Session: l.session, Link: l, Limit: l.limit, Drain: f.Drain, Properties: f.Properties})
	}
	if f.Echo && !f.Drain && l.attached {
		c.frame(l.session.channel, l.flow(false))
	}
}

// flow is the link's state as a flow.
func (l *Link) flow(drain bool) *frame.Flow {
	f := l.session.flow()
	f.Handle = wire.Some(l.handle)
	f.DeliveryCount = wire.Some(l.count)
	f.LinkCredit = wire.Some(uint32(max(l.Credit(), 0)))
	f.Drain = drain
	return f
}

// Grant gives the sender at a receiving link credit for n more deliveries from
// now on.
func (l *Link) Grant(n uint32, drain bool) {
	if !l.Live() || l.Sending {
		return
	}
	if old := l.Credit(); old > int32(n) {
		l.slack += uint32(old) - n
	}
	l.limit = l.count + n
	l.session.conn.frame(l.session.channel, l.flow(drain))
}

// Ended says whether both sides have detached.
func (l *Link) Ended() bool { return l.detached && l.gone }

// Begun is the Ref of the last delivery sent on the link that has a byte in
// Output.
func (l *Link) Begun() uint64 { return l.begun }
