package core

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// KeptPrefix begins the names of queues that clients made to outlive their
// connections: they stay, over restarts too, until they are deleted.
const KeptPrefix = "$DYN$."

// MaxKept is how many queues clients may keep.
const MaxKept = 10_000

func kept(n string) bool { return strings.HasPrefix(n, KeptPrefix) }

// Keep makes a queue that stays without being used, or finds it. Its name begins
// with KeptPrefix. Errors: Invalid, Limit.
func (b *Broker) Keep(_ time.Time, n string, fx *Effects) (Destination, error) {
	d := Destination{Kind: Queue, Name: n}
	if err := b.checkName("keep", d, false); err != nil {
		return d, err
	}
	if !kept(n) {
		return d, &Error{Op: "keep", Kind: Invalid, Name: n, Err: errors.New("its name must begin with " + KeptPrefix)}
	}
	if b.queues[n] != nil {
		return d, nil
	}
	count := 0
	for have := range b.queues { // order: irrelevant
		if kept(have) {
			count++
		}
	}
	if count >= MaxKept {
		return d, &Error{Op: "keep", Kind: Limit, Name: n, Err: errors.New("there are " + strconv.Itoa(MaxKept) + " already")}
	}
	q := b.addQueue(b.newQueueID(), d)
	b.emit(Record{Kind: RecQueue, Need: b.o.StoreNeed, Define: &Definition{Queue: q.id, Destination: d}}, fx)
	return d, nil
}

// mayCreate says whether a destination that is not there may come into being by
// being used. Temporary and kept ones never do.
func (b *Broker) mayCreate(op string, c *conn, d Destination) *Error {
	switch {
	case c != nil && c.own && !strings.HasPrefix(d.Name, TemporaryPrefix): // an administrator said so
		return nil
	case heldFor(d).Kind != 0: // to be browsed: there is nothing in it now
		return nil
	case strings.HasPrefix(d.Name, TemporaryPrefix), kept(d.Name):
		return &Error{Op: op, Kind: NotFound, Name: d.Name}
	case !b.creatable(d) && !b.subscribed(d) && !b.grantedToCreate(c, d):
		return &Error{Op: op, Kind: NotFound, Name: d.Name, Err: errors.New("it does not exist, and may not be created by using it")}
	}
	return nil
}

// grantedToCreate: who has been granted create may bring into being by use what
// others may not (ems 3.1).
func (b *Broker) grantedToCreate(c *conn, d Destination) bool {
	return c != nil && !c.own && b.o.Authorization && b.o.Authority != nil && b.denied(c, "create", MayCreate, d) == nil
}

// subscribed says whether a topic that nobody uses is there for its durable
// subscriptions: all others have a consumer, which uses it. An anonymous producer asks
// for every message.
func (b *Broker) subscribed(d Destination) bool {
	return d.Kind == Topic && b.audiences[d.Name] != nil
}

// Reach says whether a connection's message can be sent to a destination: it
// exists, or may come into being. Errors: Invalid, NotFound.
func (b *Broker) Reach(id ConnID, d Destination) error {
	if err := mayUse("send to", b.conns.get(uint64(id)), d, false); err != nil {
		return err
	}
	if b.Exists(d) {
		return nil
	}
	if err := b.checkName("send to", d, false); err != nil {
		return err
	}
	if err := b.mayCreate("send to", b.conns.get(uint64(id)), d); err != nil {
		return err
	}
	return nil
}

