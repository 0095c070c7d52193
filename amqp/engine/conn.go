package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

type phase uint8

const (
	header     phase = iota // a protocol header is expected
	saslFrames              // SASL is spoken
	opening                 // AMQP is spoken, the peer's open is missing
	opened
	closing // our close is sent: everything but the peer's is passed over
	done
)

// Conn is one connection.
type Conn struct {
	cfg     Config
	in      input
	out     output
	phase   phase
	events  []Event
	settled []Sent // what events of kind EventSettle refer to

	authenticated bool
	user          string
	proven        bool
	sasl          saslState

	openSent   bool
	closeSent  bool
	peerClosed bool
	deaf       bool       // frames are no longer told apart: what comes is passed over
	peer       frame.Open // as it came
	maxFrame   uint32     // the largest frame we may send
	channelMax uint16
	peerIdle   time.Duration
	lastIn     time.Time
	expires    time.Time // see Expire
	lastOut    time.Time
	began      time.Time
	closedAt   time.Time

	links   int   // of all sessions, until both sides have detached
	partial int64 // bytes of deliveries that are not complete

	incoming  []*Session // by the peer's channel
	outgoing  []*Session // by ours
	pumpable  bool       // some session may have something to send
	progress  []*Link
	overdrawn []*Link // with more queued than the peer's last flow allows
	turn      int     // of sessions: who sends first

	transfer    frame.Transfer
	disposition frame.Disposition
	flow        frame.Flow
}

// New makes a connection at time now. A client's first bytes are ready at once.
func New(cfg Config, now time.Time) *Conn {
	cfg.fill()
	c := &Conn{cfg: cfg, out: output{budget: leastBudget}, lastIn: now, lastOut: now, began: now, maxFrame: MinMaxFrameSize, channelMax: cfg.ChannelMax}
	c.in.wary = !cfg.Client
	if cfg.Client {
		c.startClient()
	}
	return c
}

// Space is where the next bytes from the peer belong.
func (c *Conn) Space() []byte { return c.in.space() }

// Input says that n bytes have arrived in Space. A fault of the peer's is
// answered on the wire and told as an EventClose; the error is for the log.
func (c *Conn) Input(now time.Time, n int) error {
	c.in.end += n
	c.in.last, c.in.full = n, c.in.end == len(c.in.buf)
	c.events, c.settled = c.events[:0], c.settled[:0]
	for {
		used, err := c.step(now, c.in.buf[c.in.start:c.in.end])
		if err != nil {
			return err
		}
		if used == 0 {
			return nil
		}
		c.in.start += used
		c.in.need = 0
		c.lastIn = now // by whole frames only: drops of one that never ends keep nobody alive
	}
}

// Events are what the last Input or Tick brought.
func (c *Conn) Events() []Event { return c.events }

// Done says that nothing more is to be read or made: once Output is written the
// socket is to be closed.
func (c *Conn) Done() bool { return c.phase == done }

// User is the name the peer was authenticated as; "" for anonymous.
func (c *Conn) User() string { return c.user }

// Proven says whether it is known that the peer is its User: sasl.Exchange.Proven.
func (c *Conn) Proven() bool { return c.proven }

// Authenticated says whether the peer has passed SASL, or needed none.
func (c *Conn) Authenticated() bool { return c.authenticated }

// Known says whether the peer has logged in, or, where it need not, has opened.
func (c *Conn) Known() bool { return !c.sasl.passed.IsZero() || c.phase >= opened }

// Peer is the peer's open.
func (c *Conn) Peer() *frame.Open { return &c.peer }

// step takes one header or frame from b; 0 means that more bytes are needed.
func (c *Conn) step(now time.Time, b []byte) (int, error) {
	switch c.phase {
	case done:
		return len(b), nil
	case saslFrames:
		if !c.sasl.failAt.IsZero() {
			return len(b), nil // refused, though the peer does not know it yet
		}
	case header:
		return c.header(now, b)
	case opening, opened, closing:
		if c.deaf {
			return len(b), nil
		}
	}
	if len(b) < frame.HeaderSize {
		c.in.need = frame.HeaderSize
		return 0, nil
	}
	limit := c.cfg.MaxFrameSize
	want := frame.TypeAMQP
	if c.phase == saslFrames {
		limit, want = MaxSASLFrameSize, frame.TypeSASL
	} else if c.phase == opening {
		limit = max(limit, MaxOpenFrameSize)
	}
	h, err := frame.ParseHeader(b, limit)
	if err == nil && h.Type != want {
		err = fmt.Errorf("a frame of type %d where type %d is spoken", h.Type, want)
	}
	if err != nil {
		c.deaf = true
		if c.phase == closing {
			return len(b), nil
		}
		return len(b), c.fail(frame.ConditionFramingError, err.Error())
	}
	if uint32(len(b)) < h.Size {
		c.in.need = int(h.Size)
		return 0, nil
	}
	body := b[h.Offset:h.Size]
	switch {
	case c.phase == saslFrames:
		err = c.saslFrame(now, body)
	case len(body) == 0: // a heartbeat
		if c.phase == opening {
			err = c.fail(frame.ConditionFramingError, "an empty frame before open")
		}
	default:
		err = c.amqpFrame(h.Channel, body)
	}
	return int(h.Size), err
}

