package core

import (
	"slices"
	"time"
)

// What operators see. Lists are given in parts, so that nobody waits for a
// hundred thousand queues: a call looks at up to n things beginning at a cursor
// (0 at first) and answers the cursor of the next (0: that was all). What is made
// meanwhile may be missing, what is renumbered may come twice; nothing that stays
// is left out.

// Peer is what a connection's other side said of itself, and where it is.
type Peer struct {
	Address                    string // host:port
	Secure                     bool
	Product, Version, Platform string
}

// QueueView is a queue at one moment.
type QueueView struct {
	ID                        QueueID
	Name                      string
	Static, Temporary         bool
	Lasting                   bool // a client made it to stay, over restarts
	Receivers, Producers      int
	Msgs, Delivered           int // delivered: of them, not yet acknowledged
	Bytes                     int64
	Persistent                int
	PersistentBytes, Earliest int64
	In, Out                   Traffic
	Losses                    Losses
}

// TopicView is a topic at one moment; its messages are those that its
// subscriptions have yet to receive.
type TopicView struct {
	Name                   string
	Static, Temporary      bool
	Subscribers, Producers int
	Durables               int
	Msgs                   int
	Bytes                  int64
	Persistent             int
	PersistentBytes        int64
	In, Out                Traffic
	Losses                 Losses
}

// ConnView is a connection at one moment.
type ConnView struct {
	ID                   ConnID
	Number               uint64 // short, and never given again
	ClientID, User       string
	Peer                 Peer
	Admin                bool
	Since                time.Time
	Sessions             int
	Producers, Consumers int
	TempTopics           int
	TempQueues           int
	Uncommitted          int
	UncommittedBytes     int64
	Transactions         int
}

// LinkView is a producer or a consumer at one moment.
type LinkView struct {
	Number       uint64
	Conn         uint64 // ConnView.Number
	User         string
	ClientID     string
	Destination  Destination // zero: of an anonymous producer
	Subscription *SubscriptionInfo
	Selector     string
	NoLocal      bool
	Browse       bool
	Unsettled    int // delivered to the consumer, not acknowledged
	Pending      int // in its queue
	PendingBytes int64
	Credit       uint32
	Traffic      Traffic
	Details      []DetailView // by destination, of those without one (Detail)
}

// SubscriptionView is a durable subscription at one moment.
type SubscriptionView struct {
	SubscriptionInfo
	User            string // of its consumer, if it has one
	Bytes           int64
	Persistent      int
	PersistentBytes int64
	Delivered       int
	Losses          Losses
}

// TxnView is an open transaction.
type TxnView struct {
	ID           TxnID
	Conn         uint64
	User         string
	Sends, Acks  int
	Bytes        int64
	RollbackOnly bool
}

// Totals are the whole broker at one moment.
type Totals struct {
	Connections, AdminConnections int
	Sessions                      int
	Producers, Consumers          int
	Durables                      int
	Queues, Topics                int // with those below
	DynamicQueues, TempQueues     int
	DynamicTopics, TempTopics     int
	Msgs                          int64
	Bytes                         int64
	HeldBytes                     int64
	In, Out                       Traffic
}

// Totals counts; it looks at every connection, but at no queue.
func (b *Broker) Totals() Totals {
	t := Totals{
		Durables: b.durables, Queues: len(b.queues), Topics: len(b.topics), Msgs: b.pendingMsgs, Bytes: b.pendingBytes,
		HeldBytes: b.heldBytes, In: b.total.inward(), Out: b.total.outward(), TempQueues: b.tempQueues, TempTopics: b.tempTopics,
		DynamicQueues: len(b.queues) - b.staticQueues - b.tempQueues, DynamicTopics: len(b.topics) - b.staticTopics - b.tempTopics,
	}
	b.conns.each(func(c *conn) {
		if c.own {
			return
		}
		if c.admin {
			t.AdminConnections++
		} else {
			t.Connections++
		}
		t.Sessions += c.sessions
		t.Producers += len(c.producers)
		t.Consumers += len(c.consumers)
	})
	return t
}

// QueueViews appends queues whose name keep wants (nil: all), from the newest to
// the oldest.
func (b *Broker) QueueViews(views []QueueView, cursor, n int, keep func(string) bool) ([]QueueView, int) {
	cursor = backwards(b.all, cursor, n, func(q *queue) {
		if q.sub == nil && (keep == nil || keep(q.dest.Name)) {
			views = append(views, q.view())
		}
	})
	return views, cursor
}

