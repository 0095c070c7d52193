package core

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/property"
)

type txn struct {
	id       TxnID
	conn     *conn
	sends    []txnSend
	acks     []DeliveryID
	returns  []txnReturn  // other outcomes than accepted
	acquired []DeliveryID // dispatched within it (amqp 4.4.3)
	bytes    int64        // of sends
	doomed   error        // why it can only be rolled back; nil: it can be committed
	due      int64        // ms since 1970, its time-out; 0: it has none
	late     bool         // that has come
	before   *txn         // due before it, and
	behind   *txn         // behind it
}

// stored is how many of the sends are.
func (t *txn) stored() (n int) {
	for i := range t.sends {
		if t.sends[i].stored {
			n++
		}
	}
	return n
}

type txnReturn struct {
	id DeliveryID
	o  Outcome
}

type txnSend struct {
	id      uint64
	queue   *queue
	topic   *topic
	conn    *conn
	stored  bool
	bridged bool // it came there by a bridge, and shares id with other sends
	m       message.Envelope
}

// Begin declares a transaction. Errors: Limit.
func (b *Broker) Begin(_ time.Time, id ConnID, _ *Effects) (TxnID, error) {
	c := b.conns.get(uint64(id))
	if c == nil {
		return 0, &Error{Op: "declare a transaction", Kind: Unavailable}
	}
	if most := b.o.Transactions.Open; len(c.txns) >= most {
		return 0, &Error{Op: "declare a transaction", Kind: Limit, Err: errors.New(
			"the connection has as many open as it may, " + strconv.Itoa(most) + " (max-transactions)")}
	}
	t := &txn{id: b.nextTxn, conn: c}
	b.nextTxn++
	b.txns[t.id] = t
	c.txns[t.id] = t
	return t.id, nil
}

// publishIn takes a message into a transaction, as a send for where it was sent and one
// for each bridge, all of which it commits or rolls back: stored at once where it must
// be, seen by nobody until the commit. Errors: UnknownTransaction, TimedOut, Limit.
func (b *Broker) publishIn(now time.Time, p *producer, legs []txnSend, s Send, fx *Effects) *Error {
	m, to := &legs[0].m, p.dest.Name
	t := b.txns[s.Txn]
	if t == nil || t.conn != p.conn {
		return &Error{Op: "send to", Kind: UnknownTransaction, Name: to}
	}
	if t.late {
		return &Error{Op: "send to", Kind: TimedOut, Name: to, Err: t.doomed}
	}
	size := m.Content.Size()
	if err := b.room(t, len(legs), size); err != nil {
		return &Error{Op: "send to", Kind: Limit, Name: to, Err: err}
	}
	b.worked(now, t)
	// Who will have subscribed to a topic by the commit is not known yet: what
	// may have to be stored is, so that the commit needs no bodies.
	stored := false
	for i := range legs {
		q := legs[i].queue
		stored = stored || m.Durable && (q == nil || q.stores())
		if q == nil || m.Due > millis(now) { // what is delayed has its own limit
			continue
		}
		// The commit asks again, of all sends together.
		n, pol := clampSize(size), b.policy(q)
		if !q.fits(pol, 1, int64(n)) && !(pol.Overflow == property.OverflowDiscardOld && q.canMakeRoom(pol, n)) && !t.makesRoom(b, q, pol, int64(n)) {
			return bridging(q.overflow(pol), &legs[i])
		}
	}
	var id uint64
	if stored {
		id = b.nextStored
		r := Record{Kind: RecBody, ID: id, Content: m.Content}
		if q := legs[0].queue; q != nil { // where it will likely stand: who reads the queue's backlog reads it there
			r.Place = Place{Queue: q.id, Priority: min(m.Priority, priorities-1)}
		}
		b.emit(r, fx)
	} else {
		id = b.holdContent(m.Content, fx)
	}
	for i := range legs {
		legs[i].id, legs[i].stored = id, stored
		b.hold(id)
		t.sends = append(t.sends, legs[i])
	}
	t.bytes += size
	if b.policyFor(legs[0].queue, legs[0].topic).FlowControl != 0 {
		for i := range legs {
			if q := legs[i].queue; q != nil && b.policy(q).FlowControl != 0 {
				b.targets = append(b.targets[:0], q)
				b.slow(p, b.policy(q), b.targets, nil, true, fx)
			}
		}
	}
	if !s.Settled {
		fx.Outs = append(fx.Outs, Out{Kind: OutSettled, Conn: p.conn.id, Producer: p.id, Tag: s.Tag, Txn: s.Txn})
	}
	return nil
}

