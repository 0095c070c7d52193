package core

import (
	"fmt"
	"iter"

	"github.com/tidegate/tidegate/core/selector"
)

// Apply changes the durable state: live, at recovery and on a standby. Positions
// come in order, except that a checkpoint's records come first, each at the
// position it stands for; what such a record contains is then passed over.
func (b *Broker) Apply(at Pos, r Record) { b.apply(at, &r) }

// apply is Apply; r stays the caller's.
func (b *Broker) apply(at Pos, r *Record) {
	if at >= b.next {
		b.next = at + 1
	}
	switch r.Kind {
	case RecMessage:
		b.sawID(r.ID)
		b.applyPlace(at, &r.Place)
		for i := range r.More {
			b.applyPlace(at, &r.More[i])
		}
	case RecBody:
		b.sawID(r.ID)
	case RecRemove:
		b.applyRemove(at, r.Run)
	case RecCount:
		if q := b.after(at, r.Run.Queue); q != nil && q.ring(r.Run.Priority).at(r.Run.First) != nil {
			if r.Count > 0 {
				q.ring(r.Run.Priority).setCount(r.Run.First, r.Count)
			}
			if r.Due != 0 {
				q.ring(r.Run.Priority).setWait(r.Run.First, r.Due)
			}
			b.markChanged(q)
		}
	case RecCommit:
		for i := range r.More {
			b.applyPlace(at, &r.More[i])
		}
		for _, run := range r.Runs {
			b.applyRemove(at, run)
		}
	case RecQueue:
		b.applyQueue(r.Define)
	case RecSubscription:
		b.applySubscription(r.Define)
	case RecDelete:
		if q := b.after(at, r.Run.Queue); q != nil && !b.recovered {
			if q.sub != nil && b.subs[q.sub.key] == q.sub {
				delete(b.subs, q.sub.key)
			}
			b.dropQueue(q, nil)
		}
	case RecOffered:
		if q := b.after(at, r.Run.Queue); q != nil {
			rg := q.ring(r.Run.Priority)
			rg.offered = max(rg.offered, r.Run.First)
			b.markChanged(q)
		}
	case RecRing:
		b.applyRing(at, r.Ring)
	case RecNotes: // its entry may come later, from a segment that a checkpoint covers
		if q := b.after(at, r.Run.Queue); q != nil && r.Run.Priority < priorities {
			b.setNotes(q.ring(r.Run.Priority), r.Run.First, r.Notes)
			b.markChanged(q)
		}
	case RecIDs:
		b.nextStored = max(b.nextStored, r.ID)
		b.nextQueue = max(b.nextQueue, r.Run.Queue)
	default:
		panic("core: record of a kind this version does not know")
	}
}

func (b *Broker) sawID(id uint64) {
	if id >= b.nextStored {
		b.nextStored = id + 1
	}
	b.touchIDs()
}

// after finds the queue of a record, unless its checkpoint contains the record.
func (b *Broker) after(at Pos, id QueueID) *queue {
	if q := b.byID[id]; q != nil && at > q.at {
		return q
	}
	return nil
}

func (b *Broker) applyPlace(at Pos, p *Place) {
	q := b.byID[p.Queue]
	if q == nil || p.Priority >= priorities {
		return
	}
	b.sawID(p.ID)
	if at <= q.at {
		s := q.ring(p.Priority).slice
		if s == nil || p.Seq < s.Head || p.Seq >= s.Next || s.removed(p.Seq) {
			return
		}
	}
	b.put(q, p, true)
}

func (b *Broker) applyRemove(at Pos, run Run) {
	q := b.after(at, run.Queue)
	if q == nil {
		return
	}
	r := q.ring(run.Priority)
	for i := range run.Count {
		b.drop(r, run.First+i, nil)
	}
	b.markChanged(q)
}

func (b *Broker) applyQueue(d *Definition) {
	q := b.byID[d.Queue]
	if q == nil {
		if d.Queue >= b.nextQueue {
			b.nextQueue = d.Queue + 1
		}
		q = b.addQueue(d.Queue, d.Destination)
	}
	q.recorded, q.wasStatic = true, d.Static
	if d.Lasting {
		b.live(q, Lasting)
	}
	b.markChanged(q)
}

func (b *Broker) applySubscription(d *Definition) {
	if q := b.byID[d.Queue]; q != nil {
		return
	}
	if d.Queue >= b.nextQueue {
		b.nextQueue = d.Queue + 1
	}
	s := &subscription{
		clientID: d.Client, name: d.Name, text: d.Selector, noLocal: d.NoLocal, durable: true, shared: d.Shared, global: d.Global,
		key: subscriptionKey(d.Client, SubscriptionOptions{Name: d.Name, Durable: true, Global: d.Global}),
	}
	if d.Selector != "" {
		s.selector, s.broken = selector.Parse(d.Selector)
	}
	q := b.addQueue(d.Queue, d.Destination)
	q.recorded = true
	b.attachSubscription(q, s)
	b.markChanged(q)
}

func (b *Broker) applyRing(at Pos, s *RingState) {
	q := b.byID[s.Queue]
	if q == nil || s.Priority >= priorities {
		return
	}
	q.at = at
	r := q.ring(s.Priority)
	r.slice = s
	r.offered = s.Offered
	for _, c := range s.Counts {
		if c.Count > 0 {
			r.setCount(c.Seq, c.Count)
		}
		if c.Due != 0 {
			r.setWait(c.Seq, c.Due)
		}
	}
}

// Recovered ends a replay: last is the last position there was. Everything not
// acknowledged below a ring's offered mark may have been delivered, and is
// flagged when it comes again; sequences go on above it.
func (b *Broker) Recovered(last Pos) {
	b.next = max(b.next, last+1)
	for _, q := range b.all {
		q.at = 0
		q.meter = meter{} // what was recovered did not come in
		for _, r := range q.order {
			next := max(r.next, r.offered)
			if r.slice != nil {
				next = max(next, r.slice.Next)
				r.slice = nil
			}
			if next > r.next {
				r.grow(next - 1)
			}
			r.flagged = r.offered
		}
	}
	b.recoverWaits()
	b.recoverDue()
	clear(b.touched)
	b.touched = b.touched[:0]
	b.written, b.synced = b.next-1, b.next-1
	b.recovered = true
}

// Broken tells of durable subscriptions whose selectors were taken by an earlier version
// and cannot be read by this one: each keeps what it has and gets nothing more.
func (b *Broker) Broken() (all []*Error) {
	for _, key := range sortedKeys(b.subs) {
		if s := b.subs[key]; s.broken != nil {
			all = append(all, &Error{Op: "recover subscription", Kind: Invalid, Name: s.name, Err: fmt.Errorf(
				"of client %q on topic %s: its selector %q: %w: it keeps its messages and gets no more until it is subscribed with another selector, which makes it anew, or unsubscribed",
				s.clientID, s.queue.dest.Name, s.text, s.broken)})
		}
	}
	return all
}

// Live gives the ids of stored messages that somebody holds.
func (b *Broker) Live() iter.Seq[uint64] { return b.stored.each }
