package core

import (
	"fmt"
	"strings"
)

// Durable draws what a crash must keep: of each recorded queue its stored
// entries in order, with ring, sequence, id and delivery count, and the
// definitions. Two brokers with the same records draw the same: tests and the
// simulation compare a live one with one that was rebuilt.
func (b *Broker) Durable() string {
	var s strings.Builder
	due := map[[2]uint64]int64{}
	for _, i := range b.due {
		due[[2]uint64{i.ring, i.seq}] = i.due
	}
	for _, id := range sortedKeys(b.byID) {
		q := b.byID[id]
		if !q.recorded {
			continue
		}
		fmt.Fprintf(&s, "%d %s", q.id, q.dest.Name)
		if q.life == Lasting {
			s.WriteString(" lasting")
		}
		if q.sub != nil {
			fmt.Fprintf(&s, " sub=%q/%q sel=%q", q.sub.clientID, q.sub.name, q.sub.text)
		}
		for _, r := range q.order {
			r.durable(&s, due)
		}
		s.WriteByte('\n')
	}
	for _, k := range sortedKeys(b.subs) {
		if b.subs[k].durable {
			fmt.Fprintf(&s, "%q -> %d\n", k, b.subs[k].queue.id)
		}
	}
	return s.String()
}

func (r *ring) durable(s *strings.Builder, due map[[2]uint64]int64) {
	for seq, ok := r.from(0); ok; seq, ok = r.from(seq + 1) {
		if e := r.at(seq); e.flags&entryStored != 0 {
			fmt.Fprintf(s, " %d.%d=%d#%d", r.priority, seq, e.id, r.count(seq))
			if n := r.notes[seq]; n != nil {
				fmt.Fprintf(s, "~%x", n)
			}
			if to := r.wentTo(seq); to != nil {
				s.WriteString("!" + to.Name)
			}
			if r.queue.holds.Kind != 0 {
				fmt.Fprintf(s, "@%d", due[[2]uint64{ringKey(r.queue.id, r.priority), seq}])
				r.queue.durableTargets(s, e.id)
			}
		}
	}
}

// durableTargets draws those for whom a message is held back that a restart knows.
func (q *queue) durableTargets(s *strings.Builder, id uint64) {
	d := q.delays[id]
	if d == nil {
		return
	}
	for _, t := range d.Targets {
		if to := q.broker.byID[t]; to != nil && to.recorded {
			fmt.Fprintf(s, ">%d", t)
		}
	}
}