// Discharge commits a transaction, or rolls it back. OutDischarged answers,
// once the commit is durable.
func (b *Broker) Discharge(now time.Time, id ConnID, in TxnID, fail bool, tag uint64, fx *Effects) {
	t := b.txns[in]
	out := Out{Kind: OutDischarged, Conn: id, Txn: in, Tag: tag}
	switch {
	case t == nil || t.conn.id != id:
		out.Err = &Error{Op: "discharge", Kind: UnknownTransaction}
	case fail:
		b.rollback(t, fx)
	case t.doomed != nil:
		b.rollback(t, fx)
		out.Err = &Error{Op: "commit", Kind: RolledBack, Err: t.doomed}
		if t.late {
			out.Err = &Error{Op: "commit", Kind: TimedOut, Err: t.doomed}
		}
	default:
		var refused *Error
		if out.After, out.Need, refused = b.commit(now, t, fx); refused != nil {
			b.refused(refused)
			b.rollback(t, fx)
			out.Err = &Error{Op: "commit", Kind: RolledBack, Err: refused}
		}
	}
	fx.Outs = append(fx.Outs, out)
	b.dispatchTouched(now, fx)
}

// HasTransaction says whether a connection has declared a transaction and not
// discharged it.
func (b *Broker) HasTransaction(id ConnID, in TxnID) bool {
	t := b.txns[in]
	return t != nil && t.conn.id == id
}

// RollbackOnly makes a commit impossible: the client believes that a send is
// part of it which is not, because of why. Discharge answers with the first reason.
func (b *Broker) RollbackOnly(in TxnID, why error) {
	if t := b.txns[in]; t != nil {
		t.doom(why)
	}
}

func (t *txn) doom(why error) {
	if t.doomed == nil {
		t.doomed = why
	}
}

// Acquire makes what a consumer is given from now on part of a transaction of
// its connection (amqp 4.4.3): a rollback takes back what was not settled
// meanwhile, a commit leaves it with the consumer. 0 ends it.
func (b *Broker) Acquire(id ConsumerID, in TxnID) {
	if k := b.consumers.get(uint64(id)); k != nil {
		k.acquire = in
	}
}

func (b *Broker) acquired(k *consumer, d *delivery) TxnID {
	t := b.txns[k.acquire]
	if t == nil || b.room(t, 1, 0) != nil {
		return 0
	}
	t.acquired = append(t.acquired, d.id)
	return t.id
}

// revive brings a dynamic queue back that a send was taken for and that went idle
// since, whatever may be created now.
func (b *Broker) revive(q *queue) *queue {
	if again := b.queues[q.dest.Name]; again != nil {
		return again
	}
	return b.addQueue(b.newQueueID(), q.dest)
}

func (b *Broker) endTxn(t *txn) {
	b.untimed(t)
	delete(b.txns, t.id)
	delete(t.conn.txns, t.id)
}

// committing is a commit while it is being worked out: until it is, nothing has
// happened.
type committing struct {
	plan
	r       Record
	next    map[*ring]uint64 // sequences given so far
	held    []volatileMove
	delays  []postponed
	brought []*queue   // made for it, or told that messages arrive
	late    []lateSend // whose time was over
	slows   bool       // landed is wanted
	landed  [][]*queue // where each send goes
}

// begin empties c and keeps its memory, except for what records keep.
func (c *committing) begin(slows bool, n int) {
	if c.next == nil {
		c.next = map[*ring]uint64{}
	}
	clear(c.next)
	clear(c.held)
	clear(c.delays)
	clear(c.brought)
	clear(c.late)
	*c = committing{
		r: Record{More: make([]Place, 0, n)}, next: c.next, slows: slows,
		held: c.held[:0], delays: c.delays[:0], brought: c.brought[:0], late: c.late[:0],
	}
}

// smallCommit is up to how many messages and rings a commit leaves its memory to the next.
const smallCommit = 256

// end lets go of the transaction and its record, and of what a large one took.
func (c *committing) end() {
	c.plan, c.r, c.landed = plan{}, Record{}, nil
	if cap(c.held)+cap(c.delays)+cap(c.brought)+cap(c.late)+len(c.next) > smallCommit {
		*c = committing{}
	}
}

