package core

import (
	"errors"
	"time"

	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/property"
)

// Publish sends one message through a producer with a destination. The answer
// is an OutSettled, except for a settled send.
func (b *Broker) Publish(now time.Time, id ProducerID, s Send, m message.Envelope, fx *Effects) {
	p := b.producers.get(uint64(id))
	if p == nil {
		return
	}
	if err := b.maySend(p, p.dest); err != nil {
		b.refuse(p, s, m.Durable, err, true, fx)
		return
	}
	b.publish(now, p, p.queue, p.topic, s, m, fx)
	b.dispatchTouched(now, fx)
}

// PublishTo sends one message through an anonymous producer.
func (b *Broker) PublishTo(now time.Time, id ProducerID, d Destination, s Send, m message.Envelope, fx *Effects) {
	p := b.producers.get(uint64(id))
	if p == nil {
		return
	}
	known := p.usable == d
	if !known {
		if err := b.checkName("send to", d, false); err != nil {
			b.refuse(p, s, m.Durable, err, false, fx)
			return
		}
	}
	if err := b.maySend(p, d); err != nil { // before it comes into being
		b.refuse(p, s, m.Durable, err, true, fx)
		return
	}
	if !known {
		if err := mayUse("send to", p.conn, d, false); err != nil {
			b.refuse(p, s, m.Durable, err, false, fx)
			return
		}
		p.usable = d
	}
	if b.detailed.Producers {
		b.detail(&p.details, Destination{Kind: d.Kind, Name: d.Name}, m.Content.Size())
	}
	if d.Kind == Topic {
		t := b.topics[d.Name]
		if t == nil {
			if err := b.mayCreate("send to", p.conn, d); err != nil {
				b.refuse(p, s, m.Durable, err, false, fx)
				return
			}
			if t = b.loose; t == nil || t.name != d.Name {
				t = &topic{name: d.Name}
				b.loose = t
			}
		}
		b.publish(now, p, nil, t, s, m, fx)
	} else {
		q, err := b.resolveQueue("send to", p.conn, d.Name)
		if err != nil {
			b.refuse(p, s, m.Durable, err, false, fx)
			return
		}
		b.publish(now, p, q, nil, s, m, fx)
	}
	b.dispatchTouched(now, fx)
}

// refuse answers a send with an error. In a transaction it makes the
// transaction rollback-only where the caller says so, or the client could not be
// told otherwise. Outside of one, a producer that cannot be told is closed: one
// that knows no rejected, and one whose settled send had nowhere to go. Other
// settled sends are dropped, and so is what its sender is not to learn of (Dropped).
func (b *Broker) refuse(p *producer, s Send, durable bool, err *Error, rollbackOnly bool, fx *Effects) {
	b.refused(err)
	if b.dropped(p, s, durable, err, fx) {
		return
	}
	t := b.txns[s.Txn]
	mine := t != nil && t.conn == p.conn
	if mine && (rollbackOnly || s.Settled || p.noReject) {
		t.doom(err)
	}
	switch {
	case s.Settled && (mine || (err.Kind != NotFound && err.Kind != UnknownTransaction)):
		fx.Events = append(fx.Events, Event{Kind: EventDropped, Name: p.dest.Name, Err: err})
	case s.Settled || p.noReject:
		b.endProducer(p, err, fx)
	default:
		fx.Outs = append(fx.Outs, Out{Kind: OutSettled, Conn: p.conn.id, Producer: p.id, Tag: s.Tag, Txn: s.Txn, Err: err})
	}
}

