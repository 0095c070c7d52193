package core

import (
	"time"
)

// RedeliveryQueue shows what waits for its next delivery (ems 2.3 redeliveryDelay): it
// can be browsed and nothing else. A message that waits stays in its own queue, at its
// place and under its limits, as if a consumer had it; what stands here is a sight of
// it, in no record, that goes with it.
const RedeliveryQueue = "$sys.redelivery.delay"

// returned is an entry that came back and is to wait.
type returned struct {
	r   *ring
	seq uint64
}

// wait is an entry that waits.
type wait struct {
	due    int64  // ms since 1970
	mirror uint64 // its sequence in RedeliveryQueue's ring of the same priority
	shown  bool
}

// postpone has a message that came back wait, if its queue asks for it. It stays taken;
// when it is due is known at the end of the call.
func (b *Broker) postpone(r *ring, seq uint64) bool {
	if r.queue.sub != nil || b.policy(r.queue).RedeliveryDelay == 0 {
		return false
	}
	b.returned = append(b.returned, returned{r, seq})
	return true
}

// postponeAll lets what came back in this call wait from now on.
func (b *Broker) postponeAll(now time.Time, fx *Effects) {
	for _, p := range b.returned {
		q := p.r.queue
		e := p.r.at(p.seq)
		if q.deleted || e == nil {
			continue
		}
		due := millis(now) + b.policy(q).RedeliveryDelay
		if e.flags&entryStored != 0 {
			b.emit(Record{
				Kind: RecCount, Run: Run{Queue: q.id, Priority: p.r.priority, First: p.seq, Count: 1},
				Count: p.r.count(p.seq), Due: due,
			}, fx)
		} else {
			p.r.setWait(p.seq, due)
		}
		b.startWait(p.r, p.seq)
	}
	clear(b.returned)
	b.returned = b.returned[:0]
}

func (r *ring) setWait(seq uint64, due int64) {
	if r.waits == nil {
		r.waits = map[uint64]wait{}
	}
	r.waits[seq] = wait{due: due}
}

// startWait makes an entry whose time is known wait: it is taken, and shown.
func (b *Broker) startWait(r *ring, seq uint64) {
	e := r.at(seq)
	w := r.waits[seq]
	if !r.isTaken(seq) {
		r.take(seq)
	}
	e.flags |= entryWaiting
	m := b.systemQueue(RedeliveryQueue)
	p := Place{ID: e.id, Size: e.size, Priority: r.priority, Flags: placeFlags(e.flags)}
	if p.Flags&PlaceBridged != 0 {
		p.To = r.moved(seq, m)
	}
	b.placeVolatile(m, &p)
	at := m.ring(p.Priority).at(p.Seq)
	at.flags |= entryMirror
	b.heldBytes -= heldSize(p.Size) // it is counted where it stands
	b.pendingMsgs--
	b.pendingBytes -= int64(p.Size)
	w.mirror, w.shown = p.Seq, true
	r.waits[seq] = w
	b.delayed++
	b.due.push(dueItem{due: w.due, ring: ringKey(r.queue.id, r.priority), seq: seq})
	b.pruneDue()
}

// endWait forgets that an entry waits, because it is due or gone.
func (b *Broker) endWait(r *ring, seq uint64, fx *Effects) {
	w, ok := r.waits[seq]
	if !ok {
		return
	}
	delete(r.waits, seq)
	if e := r.at(seq); e != nil {
		e.flags &^= entryWaiting
	}
	if m := b.queues[RedeliveryQueue]; w.shown && m != nil {
		b.delayed--
		b.drop(m.ring(r.priority), w.mirror, fx)
	}
}

// resumeWaiting makes an entry available again whose wait is over.
func (b *Broker) resumeWaiting(r *ring, i dueItem, fx *Effects) {
	if w, ok := r.waits[i.seq]; !ok || w.due != i.due {
		return // it has come back again since
	}
	b.endWait(r, i.seq, fx)
	b.makeAvailable(r, i.seq)
}

// makeAvailable gives an entry back to its queue, at its old place.
func (b *Broker) makeAvailable(r *ring, seq uint64) {
	r.untake(seq)
	for _, s := range r.queue.scanners {
		if !s.browse && s.cursor[r.priority] > seq {
			s.cursor[r.priority] = seq
		}
	}
	b.touch(r.queue)
}

// recoverWaits ends a replay: what waited goes on waiting, and what is gone does not.
func (b *Broker) recoverWaits() {
	for _, q := range append([]*queue(nil), b.all...) {
		for _, r := range q.order {
			for _, seq := range sortedKeys(r.waits) {
				if r.at(seq) == nil {
					delete(r.waits, seq)
					continue
				}
				b.startWait(r, seq)
			}
		}
	}
}