// backwards visits up to n of all, from the end or what stands before a cursor, and gives
// the next cursor: what is gone meanwhile shifts only what was visited.
func backwards[T any](all []T, cursor, n int, visit func(T)) int {
	if cursor <= 0 || cursor > len(all) {
		cursor = len(all)
	}
	for ; cursor > 0 && n > 0; n-- {
		cursor--
		visit(all[cursor])
	}
	return cursor
}

// QueueView looks at one queue.
func (b *Broker) QueueView(name string) (QueueView, bool) {
	q := b.queues[name]
	if q == nil {
		return QueueView{}, false
	}
	return q.view(), true
}

func (q *queue) view() QueueView {
	return QueueView{
		ID: q.id, Name: q.dest.Name, Static: q.static, Temporary: q.temp != nil, Lasting: q.life == Lasting || kept(q.dest.Name), Receivers: len(q.consumers), Producers: q.producers,
		Msgs: q.depth, Delivered: q.depth - q.available(), Bytes: q.bytes, Persistent: q.stored, PersistentBytes: q.storedBytes,
		Earliest: q.earliest, In: q.inward(), Out: q.outward(), Losses: q.losses(),
	}
}

// TopicViews appends topics as QueueViews does queues.
func (b *Broker) TopicViews(views []TopicView, cursor, n int, keep func(string) bool) ([]TopicView, int) {
	cursor = backwards(b.topicList, cursor, n, func(t *topic) {
		if keep == nil || keep(t.name) {
			views = append(views, b.viewTopic(t))
		}
	})
	return views, cursor
}

// TopicView looks at one topic.
func (b *Broker) TopicView(name string) (TopicView, bool) {
	t := b.topics[name]
	if t == nil {
		return TopicView{}, false
	}
	return b.viewTopic(t), true
}

func (b *Broker) viewTopic(t *topic) TopicView {
	v := TopicView{
		Name: t.name, Static: t.static, Temporary: t.temp != nil, Producers: t.producers, Subscribers: t.consumers,
		In: t.inward(), Out: t.outward(),
	}
	each := func(q *queue) {
		if q.sub.durable {
			v.Durables++
		}
		v.Msgs += q.depth
		v.Bytes += q.bytes
		v.Persistent += q.stored
		v.PersistentBytes += q.storedBytes
		v.Losses.add(q.losses())
	}
	if a := b.audiences[t.name]; a != nil {
		a.each(each)
	}
	return v
}

// each visits the subscriptions' queues, in no order that means anything.
func (a *audience) each(visit func(q *queue)) {
	for _, q := range a.rest {
		visit(q)
	}
	for _, p := range a.properties {
		for _, list := range p.queues { // order: irrelevant
			for _, q := range list {
				visit(q)
			}
		}
	}
}

// ConnViews appends connections, in no order that means anything.
func (b *Broker) ConnViews(views []ConnView, cursor, n int) ([]ConnView, int) {
	return slots(&b.conns, views, cursor, n, func(c *conn) *conn { return c }, func(c *conn) ConnView {
		v := ConnView{
			ID: c.id, Number: c.number, ClientID: c.clientID, User: c.user, Peer: c.peer, Admin: c.admin, Since: time.UnixMilli(c.since),
			Sessions: c.sessions, Producers: len(c.producers), Consumers: len(c.consumers), Transactions: len(c.txns),
		}
		for d := range c.temps { // order: irrelevant
			if d.Kind == Queue {
				v.TempQueues++
			} else {
				v.TempTopics++
			}
		}
		for _, t := range c.txns { // order: irrelevant
			v.Uncommitted += len(t.sends)
			v.UncommittedBytes += t.bytes
		}
		return v
	})
}

// slots visits a part of a table, but for what is the server's own: no operator has to
// do with it.
func slots[T, V any](t *table[T], views []V, cursor, n int, of func(*T) *conn, view func(*T) V) ([]V, int) {
	for ; cursor < len(t.slots) && n > 0; n-- {
		if x := t.slots[cursor].v; x != nil && !of(x).own {
			views = append(views, view(x))
		}
		cursor++
	}
	if cursor >= len(t.slots) {
		cursor = 0
	}
	return views, cursor
}

