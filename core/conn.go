package core

import (
	"errors"
	"strconv"
	"time"
)

// DefaultRoom is how many bytes may be dispatched to a connection and not yet
// written. A dispatched message costs no copy of its bytes, so room is wide: a
// writer that is far behind its consumer's credit writes often and little.
const DefaultRoom = 1 << 20

// dispatchOverhead is what a dispatched message takes of the room beside its
// bytes, so that credit for a million empty messages is bounded as well.
const dispatchOverhead = 256

// MaxTemporary is how many temporary destinations a connection may have.
const MaxTemporary = 10_000

type conn struct {
	id        ConnID
	clientID  string
	user      string
	stranger  bool // nothing has shown that it is that user's
	sole      bool
	yield     bool
	evicted   bool  // it was told to go
	namesake  *conn // an older one with the same client id
	room      int64
	inflight  int64 // bytes dispatched, not written
	blocked   bool  // a consumer was passed over for want of room
	producers map[ProducerID]*producer
	consumers map[ConsumerID]*consumer
	temps     map[Destination]struct{}
	txns      map[TxnID]*txn
	number    uint64 // for people
	peer      Peer
	admin     bool
	own       bool // the server's own doing, for what it was told is its own: it needs no right
	sessions  int
	since     int64 // ms
}

func (c *conn) hasRoom() bool { return c.inflight < c.room }

// Connect admits a connection. Errors: Conflict for a client id in use; Evicting
// while others that have it are on their way out: it is to be tried again.
func (b *Broker) Connect(now time.Time, o ConnectOptions, fx *Effects) (ConnID, error) {
	if err := b.soleConnection(o, fx); err != nil {
		return 0, err
	}
	if o.Room == 0 {
		o.Room = DefaultRoom
	}
	b.connections++
	c := &conn{
		number: b.connections, peer: o.Peer, since: millis(now),
		clientID: o.ClientID, user: o.User, stranger: o.Stranger, own: o.Own, sole: o.Sole, yield: o.Yield, room: o.Room,
		producers: map[ProducerID]*producer{}, consumers: map[ConsumerID]*consumer{},
		temps: map[Destination]struct{}{}, txns: map[TxnID]*txn{},
	}
	c.id = ConnID(b.conns.add(c))
	if o.ClientID != "" {
		c.namesake = b.clients[o.ClientID]
		b.clients[o.ClientID] = c
	}
	return c.id, nil
}

// soleConnection applies what connections with one client id asked for.
func (b *Broker) soleConnection(o ConnectOptions, fx *Effects) error {
	if o.ClientID == "" || b.clients[o.ClientID] == nil {
		return nil
	}
	sole, yield := o.Sole, o.Yield
	for c := b.clients[o.ClientID]; c != nil; c = c.namesake {
		if c.sole {
			sole, yield = true, c.yield
		}
	}
	switch {
	case !sole:
		return nil
	case !yield:
		for c := b.clients[o.ClientID]; c != nil; c = c.namesake {
			fx.Outs = append(fx.Outs, Out{Kind: OutProbe, Conn: c.id})
		}
		return &Error{Op: "connect", Kind: Conflict, Name: o.ClientID, Err: errors.New("the client id is connected already")}
	}
	for c := b.clients[o.ClientID]; c != nil; c = c.namesake {
		if !c.evicted {
			c.evicted = true
			fx.Outs = append(fx.Outs, Out{Kind: OutConnectionGone, Barrier: true, Conn: c.id, Err: &Error{
				Op: "stay connected", Kind: Conflict, Name: c.clientID, Err: errors.New("another connection took the client id over"),
			}})
		}
	}
	return &Error{Op: "connect", Kind: Evicting, Name: o.ClientID}
}

// forgetClient takes a connection out of those with its client id.
func (b *Broker) forgetClient(c *conn) {
	if first := b.clients[c.clientID]; first == c {
		if c.namesake != nil {
			b.clients[c.clientID] = c.namesake
		} else {
			delete(b.clients, c.clientID)
		}
		return
	}
	for other := b.clients[c.clientID]; other != nil; other = other.namesake {
		if other.namesake == c {
			other.namesake = c.namesake
			return
		}
	}
}

// Disconnect ends a connection as Retire does, and forgets it.
func (b *Broker) Disconnect(now time.Time, id ConnID, fx *Effects) {
	b.Retire(now, id, fx)
	b.conns.remove(uint64(id))
}

