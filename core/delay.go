package core

import (
	"errors"
	"strings"
	"time"

	"github.com/tidegate/tidegate/core/message"
)

// A message with a delivery time waits in a holding queue of its destination's
// (ems 7.8), which everybody may browse and nobody else may use.
const (
	DelayedQueuePrefix = "$sys.delayed.q."
	DelayedTopicPrefix = "$sys.delayed.t."
)

// maxMoves is how many placements one step makes of messages whose time has come.
const maxMoves = 512

// Delay is until when a message is held back, and for whom.
type Delay struct {
	Due int64 // ms since 1970
	// Targets are the subscriptions that a message to a topic goes to: those that
	// wanted it when it was sent (jms 7.9). Of a queue there is none.
	Targets []QueueID
}

// holdingName names the queue that holds messages to d back.
func holdingName(d Destination) string {
	if d.Kind == Topic {
		return DelayedTopicPrefix + d.Name
	}
	return DelayedQueuePrefix + d.Name
}

// heldFor says whose messages a queue of that name holds back; Kind 0: it is an
// ordinary queue.
func heldFor(d Destination) Destination {
	if d.Kind != Queue {
		return Destination{}
	}
	if n, ok := strings.CutPrefix(d.Name, DelayedQueuePrefix); ok {
		return Destination{Kind: Queue, Name: n}
	}
	if n, ok := strings.CutPrefix(d.Name, DelayedTopicPrefix); ok {
		return Destination{Kind: Topic, Name: n}
	}
	return Destination{}
}

// mayUse refuses what is not done with a holding queue: it may be browsed.
func mayUse(op string, c *conn, d Destination, browse bool) *Error {
	if c != nil && c.own && heldFor(d).Kind == 0 {
		return nil
	}
	if err := mayTransport(op, d, browse); err != nil {
		return err
	}
	if op == "send to" && reserved(d.Name) && d.Kind == Queue && heldFor(d).Kind == 0 {
		return &Error{Op: op, Kind: Denied, Name: d.Name, Err: errors.New("the server alone puts messages there")}
	}
	if d.Kind == Queue && d.Name == RedeliveryQueue && !browse {
		return &Error{Op: op, Kind: Denied, Name: d.Name, Err: errors.New("it shows messages that wait for their next delivery, and can only be browsed")}
	}
	if browse || heldFor(d).Kind == 0 {
		return nil
	}
	return &Error{Op: op, Kind: Denied, Name: d.Name, Err: errors.New("it holds back messages with a delivery delay, and can only be browsed")}
}

// holding gives the queue that a message to q or tp waits in until due; nil: it
// goes at once. Who is late goes behind those that wait, or a short delay would
// reorder a producer's messages while the timer is on its way.
func (b *Broker) holding(now time.Time, targets []*queue, q *queue, tp *topic, due int64) *queue {
	if due <= 0 || len(targets) == 0 {
		return nil
	}
	var d Destination
	if q != nil {
		d = q.dest
	} else {
		d = Destination{Kind: Topic, Name: tp.name}
	}
	n := holdingName(d)
	h := b.queues[n]
	switch {
	case due > millis(now) && h == nil:
		return b.addQueue(b.newQueueID(), Destination{Kind: Queue, Name: n})
	case due > millis(now) || h != nil && (h.depth > 0 || h.arriving):
		return h
	}
	return nil
}

// delayFor makes what is kept of a delayed message to targets: all of it, and what of
// it is recorded. stored says whether one of targets wants it stored.
func delayFor(h *queue, targets []*queue, due int64) (all, recorded *Delay, stored bool) {
	all = &Delay{Due: due}
	recorded = all
	volatile := false
	for _, t := range targets {
		stored = stored || t.stores()
		volatile = volatile || !t.stores()
	}
	if h.holds.Kind == Queue {
		return all, recorded, stored
	}
	if volatile {
		recorded = &Delay{Due: due}
	}
	for _, t := range targets {
		all.Targets = append(all.Targets, t.id)
		if volatile && t.stores() {
			recorded.Targets = append(recorded.Targets, t.id)
		}
	}
	return all, recorded, stored
}