// take plans one send.
func (c *committing) take(b *Broker, now time.Time, s txnSend, fx *Effects) *Error {
	late := expired(&s.m, now)
	if s.queue != nil && s.queue.deleted && (late || s.queue.temp != nil) || late && s.m.Marks&message.PreserveUndelivered == 0 {
		if late && (s.queue == nil || !s.queue.deleted) {
			for _, q := range b.route(s.conn, s.queue, s.topic, s.m) {
				c.late = append(c.late, lateSend{queue: q})
			}
		}
		if c.slows {
			c.landed = append(c.landed, nil)
		}
		return nil
	}
	p := Place{ID: s.id, Expires: s.m.Expires, Size: clampSize(s.m.Content.Size()), Priority: min(s.m.Priority, priorities-1), Flags: flagsOf(&s.m)}
	if s.bridged {
		p.Flags |= PlaceBridged
	}
	flags := p.Flags
	pol, queued := b.policyFor(s.queue, s.topic), s.queue != nil
	targets := b.route(s.conn, s.queue, s.topic, s.m)
	if late {
		pol = &property.Policy{} // it goes on from there at once, whatever the limits
	} else if h := b.holding(now, targets, s.queue, s.topic, s.m.Due); h != nil { // the time counts from the send (jms 7.9)
		c.delays = append(c.delays, delaySend(h, targets, &s, &p))
		targets, pol, queued = append(b.targets[:0], h), b.policy(h), true
		c.brought = append(c.brought, h)
	} else if queued && s.queue.deleted {
		q := b.revive(s.queue)
		targets, pol = append(b.targets[:0], q), b.policy(q)
		c.brought = append(c.brought, q)
	}
	targets, refused := c.fit(b, pol, targets, queued, p.Size, fx)
	if refused != nil {
		return refused
	}
	if c.slows {
		c.landed = append(c.landed, slices.Clone(targets))
	}
	for _, q := range targets {
		if p.To = nil; s.bridged {
			p.To = q.addressed(&s)
		}
		if p.Flags = flags; q.exports {
			p.exported(s.topic)
		}
		if !s.stored || !q.stores() {
			c.held = append(c.held, volatileMove{q, p})
			if late {
				c.late = append(c.late, lateSend{queue: q, held: len(c.held)})
			}
			continue
		}
		b.policy(q)
		c.r.Need = max(c.r.Need, q.need)
		rg := q.ring(p.Priority)
		if c.next[rg] == 0 {
			c.next[rg] = rg.next
		}
		p.Queue, p.Seq = q.id, c.next[rg]
		c.next[rg]++
		c.r.More = append(c.r.More, p)
		if late {
			c.late = append(c.late, lateSend{queue: q, stored: len(c.r.More)})
		}
	}
	return b.spreads(c)
}

// lateSend is a message whose time was over at the commit: in the queue that it was for,
// as the place of that number among those stored or held, or nowhere.
type lateSend struct {
	queue        *queue
	stored, held int // from 1
}

// expire does with them what is done with whatever expires.
func (c *committing) expire(b *Broker, fx *Effects) {
	for _, l := range c.late {
		switch {
		case l.stored > 0:
			p := &c.r.More[l.stored-1]
			b.undeliver(l.queue.ring(p.Priority), p.Seq, ReasonExpired, fx)
		case l.held > 0:
			p := &c.held[l.held-1].p
			b.undeliver(l.queue.ring(p.Priority), p.Seq, ReasonExpired, fx)
		default:
			b.lose(l.queue, Losses{Expired: 1})
			fx.Events = append(fx.Events, Event{Kind: EventExpired, Name: l.queue.dest.Name})
		}
	}
}

// forget undoes what was made for a commit that is not to be.
func (c *committing) forget(b *Broker, fx *Effects) {
	for _, q := range c.brought {
		q.arriving = false
		b.dropIdle(q, fx)
	}
}