func (b *Broker) publish(now time.Time, p *producer, q *queue, tp *topic, s Send, m message.Envelope, fx *Effects) {
	if b.full && !s.Reserve {
		b.lost.Refused++
		b.refuse(p, s, m.Durable, &Error{Op: "send to", Kind: Limit, Name: p.dest.Name, Err: errors.New("storage is full, or message memory (max_msg_memory)")}, true, fx)
		return
	}
	if q != nil && q.deleted {
		b.refuse(p, s, m.Durable, &Error{Op: "send to", Kind: NotFound, Name: q.dest.Name}, false, fx)
		return
	}
	size := m.Content.Size()
	p.in.add(size)
	b.total.in.add(size)
	pol := b.policyFor(q, tp)
	if all := outletsOf(q, tp); all != nil {
		b.across(now, p, q, tp, all, s, m, fx)
		return
	}
	b.stamp(now, p, pol, &m)
	if s.Txn != 0 {
		leg := [1]txnSend{{queue: q, topic: tp, conn: p.conn, m: m}}
		if refused := b.publishIn(now, p, leg[:], s, fx); refused != nil {
			b.refuse(p, s, m.Durable, refused, refused.Kind != UnknownTransaction, fx)
		}
		return
	}
	out := Out{Kind: OutSettled, Conn: p.conn.id, Producer: p.id, Tag: s.Tag}
	targets, limits := b.route(p.conn, q, tp, m), pol
	var fitted []*queue
	if expired(&m, now) {
		out.After, out.Need = b.publishLate(targets, m, fx)
	} else {
		h, queued := b.holding(now, targets, q, tp, m.Due), q != nil
		if fitted = targets; h != nil { // what waits has the limits of where it will go, by itself (ems 7.8)
			b.waiters[0] = h
			fitted, limits, queued = b.waiters[:], b.policy(h), true
		}
		var err *Error
		if fitted, err = b.fit(limits, fitted, !queued, clampSize(size), fx); err != nil {
			if h != nil {
				b.dropIdle(h, fx)
			}
			b.refuse(p, s, m.Durable, err, true, fx)
			return
		}
		b.traceIn(pol, p.conn, q, tp, &m, fx)
		if h != nil {
			out.After, out.Need = b.holdBack(h, targets, m, fx)
		} else {
			out.After, out.Need = b.enqueue(fitted, m, nil, fx)
			if s.After != 0 && out.After == 0 {
				for _, q := range fitted {
					rg := q.ring(m.Priority)
					rg.placed(rg.next-1, s.After, s.Need, 1)
				}
			}
		}
	}
	out.behind(&s)
	if limits.FlowControl != 0 && b.slow(p, limits, fitted, &out, b.unawaited(p, &s, &m), fx) {
		return
	}
	if !s.Settled {
		fx.Outs = append(fx.Outs, out)
	}
}

// behind has an answer wait for what its send waits for besides.
func (o *Out) behind(s *Send) {
	if s.After > o.After {
		o.After, o.Need = s.After, s.Need
	}
}

// unawaited says whether a send's producer does not wait for what becomes of it (ems
// 7.1, 7.2): flow control then only takes its credit.
func (b *Broker) unawaited(p *producer, s *Send, m *message.Envelope) bool {
	return s.Settled || !m.Durable && !b.checked(s.Check, p.dest.Name)
}

func expired(m *message.Envelope, now time.Time) bool {
	return m.Expires != 0 && m.Expires <= millis(now)
}

// publishLate is enqueue for a message whose time was over when it came: it goes the way
// of whatever expires, by the queues that it was for.
func (b *Broker) publishLate(targets []*queue, m message.Envelope, fx *Effects) (Pos, Need) {
	if m.Marks&message.PreserveUndelivered == 0 {
		for _, q := range targets {
			b.lose(q, Losses{Expired: 1})
			fx.Events = append(fx.Events, Event{Kind: EventExpired, Name: q.dest.Name})
		}
		return 0, Ride
	}
	at, need := b.enqueue(targets, m, nil, fx)
	for _, q := range targets {
		r := q.ring(m.Priority)
		b.undeliver(r, r.next-1, ReasonExpired, fx)
	}
	return at, need
}

// policyFor is the policy of the queue or topic that a message is sent to.
func (b *Broker) policyFor(q *queue, tp *topic) *property.Policy {
	if q != nil {
		return b.policy(q)
	}
	return b.topicPolicy(tp)
}

// outletsOf gives the bridges that begin where a message is sent, as of policyFor.
func outletsOf(q *queue, tp *topic) []*outlet {
	if q != nil {
		return q.outlets
	}
	return tp.outlets
}

// route gives the queues that get a message of a connection; the slice is the broker's, valid
// until the next call.
func (b *Broker) route(from *conn, q *queue, tp *topic, m message.Envelope) []*queue {
	b.targets = b.targets[:0]
	if q != nil {
		b.targets = append(b.targets, q)
		return b.targets
	}
	tp.in.add(m.Content.Size())
	b.hearing, b.topicNow = b.hearing[:0], tp
	b.routes.Match(tp.name, b.hears)
	for _, a := range b.hearing {
		b.hear(a, from, &m)
	}
	if len(tp.exporters) > 0 {
		b.export(tp)
	}
	return b.targets
}

