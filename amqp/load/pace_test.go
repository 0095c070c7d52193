package load

import (
	"testing"
	"time"
)

const ms = int64(time.Millisecond)

// A thousand a second, from the first millisecond on.
func paced() *pace { return &pace{interval: float64(ms), first: float64(ms)} }

func TestPaceSaysWhatIsDue(t *testing.T) {
	p := paced()
	for _, c := range []struct {
		next  uint64
		now   int64
		ready int64
	}{{0, 0, 0}, {0, ms - 1, 0}, {0, ms, 1}, {0, 5*ms + 1, 5}, {3, 5*ms + 1, 2}, {5, 5*ms + 1, 0}, {9, 5*ms + 1, 0}} {
		if got := p.ready(c.next, c.now); got != c.ready {
			t.Errorf("%d sent, at %d: %d are due, not %d", c.next, c.now, got, c.ready)
		}
	}
	if at := p.next(5); at != 6*ms {
		t.Errorf("message 5 is due at %d", at)
	}
	if at := (&pace{}).next(5); at != 0 {
		t.Errorf("without a rate something is due at %d", at)
	}
}

// What the broker held back is stamped with the time when it was due, however
// late it goes: else a stall would hide the messages that wait for its end.
func TestPaceCountsAStallOfTheBrokerFromWhenMessagesWereDue(t *testing.T) {
	r := newTestRun(Options{Producers: 1, Size: 100, Window: 3, Batch: 64, Rate: 1000})
	p, err := newProducer(r, 0, pipe(t))
	if err != nil {
		t.Fatal(err)
	}
	p.credit = 1 << 20
	p.pace = *paced()
	if n, held := p.want(3 * ms); n != 3 || held {
		t.Errorf("at 3 ms %d go, held %v", n, held)
	}
	p.next = 3 // and none is settled
	if n, held := p.want(100 * ms); n != 0 || !held {
		t.Errorf("with a full window %d go, held %v", n, held)
	}
	p.pace.owing = true
	if at := p.due(); at != 0 {
		t.Errorf("it would wake at %d, though only the broker can help", at)
	}
	r.began = time.Now().Add(-time.Second)
	p.pace.woke(p)
	for n := uint64(3); n < 10; n++ {
		if s := p.pace.stamp(n, r.now()); s != int64(n+1)*ms {
			t.Errorf("message %d is stamped %d", n, s)
		}
	}
}

// What only the producer's timer overslept does not count against the broker.
func TestPaceExcusesItsOwnTimer(t *testing.T) {
	r := newTestRun(Options{Producers: 1, Size: 100, Window: 3, Batch: 64, Rate: 1000})
	p, err := newProducer(r, 0, pipe(t))
	if err != nil {
		t.Fatal(err)
	}
	p.pace = *paced()
	r.began = time.Now().Add(-time.Second)
	before := r.now()
	p.pace.woke(p)
	after := r.now()
	if s := p.pace.stamp(3, after); s < before || s > after {
		t.Errorf("stamped %d, of %d to %d", s, before, after)
	}
	if s, due := p.pace.stamp(5000, after), p.pace.at(5000); s != due {
		t.Errorf("a message that is due later is stamped %d, not %d", s, due)
	}
}