// Retire ends all that a connection has: its transactions roll back, its
// deliveries return in order as possibly delivered, its temporary destinations
// go, its client id is free. It is for a client that closes: once that is
// answered, it may connect again.
func (b *Broker) Retire(now time.Time, id ConnID, fx *Effects) {
	c := b.conns.get(uint64(id))
	if c == nil {
		return
	}
	for _, t := range sortedKeys(c.txns) {
		b.rollback(c.txns[t], fx)
	}
	for _, k := range sortedKeys(c.consumers) {
		b.closeConsumer(c.consumers[k], true, fx)
	}
	for _, k := range sortedKeys(c.producers) {
		b.CloseProducer(now, k, fx)
	}
	temps := make([]Destination, 0, len(c.temps))
	for d := range c.temps { // order: irrelevant
		temps = append(temps, d)
	}
	sortDestinations(temps)
	for _, d := range temps {
		b.deleteTemporary(c, d, fx)
	}
	b.forgetClient(c)
	b.dispatchTouched(now, fx)
}

// CreateTemporary makes a queue or topic that only its connection consumes and
// that ends with it (ems 3.2: `$TMP$.<server>.<hex>.<n>`). Errors: Limit.
func (b *Broker) CreateTemporary(_ time.Time, id ConnID, kind DestinationKind, _ *Effects) (Destination, error) {
	c := b.conns.get(uint64(id))
	if c == nil {
		return Destination{}, &Error{Op: "create temporary destination", Kind: Unavailable}
	}
	if len(c.temps) >= MaxTemporary {
		return Destination{}, &Error{Op: "create temporary destination", Kind: Limit, Err: errors.New("the connection has " + strconv.Itoa(MaxTemporary) + " already")}
	}
	b.tempCounter++
	d := Destination{Kind: kind, Temporary: true, Name: "$TMP$." + b.o.Server + "." +
		strconv.FormatUint(b.o.Instance<<16|uint64(id)&0xffff, 16) + "." + strconv.FormatUint(b.tempCounter, 10)}
	if kind == Topic {
		b.topic(d.Name).temp = c
		b.tempTopics++
	} else {
		q := b.addQueue(b.newQueueID(), d)
		q.temp = c
		b.tempQueues++
	}
	c.temps[d] = struct{}{}
	return d, nil
}

// OpenTemporary lets every connection consume from a temporary destination of
// this one's, and its deletion does not wait for them.
func (b *Broker) OpenTemporary(d Destination) {
	if d.Kind == Queue && b.queues[d.Name] != nil {
		b.queues[d.Name].open = true
	} else if d.Kind == Topic && b.topics[d.Name] != nil {
		b.topics[d.Name].open = true
	}
}

// DeleteTemporary ends a temporary destination before its connection does.
// Errors: NotFound; Conflict while it has consumers and is not open; Denied for
// another's.
func (b *Broker) DeleteTemporary(now time.Time, id ConnID, d Destination, fx *Effects) error {
	c := b.conns.get(uint64(id))
	d.Temporary = true
	if c == nil || !b.Exists(d) {
		return &Error{Op: "delete temporary destination", Kind: NotFound, Name: d.Name}
	}
	if _, mine := c.temps[d]; !mine {
		return &Error{Op: "delete temporary destination", Kind: Denied, Name: d.Name, Err: errors.New("another connection made it")}
	}
	busy := false
	if d.Kind == Queue {
		busy = len(b.queues[d.Name].consumers) > 0 && !b.queues[d.Name].open
	} else {
		busy = b.topics[d.Name].consumers > 0 && !b.topics[d.Name].open
	}
	if busy {
		return &Error{Op: "delete temporary destination", Kind: Conflict, Name: d.Name, Err: errors.New("it has consumers")}
	}
	b.deleteTemporary(c, d, fx)
	return nil
}

func (b *Broker) deleteTemporary(c *conn, d Destination, fx *Effects) {
	delete(c.temps, d)
	b.endDelayed(d, fx)
	if d.Kind == Topic {
		if t := b.topics[d.Name]; t != nil {
			b.endTopic(t, fx)
		}
		return
	}
	if q := b.queues[d.Name]; q != nil {
		b.endQueue(q, fx)
	}
}
