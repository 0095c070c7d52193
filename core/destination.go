package core

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/property"
)

// TemporaryPrefix begins the name of every temporary destination.
const TemporaryPrefix = "$TMP$."

// topic is what is known of a topic's concrete name: that it is in use.
type topic struct {
	name      string
	temp      *conn
	open      bool // a temporary one that every connection may consume from
	policy    *property.Policy
	policyAt  uint64 // see Broker.topicPolicy
	outlets   []*outlet
	exporters []Exporter
	dest      *Destination // its own, for those who keep it; nil: nobody has
	producers int
	consumers int  // with exactly this name
	static    bool // defined: it stays without being used
	at        int  // in Broker.topicList
	meter
}

func (b *Broker) topic(n string) *topic {
	t := b.topics[n]
	if t == nil {
		t = &topic{name: n, at: len(b.topicList)}
		b.topics[n] = t
		b.topicList = append(b.topicList, t)
	}
	return t
}

// dropTopic forgets a dynamic topic that nobody uses.
func (b *Broker) dropTopic(t *topic) {
	if t.producers == 0 && t.consumers == 0 && t.temp == nil && !t.static && b.topics[t.name] == t {
		delete(b.topics, t.name)
		last := b.topicList[len(b.topicList)-1]
		b.topicList[t.at], last.at = last, t.at
		b.topicList = b.topicList[:len(b.topicList)-1]
	}
}

func (b *Broker) newQueueID() QueueID {
	id := b.nextQueue
	b.nextQueue++
	b.touchIDs()
	return id
}

func (b *Broker) addQueue(id QueueID, d Destination) *queue {
	q := &queue{broker: b, id: id, dest: d, holds: heldFor(d), exports: d.Kind == Queue && strings.HasPrefix(d.Name, ExportQueuePrefix), resumeAt: -1}
	b.byID[id] = q
	b.all = insertByAge(b.all, q)
	// a replay may meet a deleted predecessor after its newer namesake
	if old := b.queues[d.Name]; d.Kind == Queue && (old == nil || old.id < id) {
		b.queues[d.Name] = q
	}
	return q
}

// record makes a dynamic queue known to the journal before its first stored
// message.
func (b *Broker) record(q *queue, fx *Effects) {
	if q.recorded && q.wasStatic == q.static || q.temp != nil || (q.sub != nil && (q.recorded || !q.sub.durable)) {
		return
	}
	b.emit(Record{Kind: RecQueue, Define: q.definition(q.life)}, fx)
}

// stores says whether a persistent message in q is to be stored.
func (q *queue) stores() bool {
	return q.temp == nil && !q.lossy && (q.sub == nil || q.sub.durable) && !(q.holds.Kind == Queue && strings.HasPrefix(q.holds.Name, TemporaryPrefix))
}

// deleteQueue removes a queue and all it holds.
func (b *Broker) deleteQueue(q *queue, fx *Effects) {
	if q.recorded {
		need := Write
		if q.sub != nil || q.life != 0 || kept(q.dest.Name) { // somebody is told that it is gone
			need = b.o.StoreNeed
		}
		b.emit(Record{Kind: RecDelete, Need: need, Run: Run{Queue: q.id}}, fx)
	}
	b.dropQueue(q, fx)
}

// dropQueue is deleteQueue's half without a record.
func (b *Broker) dropQueue(q *queue, fx *Effects) {
	if q.deleted {
		return
	}
	q.deleted = true
	if q.sub != nil {
		b.forgetDetails(&q.sub.details)
	}
	if q.static {
		b.staticQueues--
	}
	if q.life != 0 {
		b.declared--
	}
	if q.temp != nil {
		b.tempQueues--
	}
	for _, r := range q.order {
		for seq, ok := r.from(0); ok; seq, ok = r.from(seq + 1) {
			b.drop(r, seq, fx)
		}
	}
	delete(b.byID, q.id)
	b.all = removeByAge(b.all, q)
	if q.dest.Kind == Queue && b.queues[q.dest.Name] == q {
		delete(b.queues, q.dest.Name)
	}
	if q.sub != nil {
		if q.sub.durable {
			b.durables--
		}
		b.unlisten(q)
	}
	b.markChanged(q)
	if len(q.withheld) > 0 && fx != nil {
		b.resume(q, fx)
	}
}

