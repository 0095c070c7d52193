package core

import "github.com/tidegate/tidegate/core/property"

// plan is what a commit is about to do to queues that have limits: all of its sends
// are taken together, less what it acknowledges.
type plan struct {
	t      *txn                // nil: no transaction
	queues map[*queue]*planned // nil until a queue with limits is met
	trims  []trim
}

type planned struct {
	n     int
	bytes int64
}

// trim is a queue that may have to let go of its oldest after the commit.
type trim struct {
	q *queue
	p *property.Policy
}

// count takes in what the transaction acknowledges.
func (p *plan) count(b *Broker) {
	p.queues = map[*queue]*planned{}
	if p.t == nil {
		return
	}
	for _, id := range p.t.acks {
		d := b.deliveries.get(id)
		if d == nil || d.ring.queue.deleted {
			continue
		}
		if e := d.ring.at(d.seq); e != nil {
			f := p.of(d.ring.queue)
			f.n--
			f.bytes -= int64(e.size)
		}
	}
}

// makesRoom says whether a message fits into a queue once the transaction has
// acknowledged what it holds of it.
func (t *txn) makesRoom(b *Broker, q *queue, pol *property.Policy, size int64) bool {
	p := plan{t: t}
	p.count(b)
	f := p.of(q)
	return q.fits(pol, 1+f.n, size+f.bytes)
}

func (p *plan) of(q *queue) *planned {
	f := p.queues[q]
	if f == nil {
		f = &planned{}
		p.queues[q] = f
	}
	return f
}

// fit is Broker.fit for one message among those of the plan; queued: it goes to a
// queue, and not to a topic's subscriptions.
func (p *plan) fit(b *Broker, pol *property.Policy, targets []*queue, queued bool, size uint32, fx *Effects) ([]*queue, *Error) {
	if pol.MaxMsgs == 0 && pol.MaxBytes == 0 {
		return targets, nil
	}
	if p.queues == nil {
		p.count(b)
	}
	kept := targets[:0]
	for _, q := range targets {
		f := p.of(q)
		if pol.Overflow == property.OverflowDiscardOld && q.canMakeRoom(pol, size) {
			p.trims = append(p.trims, trim{q, pol})
		} else if !q.fits(pol, f.n+1, f.bytes+int64(size)) {
			if queued || pol.Overflow == property.OverflowRejectIncoming {
				return nil, q.overflow(pol)
			}
			b.discarded(q, fx)
			continue
		}
		f.n++
		f.bytes += int64(size)
		kept = append(kept, q)
	}
	return kept, nil
}

// trim discards the oldest of the queues that do so, once all is placed.
func (p *plan) trim(b *Broker, fx *Effects) {
	for _, t := range p.trims {
		if !t.q.deleted {
			b.discard(t.q, t.p, 0, 0, fx)
		}
	}
}