// ProducerViews appends producers as ConnViews does connections.
func (b *Broker) ProducerViews(views []LinkView, cursor, n int) ([]LinkView, int) {
	return slots(&b.producers, views, cursor, n, func(p *producer) *conn { return p.conn }, func(p *producer) LinkView {
		v := LinkView{
			Number: p.number, Conn: p.conn.number, User: p.conn.user, ClientID: p.conn.clientID, Destination: p.dest, Traffic: p.inward(),
		}
		v.Details = p.details.views()
		if p.conn.admin && p.dest.Name == "" {
			v.Destination = Destination{Kind: Queue, Name: "$sys.admin"} // where requests go; no queue holds them
		}
		return v
	})
}

// ConsumerViews appends consumers as ConnViews does connections.
func (b *Broker) ConsumerViews(views []LinkView, cursor, n int) ([]LinkView, int) {
	return slots(&b.consumers, views, cursor, n, func(k *consumer) *conn { return k.conn }, func(k *consumer) LinkView {
		v := LinkView{
			Number: k.number, Conn: k.conn.number, User: k.conn.user, ClientID: k.conn.clientID, Destination: k.queue.dest,
			Browse: k.browse, Pending: k.queue.depth, PendingBytes: k.queue.bytes, Credit: uint32(max(k.credit(), 0)), Traffic: k.outward(),
		}
		v.Destination.Temporary = k.queue.temp != nil || k.topic != nil && k.topic.temp != nil
		if k.selector != nil {
			v.Selector = k.selector.String()
		}
		if s := k.queue.sub; s != nil {
			v.Details = s.details.views()
			v.Selector, v.NoLocal = s.text, s.noLocal
			if s.key != "" {
				i := s.info()
				v.Subscription = &i
			}
		}
		for id := k.first; id != 0; id = b.deliveries.get(id).next {
			v.Unsettled++
		}
		return v
	})
}

// SubscriptionViews lists the durable subscriptions, by topic and name. There
// are as many as applications that were given one: it is no list in parts.
func (b *Broker) SubscriptionViews() []SubscriptionView {
	views := make([]SubscriptionView, 0, len(b.subs))
	for _, s := range b.subs { // order: irrelevant, sorted below
		if s.durable {
			views = append(views, s.view())
		}
	}
	slices.SortFunc(views, func(x, y SubscriptionView) int { return compareSubscriptions(&x.SubscriptionInfo, &y.SubscriptionInfo) })
	return views
}

func (s *subscription) view() SubscriptionView {
	q := s.queue
	v := SubscriptionView{
		SubscriptionInfo: s.info(), Bytes: q.bytes, Persistent: q.stored, PersistentBytes: q.storedBytes, Delivered: q.depth - q.available(), Losses: q.losses(),
	}
	if len(q.consumers) > 0 {
		v.User = q.consumers[0].conn.user
	}
	return v
}

// TxnViews lists the open transactions by number.
func (b *Broker) TxnViews() []TxnView {
	views := make([]TxnView, 0, len(b.txns))
	for _, id := range sortedKeys(b.txns) {
		t := b.txns[id]
		views = append(views, TxnView{
			ID: id, Conn: t.conn.number, User: t.conn.user, Sends: len(t.sends), Acks: len(t.acks) + len(t.returns), Bytes: t.bytes, RollbackOnly: t.doomed != nil,
		})
	}
	return views
}

// Named is a queue or topic by name: enough to sort and to page.
type Named struct {
	Name              string
	Static, Temporary bool
}

// QueueNames appends the names of queues, as QueueViews does views.
func (b *Broker) QueueNames(names []Named, cursor, n int) ([]Named, int) {
	cursor = backwards(b.all, cursor, n, func(q *queue) {
		if q.sub == nil {
			names = append(names, Named{q.dest.Name, q.static, q.temp != nil})
		}
	})
	return names, cursor
}

// TopicNames appends the names of topics.
func (b *Broker) TopicNames(names []Named, cursor, n int) ([]Named, int) {
	cursor = backwards(b.topicList, cursor, n, func(t *topic) { names = append(names, Named{t.name, t.static, t.temp != nil}) })
	return names, cursor
}