// commit does what a transaction holds, or says why it cannot.
func (b *Broker) commit(now time.Time, t *txn, fx *Effects) (Pos, Need, *Error) {
	c := &b.committing
	c.begin(false, t.stored())
	defer c.end()
	c.t, c.r.Kind = t, RecCommit
	for i := range t.sends {
		if refused := c.take(b, now, t.sends[i], fx); refused != nil {
			c.forget(b, fx)
			return 0, Ride, bridging(refused, &t.sends[i])
		}
	}
	b.endTxn(t)
	for i := range t.sends {
		s := &t.sends[i]
		b.traceIn(b.policyFor(s.queue, s.topic), s.conn, s.queue, s.topic, &s.m, fx)
	}
	for i := range c.r.More {
		b.record(b.byID[c.r.More[i].Queue], fx)
	}
	freed, left := b.commitAcks(t, &c.r, fx)
	var at Pos
	need := Ride
	if len(c.r.More) > 0 || len(c.r.Runs) > 0 {
		at, need = b.emit(c.r, fx), c.r.Need
	}
	c.place(b, at, need)
	for _, id := range freed {
		b.release(id, fx)
	}
	for _, s := range t.sends {
		b.release(s.id, fx)
	}
	for _, r := range t.returns {
		if d := b.deliveries.get(r.id); d != nil {
			d.txn = nil
			b.settle(d, r.o, fx)
		}
	}
	c.expire(b, fx)
	c.trim(b, fx)
	b.unmake(t.sends, fx)
	for _, q := range left {
		b.dropIdle(q, fx)
	}
	return at, need, nil
}

// place does what follows the record, which is at at and places what is stored: what is
// not stored gets its places, and waits for the record as well, since what is seen of a
// commit, all of it is durable. at 0: there is none to wait for.
func (c *committing) place(b *Broker, at Pos, need Need) {
	for i := range c.r.More {
		p := &c.r.More[i]
		b.byID[p.Queue].ring(p.Priority).placed(p.Seq, at, need, 0)
	}
	for i := range c.delays {
		c.delays[i].placed()
	}
	for i := range c.held {
		v := &c.held[i]
		b.placeVolatile(v.q, &v.p)
		if at != 0 {
			v.q.ring(v.p.Priority).placed(v.p.Seq, at, need, 0)
		}
	}
}

// commitAcks consumes what the transaction acknowledged: what is not stored at
// once, the rest by the commit's record. It answers with ids to release after
// it, and with queues whose consumers are gone.
func (b *Broker) commitAcks(t *txn, r *Record, fx *Effects) (freed []uint64, left []*queue) {
	for _, id := range t.acks {
		d := b.deliveries.get(id)
		if d == nil {
			continue
		}
		if e := d.ring.at(d.seq); e != nil && !d.ring.queue.deleted {
			if d.ring.queue.traces || b.marked {
				b.traceOut(TraceAcknowledged, d.consumer, d.ring, e, ReasonNone, fx)
			}
			if e.flags&entryStored == 0 {
				b.drop(d.ring, d.seq, fx)
			} else {
				b.hold(e.id)
				freed = append(freed, e.id)
				r.Need = max(r.Need, d.ring.queue.need)
				r.remove(Run{Queue: d.ring.queue.id, Priority: d.ring.priority, First: d.seq, Count: 1})
			}
		}
		if d.consumer == closedConsumer || d.consumer.suspended {
			left = append(left, d.ring.queue)
		}
		d.consumer.detachDelivery(b, d)
		b.deliveries.free(d)
	}
	return freed, left
}

func (b *Broker) rollback(t *txn, fx *Effects) {
	b.endTxn(t)
	b.undo(t, fx)
}

// undo gives up what a transaction sent, and gives back what it took.
func (b *Broker) undo(t *txn, fx *Effects) {
	for _, s := range t.sends {
		b.release(s.id, fx)
	}
	b.unmake(t.sends, fx)
	for _, id := range t.acks {
		d := b.deliveries.get(id)
		if d == nil {
			continue
		}
		d.txn = nil
		b.fail(d.ring, d.seq, fx)
		b.giveBack(d, true, fx)
	}
	for _, r := range t.returns {
		if d := b.deliveries.get(r.id); d != nil {
			d.txn = nil
			d.ring.noteSeen(d.seq, false)
			b.giveBack(d, false, fx)
		}
	}
	for _, id := range t.acquired {
		if d := b.deliveries.get(id); d != nil && d.txn == nil {
			d.ring.noteSeen(d.seq, false)
			b.giveBack(d, false, fx)
		}
	}
	t.sends, t.acks, t.returns, t.acquired, t.bytes = nil, nil, nil, nil, 0
}
