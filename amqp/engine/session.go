package engine

import (
	"fmt"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

// before compares serial numbers (amqp 2.6.2, RFC 1982).
func before(a, b uint32) bool { return int32(a-b) < 0 }

// Session is one session. Delivery-ids, transfer-ids and windows are serial
// numbers of 32 bits: they wrap.
type Session struct {
	conn    *Conn
	channel uint16 // ours
	remote  uint16 // the peer's
	Ref     any    // the driver's own

	peerBegan bool
	held      bool // our begin waits for our open
	ended     bool // our end is sent

	// Receiving (amqp 2.5.6).
	nextIncomingID uint32
	incomingWindow uint32 // frames the peer may still send
	unwritten      uint32 // frames told in pieces that Written has not answered
	nextDelivery   wire.Optional[uint32]

	// Sending.
	nextOutgoingID uint32
	remoteWindow   uint32 // frames we may still send
	nextDeliveryID uint32
	sent           sentRing
	queue          []*outgoing // deliveries and drain answers in order
	sources        []*outgoing // deliveries under way that come from a Source
	turn           int         // of sources: who goes next
	free           []*outgoing

	handleMax uint32
	links     []*Link // by the peer's handle
	handles   []*Link // by ours
}

// Conn is the session's connection.
func (s *Session) Conn() *Conn { return s.conn }

// HandleMax is the highest handle that both sides take: one link fewer than there may be
// on the session.
func (s *Session) HandleMax() uint32 { return s.handleMax }

// Begin starts a session from our side; EventBegin tells when it is answered.
// nil: no channel is free, or the connection is closed.
func (c *Conn) Begin() *Session {
	if c.phase >= closing {
		return nil
	}
	for ch := uint16(0); ; ch++ {
		if int(ch) >= len(c.outgoing) || c.outgoing[ch] == nil {
			if ch > c.channelMax {
				return nil
			}
			s := c.newSession(ch)
			c.frame(ch, s.begin(wire.Optional[uint16]{}))
			return s
		}
	}
}

func (c *Conn) newSession(channel uint16) *Session {
	s := &Session{conn: c, channel: channel, incomingWindow: c.cfg.IncomingWindow, handleMax: c.cfg.HandleMax}
	for int(channel) >= len(c.outgoing) {
		c.outgoing = append(c.outgoing, nil)
	}
	c.outgoing[channel] = s
	return s
}

func (s *Session) begin(remote wire.Optional[uint16]) *frame.Begin {
	return &frame.Begin{
		RemoteChannel: remote, NextOutgoingID: s.nextOutgoingID, IncomingWindow: s.conn.cfg.IncomingWindow,
		OutgoingWindow: 1<<31 - 1, HandleMax: s.conn.cfg.HandleMax,
	}
}

func (c *Conn) onBegin(channel uint16, b *frame.Begin) error {
	switch {
	case channel > c.channelMax:
		return c.fail(frame.ConditionFramingError, fmt.Sprintf("channel %d is above the channel-max of %d", channel, c.channelMax))
	case int(channel) < len(c.incoming) && c.incoming[channel] != nil:
		return c.fail(frame.ConditionFramingError, fmt.Sprintf("channel %d has a session already", channel))
	}
	var s *Session
	if b.RemoteChannel.OK {
		if ours := int(b.RemoteChannel.V); ours < len(c.outgoing) && c.outgoing[ours] != nil && !c.outgoing[ours].peerBegan {
			s = c.outgoing[ours]
		} else {
			return c.fail(frame.ConditionFramingError, fmt.Sprintf("begin answers channel %d, which has not begun", ours))
		}
	} else {
		ch := channel
		for int(ch) < len(c.outgoing) && c.outgoing[ch] != nil {
			ch++ // the peer's number is still in use on our side: take another
		}
		s = c.newSession(ch)
	}
	s.remote, s.peerBegan = channel, true
	s.nextIncomingID, s.remoteWindow = b.NextOutgoingID, b.IncomingWindow
	s.handleMax = min(s.handleMax, b.HandleMax)
	for int(channel) >= len(c.incoming) {
		c.incoming = append(c.incoming, nil)
	}
	c.incoming[channel] = s
	switch {
	case b.RemoteChannel.OK:
	case c.openSent:
		c.frame(s.channel, s.begin(wire.Some(channel)))
	default:
		s.held = true // a pipelined begin: its answer waits for our open
	}
	c.events = append(c.events, Event{Kind: EventBegin, Session: s})
	return nil
}

// End ends the session from our side, or answers the peer's end.
func (s *Session) End(e *frame.Error) {
	if s.ended || s.conn.phase != opened {
		return
	}
	s.conn.Open(nil)
	s.ended = true
	for _, l := range s.links {
		if l != nil {
			s.conn.links--
			l.dropPartial()
		}
	}
	s.dropSources(nil)
	s.conn.frame(s.channel, &frame.End{Error: e})
	s.conn.outgoing[s.channel] = nil
}

func (s *Session) onEnd(e *frame.End) error {
	c := s.conn
	c.incoming[s.remote] = nil
	if s.ended {
		return nil
	}
	c.events = append(c.events, Event{Kind: EventEnd, Session: s, Error: e.Error})
	return nil
}

// fail ends the session for a fault of the peer's; until its end comes, what
// else it sends here is passed over.
func (s *Session) fail(condition wire.Symbol, description string) error {
	if s.ended {
		return nil
	}
	e := fault(condition, description)
	s.conn.events = append(s.conn.events, Event{Kind: EventEnd, Local: true, Session: s, Error: e})
	s.End(e)
	return nil
}

func (s *Session) onFlow(f *frame.Flow) error {
	if s.ended {
		return nil
	}
	// Before our begin came the peer counts from our first id, which is 0. What
	// is under way is taken off the window; windows of 2^31 and more are allowed.
	underWay := s.nextOutgoingID - f.NextIncomingID.Or(0)
	if f.NextIncomingID.OK && before(s.nextOutgoingID, f.NextIncomingID.V) {
		underWay = 0
	}
	s.remoteWindow = f.IncomingWindow - min(underWay, f.IncomingWindow)
	if before(f.NextOutgoingID, s.nextIncomingID) {
		return s.fail(frame.ConditionWindowViolation, fmt.Sprintf("next-outgoing-id went back from %d to %d", s.nextIncomingID, f.NextOutgoingID))
	}
	s.nextIncomingID = f.NextOutgoingID
	if len(s.queue) > 0 || len(s.sources) > 0 {
		s.conn.pumpable = true
	}
	if !f.Handle.OK {
		if f.Echo && !s.held {
			s.conn.frame(s.channel, s.flow())
		}
		return nil
	}
	l := s.link(f.Handle.V)
	if l == nil {
		if uint64(f.Handle.V) < uint64(len(s.links)) {
			return nil // go-amqp may still give credit behind its own detach
		}
		return s.fail(frame.ConditionUnattachedHandle, fmt.Sprintf("a flow for handle %d, which is not attached", f.Handle.V))
	}
	if l.detached {
		return nil
	}
	l.onFlow(f)
	return nil
}

// flow is a flow's session half.
func (s *Session) flow() *frame.Flow {
	return &frame.Flow{
		NextIncomingID: wire.Some(s.nextIncomingID), IncomingWindow: s.incomingWindow,
		NextOutgoingID: s.nextOutgoingID, OutgoingWindow: 1<<31 - 1,
	}
}

func (s *Session) link(handle uint32) *Link {
	if uint64(handle) >= uint64(len(s.links)) {
		return nil
	}
	return s.links[handle]
}

// received counts one transfer frame and opens the window again at its half.
func (s *Session) received() error {
	s.nextIncomingID++
	if s.incomingWindow == 0 {
		return s.fail(frame.ConditionWindowViolation, "more transfers than the incoming window")
	}
	s.incomingWindow--
	s.reopen()
	return nil
}

// reopen opens the window again once half of it is used, but for the frames
// that still wait for Written.
func (s *Session) reopen() {
	whole := s.conn.cfg.IncomingWindow
	if s.incomingWindow > whole/2 {
		return
	}
	open := whole - min(s.unwritten, whole)
	if open <= s.incomingWindow || open-s.incomingWindow < whole/4 {
		return // not worth a frame yet
	}
	s.incomingWindow = open
	s.conn.frame(s.channel, s.flow())
}

// Written answers pieces (EventPiece) of so many frames: their bytes are out of
// memory, and others may come in their place.
func (s *Session) Written(frames uint32) {
	s.unwritten -= min(frames, s.unwritten)
	if !s.ended && s.conn.phase == opened {
		s.reopen()
	}
}

// Settle tells the outcome of deliveries First to last that we received.
func (s *Session) Settle(first, last uint32, state frame.DeliveryState, settled bool) {
	s.disposition(frame.RoleReceiver, first, last, state, settled)
}

// Confirm answers an unsettled outcome of a delivery that we sent: settled now.
func (s *Session) Confirm(id uint32, state frame.DeliveryState) {
	s.sent.forget(id)
	s.disposition(frame.RoleSender, id, id, state, true)
}

func (s *Session) disposition(role frame.Role, first, last uint32, state frame.DeliveryState, settled bool) {
	if s.ended || s.conn.phase != opened {
		return
	}
	d := frame.Disposition{Role: role, First: first, Settled: settled, State: state}
	if last != first {
		d.Last = wire.Some(last)
	}
	c := s.conn // not by Conn.frame: d stays on the stack
	at := c.beginFrame(frame.TypeAMQP, s.channel)
	c.out.cur = d.Append(c.out.cur)
	c.endFrame(at, 0)
}

func (s *Session) onDisposition(d *frame.Disposition) error {
	if s.ended {
		return nil
	}
	last := d.Last.Or(d.First)
	c := s.conn
	if d.Role == frame.RoleSender {
		c.events = append(c.events, Event{Kind: EventOutcome, Session: s, ID: d.First, Last: last, Settled: d.Settled, State: d.State})
		return nil
	}
	if before(last, d.First) {
		return s.fail(frame.ConditionInvalidField, fmt.Sprintf("a disposition from %d to %d", d.First, last))
	}
	if _, partial := d.State.(*frame.Received); partial && !d.Settled {
		return nil
	}
	if d.State == nil && !d.Settled {
		return nil
	}
	var link *Link
	from := len(c.settled)
	tell := func() {
		if link != nil {
			c.events = append(c.events, Event{
				Kind: EventSettle, Session: s, Link: link, Sent: c.settled[from:len(c.settled):len(c.settled)], Settled: d.Settled, State: d.State,
			})
		}
		from = len(c.settled)
	}
	one := func(id uint32, e *sent) {
		if e == nil || e.link == nil {
			return
		}
		if e.link != link {
			tell()
			link = e.link
		}
		c.settled = append(c.settled, Sent{e.ref, id})
		if d.Settled {
			s.sent.forget(id)
		}
	}
	for i, to := s.sent.astray(d.First, last); i < to; i++ {
		one(s.sent.strays[i].id, &s.sent.strays[i].sent)
	}
	if first, last, some := s.sent.within(d.First, last); some {
		for id := first; ; id++ {
			one(id, s.sent.get(id))
			if id == last {
				break
			}
		}
	}
	tell()
	return nil
}
