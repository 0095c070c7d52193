package core

import (
	"cmp"
	"slices"
)

// Key names a part of the durable state that a checkpoint holds as one: 0 the
// counters, else a queue.
type Key uint64

func (b *Broker) markChanged(q *queue) {
	if !q.changed {
		q.changed = true
		b.changed = append(b.changed, Key(q.id))
	}
}

func (b *Broker) touchIDs() { b.changedIDs = true }

// Changed gives the keys that changed since the last call, and forgets them.
func (b *Broker) Changed() []Key {
	keys := b.changed
	b.changed = nil
	if b.changedIDs {
		keys = append(keys, 0)
		b.changedIDs = false
	}
	for _, k := range keys {
		if q := b.byID[QueueID(k)]; q != nil {
			q.changed = false
		}
	}
	return keys
}

// Slice gives the records that stand for a key as it is now; none: it is gone.
func (b *Broker) Slice(k Key) []Record {
	if k == 0 {
		return []Record{{Kind: RecIDs, ID: b.nextStored, Run: Run{Queue: b.nextQueue}}}
	}
	q := b.byID[QueueID(k)]
	if q == nil || !q.recorded {
		return nil
	}
	def := q.definition(q.life)
	def.Static = q.wasStatic
	kind := RecQueue
	if s := q.sub; s != nil {
		kind = RecSubscription
		def.Client, def.Name, def.Selector, def.NoLocal, def.Shared, def.Global = s.clientID, s.name, s.text, s.noLocal, s.shared, s.global
	}
	recs := q.noteRecords([]Record{{Kind: kind, Define: def}})
	for _, r := range q.order {
		recs = append(recs, Record{Kind: RecRing, Ring: r.state()})
	}
	return recs
}

// state is the ring without its entries. What is not stored counts as removed.
// It goes by words of bits: the lock is held, and a backlog may have millions of
// entries. Head is rounded down to a whole word, its first bits then say removed.
func (r *ring) state() *RingState {
	const all = ^uint64(0)
	s := &RingState{Queue: r.queue.id, Priority: r.priority, Head: r.next, Next: r.next, Offered: max(r.offered, r.flagged)}
	for i, b := range r.blocks {
		at := r.base + uint64(i)*blockSize
		if b == hollow {
			if len(s.Removed) > 0 {
				s.Removed = AppendRemoved(s.Removed, (at-s.Head)/64, all)
			}
			continue
		}
		for w := range b.gone {
			at := at + uint64(w)*64
			removed := b.gone[w] | b.volatile[w]
			if at >= r.next || removed == all && len(s.Removed) == 0 {
				continue
			}
			if len(s.Removed) == 0 {
				s.Head = at
			}
			s.Removed = AppendRemoved(s.Removed, (at-s.Head)/64, removed)
		}
	}
	for seq, n := range r.counts { // order: irrelevant, sorted below
		if seq >= s.Head && seq < s.Next && !s.removed(seq) {
			s.Counts = append(s.Counts, Count{Seq: seq, Count: n, Due: r.waits[seq].due})
		}
	}
	for seq, w := range r.waits { // order: irrelevant, sorted below
		if r.count(seq) == 0 && seq >= s.Head && seq < s.Next && !s.removed(seq) {
			s.Counts = append(s.Counts, Count{Seq: seq, Due: w.due})
		}
	}
	slices.SortFunc(s.Counts, func(a, b Count) int { return cmp.Compare(a.Seq, b.Seq) })
	return s
}
