package core

import (
	"time"

	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/name"
)

// HeldBit marks the ids of messages that are not stored.
const HeldBit uint64 = 1 << 63

// Contents gives the content of a message whose bytes are in memory.
type Contents interface {
	Content(id uint64) (message.Content, bool)
}

// Options are a broker's own.
type Options struct {
	Server    string   // name of the server, part of `$TMP$` names
	Contents  Contents // asked by selectors
	StoreNeed Need     // what a persistent message waits for: Sync or Write
	Instance  uint64   // tells temporary names of one life of the server from those of another
	// MayCreate says which destinations come into being when somebody first uses
	// them; nil: all. It must be a function of its argument alone.
	MayCreate func(d Destination) bool
	// Transactions bounds them.
	Transactions TransactionLimits
	// Authority says who may do what; nil: everybody everything. Authorization
	// says that users log in, SendCheck what a non-persistent send's answer means.
	Authority     Authority
	Authorization bool
	SendCheck     Check
}

// Broker is the state machine. Its methods are serialised by the caller.
type Broker struct {
	o         Options
	next      Pos
	written   Pos
	synced    Pos
	recovered bool
	step      uint64     // counts steps
	before    DeliveryID // the last of the steps before

	nextStored  uint64
	nextHeld    uint64
	nextQueue   QueueID
	nextTxn     TxnID
	stored      refs
	held        refs
	conns       table[conn]
	clients     map[string]*conn // by client id: the newest, others by conn.namesake
	producers   table[producer]
	consumers   table[consumer]
	deliveries  deliveries
	queues      map[string]*queue // by queue name
	byID        map[QueueID]*queue
	all         []*queue // everything in byID, in order of creation: by id
	defined     definitions
	bridges     bridges
	exporters   map[string]Exporter // by name
	crossing    []txnSend           // see legs
	committing  committing          // one at a time
	returned    []returned
	marked      bool // a message has asked to be traced
	flowControl bool // see flow.go
	flowActive  bool
	waiters     [1]*queue // a holding queue that a message is to fit into
	slowed      []*queue  // those that withhold answers
	loose       *topic    // that an anonymous producer sent to last, and nobody uses
	topics      map[string]*topic
	routes      name.Trie[*audience] // topic patterns → their subscriptions
	audiences   map[string]*audience // the same, by pattern
	subs        map[string]*subscription
	txns        map[TxnID]*txn
	firstTimed  *txn // of those with a time-out, the first that is due
	lastTimed   *txn
	throttled   bool  // producers have no credit, since:
	full        bool  // storage is full
	pressed     bool  // memory is short
	sweepAt     int64 // ms: lower bound of the earliest expiry; 0 none
	lastSweep   int64
	changed     []Key
	changedIDs  bool
	waiting     []*consumer // for bytes, or to go on scanning
	touched     []*queue
	unblocked   []*conn // have room again: their drains may be answered
	targets     []*queue
	hearing     []*audience     // of the topic that is being routed
	hears       func(*audience) // adds to it; made once, as routing must not allocate
	tempCounter uint64
	heldBytes   int64  // of entries that are not stored
	rights      uint64 // counts calls of Authorize: what was permitted before is asked anew
	topicNow    *topic // the topic that is being routed
	drops       Drops
	lost        Losses
	declared    int // queues with a life
	noteBytes   int // of all notes
	due         dueHeap
	delayed     int // entries in holding queues

	// For operators.
	topicList                  []*topic // everything in topics, in no order
	total                      meter
	pendingMsgs, pendingBytes  int64  // in all queues
	connections, links         uint64 // ever made
	staticQueues, staticTopics int
	tempQueues, tempTopics     int
	durables                   int
	detailed                   Detailed
	detailSize                 int64 // bytes of all details
}