// holdBack is enqueue for a message with a delivery time.
func (b *Broker) holdBack(h *queue, targets []*queue, m message.Envelope, fx *Effects) (Pos, Need) {
	all, recorded, stored := delayFor(h, targets, m.Due)
	b.targets = append(b.targets[:0], h)
	if !m.Durable || !stored {
		m.Durable = false // nobody for whom it would have to be stored
		return b.enqueue(b.targets, m, all, fx)
	}
	at, need := b.enqueue(b.targets, m, recorded, fx)
	h.remember(b.nextStored-1, all)
	return at, need
}

// delaySend makes a commit's send wait in h; its placed is to be called once it stands
// there.
func delaySend(h *queue, targets []*queue, s *txnSend, p *Place) postponed {
	all, recorded, stored := delayFor(h, targets, s.m.Due)
	h.arriving = true
	if s.stored = s.stored && stored; s.stored {
		p.Delay = recorded
	} else { // nobody for whom it would have to be
		p.Delay = all
	}
	return postponed{h, s.id, all}
}

// postponed is a message on its way into a holding queue.
type postponed struct {
	h   *queue
	id  uint64
	all *Delay
}

func (d *postponed) placed() {
	d.h.arriving = false
	d.h.remember(d.id, d.all)
}

// remember keeps for whom a message is held back.
func (q *queue) remember(id uint64, d *Delay) {
	if len(d.Targets) == 0 {
		return
	}
	if q.delays == nil {
		q.delays = map[uint64]*Delay{}
	}
	q.delays[id] = d
}

// delay notes when the entry that was placed is due.
func (b *Broker) delay(q *queue, p *Place) {
	q.remember(p.ID, p.Delay)
	b.due.push(dueItem{due: p.Delay.Due, ring: ringKey(p.Queue, p.Priority), seq: p.Seq})
	b.pruneDue()
}

// heldBack finds the entry of an item; nil: it has expired, or its queue is gone.
func (b *Broker) heldBack(i dueItem) (*ring, *entry) {
	q := b.byID[QueueID(i.ring>>4)]
	if q == nil || q.rings[i.ring&15] == nil {
		return nil, nil
	}
	r := q.rings[i.ring&15]
	return r, r.at(i.seq)
}

// pruneDue forgets what has gone before its time, once that is the most.
func (b *Broker) pruneDue() {
	if len(b.due) <= 2*b.delayed+1024 {
		return
	}
	b.due.keep(b.waits)
}

// recoverDue ends a replay, which has seen many come and go. A holding queue that
// has nothing any more goes with the first Expire.
func (b *Broker) recoverDue() {
	b.due.keep(b.waits)
	for _, q := range b.all {
		if q.holds.Kind != 0 && q.depth == 0 {
			b.due.push(dueItem{due: 1, ring: ringKey(q.id, 0), seq: ^uint64(0)})
		}
	}
}

func (b *Broker) waits(i dueItem) bool {
	r, e := b.heldBack(i)
	if e != nil && r.queue.holds.Kind == 0 {
		w, ok := r.waits[i.seq]
		return ok && w.due == i.due
	}
	return e != nil
}

// mature moves messages whose time has come to where they were sent, in the order of
// their times, and of one time as they came. What does not fit into the step
// follows by Continue.
func (b *Broker) mature(now time.Time, fx *Effects) {
	if len(b.due) == 0 || b.due[0].due > millis(now) {
		return
	}
	mv := move{b: b, r: Record{Kind: RecCommit, Need: b.o.StoreNeed}, next: map[*ring]uint64{}}
	for n := 0; len(b.due) > 0 && b.due[0].due <= millis(now); {
		if n >= maxMoves {
			fx.More = true
			break
		}
		item := b.due.pop()
		r, e := b.heldBack(item)
		if e == nil {
			if q := b.byID[QueueID(item.ring>>4)]; q != nil {
				mv.left(q)
			}
			continue
		}
		if r.queue.holds.Kind == 0 {
			b.resumeWaiting(r, item, fx)
			n++
			continue
		}
		if e.expires != 0 && e.expires <= millis(now) {
			b.undeliver(r, item.seq, ReasonExpired, fx)
			mv.left(r.queue)
			n++
			continue
		}
		n += mv.add(r, item.seq, fx)
	}
	mv.end(fx)
}

// move is messages on their way out of holding queues, as one record.
type move struct {
	b        *Broker
	r        Record
	next     map[*ring]uint64 // sequences given so far
	volatile []volatileMove
	drops    []volatileMove // entries that are not stored, to be dropped
	freed    []uint64
	queues   []*queue // that entries left
	plan     plan
}