// dropIdle removes a dynamic queue that nobody uses and that holds nothing.
func (b *Broker) dropIdle(q *queue, fx *Effects) {
	if q.sub == nil && q.temp == nil && !q.static && q.life == 0 && !q.deleted && !kept(q.dest.Name) && !b.always(q.dest) && q.depth == 0 && len(q.consumers) == 0 && q.producers == 0 {
		b.deleteQueue(q, fx)
	}
}

func (b *Broker) checkName(op string, d Destination, wildcard bool) *Error {
	n := d.Name
	if h := heldFor(d); h.Kind != 0 {
		n = h.Name // which may be as long as any
	}
	if err := name.Validate(n); err != nil {
		return &Error{Op: op, Kind: Invalid, Name: d.Name, Err: err}
	}
	if d.Kind != Queue && d.Kind != Topic {
		return &Error{Op: op, Kind: Invalid, Name: d.Name, Err: errors.New("neither queue nor topic")}
	}
	if name.IsWildcard(d.Name) && !wildcard {
		return &Error{Op: op, Kind: Invalid, Name: d.Name, Err: errors.New("a wildcard cannot be used here")}
	}
	return nil
}

// resolve finds a destination to send to or consume from, and makes a dynamic
// queue where there is none. Temporary names are never made here.
func (b *Broker) resolveQueue(op string, c *conn, n string) (*queue, *Error) {
	if q := b.queues[n]; q != nil {
		return q, nil
	}
	d := Destination{Kind: Queue, Name: n}
	if b.always(d) {
		return b.systemQueue(n), nil
	}
	if err := b.mayCreate(op, c, d); err != nil {
		return nil, err
	}
	return b.addQueue(b.newQueueID(), d), nil
}

type producer struct {
	number  uint64
	details details // of one without a destination
	meter
	noReject bool
	id       ProducerID
	conn     *conn
	dest     Destination
	queue    *queue
	topic    *topic

	usable Destination // of an anonymous one: what it sent to last, whose name was looked at

	waits int // answers that queues withhold, or credit alone: see flow.go

	rights uint64 // as of which denied is the answer for asked
	asked  Destination
	denied *Error
}

// OpenProducer admits a producer; a zero destination makes an anonymous one.
// It answers with the destination as it is. Errors: Invalid, Denied, NotFound.
func (b *Broker) OpenProducer(_ time.Time, id ConnID, o ProducerOptions, fx *Effects) (ProducerID, Destination, error) {
	c := b.conns.get(uint64(id))
	if c == nil {
		return 0, Destination{}, &Error{Op: "send to", Kind: Unavailable, Name: o.Destination.Name}
	}
	b.links++
	p := &producer{number: b.links, conn: c, dest: o.Destination, noReject: o.NoReject}
	if o.Destination.Name != "" {
		if err := b.checkName("send to", o.Destination, false); err != nil {
			return 0, Destination{}, err
		}
		if err := b.denied(c, "send to", MaySend, o.Destination); err != nil {
			return 0, Destination{}, err
		}
		if err := mayUse("send to", c, o.Destination, false); err != nil {
			return 0, Destination{}, err
		}
		if err := b.aim(p, o.Destination); err != nil {
			return 0, Destination{}, err
		}
	}
	p.id = ProducerID(b.producers.add(p))
	c.producers[p.id] = p
	if b.throttled {
		fx.Outs = append(fx.Outs, Out{Kind: OutAllow, Conn: c.id, Producer: p.id})
	}
	return p.id, p.dest, nil
}

func (b *Broker) aim(p *producer, d Destination) error {
	if d.Kind == Topic {
		if b.topics[d.Name] == nil {
			if err := b.mayCreate("send to", p.conn, d); err != nil {
				return err
			}
		}
		p.topic = b.topic(d.Name)
		p.topic.producers++
		p.dest.Temporary = p.topic.temp != nil
		return nil
	}
	q, err := b.resolveQueue("send to", p.conn, d.Name)
	if err != nil {
		return err
	}
	p.queue = q
	q.producers++
	p.dest.Temporary = q.temp != nil
	return nil
}