// enqueue stores or holds a message and places it in its targets, and says
// which record covers all of it.
func (b *Broker) enqueue(targets []*queue, m message.Envelope, delay *Delay, fx *Effects) (Pos, Need) {
	if len(targets) == 0 {
		return 0, Ride
	}
	need := Ride
	if m.Durable {
		for _, q := range targets {
			if q.stores() {
				b.policy(q)
				need = max(need, q.need)
				b.record(q, fx)
			}
		}
	}
	place := Place{Expires: m.Expires, Size: clampSize(m.Content.Size()), Priority: min(m.Priority, priorities-1), Delay: delay, Flags: flagsOf(&m)}
	if need == Ride { // nobody stores it
		place.ID = b.holdContent(m.Content, fx)
		for _, q := range targets {
			b.placeHere(q, place)
		}
		return 0, Ride
	}
	place.ID = b.nextStored
	r := Record{Kind: RecMessage, Need: need, ID: place.ID, Content: m.Content}
	first := true
	for _, q := range targets {
		if !q.stores() {
			continue
		}
		p := place
		if p.Queue, p.Seq = q.id, q.ring(p.Priority).next; q.exports {
			p.exported(b.topicNow)
		}
		if first {
			r.Place, first = p, false
		} else {
			r.More = append(r.More, p)
		}
	}
	at := b.emit(r, fx)
	for _, q := range targets {
		rg := q.ring(place.Priority)
		if !q.stores() {
			b.placeHere(q, place)
		}
		rg.placed(rg.next-1, at, need, 1)
	}
	return at, need
}

// placeHere places a message that is not stored, as enqueue does.
func (b *Broker) placeHere(q *queue, p Place) {
	if q.exports {
		p.exported(b.topicNow)
	}
	b.placeVolatile(q, &p)
}

// placeVolatile places a message that is not stored; p.Seq is set.
func (b *Broker) placeVolatile(q *queue, p *Place) {
	p.Queue, p.Seq = q.id, q.ring(p.Priority).next
	b.put(q, p, false)
}

// put is the one way an entry comes into a ring.
func (b *Broker) put(q *queue, p *Place, stored bool) {
	e := entry{id: p.ID, expires: p.Expires, size: p.Size, flags: uint32(p.Flags) << entryPlaceShift}
	if stored {
		e.flags |= entryStored
		q.stored++
		q.storedBytes += int64(p.Size)
		b.markChanged(q)
	} else {
		b.heldBytes += heldSize(p.Size)
	}
	r := q.ring(p.Priority)
	if p.Flags != 0 {
		b.marked = b.marked || p.Flags&(PlaceTrace|PlaceTraceBody) != 0
		if p.To != nil {
			e.flags |= r.address(p.Seq, p.To)
		}
	}
	r.put(p.Seq, e)
	b.hold(p.ID)
	if q.holds.Kind != 0 {
		b.delayed++
		if p.Delay != nil {
			b.delay(q, p)
		}
	}
	q.depth++
	q.bytes += int64(p.Size)
	q.in.add(int64(p.Size))
	b.pendingMsgs++
	b.pendingBytes += int64(p.Size)
	if p.Expires != 0 {
		if q.earliest == 0 || p.Expires < q.earliest {
			q.earliest = p.Expires
		}
		if b.sweepAt == 0 || p.Expires < b.sweepAt {
			b.sweepAt = p.Expires
		}
	}
	b.touch(q)
}

// touch marks a queue for dispatch at the end of the call.
func (b *Broker) touch(q *queue) {
	if n := len(b.touched); !b.recovered || (n > 0 && b.touched[n-1] == q) {
		return
	}
	b.touched = append(b.touched, q)
}

// What a message larger than message.LargeAbove counts for, in bytes: it is in
// memory only in part.
const (
	largeHeld = 256 << 10 // while nothing but memory holds it: the sections before its body
	largeRoom = 64 << 10  // on its way to a connection, so that others may pass it
)

// heldSize is what an entry that is not stored takes of memory.
func heldSize(size uint32) int64 {
	if size > message.LargeAbove {
		return largeHeld
	}
	return int64(size)
}

// roomSize is what a delivery takes of its connection's room.
func roomSize(size uint32) int64 {
	if size > message.LargeAbove {
		return largeRoom
	}
	return int64(size)
}

func clampSize(n int64) uint32 { return uint32(min(n, 1<<32-1)) }
