package load

import (
	"fmt"
	"sync"
)

// Problems are what a broker did wrong. All zero is what every run should say.
type Problems struct {
	Lost      uint64 `json:"lost"`      // accepted (or sent settled), never received
	Repeated  uint64 `json:"repeated"`  // received again, not marked as redelivered
	Reordered uint64 `json:"reordered"` // received by a consumer behind a later one of its producer
	Corrupt   uint64 `json:"corrupt"`   // not as it was sent, or never sent
	Refused   uint64 `json:"refused"`   // settled with another outcome than accepted
	Unsettled uint64 `json:"unsettled"` // sent, never settled
	// Examples are the first few, in words.
	Examples []string `json:"examples,omitempty"`
}

// maxExamples bounds Problems.Examples.
const maxExamples = 8

// Any tells whether there is a problem.
func (p *Problems) Any() bool {
	return p.Lost+p.Repeated+p.Reordered+p.Corrupt+p.Refused+p.Unsettled > 0
}

// Totals are what a run has done so far.
type Totals struct {
	Sent, Settled, Refused, Received uint64
	// Redelivered are the deliveries marked as such, Foreign those of messages
	// that others left in the queue; neither is a problem.
	Redelivered, Foreign uint64
}

// ledger knows what was sent, settled and received, and so how much more may be
// sent. All connections share it: they enter it once a batch.
type ledger struct {
	mu        sync.Mutex
	producers []account
	totals    Totals
	problems  Problems
	backlog   uint64 // most messages sent and not received; 0: no limit
	waiting   int    // producers that wait for the backlog to shrink
	// settles: messages are settled one day; consumed: they are received.
	settles, consumed bool
	// done is told, once it is asked for, that nothing is under way any more.
	done  chan struct{}
	asked bool
}

// account is one producer's.
type account struct {
	quota    uint64 // how many it may send in all
	sent     uint64 // numbers below were sent
	settled  set
	refused  set
	received set
	waits    bool
	wake     func()
}

// note counts a problem and keeps the first few. The caller holds mu.
func (l *ledger) note(counter *uint64, n uint64, format string, args ...any) {
	*counter += n
	if len(l.problems.Examples) < maxExamples {
		l.problems.Examples = append(l.problems.Examples, fmt.Sprintf(format, args...))
	}
}

// ahead is how many messages are sent and not received. The caller holds mu.
func (l *ledger) ahead() uint64 {
	return l.totals.Sent - min(l.totals.Sent, l.totals.Refused+l.totals.Received)
}

// claim says that a producer sends the next n messages, at most want, as its
// quota and the backlog allow. A producer that they hold back is woken once they
// do not.
func (l *ledger) claim(producer uint32, want int) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := &l.producers[producer]
	n = int(min(uint64(want), a.quota-min(a.quota, a.sent)))
	if n > 0 && l.backlog > 0 {
		n = int(min(uint64(n), l.backlog-min(l.backlog, l.ahead())))
		if n == 0 && !a.waits {
			a.waits = true
			l.waiting++
		}
	}
	a.sent += uint64(n)
	l.totals.Sent += uint64(n)
	return n
}

// allow lets the producers send more: share gives the quota of each.
func (l *ledger) allow(backlog uint64, share func(producer int) uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked, l.backlog = false, backlog
	for i := range l.producers {
		l.producers[i].quota = share(i)
		l.producers[i].wake()
	}
}

// halt lets nobody send more.
func (l *ledger) halt() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.producers {
		l.producers[i].quota = l.producers[i].sent
	}
}

// ask has done told when all that the quotas allow was sent and nothing is under
// way. received: messages count as under way until they are received.
func (l *ledger) ask(received bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked, l.consumed = true, received
	select {
	case <-l.done:
	default:
	}
	l.answer()
}