func (c *Conn) amqpFrame(channel uint16, body []byte) error {
	code, err := frame.Code(body)
	if err != nil {
		return c.fail(frame.ConditionDecodeError, err.Error())
	}
	if c.phase == closing && code != frame.CodeClose || c.peerClosed {
		return nil
	}
	if c.phase == opening && code != frame.CodeOpen {
		return c.fail(frame.ConditionIllegalState, "the first frame must be open")
	}
	if c.phase == opened {
		switch code { // what comes often is decoded into the same place
		case frame.CodeTransfer:
			n, err := c.transfer.Decode(body, c.cfg.Limits)
			if err != nil {
				return c.undecodable(err)
			}
			return c.onSession(channel, func(s *Session) error { return s.onTransfer(&c.transfer, body[n:]) })
		case frame.CodeDisposition:
			if _, err := c.disposition.Decode(body, c.cfg.Limits); err != nil {
				return c.undecodable(err)
			}
			return c.onSession(channel, func(s *Session) error { return s.onDisposition(&c.disposition) })
		case frame.CodeFlow:
			if _, err := c.flow.Decode(body, c.cfg.Limits); err != nil {
				return c.undecodable(err)
			}
			return c.onSession(channel, func(s *Session) error { return s.onFlow(&c.flow) })
		}
	}
	p, _, err := frame.Parse(body, c.cfg.Limits)
	if err != nil {
		return c.undecodable(err)
	}
	switch p := p.(type) {
	case *frame.Open:
		return c.onOpen(channel, p)
	case *frame.Begin:
		return c.onBegin(channel, p)
	case *frame.Attach:
		return c.onSession(channel, func(s *Session) error { return s.onAttach(p) })
	case *frame.Detach:
		return c.onSession(channel, func(s *Session) error { return s.onDetach(p) })
	case *frame.End:
		return c.onSession(channel, func(s *Session) error { return s.onEnd(p) })
	case *frame.Close:
		c.onClose(p)
		return nil
	}
	return c.fail(frame.ConditionNotImplemented, p.TypeName()+" cannot stand here")
}

func (c *Conn) undecodable(err error) error {
	return c.fail(frame.ConditionOf(err), err.Error())
}

func (c *Conn) onSession(channel uint16, do func(*Session) error) error {
	if int(channel) >= len(c.incoming) || c.incoming[channel] == nil {
		return c.fail(frame.ConditionFramingError, fmt.Sprintf("channel %d has no session", channel))
	}
	return do(c.incoming[channel])
}

func (c *Conn) onOpen(channel uint16, o *frame.Open) error {
	if c.phase == opened {
		return c.fail(frame.ConditionIllegalState, "a second open")
	}
	switch {
	case channel != 0:
		return c.fail(frame.ConditionFramingError, "open came on another channel than 0")
	case o.MaxFrameSize < MinMaxFrameSize:
		return c.fail(frame.ConditionFramingError, fmt.Sprintf("max-frame-size %d is below %d", o.MaxFrameSize, MinMaxFrameSize))
	}
	c.peer = *o
	c.maxFrame = min(o.MaxFrameSize, 1<<20)
	c.channelMax = min(c.cfg.ChannelMax, o.ChannelMax)
	c.peerIdle = time.Duration(o.IdleTimeOut) * time.Millisecond
	c.phase = opened
	c.in.wary = false
	c.events = append(c.events, Event{Kind: EventOpen, Open: o})
	return nil
}