// Delete removes a destination with all it holds. Who sends to it or receives
// from it is told (OutProducerGone, OutConsumerGone), and transactions that have
// to do with it can only roll back. A topic takes the durable subscriptions on
// exactly its name with it, a static one its definition. Errors: NotFound; Denied for
// what always exists, Conflict for the source of a bridge.
func (b *Broker) Delete(now time.Time, d Destination, fx *Effects) error {
	if b.always(d) {
		return &Error{Op: "delete", Kind: Denied, Name: d.Name, Err: errors.New("it belongs to the server")}
	}
	if err := b.sourceOf(d); err != nil {
		return err
	}
	found := b.Exists(d)
	if b.isStatic(d) && b.defined.tree(d.Kind).Delete(d.Name) {
		b.defined.changes++
	}
	switch {
	case d.Kind == Queue && found:
		q := b.queues[d.Name]
		if q.temp != nil {
			delete(q.temp.temps, Destination{Kind: Queue, Name: d.Name, Temporary: true})
		}
		b.endQueue(q, fx)
	case d.Kind == Topic:
		b.doomSenders(d.Name)
		for _, key := range sortedKeys(b.subs) {
			if s := b.subs[key]; s != nil && s.durable && s.queue.dest.Name == d.Name {
				found = true
				delete(b.subs, key)
				b.endQueue(s.queue, fx)
			}
		}
		if t := b.topics[d.Name]; t != nil {
			if t.temp != nil {
				delete(t.temp.temps, Destination{Kind: Topic, Name: d.Name, Temporary: true})
			}
			b.endTopic(t, fx)
		}
	}
	found = b.endDelayed(d, fx) || found
	if !found {
		return &Error{Op: "delete", Kind: NotFound, Name: d.Name}
	}
	b.dispatchTouched(now, fx)
	return nil
}

// doomSenders makes transactions that sent to a topic rollback-only, as endQueue does
// those of a queue. A bridge to a topic that is not there carries nothing, and dooms none.
func (b *Broker) doomSenders(topic string) {
	for _, id := range sortedKeys(b.txns) {
		t := b.txns[id]
		if slices.ContainsFunc(t.sends, func(s txnSend) bool { return s.topic != nil && !s.bridged && s.topic.name == topic }) {
			t.doom(&Error{Op: "use", Kind: Deleted, Name: topic})
		}
	}
}

// endQueue deletes a queue under those who use it.
func (b *Broker) endQueue(q *queue, fx *Effects) {
	for _, id := range sortedKeys(b.txns) {
		if t := b.txns[id]; b.concerns(t, q) {
			t.doom(&Error{Op: "use", Kind: Deleted, Name: q.dest.Name})
		}
	}
	gone := &Error{Op: "use", Kind: Deleted, Name: q.dest.Name}
	if q.producers > 0 {
		b.producers.each(func(p *producer) {
			if p.queue == q {
				b.endProducer(p, gone, fx)
			}
		})
	}
	for len(q.consumers) > 0 && !q.deleted {
		b.endConsumer(q.consumers[0], gone, fx)
	}
	if !q.deleted { // it may have gone with its last user
		b.deleteQueue(q, fx)
	}
}

// endTopic ends a topic's consumers and producers, and with them the topic.
func (b *Broker) endTopic(t *topic, fx *Effects) {
	gone := &Error{Op: "use", Kind: Deleted, Name: t.name}
	if t.temp != nil {
		t.temp = nil
		b.tempTopics--
	}
	if t.static {
		t.static = false
		b.staticTopics--
	}
	if t.producers > 0 {
		b.producers.each(func(p *producer) {
			if p.topic == t {
				b.endProducer(p, gone, fx)
			}
		})
	}
	if t.consumers > 0 {
		b.consumers.each(func(k *consumer) {
			if k.topic == t {
				b.endConsumer(k, gone, fx)
			}
		})
	}
	b.dropTopic(t)
}

func (b *Broker) concerns(t *txn, q *queue) bool {
	if slices.ContainsFunc(t.sends, func(s txnSend) bool { return s.queue == q }) {
		return true
	}
	if slices.ContainsFunc(t.returns, func(r txnReturn) bool { return b.from(r.id, q) }) {
		return true
	}
	return slices.ContainsFunc(t.acks, func(id DeliveryID) bool { return b.from(id, q) })
}

// from says whether a delivery is one of a queue's messages.
func (b *Broker) from(id DeliveryID, q *queue) bool {
	d := b.deliveries.get(id)
	return d != nil && d.ring.queue == q
}

// endProducer closes a producer and tells it why.
func (b *Broker) endProducer(p *producer, why error, fx *Effects) {
	fx.Outs = append(fx.Outs, Out{Kind: OutProducerGone, Conn: p.conn.id, Producer: p.id, Err: why})
	b.CloseProducer(time.Time{}, p.id, fx)
}

// endConsumer closes a consumer and tells it why.
func (b *Broker) endConsumer(k *consumer, why error, fx *Effects) {
	fx.Outs = append(fx.Outs, Out{Kind: OutConsumerGone, Conn: k.conn.id, Consumer: k.id, Err: why})
	b.closeConsumer(k, false, fx)
}