// answer tells done. The caller holds mu.
func (l *ledger) answer() {
	if !l.asked || l.settles && l.totals.Settled < l.totals.Sent || l.consumed && l.ahead() > 0 {
		return
	}
	for i := range l.producers {
		if l.producers[i].sent < l.producers[i].quota {
			return
		}
	}
	select {
	case l.done <- struct{}{}:
	default:
	}
}

// settle takes a disposition over from..to-1 and gives how many it settles.
func (l *ledger) settle(producer uint32, from, to uint64, accepted bool, outcome string) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := &l.producers[producer]
	if to > a.sent || from >= to {
		l.note(&l.problems.Corrupt, 1, "producer %d: a disposition over %d to %d, of %d sent", producer, from, to-1, a.sent)
		return 0
	}
	fresh, _ := a.settled.add(from, to)
	l.totals.Settled += fresh
	if !accepted && fresh > 0 {
		refused, _ := a.refused.add(from, to)
		l.totals.Refused += refused
		l.note(&l.problems.Refused, fresh, "producer %d: %d to %d were settled as %s", producer, from, to-1, outcome)
	}
	l.answer()
	return fresh
}

// receive takes a run of messages from..to-1 that one consumer got in order.
func (l *ledger) receive(producer uint32, from, to uint64, redelivered bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := &l.producers[producer]
	if to > a.sent {
		l.note(&l.problems.Corrupt, to-max(from, a.sent), "producer %d: message %d came, of %d sent", producer, to-1, a.sent)
		return
	}
	fresh, _ := a.received.add(from, to)
	l.totals.Received += fresh
	if redelivered {
		l.totals.Redelivered += to - from
	} else if again := to - from - fresh; again > 0 {
		l.note(&l.problems.Repeated, again, "producer %d: of the messages %d to %d, %d came before and are not marked as redelivered", producer, from, to-1, again)
	}
	if l.waiting > 0 && l.ahead() <= l.backlog/4*3 {
		for i := range l.producers {
			if a := &l.producers[i]; a.waits {
				a.waits = false
				a.wake()
			}
		}
		l.waiting = 0
	}
	l.answer()
}

// behind says that message number came behind a later one at one consumer. One
// that came before counts as repeated only.
func (l *ledger) behind(producer uint32, number, last uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.producers[producer].received.has(number) {
		l.note(&l.problems.Reordered, 1, "producer %d: message %d came behind %d", producer, number, last)
	}
}

// corrupt counts a message that is not as it was sent.
func (l *ledger) corrupt(format string, args ...any) {
	l.mu.Lock()
	l.note(&l.problems.Corrupt, 1, format, args...)
	l.mu.Unlock()
}

// stranger counts a message of another run.
func (l *ledger) stranger() {
	l.mu.Lock()
	l.totals.Foreign++
	l.mu.Unlock()
}

// sum gives the totals.
func (l *ledger) sum() Totals {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.totals
}

// close ends the books. What is under way counts as a problem only if it was
// asked for.
func (l *ledger) close() Problems {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.producers {
		a := &l.producers[i]
		if n := a.sent - a.settled.count; l.asked && l.settles && n > 0 {
			first, _ := a.settled.missing(a.sent)
			l.note(&l.problems.Unsettled, n, "producer %d: %d of %d messages were never settled, first %d", i, n, a.sent, first)
		}
		if lost, first := a.lost(l.settles); l.asked && l.consumed && lost > 0 {
			l.note(&l.problems.Lost, lost, "producer %d: %d of %d messages never came, first %d", i, lost, a.sent, first)
		}
	}
	return l.problems
}

// lost counts the messages that should have come and did not. One that was
// refused, or is not settled though it should be, may have come or not.
func (a *account) lost(settles bool) (lost, first uint64) {
	if a.received.count >= a.sent {
		return 0, 0
	}
	for n := a.received.base; n < a.sent; n++ {
		if a.received.has(n) || a.refused.count > 0 && a.refused.has(n) || settles && !a.settled.has(n) {
			continue
		}
		if lost == 0 {
			first = n
		}
		lost++
	}
	return lost, first
}
