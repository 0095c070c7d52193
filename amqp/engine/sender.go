package engine

import (
	"slices"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

// Delivery is what Send sends. The slices must not change until the delivery is
// done (Progress).
type Delivery struct {
	Ref     uint64 // comes back in EventSettle and Progress; grows along the link
	Tag     []byte
	Settled bool
	Format  uint32
	State   frame.DeliveryState
	Head    []byte // bytes before the payload; copied at once
	First   []byte // payload
	Rest    [][]byte
	// Source gives the payload of Size bytes in the place of First and Rest.
	Source Source
	Size   int64
}

type outgoing struct {
	link    *Link
	drained bool // not a delivery: the answer to a drain
	limit   uint32
	d       Delivery
	begun   bool
	id      uint32 // once begun
	head    [headRoom]byte
	headLen int
	piece   int // of the payload
	at      int // in it
	left    int
	tag     [MaxDeliveryTag]byte
}

// headRoom is how large a Delivery.Head is that costs nothing: a message's header
// section. A larger one, with annotations or properties, becomes part of the payload.
const headRoom = 64

func (o *outgoing) takeHead(d *Delivery) {
	if len(d.Head) <= headRoom {
		o.headLen = copy(o.head[:], d.Head)
		return
	}
	o.headLen = 0
	head := slices.Clone(d.Head)
	if d.Source != nil {
		o.d.First = append(head, d.First...)
		return
	}
	o.d.First, o.d.Rest = head, append([][]byte{d.First}, d.Rest...)
}

// Send sends a delivery, as far as the session's window and the socket let it;
// what is left goes by itself when they open.
func (l *Link) Send(d Delivery) {
	s := l.session
	if !l.Live() {
		return
	}
	size := len(d.Head) + len(d.First) + int(d.Size)
	for _, p := range d.Rest {
		size += len(p)
	}
	if l.sendWhole(&d, size) {
		return
	}
	o := s.take()
	o.link, o.d = l, d
	o.takeHead(&d)
	o.d.Tag = o.tag[:copy(o.tag[:], d.Tag)]
	o.left = size
	s.queue = append(s.queue, o)
	l.queued++
	if l.drains > 0 {
		l.undrained++
	}
	if len(s.queue) == 1 {
		s.pump()
	}
	if len(s.queue) > 0 {
		s.conn.pumpable = true
	}
}

// transferRoom is more than a frame with an empty payload takes: its header, a
// transfer without state, and the longest tag.
const transferRoom = 128

// sendWhole sends a delivery of one frame at once if nothing is before it: what
// most deliveries are, without a place in the queue.
func (l *Link) sendWhole(d *Delivery, size int) bool {
	s, c := l.session, l.session.conn
	if len(s.queue) > 0 || l.source != nil || d.Source != nil || s.remoteWindow == 0 || c.out.size >= c.out.budget || d.State != nil || size > int(c.maxFrame)-transferRoom {
		return false
	}
	t := frame.Transfer{Handle: l.handle}
	s.beginDelivery(l, d, &t)
	at := c.beginFrame(frame.TypeAMQP, s.channel)
	c.out.cur = t.Append(c.out.cur)
	c.endFrame(at, size)
	c.out.cur = append(c.out.cur, d.Head...)
	c.payload(d.First)
	for _, p := range d.Rest {
		c.payload(p)
	}
	l.done = d.Ref
	l.progress()
	s.nextOutgoingID++
	s.remoteWindow--
	return true
}

// Room is the credit left for deliveries that Send was not given yet. A drain's
// answer that waits will have used up what it says.
func (l *Link) Room() int32 {
	room := l.Credit() - l.queued
	if l.drains > 0 {
		room = min(room, int32(l.limit-l.drainTo)-l.undrained)
	}
	return room
}

// tooMany says whether more is queued than may go.
func (l *Link) tooMany() bool {
	return l.queued > max(l.Credit(), 0) || l.drains > 0 && l.undrained > max(int32(l.limit-l.drainTo), 0)
}

// Overdrawn gives back, the last first, deliveries that Send was given and that
// are not begun, where the peer has taken the credit for them back since (amqp
// 2.6.7: the sender must not send them). Whoever calls Send asks before Output.
func (c *Conn) Overdrawn(visit func(l *Link, ref uint64)) {
	for _, l := range c.overdrawn {
		l.overdrawn = false
		for _, list := range []*[]*outgoing{&l.session.queue, &l.behind} {
			for i := len(*list) - 1; i >= 0 && l.tooMany(); i-- {
				o := (*list)[i]
				if o.link != l || o.drained || o.begun {
					continue
				}
				*list = slices.Delete(*list, i, i+1)
				l.queued--
				l.undrained = max(l.undrained-1, 0)
				if o.d.Source != nil {
					o.d.Source.Close()
				}
				visit(l, o.d.Ref)
				l.session.give(o)
			}
		}
		if o := l.source; o != nil && !o.begun && l.tooMany() {
			l.queued--
			visit(l, o.d.Ref)
			l.session.endSource(slices.Index(l.session.sources, o))
		}
	}
	clear(c.overdrawn)
	c.overdrawn = c.overdrawn[:0]
}

// Drained answers a drain: credit up to limit is used up (amqp 2.6.7).
func (l *Link) Drained(limit uint32) {
	if !l.Live() {
		return
	}
	o := l.session.take()
	o.link, o.drained, o.limit = l, true, limit
	l.drains++
	l.drainTo, l.undrained = limit, 0
	l.session.queue = append(l.session.queue, o)
	l.session.pump()
}

func (s *Session) take() *outgoing {
	if n := len(s.free); n > 0 {
		o := s.free[n-1]
		s.free = s.free[:n-1]
		return o
	}
	return new(outgoing)
}

func (s *Session) give(o *outgoing) {
	*o = outgoing{}
	if len(s.free) < 64 {
		s.free = append(s.free, o)
	}
}

// dropQueued forgets what a link has not sent. A delivery in the middle stays
// cut: its link is over.
func (s *Session) dropQueued(l *Link) {
	l.queued, l.drains, l.undrained = 0, 0, 0
	s.dropSources(l)
	kept := s.queue[:0]
	for _, o := range s.queue {
		if o.link != l {
			kept = append(kept, o)
		} else if o.d.Source != nil {
			o.d.Source.Close()
		}
	}
	clear(s.queue[len(kept):])
	s.queue = kept
}

// pump goes on with all that waits.
func (c *Conn) pump() {
	if !c.pumpable || c.phase != opened {
		return
	}
	c.pumpable = false
	c.turn++
	for i := range c.outgoing {
		if s := c.outgoing[(i+c.turn)%len(c.outgoing)]; s != nil && (len(s.queue) > 0 || len(s.sources) > 0) {
			s.pump()
		}
	}
}

func (s *Session) pump() {
	n := 0
	for n < len(s.queue) && s.leave(s.queue[n]) {
		n++
	}
	if n > 0 {
		rest := copy(s.queue, s.queue[n:])
		clear(s.queue[rest:])
		s.queue = s.queue[:rest]
	}
	if len(s.sources) > 0 {
		s.pumpSources()
	}
	if len(s.queue) > 0 && s.remoteWindow > 0 {
		s.conn.pumpable = true
	}
}

// leave takes one from the front of the queue: by sending it whole, by beginning
// to pull it from its source, or by letting it wait for the source before it.
func (s *Session) leave(o *outgoing) bool {
	l := o.link
	switch {
	case l.source != nil:
		l.behind = append(l.behind, o)
	case o.d.Source != nil:
		l.source = o
		s.sources = append(s.sources, o)
	case s.advance(o):
		s.give(o)
	default:
		return false
	}
	return true
}

// advance sends what it can of one; true: it is done.
func (s *Session) advance(o *outgoing) bool {
	l := o.link
	if o.drained {
		if l.drains--; l.drains == 0 {
			l.undrained = 0
		}
		if before(l.count, o.limit) {
			l.count = o.limit
		}
		if before(l.limit, l.count) {
			l.limit = l.count
		}
		s.conn.frame(s.channel, l.flow(true))
		return true
	}
	for {
		if s.remoteWindow == 0 || s.conn.out.size >= s.conn.out.budget {
			return false
		}
		s.transferFrame(o)
		if o.left == 0 {
			l.done = o.d.Ref
			return true
		}
	}
}

// beginDelivery gives a delivery its id and fills in what its first frame says.
func (s *Session) beginDelivery(l *Link, d *Delivery, t *frame.Transfer) {
	t.DeliveryID = wire.Some(s.nextDeliveryID)
	t.DeliveryTag = d.Tag
	t.MessageFormat = wire.Some(d.Format)
	t.State = d.State
	t.Settled = wire.Some(d.Settled)
	if !d.Settled {
		s.sent.add(s.nextDeliveryID, l, d.Ref)
	} else {
		s.sent.add(s.nextDeliveryID, nil, 0)
	}
	s.nextDeliveryID++
	l.count++
	l.begun = d.Ref
}

// transferFrame sends one frame of a delivery.
func (s *Session) transferFrame(o *outgoing) {
	c, l := s.conn, o.link
	t := frame.Transfer{Handle: l.handle}
	if !o.begun {
		s.beginQueued(o, &t)
	}
	at := c.beginFrame(frame.TypeAMQP, s.channel)
	t.More = true // measured with the longer form
	start := len(c.out.cur)
	c.out.cur = t.Append(c.out.cur)
	room := int(c.maxFrame) - (len(c.out.cur) - at)
	ready := o.ready()
	if o.left <= room && ready == o.left {
		t.More = false
		c.out.cur = t.Append(c.out.cur[:start])
	}
	n := min(room, ready)
	c.endFrame(at, n)
	o.left -= n
	o.copyTo(c, n)
	if o.left == 0 {
		l.progress()
	}
	s.nextOutgoingID++
	s.remoteWindow--
}

func (s *Session) beginQueued(o *outgoing, t *frame.Transfer) {
	o.begun, o.id = true, s.nextDeliveryID
	o.link.queued--
	s.beginDelivery(o.link, &o.d, t)
	o.link.progress()
}

// copyTo moves n bytes of the delivery to the output.
func (o *outgoing) copyTo(c *Conn, n int) {
	if o.headLen > 0 {
		h := min(n, o.headLen)
		c.out.cur = append(c.out.cur, o.head[:h]...)
		copy(o.head[:], o.head[h:o.headLen])
		o.headLen -= h
		n -= h
	}
	for n > 0 {
		whole := o.d.First
		if o.piece > 0 {
			whole = o.d.Rest[o.piece-1]
		}
		p := whole[o.at:]
		if len(p) > n {
			p = p[:n]
		}
		c.payload(p)
		o.at += len(p)
		n -= len(p)
		if o.at == len(whole) {
			o.piece, o.at = o.piece+1, 0
		}
	}
}

func (l *Link) progress() {
	if !l.progressed {
		l.progressed = true
		l.session.conn.progress = append(l.session.conn.progress, l)
	}
}

// Progress visits the links whose deliveries went on since the last call: ref
// begun is the last with a byte in Output, done the last that is in it whole.
func (c *Conn) Progress(visit func(l *Link, begun, done uint64)) {
	for _, l := range c.progress {
		l.progressed = false
		visit(l, l.begun, l.done)
	}
	clear(c.progress)
	c.progress = c.progress[:0]
}
