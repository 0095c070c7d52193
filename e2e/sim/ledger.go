package sim

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

// ledger is what the clients were told, and so what may come and what must.
type ledger struct {
	w       *World
	sends   []*sent // by uid
	targets map[string]*target
	order   []*target
	txns    []*txn
}

// sent is a message that a client sent.
type sent struct {
	w          *World
	uid        int
	dest       string
	from       *sender
	stream     int
	seq        int
	durable    bool
	settled    bool
	priority   uint8
	size       int
	ttl        int
	delay      int
	at         int64 // when it was sent, ms
	event      int64 // as World.events
	life       int
	lasts      int  // ms until it expires: its own time to live, or its destination's; 0 never
	preserve   bool // JMS_TIBCO_PRESERVE_UNDELIVERED
	kept       bool // it was sent to a topic and seen in $sys.undelivered
	txn        *txn
	accepted   bool
	acceptedAt int64  // as World.events
	unsure     bool   // sent settled on a link that ended: it may not have left
	refused    string // not "": why
	copies     map[*target]*copied
}

// copied is one message in one queue or subscription.
type copied struct {
	m        *sent
	t        *target
	owed     bool
	came     int   // deliveries that a client saw
	ended    int   // how the last of them ended: settle outcome, or -1
	holder   *held // who has it now
	level    int   // how surely it is consumed
	by       *receiver
	txn      *txn // acknowledged in it, not decided
	attempts attempts
	moved    bool // it was seen in $sys.undelivered
	fresh    bool // it came for the first time in the last drain, and nobody had it before
}

// How surely a copy is consumed.
const (
	levelNone      = iota
	levelSent      // the acknowledgement is under way: it may come back, flagged
	levelProcessed // the broker has it: it comes back only after a crash
	levelWritten   // it comes back only after a power loss
	levelSynced    // it never comes back
)

// target is a queue or a subscription.
type target struct {
	name        string
	dest        string
	sub         bool // durable subscription
	exclusive   bool
	plain       bool      // a consumer's own, gone with it
	undelivered bool      // $sys.undelivered
	owner       *receiver // whom an exclusive queue served last
	losses      int       // receivers that ended while messages may have been under way to them
	risks       int       // of those, while messages were sent
	confirmed   int64
	purged      int64 // no message sent before may come
	receivers   []*receiver
	shared      bool // two receivers at a time, once: order is nobody's
	last        map[orderKey]int
	allowance   int // deliveries to pre-settled receivers that may have been lost
	copies      []*copied
}

// orderKey is within what order is kept: with one delay messages are due as they
// were sent.
type orderKey struct {
	stream   int
	priority uint8
	delay    int
	txn      *txn
	durable  bool // within a transaction
}

func newLedger(w *World) *ledger {
	return &ledger{w: w, targets: map[string]*target{}}
}

func (l *ledger) target(s source, client string, link int) *target {
	t := &target{name: s.dest, dest: s.dest, last: map[orderKey]int{}}
	switch {
	case s.sub != "" && s.shared:
		t.name, t.sub = s.dest+"/"+s.sub, true
	case s.sub != "":
		t.name, t.sub, t.exclusive = s.dest+"/"+s.sub+"@"+client, true, true
	case s.dest[0] == 't':
		t.name, t.plain = fmt.Sprintf("%s/%d", s.dest, link), true
	case s.dest == core.UndeliveredQueue:
		t.undelivered, t.shared = true, true // it has the order in which messages were given up
	}
	if old := l.targets[t.name]; old != nil {
		return old
	}
	l.targets[t.name] = t
	l.order = append(l.order, t)
	return t
}

func (t *target) open(r *receiver) {
	for _, o := range t.receivers {
		if !o.over() {
			t.shared = true
		}
	}
	if r.src.where != "" { // it passes messages over
		t.shared = true
	}
	t.receivers = append(t.receivers, r)
}

func (t *target) confirm(w *World) {
	if t.confirmed == 0 {
		t.confirmed = w.event()
	}
}

// unsubscribe: its messages are nobody's any more, though they may still come.
func (t *target) unsubscribe() {
	t.confirmed = 0
	for _, c := range t.copies {
		c.owed = false
	}
}

// purge: the broker has confirmed that the subscription is gone.
func (t *target) purge() {
	if len(t.receivers) > 0 && t.confirmed == 0 {
		t.purged = t.receivers[0].k.w.event()
	}
}