type volatileMove struct {
	q *queue
	p Place
}

// left notes that an entry leaves a holding queue.
func (m *move) left(q *queue) {
	if n := len(m.queues); n == 0 || m.queues[n-1] != q {
		m.queues = append(m.queues, q)
	}
}

// add takes one entry along, and says how much it is.
func (m *move) add(r *ring, seq uint64, fx *Effects) (n int) {
	b, e, h := m.b, r.at(seq), r.queue
	stored := e.flags&entryStored != 0
	pol := b.defined.tree(h.holds.Kind).Policy(h.holds.Name)
	targets, refused := m.plan.fit(b, pol, b.dueTargets(h, e.id), h.holds.Kind == Queue, e.size, fx)
	if refused != nil { // ems 7.5: the destination is full
		b.undeliver(r, seq, ReasonOverflow, fx)
		m.left(h)
		return 1
	}
	for _, q := range targets {
		p := Place{Queue: q.id, ID: e.id, Expires: e.expires, Size: e.size, Priority: r.priority, Flags: placeFlags(e.flags)}
		if p.Flags&PlaceBridged != 0 {
			p.To = r.moved(seq, q)
		}
		if q.exports {
			p.To = r.addressee(seq)
			p.Flags |= PlaceBridged
		}
		rg := q.ring(r.priority)
		if m.next[rg] == 0 {
			m.next[rg] = rg.next
		}
		p.Seq = m.next[rg]
		m.next[rg]++
		n++
		if !stored || !q.stores() {
			m.volatile = append(m.volatile, volatileMove{q, p})
			continue
		}
		b.record(q, fx)
		m.r.More = append(m.r.More, p)
	}
	m.left(h)
	h.out.add(int64(e.size))
	if !stored {
		m.drops = append(m.drops, volatileMove{h, Place{Priority: r.priority, Seq: seq}})
		return n + 1
	}
	b.hold(e.id) // Apply releases without effects
	m.freed = append(m.freed, e.id)
	m.r.remove(Run{Queue: h.id, Priority: r.priority, First: seq, Count: 1})
	return n + 1
}

// remove adds a removal to a commit's.
func (r *Record) remove(run Run) {
	if n := len(r.Runs); n > 0 {
		last := &r.Runs[n-1]
		if last.Queue == run.Queue && last.Priority == run.Priority && last.First+last.Count == run.First {
			last.Count += run.Count
			return
		}
	}
	r.Runs = append(r.Runs, run)
}

// end makes the record, and does what needs none.
func (m *move) end(fx *Effects) {
	b := m.b
	if len(m.r.Runs) > 0 {
		at := b.emit(m.r, fx)
		for _, p := range m.r.More {
			b.byID[p.Queue].ring(p.Priority).placed(p.Seq, at, m.r.Need, 0)
		}
	}
	for i := range m.volatile { // at the sequences they were given, so that they stay in order with those stored
		b.put(m.volatile[i].q, &m.volatile[i].p, false)
	}
	for _, d := range m.drops {
		b.drop(d.q.ring(d.p.Priority), d.p.Seq, fx)
	}
	m.plan.trim(b, fx)
	for _, id := range m.freed {
		b.release(id, fx)
	}
	for _, h := range m.queues {
		b.dropIdle(h, fx)
	}
}

// dueTargets gives the queues that a held message goes to now. A queue that went idle
// comes back, whatever may be created now: the send was taken when it might.
func (b *Broker) dueTargets(h *queue, id uint64) []*queue {
	b.targets = b.targets[:0]
	if h.holds.Kind == Queue {
		q := b.queues[h.holds.Name]
		if q == nil && !strings.HasPrefix(h.holds.Name, TemporaryPrefix) && !kept(h.holds.Name) {
			q = b.addQueue(b.newQueueID(), h.holds)
		}
		if q != nil {
			b.targets = append(b.targets, q)
		}
		return b.targets
	}
	if d := h.delays[id]; d != nil {
		for _, t := range d.Targets {
			if q := b.byID[t]; q != nil {
				b.targets = append(b.targets, q)
			}
		}
	}
	return b.targets
}

// endDelayed deletes what is held back for a destination that is deleted.
func (b *Broker) endDelayed(d Destination, fx *Effects) bool {
	h := b.queues[holdingName(d)]
	if h == nil || heldFor(d).Kind != 0 {
		return false
	}
	b.endQueue(h, fx)
	return true
}