// NewBroker makes an empty broker.
func NewBroker(o Options) *Broker {
	if o.StoreNeed == Ride {
		o.StoreNeed = Sync
	}
	if o.Server == "" {
		o.Server = "tidegate"
	}
	o.Transactions = o.Transactions.orDefaults()
	b := &Broker{
		o: o, next: 1, nextStored: 1, nextHeld: HeldBit | 1, nextQueue: 1, nextTxn: 1,
		clients: map[string]*conn{}, queues: map[string]*queue{}, byID: map[QueueID]*queue{},
		topics: map[string]*topic{}, subs: map[string]*subscription{}, txns: map[TxnID]*txn{}, audiences: map[string]*audience{},
		defined: newDefinitions(),
	}
	b.hears = func(a *audience) { b.hearing = append(b.hearing, a) }
	return b
}

// Next is the position that the next record will have.
func (b *Broker) Next() Pos { return b.next }

// Stable opens each step: how far the journal is written and synced.
func (b *Broker) Stable(written, synced Pos) {
	b.written, b.synced = max(b.written, written), max(b.synced, synced)
	b.step, b.before = b.step+1, b.deliveries.last
}

// emit gives a record its position, applies it and hands it out.
func (b *Broker) emit(r Record, fx *Effects) Pos {
	at := b.next
	b.next++
	fx.Records = append(fx.Records, r)
	b.apply(at, &fx.Records[len(fx.Records)-1])
	return at
}

func (b *Broker) hold(id uint64) {
	if id&HeldBit != 0 {
		b.held.add(id&^HeldBit, 1)
	} else {
		b.stored.add(id, 1)
	}
}

// holdContent hands out a message that is not stored, and gives its id: the only place that
// makes one, above HeldBit, while ids of records stay below it (server.Decode).
func (b *Broker) holdContent(c message.Content, fx *Effects) (id uint64) {
	id = b.nextHeld
	b.nextHeld++
	fx.Holds = append(fx.Holds, Held{ID: id, Content: c})
	return id
}

func (b *Broker) release(id uint64, fx *Effects) {
	last := false
	if id&HeldBit != 0 {
		last = b.held.drop(id &^ HeldBit)
	} else {
		last = b.stored.drop(id)
	}
	if last && fx != nil {
		fx.Released = append(fx.Released, id)
		fx.ReleasedAfter = b.next - 1
	}
}

func millis(t time.Time) int64 { return t.UnixMilli() }

// Exists says whether a destination is there.
func (b *Broker) Exists(d Destination) bool {
	if d.Kind == Topic {
		return b.topics[d.Name] != nil
	}
	return b.queues[d.Name] != nil
}

// table gives identifiers that are slots, so that a look-up is an index; the
// upper half counts uses of a slot, so that an old identifier finds nothing.
type table[T any] struct {
	slots []slot[T]
	free  []uint32
}

type slot[T any] struct {
	v   *T
	use uint32
}

func (t *table[T]) add(v *T) uint64 {
	var i uint32
	if n := len(t.free); n > 0 {
		i = t.free[n-1]
		t.free = t.free[:n-1]
	} else {
		i = uint32(len(t.slots))
		t.slots = append(t.slots, slot[T]{})
	}
	s := &t.slots[i]
	s.v = v
	s.use++
	return uint64(s.use)<<32 | uint64(i)
}

func (t *table[T]) get(id uint64) *T {
	i := uint32(id)
	if int(i) >= len(t.slots) || t.slots[i].use != uint32(id>>32) {
		return nil
	}
	return t.slots[i].v
}

func (t *table[T]) remove(id uint64) {
	if t.get(id) != nil {
		t.slots[uint32(id)].v = nil
		t.free = append(t.free, uint32(id))
	}
}

func (t *table[T]) each(visit func(*T)) {
	for i := range t.slots {
		if t.slots[i].v != nil {
			visit(t.slots[i].v)
		}
	}
}

// HeldBytes is the size of all entries that are only in memory; a message in
// several queues counts in each.
func (b *Broker) HeldBytes() int64 { return b.heldBytes }