func (l *ledger) send(s *sender, t *txn, flags, size, ttl, delay int) *sent {
	m := &sent{
		w: l.w, uid: len(l.sends), from: s, dest: s.dest, stream: s.stream, seq: s.seq, size: size, ttl: ttl, delay: delay, txn: t,
		durable: flags&sendVolatile == 0, settled: flags&sendSettled != 0, priority: 4,
		at: l.w.now.UnixMilli(), event: l.w.event(), life: l.w.lives, copies: map[*target]*copied{},
	}
	switch {
	case flags&sendHigh != 0:
		m.priority = 9
	case flags&sendLow != 0:
		m.priority = 1
	}
	m.lasts, m.preserve = ttl, flags&sendPreserve != 0
	if p := l.w.policies.of(m.dest); p.ExpirationSet {
		m.lasts = int(p.Expiration)
	}
	if t != nil {
		t.sends = append(t.sends, m)
	}
	l.sends = append(l.sends, m)
	return m
}

func (m *sent) body() []byte {
	b := fmt.Appendf(nil, "%d.", m.uid)
	for len(b) < m.size {
		b = append(b, byte(m.uid+len(b)))
	}
	return b
}

func (m *sent) bytes() []byte {
	b := message.NewBuilder()
	b.Header.Durable, b.Header.Priority = m.durable, m.priority
	if m.ttl > 0 {
		b.Header.TTL = wire.Some(uint32(m.ttl))
	}
	if m.delay > 0 {
		b.Annotations = wire.Map{{Key: wire.Symbol(message.DeliveryTimeAnnotation), Value: m.due()}}
	}
	if m.from.relay {
		b.Properties.To = address(m.dest)
	}
	b.SetProperty("n", int32(m.uid%3))
	if m.preserve {
		b.SetProperty(message.PreserveUndeliveredProperty, true)
	}
	b.SetData(m.body())
	return b.Append(nil)
}

func address(dest string) string {
	if dest[0] == 't' {
		return "topic://" + dest
	}
	return "queue://" + dest
}

// dests are where the message goes: where it was sent, and over bridges.
func (m *sent) dests() []string {
	all := []string{m.dest}
	if m.w.config.bridged {
		for _, b := range bridges {
			if b.source == m.dest && b.wants(m) {
				all = append(all, b.target)
			}
		}
	}
	return all
}

func (m *sent) goes(dest string) bool { return slices.Contains(m.dests(), dest) }

// published is when it was sent, or its commit: subscriptions count as they are then.
func (m *sent) published() int64 {
	if m.txn != nil {
		return m.txn.event
	}
	return m.event
}

// due is before when it must not come, in ms.
func (m *sent) due() int64 { return m.at + int64(m.delay) }

// accept: the broker has taken the message, outside of a transaction for good.
func (m *sent) accept() {
	m.accepted, m.acceptedAt = true, m.w.event()
	if m.txn == nil {
		m.owe(m.event)
	}
}

func (m *sent) refuse(why string) {
	m.refused = why
	if m.txn != nil {
		m.txn.poisoned = true
	}
}

// owe: from now on the message must reach its queue's consumers, and every
// subscription that surely was there since the event.
func (m *sent) owe(since int64) {
	if m.life != m.w.lives && !m.durable {
		return // accepted before a crash that took it
	}
	for _, t := range m.w.ledger.order {
		if !m.goes(t.dest) || t.plain || t.sub && (t.confirmed == 0 || t.confirmed > since) {
			continue
		}
		c := m.in(t)
		c.owed = c.owed || c.level == levelNone
	}
	for _, dest := range m.dests() {
		if dest[0] == 'q' {
			m.in(m.w.ledger.target(source{dest: dest}, "", 0)).owed = true
		}
	}
}

func (m *sent) in(t *target) *copied {
	c := m.copies[t]
	if c == nil {
		c = &copied{m: m, t: t, ended: -1}
		m.copies[t] = c
		t.copies = append(t.copies, c)
	}
	return c
}

func (m *sent) expired() bool { return m.lasts > 0 && m.w.now.UnixMilli() >= m.at+int64(m.lasts) }

// read finds out which message has come, unaltered.
func (l *ledger) read(r *receiver, e *engine.Event) (msg message.Message, uid int) {
	msg, err := message.Index(e.Payload, e.Rest, nil)
	if err != nil {
		l.w.fail("a delivery that is no message: %v", err)
	}
	body := bytes.Join(msg.Data(nil), nil)
	digits, _, _ := bytes.Cut(body, []byte("."))
	uid = -1
	_, _ = fmt.Sscanf(string(digits), "%d", &uid)
	if uid < 0 || uid >= len(l.sends) || !bytes.Equal(l.sends[uid].body(), body) {
		l.w.fail("a message of %d bytes that nobody sent comes on %s", len(body), r.target.name)
	}
	return msg, uid
}

