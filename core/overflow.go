package core

import (
	"fmt"

	"github.com/tidegate/tidegate/core/property"
)

// fit makes a queue, or those of a topic's subscriptions that a message goes to, keep
// their limits with size bytes more (ems 2.3 maxbytes, overflowPolicy). It answers
// with those that get the message; an error refuses it for all. The limits are those
// of the destination that the message is sent to, and hold for each subscription by
// itself. A transport's queue has none: it holds what many topics sent.
func (b *Broker) fit(p *property.Policy, targets []*queue, topic bool, size uint32, fx *Effects) ([]*queue, *Error) {
	if p.MaxMsgs == 0 && p.MaxBytes == 0 || len(targets) == 0 {
		return targets, nil
	}
	if !topic {
		q := targets[0]
		if q.fits(p, 1, int64(size)) || p.Overflow == property.OverflowDiscardOld && b.makeRoom(q, p, size, fx) {
			return targets, nil
		}
		return nil, q.overflow(p)
	}
	if p.Overflow == property.OverflowRejectIncoming {
		for _, q := range targets {
			if !q.fits(p, 1, int64(size)) {
				return nil, q.overflow(p)
			}
		}
		return targets, nil
	}
	kept := targets[:0]
	for _, q := range targets {
		if q.fits(p, 1, int64(size)) || p.Overflow == property.OverflowDiscardOld && b.makeRoom(q, p, size, fx) {
			kept = append(kept, q)
			continue
		}
		b.discarded(q, fx)
	}
	return kept, nil
}

// fits says whether so many messages more, of so many bytes in all, keep a policy's
// limits. What consumers hold and have not settled counts.
func (q *queue) fits(p *property.Policy, n int, size int64) bool {
	return q.exports || (p.MaxMsgs == 0 || int64(q.depth)+int64(n) <= p.MaxMsgs) && (p.MaxBytes == 0 || q.bytes+size <= p.MaxBytes)
}

// overflow says that a queue is full.
func (q *queue) overflow(p *property.Policy) *Error {
	limit := ""
	if p.MaxMsgs != 0 {
		limit += fmt.Sprintf(", maxmsgs=%d", p.MaxMsgs)
	}
	if p.MaxBytes != 0 {
		limit += fmt.Sprintf(", maxbytes=%d", p.MaxBytes)
	}
	what := "it holds"
	if q.sub != nil {
		what = "a subscription holds"
	}
	return &Error{Op: "send to", Kind: Limit, Name: q.dest.Name, Err: &fullError{q, fmt.Sprintf("%s %d messages of %d bytes%s", what, q.depth, q.bytes, limit)}}
}

// makeRoom discards the oldest messages until one more of size bytes fits. False: it
// never will, or consumers hold what is in the way; nothing is discarded then.
func (b *Broker) makeRoom(q *queue, p *property.Policy, size uint32, fx *Effects) bool {
	if !q.canMakeRoom(p, size) {
		return false
	}
	b.discard(q, p, 1, int64(size), fx)
	return true
}

// canMakeRoom says whether one more message of size bytes would fit if all that is
// available were discarded.
func (q *queue) canMakeRoom(p *property.Policy, size uint32) bool {
	held, bytes := q.depth-q.available(), int64(0)
	if p.MaxBytes != 0 && held > 0 {
		bytes = q.takenBytes()
	}
	return (p.MaxMsgs == 0 || int64(held) < p.MaxMsgs) && (p.MaxBytes == 0 || bytes+int64(size) <= p.MaxBytes)
}

// discard drops the oldest available messages until n more of size bytes fit, or
// none is left.
func (b *Broker) discard(q *queue, p *property.Policy, n int, size int64, fx *Effects) {
	for !q.fits(p, n, size) {
		r, seq, ok := q.oldest()
		if !ok {
			return
		}
		b.discarded(q, fx)
		b.remove(r, seq, fx)
	}
}

// takenBytes is the size of what consumers hold, and of what waits to go to one again.
// It walks all of it, for the rare queue that has both maxbytes and discardOld.
func (q *queue) takenBytes() (n int64) {
	for _, k := range q.consumers {
		if k.browse {
			continue
		}
		for id := k.first; id != 0; {
			d := q.broker.deliveries.get(id)
			if e := d.ring.at(d.seq); e != nil && d.ring.queue == q {
				n += int64(e.size)
			}
			id = d.next
		}
	}
	for _, r := range q.order {
		for seq := range r.waits { // order: irrelevant
			if e := r.at(seq); e != nil {
				n += int64(e.size)
			}
		}
	}
	return n
}

// oldest finds the available message that came first. Those of one delivery mode
// are compared by their ids, over all priorities; between the modes, the one that is
// not stored goes first.
func (q *queue) oldest() (oldest *ring, at uint64, ok bool) {
	id := uint64(0)
	for _, r := range q.order {
		seq, found := r.first()
		if !found {
			continue
		}
		e := r.at(seq)
		if !ok || e.id^HeldBit < id^HeldBit {
			oldest, at, id, ok = r, seq, e.id, true
		}
	}
	return oldest, at, ok
}