// Open sends our open; for a server it answers EventOpen. properties are added
// to the configured ones, or stand in their place.
func (c *Conn) Open(properties wire.Map) {
	if c.openSent {
		return
	}
	c.openSent = true
	all := append(wire.Map(nil), c.cfg.Properties...)
	for _, p := range properties {
		all = all.Set(p.Key, p.Value)
	}
	o := frame.Open{
		ContainerID: c.cfg.ContainerID, Hostname: c.cfg.Hostname, MaxFrameSize: c.cfg.MaxFrameSize, ChannelMax: c.cfg.ChannelMax,
		OfferedCapabilities: c.cfg.Offered, DesiredCapabilities: c.cfg.Desired,
		Properties: all,
	}
	if c.cfg.IdleTimeOut > 0 {
		o.IdleTimeOut = uint32(c.cfg.IdleTimeOut / time.Millisecond)
	}
	c.frame(0, &o)
	for _, s := range c.outgoing {
		if s != nil && s.held {
			s.held = false
			c.frame(s.channel, s.begin(wire.Some(s.remote)))
		}
	}
}

// Refuse answers EventOpen with open and close (reference 2.1).
func (c *Conn) Refuse(e *frame.Error) {
	c.dropSessions()
	c.Open(wire.Map{{Key: wire.Symbol("amqp:connection-establishment-failed"), Value: true}})
	c.Close(e)
}

// Close sends our close, once. Nothing is sent behind it.
func (c *Conn) Close(e *frame.Error) {
	if c.closeSent || c.phase == done {
		return
	}
	if c.phase < opening {
		c.phase = done
		return
	}
	c.Open(nil)
	c.closeSent = true
	c.frame(0, &frame.Close{Error: e})
	c.phase = closing
	if c.peerClosed {
		c.phase = done
	}
	c.dropSessions()
}

func (c *Conn) onClose(p *frame.Close) {
	c.peerClosed = true
	if c.phase == closing {
		c.phase = done
		return
	}
	c.events = append(c.events, Event{Kind: EventClose, Error: p.Error})
}

// fail closes the connection for a fault of the peer's.
func (c *Conn) fail(condition wire.Symbol, description string) error {
	e := fault(condition, description)
	if c.phase < opening || c.closeSent {
		c.phase = done // nothing more can be told
	} else {
		c.Close(e)
	}
	c.events = append(c.events, Event{Kind: EventClose, Local: true, Error: e})
	return fmt.Errorf("%s: %s", condition, description)
}

// Abandon says that the socket is gone: nothing will be pulled from sources any
// more.
func (c *Conn) Abandon() { c.dropSessions() }

func (c *Conn) dropSessions() {
	for _, s := range c.outgoing {
		if s != nil {
			s.dropSources(nil)
		}
	}
	clear(c.incoming)
	clear(c.outgoing)
	c.pumpable = false
}

// header reads a protocol header (amqp 2.2).
func (c *Conn) header(now time.Time, b []byte) (int, error) {
	if len(b) < 8 {
		if n := min(len(b), 4); string(b[:n]) != "AMQP"[:n] {
			return len(b), c.wrongHeader(b)
		}
		c.in.need = 8
		return 0, nil
	}
	id := frame.ProtocolID(b[4])
	if string(b[:4]) != "AMQP" || binary.BigEndian.Uint32(b[4:])&0xffffff != 0x010000 {
		return len(b), c.wrongHeader(b[:8])
	}
	if c.cfg.Client {
		return c.clientHeader(id)
	}
	switch {
	case id == frame.ProtocolSASL && c.cfg.SASL != nil && !c.authenticated:
		c.out.cur = frame.Version1(frame.ProtocolSASL).Append(c.out.cur)
		c.phase = saslFrames
		c.saslOffer()
	case id == frame.ProtocolAMQP && (c.authenticated || c.cfg.Bare):
		c.authenticated = true
		c.out.cur = frame.Version1(frame.ProtocolAMQP).Append(c.out.cur)
		c.phase = opening
	default:
		return 8, c.wrongHeader(b[:8])
	}
	_ = now
	return 8, nil
}

// wrongHeader answers with the header that is wanted and ends (amqp 2.2).
func (c *Conn) wrongHeader(got []byte) error {
	id := frame.ProtocolAMQP
	if c.cfg.SASL != nil && !c.authenticated {
		id = frame.ProtocolSASL
	}
	c.out.cur = frame.Version1(id).Append(c.out.cur)
	c.phase = done
	e := fault(frame.ConditionFramingError, fmt.Sprintf("unacceptable protocol header %q", got[:min(len(got), 8)]))
	c.events = append(c.events, Event{Kind: EventClose, Local: true, Error: e})
	return errors.New(e.Description)
}