// delivered checks a delivery against all that is known.
func (l *ledger) delivered(r *receiver, e *engine.Event) *copied {
	msg, uid := l.read(r, e)
	m, t := l.sends[uid], r.target
	h := msg.Header()
	flagged := h.DeliveryCount > 0 || !h.FirstAcquirer
	complain := func(what string) {
		l.w.fail("message %d (%s) on %s: %s (delivery-count %d, first-acquirer %v, seen %d times, consumed %d)",
			uid, m.what(), t.name, what, h.DeliveryCount, h.FirstAcquirer, m.in(t).came, m.in(t).level)
	}
	if h.Durable != m.durable || h.Priority != m.priority || h.TTL.OK != (m.lasts > 0 && !t.undelivered) {
		complain("its header came otherwise")
	}
	switch {
	case t.undelivered:
		if m.refused != "" {
			complain("it was refused: " + m.refused)
		}
	case !m.goes(t.dest):
		complain("it was sent to " + m.dest)
	case m.from.relay && msg.To() != address(t.dest):
		complain("it says that it went to " + msg.To())
	case m.refused != "":
		complain("it was refused: " + m.refused)
	case m.published() < t.purged:
		complain("the subscription was deleted in between")
	case m.due() > l.w.now.UnixMilli():
		complain(fmt.Sprintf("it comes %d ms before its time", m.due()-l.w.now.UnixMilli()))
	}
	if m.txn != nil {
		m.txn.visible(m, t, complain)
	}
	if r.src.where != "" && m.uid%3 != 1 {
		complain("the selector is " + r.src.where)
	}
	if r.src.browse {
		return nil // it was there, whatever becomes of it
	}
	t.serves(r, complain)
	var c *copied
	if t.undelivered {
		c = l.undelivered(r, m, reasonOf(&msg), complain)
	} else {
		c = m.in(t)
	}
	c.settled(complain)
	if c.moved {
		complain("it was undelivered")
	}
	if c.came > 0 {
		switch {
		case !flagged:
			complain("it comes again unflagged")
		case h.DeliveryCount == 0 && c.ended != settleRelease:
			complain("it comes again without being counted")
		}
	}
	if t.undelivered {
		c.surrendered()
	} else {
		c.again(h.DeliveryCount, complain)
	}
	c.inOrder(r, flagged, complain)
	c.fresh = l.w.draining && c.came == 0 && !flagged
	c.came++
	c.level, c.ended = levelNone, -1
	if r.presettled {
		c.level, c.ended, c.by = levelSent, settleFail, r
	}
	l.w.delivered++
	fmt.Fprintf(&l.w.history, "%s %d %d %v at %d\n", t.name, uid, h.DeliveryCount, h.FirstAcquirer, l.w.events)
	return c
}

func (m *sent) what() string {
	s := fmt.Sprintf("%d of sender %d, priority %d", m.seq, m.stream, m.priority)
	if m.delay > 0 {
		s += fmt.Sprintf(", delayed by %d", m.delay)
	}
	if !m.durable {
		s += ", not durable"
	}
	if m.txn != nil {
		s += fmt.Sprintf(", in transaction %d", m.txn.n)
	}
	return s
}

// inOrder: what comes for the first time comes as its sender sent it.
func (c *copied) inOrder(r *receiver, flagged bool, complain func(string)) {
	m, t := c.m, c.t
	if t.shared || flagged {
		return
	}
	k := orderKey{stream: m.stream, priority: m.priority, delay: m.delay, txn: m.txn}
	if m.txn != nil {
		k.durable = m.durable
	}
	if last := t.last[k]; m.seq <= last {
		complain(fmt.Sprintf("out of order: it comes behind %d", last))
	}
	t.last[k] = m.seq
	_ = r
}

// end: the delivery is not the client's any more.
func (c *copied) end(h *held, how int) {
	if c.holder == h {
		c.holder, c.ended = nil, how
	}
}

// processed: the broker has surely handled the acknowledgement.
func (c *copied) processed() {
	if c.level == levelSent {
		c.level = levelProcessed
	}
}

// crash: what a new life of the broker need not know any more. power: what was
// not synced may be gone as well.
func (l *ledger) crash(power bool) {
	forgets := power && !l.w.config.failsafe()
	for _, m := range l.sends {
		for _, c := range m.copies { // order: irrelevant
			if !m.durable || c.t.plain || forgets {
				c.owed = false
			}
			if c.level == levelProcessed || forgets && c.level == levelWritten {
				c.level = levelSent
			}
			if forgets {
				c.came, c.ended, c.moved = 0, -1, false
			}
			c.attempts.crash(forgets)
		}
	}
	for _, t := range l.order {
		if forgets {
			clear(t.last)
			t.confirmed, t.purged = 0, 0
		}
	}
	for _, t := range l.txns {
		t.crash(forgets)
	}
}
