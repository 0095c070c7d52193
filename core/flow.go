package core

import (
	"time"

	"github.com/tidegate/tidegate/core/property"
)

// Flow control (ems 2.3 flowControl): while more is pending than a destination's
// target, answers to sends are withheld and their producers get no more credit. It
// refuses nothing and drops nothing. Sends in a transaction are answered, since only
// its commit counts; their producers lose credit all the same.

// withheld is the answer to a send that waits for a queue to fall to a target.
type withheld struct {
	producer ProducerID
	out      Out // of Kind 0: there is no answer, only credit
	target   int64
}

// SetFlowControl turns flow control on or off (ems flow_control). onlyActive: only
// where somebody receives (ems flow_control_only_with_active_consumer).
func (b *Broker) SetFlowControl(now time.Time, on, onlyActive bool, fx *Effects) {
	b.flowControl, b.flowActive = on, onlyActive
	b.resumeFlow(fx)
	b.dispatchTouched(now, fx)
}

// slow withholds the answer to a send if its destination is over its target;
// unanswered: nobody waits for it, and only its producer's credit goes. True: the
// answer comes later.
func (b *Broker) slow(p *producer, pol *property.Policy, targets []*queue, out *Out, unanswered bool, fx *Effects) bool {
	q := b.overTarget(pol, targets)
	if q == nil {
		return false
	}
	w := withheld{producer: p.id, target: pol.FlowControl}
	if !unanswered {
		w.out = *out
	} else if p.waits > 0 {
		return false // its credit is gone already
	}
	q.resumeAt = max(q.resumeAt, w.target)
	if len(q.withheld) == 0 {
		b.slowed = append(b.slowed, q)
		fx.Events = append(fx.Events, Event{Kind: EventFlowEngaged, Name: q.dest.Name})
	}
	q.withheld = append(q.withheld, w)
	if p.waits++; p.waits == 1 && !b.throttled && p.dest.Name != "" { // anonymous ones keep their credit
		fx.Outs = append(fx.Outs, Out{Kind: OutAllow, Conn: p.conn.id, Producer: p.id})
	}
	return !unanswered
}

// overTarget gives the fullest of the queues that are above the target: a queue, or
// a topic's durable subscriptions.
func (b *Broker) overTarget(pol *property.Policy, targets []*queue) (over *queue) {
	if !b.flowControl || pol.FlowControl == 0 {
		return nil
	}
	for _, q := range targets {
		if q.exports || q.sub != nil && !q.sub.durable || q.bytes <= pol.FlowControl || b.flowActive && len(q.consumers) == 0 {
			continue
		}
		if over == nil || q.bytes > over.bytes {
			over = q
		}
	}
	return over
}

// Slowed says whether flow control holds back who sends to a destination now. It is for
// those who send in transactions, whose sends are answered all the same.
func (b *Broker) Slowed(d Destination) bool {
	if !b.flowControl {
		return false
	}
	if d.Kind == Queue {
		q := b.queues[d.Name]
		return q != nil && b.overTarget(b.policy(q), []*queue{q}) != nil
	}
	t := b.topics[d.Name]
	if t == nil {
		t = &topic{name: d.Name}
	}
	pol := b.topicPolicy(t)
	if pol.FlowControl == 0 {
		return false
	}
	slowed := false
	b.routes.Match(d.Name, func(a *audience) {
		a.each(func(q *queue) { slowed = slowed || b.overTarget(pol, []*queue{q}) != nil })
	})
	return slowed
}

// resume gives the answers that a queue withholds and need not any longer.
func (b *Broker) resume(q *queue, fx *Effects) {
	kept := q.withheld[:0]
	q.resumeAt = -1
	for _, w := range q.withheld {
		p := b.producers.get(uint64(w.producer))
		if p == nil {
			continue
		}
		if b.flowControl && !q.deleted && w.target > 0 && q.bytes > w.target && !(b.flowActive && len(q.consumers) == 0) {
			kept = append(kept, w)
			q.resumeAt = max(q.resumeAt, w.target)
			continue
		}
		if w.out.Kind != 0 {
			fx.Outs = append(fx.Outs, w.out)
		}
		if p.waits--; p.waits == 0 && !b.throttled && p.dest.Name != "" {
			fx.Outs = append(fx.Outs, Out{Kind: OutAllow, Conn: p.conn.id, Producer: p.id, Limit: ^uint32(0)})
		}
	}
	clear(q.withheld[len(kept):])
	if q.withheld = kept; len(kept) == 0 {
		q.withheld = nil
		b.slowed = without(b.slowed, q)
		fx.Events = append(fx.Events, Event{Kind: EventFlowDisengaged, Name: q.dest.Name})
	}
}

// resumeFlow looks at all queues that withhold answers, after a change of what makes
// them do so.
func (b *Broker) resumeFlow(fx *Effects) {
	for i := len(b.slowed) - 1; i >= 0; i-- {
		q := b.slowed[i]
		target := b.policy(q).FlowControl
		for j := range q.withheld {
			if q.sub == nil || target == 0 {
				q.withheld[j].target = target
			}
		}
		b.resume(q, fx)
	}
}