// CloseProducer ends a producer; what it sent stays.
func (b *Broker) CloseProducer(_ time.Time, id ProducerID, fx *Effects) {
	p := b.producers.get(uint64(id))
	if p == nil {
		return
	}
	b.producers.remove(uint64(id))
	delete(p.conn.producers, id)
	b.forgetDetails(&p.details)
	if p.queue != nil {
		p.queue.producers--
		b.dropIdle(p.queue, fx)
	}
	if p.topic != nil {
		p.topic.producers--
		b.dropTopic(p.topic)
	}
}

// Throttle takes credit from all producers while storage is full, refuses what
// they send all the same, and gives credit back.
func (b *Broker) Throttle(_ time.Time, full bool, fx *Effects) {
	b.full = full
	b.allow(fx)
}

// Press takes credit from all producers while memory is short, and gives it back.
// What they send with the credit they had is taken.
func (b *Broker) Press(_ time.Time, pressed bool, fx *Effects) {
	b.pressed = pressed
	b.allow(fx)
}

// allow tells producers when it changes whether they may send.
func (b *Broker) allow(fx *Effects) {
	if b.throttled == (b.full || b.pressed) {
		return
	}
	b.throttled = !b.throttled
	limit := ^uint32(0)
	if b.throttled {
		limit = 0
	}
	b.producers.each(func(p *producer) {
		if p.waits == 0 {
			fx.Outs = append(fx.Outs, Out{Kind: OutAllow, Conn: p.conn.id, Producer: p.id, Limit: limit})
		}
	})
}

// QueueInfo is a queue as an operator sees it.
type QueueInfo struct {
	Name      string `json:"name"`
	Messages  int    `json:"messages"`
	Bytes     int64  `json:"bytes"`
	Consumers int    `json:"consumers"`
	Producers int    `json:"producers"`
	Temporary bool   `json:"temporary,omitempty"`
	Lasting   bool   `json:"lasting,omitempty"` // it stays without being used, over restarts
	Static    bool   `json:"static,omitempty"`  // for an administrator defined it
}

func (q *queue) info() QueueInfo {
	return QueueInfo{
		Name: q.dest.Name, Messages: q.depth, Bytes: q.bytes, Consumers: len(q.consumers), Producers: q.producers, Temporary: q.temp != nil,
		Lasting: q.life == Lasting || q.static || kept(q.dest.Name), Static: q.static,
	}
}

// Queues lists the queues by name.
func (b *Broker) Queues() []QueueInfo {
	infos := make([]QueueInfo, 0, len(b.queues))
	for _, n := range sortedKeys(b.queues) {
		infos = append(infos, b.queues[n].info())
	}
	return infos
}

// TopicInfo is a topic as an operator sees it; subscriptions are durable ones.
type TopicInfo struct {
	Name          string             `json:"name"`
	Consumers     int                `json:"consumers"`
	Producers     int                `json:"producers"`
	Subscriptions []SubscriptionInfo `json:"subscriptions,omitempty"`
}

// Topics lists the topics by name, with durable subscriptions under the topic
// (or wildcard) they subscribe to.
func (b *Broker) Topics() []TopicInfo {
	names := sortedKeys(b.topics)
	for _, k := range sortedKeys(b.subs) {
		if n := b.subs[k].queue.dest.Name; !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	infos := make([]TopicInfo, 0, len(names))
	for _, n := range names {
		i := TopicInfo{Name: n}
		if t := b.topics[n]; t != nil {
			i.Consumers, i.Producers = t.consumers, t.producers
		}
		for _, k := range sortedKeys(b.subs) {
			if s := b.subs[k]; s.queue.dest.Name == n {
				i.Subscriptions = append(i.Subscriptions, s.info())
			}
		}
		infos = append(infos, i)
	}
	return infos
}
