package core

import (
	"errors"
	"time"

	"github.com/tidegate/tidegate/core/selector"
)

// MaxSkipped is how many messages a consumer may call undeliverable-here before
// the oldest of them may come to it again.
const MaxSkipped = 10_000

type consumer struct {
	id     ConsumerID
	number uint64
	meter
	conn     *conn
	queue    *queue
	topic    *topic // exact topic, for its count
	selector *selector.Selector
	browse   bool
	settled  bool
	limit    uint32 // delivery-count + link-credit, as last said
	count    uint32 // delivery-count
	drain    bool
	barred   bool       // its user has no right any more: it gets nothing
	standby  bool       // of an exclusive queue: another is served
	active   bool       // it has asked for messages
	held     int32      // deliveries that it has not settled
	drained  DeliveryID // dispatched as the last drain was answered: it used their credit up
	readyAt  int        // index in queue.ready, or -1
	// cursor, per priority: where a consumer that may pass entries over looks
	// next; nil for one that takes from the head.
	cursor    *[priorities]uint64
	skip      map[skipped]struct{}
	stuck     bool  // in broker.waiting
	suspended bool  // it has left its queue, and only keeps deliveries
	acquire   TxnID // its deliveries belong to this transaction
	inflight  []flight
	begun     int        // of inflight
	first     DeliveryID // its deliveries, in order of dispatch
	last      DeliveryID
}

type skipped struct {
	priority uint8
	seq      uint64
}

type flight struct {
	id   DeliveryID
	size int64
}

func (c *consumer) credit() int32 { return int32(c.limit - c.count) }

func (c *consumer) canTake() bool {
	return c.credit() > 0 && !c.barred && !c.standby && c.conn.hasRoom()
}

// OpenConsumer admits a consumer of a queue, a topic or a subscription. It has
// no credit yet. Errors: Invalid for a name or selector, Denied, NotFound, Conflict.
func (b *Broker) OpenConsumer(now time.Time, id ConnID, o ConsumerOptions, fx *Effects) (ConsumerID, error) {
	c := b.conns.get(uint64(id))
	d := o.Destination
	if c == nil {
		return 0, &Error{Op: "receive from", Kind: Unavailable, Name: d.Name}
	}
	if err := b.checkName("receive from", d, d.Kind == Topic); err != nil {
		return 0, err
	}
	if err := mayUse("receive from", c, d, o.Browse); err != nil {
		return 0, err
	}
	sel, err := parseSelector(d.Name, o.Selector)
	if err != nil {
		return 0, err
	}
	b.links++
	k := &consumer{number: b.links, conn: c, browse: o.Browse, settled: o.Settled, readyAt: -1}
	if d.Kind == Queue {
		need := MayReceive
		if o.Browse {
			need = MayBrowse
		}
		if err := b.denied(c, "receive from", need, d); err != nil {
			return 0, err
		}
		q, err := b.resolveQueue("receive from", c, d.Name)
		if err != nil {
			return 0, err
		}
		if q.temp != nil && q.temp != c && !q.open {
			return 0, &Error{Op: "receive from", Kind: Conflict, Name: d.Name, Err: errors.New("only the connection that made it may consume from it")}
		}
		k.queue, k.selector = q, sel
	} else {
		q, err := b.subscribe(c, o, sel, fx)
		if err != nil {
			return 0, err
		}
		k.queue, k.browse = q, false
		if t := b.topics[d.Name]; t != nil {
			k.topic = t
			t.consumers++
		}
	}
	k.id = ConsumerID(b.consumers.add(k))
	c.consumers[k.id] = k
	k.queue.consumers = append(k.queue.consumers, k)
	b.policy(k.queue)
	k.standby = k.queue.exclusive && !k.browse
	if k.selector != nil || k.browse {
		k.scan()
	}
	return k.id, nil
}

// scan gives a consumer a cursor: from now on it passes entries over.
func (c *consumer) scan() {
	if c.cursor != nil {
		return
	}
	c.queue.unready(c)
	c.cursor = new([priorities]uint64)
	for _, r := range c.queue.order {
		if !c.browse { // who browses also sees what others hold
			c.cursor[r.priority] = r.head
		}
	}
	c.queue.scanners = append(c.queue.scanners, c)
}

// CloseConsumer ends a consumer cleanly: what it has not settled returns in
// order, with its count as it was.
func (b *Broker) CloseConsumer(now time.Time, id ConsumerID, fx *Effects) {
	if k := b.consumers.get(uint64(id)); k != nil {
		b.closeConsumer(k, false, fx)
		b.dispatchTouched(now, fx)
	}
}

// SuspendConsumer ends a queue's consumer whose client has gone away without
// closing it: of its deliveries those up to begun, which the client may have
// seen, stay unsettled until Settle or CloseConsumer; the others return. Where
// none stays it is closed; the answer says whether it still is there.
func (b *Broker) SuspendConsumer(now time.Time, id ConsumerID, begun DeliveryID, fx *Effects) bool {
	k := b.consumers.get(uint64(id))
	if k == nil {
		return false
	}
	for id := k.first; id != 0; {
		d := b.deliveries.get(id)
		id = d.next
		if d.id > begun && d.txn == nil {
			b.giveBack(d, false, fx)
		} else {
			d.begun = true
		}
	}
	if k.first == 0 || k.browse || k.settled {
		b.CloseConsumer(now, k.id, fx)
		return false
	}
	b.leaveQueue(k, fx)
	k.suspended, k.drain, k.acquire = true, false, 0
	b.dispatchTouched(now, fx)
	return true
}

