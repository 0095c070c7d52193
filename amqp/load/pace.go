package load

// pace spreads a producer's messages over time where a rate is offered.
//
// A message's stamp is the time when it was due, also where the broker let the
// producer send it only later: a stall of the broker counts against every
// message that should have gone out during it. Only for what the producer's own
// timer overslept (Go's wake up to a millisecond late) it has itself excused.
type pace struct {
	interval float64 // ns between messages, 0: no pace
	first    float64 // when message base is due, ns since the run began
	base     uint64
	excused  int64 // nothing before counts as late
	owing    bool  // messages were due at the last look, and the broker did not take them
}

func (p *pace) on() bool { return p.interval > 0 }

// woke begins the pace once the run has started, and notes how late the
// producer woke.
func (p *pace) woke(m *producer) {
	r := m.run
	if p.on() {
		if !p.owing {
			p.excused = r.now()
		}
		return
	}
	if start := r.started.Load(); r.o.Rate > 0 && start > 0 {
		each := 1e9 / r.o.Rate
		p.interval = each * float64(r.o.Producers)
		p.first = float64(start) + each*float64(m.number) // in turn with the others
		p.base = m.next
	}
}

// at is when message n is due.
func (p *pace) at(n uint64) int64 {
	return int64(p.first + float64(n-p.base)*p.interval)
}

// ready is how many messages from next on are due.
func (p *pace) ready(next uint64, now int64) int64 {
	if float64(now) < p.first {
		return 0
	}
	return max(int64((float64(now)-p.first)/p.interval)+1-int64(next-p.base), 0)
}

// stamp is the time in message n, sent now.
func (p *pace) stamp(n uint64, now int64) int64 {
	if !p.on() {
		return now
	}
	return max(p.at(n), p.excused)
}

// next is when the producer has to wake by itself, 0: never.
func (p *pace) next(n uint64) int64 {
	if !p.on() || p.owing {
		return 0
	}
	return p.at(n)
}