func (b *Broker) closeConsumer(k *consumer, lost bool, fx *Effects) {
	for id := k.first; id != 0; {
		d := b.deliveries.get(id)
		id = d.next
		if d.txn != nil {
			d.consumer.detachDelivery(b, d)
			d.consumer = closedConsumer // the transaction still decides about it
			continue
		}
		failed := d.begun && !k.browse
		if failed {
			// possibly seen: not the first acquirer's when it comes again, and
			// flagged as redelivered if the connection was lost; never counted
			d.ring.noteSeen(d.seq, lost)
			if lost && b.policy(d.ring.queue).MaxRedelivery > 0 { // what it may have seen is an attempt (ems 2.3)
				b.fail(d.ring, d.seq, fx)
			}
		}
		b.giveBack(d, failed, fx)
	}
	b.consumers.remove(uint64(k.id))
	delete(k.conn.consumers, k.id)
	if !k.suspended {
		b.leaveQueue(k, fx)
	} else {
		b.dropIdle(k.queue, fx)
	}
}

// leaveQueue takes a consumer from its queue, and gives back the room of what it
// has not been written.
func (b *Broker) leaveQueue(k *consumer, fx *Effects) {
	q := k.queue
	for _, f := range k.inflight {
		k.conn.inflight -= f.size
	}
	k.inflight, k.begun = nil, 0
	q.removeConsumer(k)
	b.abdicate(q, k)
	k.limit = k.count
	if k.topic != nil {
		k.topic.consumers--
		b.dropTopic(k.topic)
	}
	if q.sub != nil {
		b.leave(q.sub, fx)
	} else {
		b.dropIdle(q, fx)
	}
	if !q.deleted {
		b.touch(q)
	}
	b.unblock(k.conn)
}

// closedConsumer stands for the consumer of deliveries that outlive theirs in a
// transaction.
var closedConsumer = &consumer{readyAt: -1, conn: &conn{}, queue: &queue{}}

// Credit says how far a consumer may be served, as delivery-count plus
// link-credit (amqp 2.6.7). A drain is answered by OutDrained.
func (b *Broker) Credit(now time.Time, id ConsumerID, limit uint32, drain bool, fx *Effects) {
	k := b.consumers.get(uint64(id))
	if k == nil {
		return
	}
	k.limit, k.drain = limit, drain
	if !k.active && k.credit() > 0 {
		k.active = true
		b.elect(k.queue)
	}
	b.wake(k)
	b.touch(k.queue)
	b.dispatchTouched(now, fx)
	if k.drain && b.consumers.get(uint64(id)) == k {
		b.answerDrain(k, fx)
	}
}

// Dispatched is the newest delivery there is.
func (b *Broker) Dispatched() DeliveryID { return b.deliveries.last }

// Unsend takes back deliveries that will not be begun on the wire. All are back
// in their places before any is dispatched again.
func (b *Broker) Unsend(now time.Time, ids []DeliveryID, fx *Effects) {
	for _, id := range ids {
		if d := b.deliveries.get(id); d != nil && !d.begun {
			b.unsend(d, fx)
		}
	}
	b.dispatchTouched(now, fx)
}

func (b *Broker) unsend(d *delivery, fx *Effects) {
	k := d.consumer
	for i := k.begun; i < len(k.inflight); i++ {
		if k.inflight[i].id == d.id {
			k.conn.inflight -= k.inflight[i].size
			k.inflight = append(k.inflight[:i], k.inflight[i+1:]...)
			if d.id > k.drained {
				k.count--
			}
			break
		}
	}
	b.giveBack(d, false, fx)
	b.touch(k.queue)
	b.wake(k)
}

// wake puts a consumer among the ready, or takes it away.
func (b *Broker) wake(k *consumer) {
	if k.cursor != nil {
		return
	}
	if k.canTake() {
		k.queue.makeReady(k)
	} else {
		k.queue.unready(k)
		if k.credit() > 0 && !k.barred && !k.standby {
			k.conn.blocked = true
		}
	}
}

// unblock looks again at a connection's consumers once it has room.
func (b *Broker) unblock(c *conn) {
	if !c.blocked || !c.hasRoom() {
		return
	}
	c.blocked = false
	b.unblocked = append(b.unblocked, c)
	for _, id := range sortedKeys(c.consumers) {
		k := c.consumers[id]
		b.wake(k)
		if k.credit() > 0 {
			b.touch(k.queue)
		}
	}
}

// Wrote is the writer's progress on one consumer's deliveries, which it sends
// in order: those up to begun have their first byte on the way to the socket,
// those up to done their last.
func (b *Broker) Wrote(now time.Time, id ConsumerID, begun, done DeliveryID, fx *Effects) {
	k := b.consumers.get(uint64(id))
	if k == nil {
		return
	}
	for k.begun < len(k.inflight) && k.inflight[k.begun].id <= begun {
		if d := b.deliveries.get(k.inflight[k.begun].id); d != nil {
			b.begin(k, d, fx)
		}
		k.begun++
	}
	n := 0
	for n < k.begun && k.inflight[n].id <= done {
		k.conn.inflight -= k.inflight[n].size
		n++
	}
	if n > 0 {
		rest := copy(k.inflight, k.inflight[n:])
		k.inflight = k.inflight[:rest]
		k.begun -= n
		b.unblock(k.conn)
	}
	b.dispatchTouched(now, fx)
	b.answerDrain(k, fx)
}

// begin: what nobody will settle is over once it is on the wire.
func (b *Broker) begin(k *consumer, d *delivery, fx *Effects) {
	d.begun = true
	switch {
	case k.browse:
		b.release(d.message, fx)
		k.detachDelivery(b, d)
		b.deliveries.free(d)
	case k.settled:
		b.consume(d, fx)
	}
}
