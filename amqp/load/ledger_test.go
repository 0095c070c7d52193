package load

import (
	"testing"

	"pgregory.net/rapid"
)

func TestSetIsASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s set
		has := map[uint64]bool{}
		for range rapid.IntRange(1, 60).Draw(t, "adds") {
			from := rapid.Uint64Range(0, 700).Draw(t, "from")
			to := from + rapid.Uint64Range(0, 200).Draw(t, "length")
			want := uint64(0)
			for n := from; n < to; n++ {
				if !has[n] {
					want++
				}
				has[n] = true
			}
			if got, ok := s.add(from, to); got != want || !ok {
				t.Fatalf("add %d to %d: %d were fresh, not %d", from, to, want, got)
			}
		}
		for n := range uint64(1000) {
			if s.has(n) != has[n] {
				t.Fatalf("has %d: %v", n, s.has(n))
			}
		}
		if s.count != uint64(len(has)) {
			t.Fatalf("count %d of %d", s.count, len(has))
		}
		first := uint64(0)
		for has[first] {
			first++
		}
		if got, ok := s.missing(1000); !ok || got != first {
			t.Fatalf("missing %d, not %d", got, first)
		}
	})
}

func TestSetThatFillsUpTakesNoMemory(t *testing.T) {
	var s set
	for n := uint64(0); n < 1_000_000; n += 50 {
		s.add(n, n+50)
	}
	if len(s.words) > 1 || cap(s.words) > 16 {
		t.Errorf("%d words, room for %d", len(s.words), cap(s.words))
	}
	if _, ok := s.add(1<<40, 1<<40+1); ok {
		t.Error("a number far off was believed")
	}
}

// books has one producer, which sent ten messages that were all settled.
func books(t *testing.T) *ledger {
	t.Helper()
	l := &ledger{producers: make([]account, 1), done: make(chan struct{}, 1), settles: true}
	l.producers[0].wake = func() {}
	l.allow(0, func(int) uint64 { return 10 })
	if n := l.claim(0, 64); n != 10 {
		t.Fatalf("claimed %d", n)
	}
	l.settle(0, 0, 10, true, "")
	return l
}

func TestLedgerFinds(t *testing.T) {
	for _, c := range []struct {
		name string
		come func(l *ledger)
		want Problems
	}{
		{"nothing wrong", func(l *ledger) { l.receive(0, 0, 10, false) }, Problems{}},
		{"a lost message", func(l *ledger) { l.receive(0, 0, 4, false); l.receive(0, 5, 10, false) }, Problems{Lost: 1}},
		{"a lost tail", func(l *ledger) { l.receive(0, 0, 7, false) }, Problems{Lost: 3}},
		{"a repeated message", func(l *ledger) { l.receive(0, 0, 10, false); l.receive(0, 9, 10, false) }, Problems{Repeated: 1}},
		{"one lost and one repeated", func(l *ledger) { l.receive(0, 0, 9, false); l.receive(0, 3, 4, false) }, Problems{Lost: 1, Repeated: 1}},
		{"a redelivery, marked", func(l *ledger) { l.receive(0, 0, 10, false); l.receive(0, 9, 10, true) }, Problems{}},
		{"two that changed places", func(l *ledger) {
			l.receive(0, 0, 3, false)
			l.receive(0, 4, 5, false)
			l.behind(0, 3, 4)
			l.receive(0, 3, 4, false)
			l.receive(0, 5, 10, false)
		}, Problems{Reordered: 1}},
		{"a message that was never sent", func(l *ledger) { l.receive(0, 0, 10, false); l.receive(0, 10, 11, false) }, Problems{Corrupt: 1}},
		{"a settlement of what was never sent", func(l *ledger) { l.receive(0, 0, 10, false); l.settle(0, 10, 12, true, "") }, Problems{Corrupt: 1}},
		{"a damaged message", func(l *ledger) { l.receive(0, 0, 10, false); l.corrupt("damage") }, Problems{Corrupt: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := books(t)
			l.ask(true)
			c.come(l)
			got := l.close()
			if got.Any() != (len(got.Examples) > 0) || got.Any() != c.want.Any() {
				t.Errorf("%+v has no example, or one too many", got)
			}
			got.Examples = nil
			if got.Lost != c.want.Lost || got.Repeated != c.want.Repeated || got.Reordered != c.want.Reordered || got.Corrupt != c.want.Corrupt || got.Unsettled != c.want.Unsettled {
				t.Errorf("found %+v", got)
			}
		})
	}
}

func TestLedgerFindsWhatIsRefusedOrNotSettled(t *testing.T) {
	l := &ledger{producers: make([]account, 2), done: make(chan struct{}, 1), settles: true}
	for i := range l.producers {
		l.producers[i].wake = func() {}
	}
	l.allow(0, func(int) uint64 { return 4 })
	l.claim(0, 4)
	l.claim(1, 4)
	l.ask(true)
	l.settle(0, 0, 3, true, "")
	l.settle(0, 3, 4, false, "rejected")
	l.settle(1, 0, 2, true, "")
	l.settle(1, 0, 2, true, "") // again: nothing new
	l.receive(0, 0, 3, false)
	l.receive(1, 0, 2, false)
	if p := l.close(); p.Refused != 1 || p.Unsettled != 2 || p.Lost != 0 || p.Corrupt+p.Repeated != 0 {
		t.Errorf("%+v", p)
	}
}

func TestLedgerHoldsProducersToTheBacklog(t *testing.T) {
	woken := 0
	l := &ledger{producers: make([]account, 1), done: make(chan struct{}, 1), settles: true}
	l.producers[0].wake = func() { woken++ }
	l.allow(100, func(int) uint64 { return 1000 })
	woken = 0
	if a, b, c := l.claim(0, 64), l.claim(0, 64), l.claim(0, 64); a != 64 || b != 36 || c != 0 {
		t.Errorf("claimed %d, %d, %d", a, b, c)
	}
	l.receive(0, 0, 24, false)
	if woken != 0 {
		t.Error("woken for a quarter of the backlog less one")
	}
	l.receive(0, 24, 25, false)
	if n := l.claim(0, 64); woken != 1 || n != 25 {
		t.Errorf("woken %d times, claimed %d", woken, n)
	}
}

func TestLedgerTellsTheEndOnce(t *testing.T) {
	l := books(t)
	told := func() bool {
		select {
		case <-l.done:
			return true
		default:
			return false
		}
	}
	l.receive(0, 0, 9, false)
	if told() {
		t.Error("told before it was asked")
	}
	l.ask(true)
	if told() {
		t.Error("told while a message is under way")
	}
	l.receive(0, 9, 10, false)
	if !told() {
		t.Error("not told")
	}
	l.allow(0, func(int) uint64 { return 11 })
	l.ask(true)
	if told() {
		t.Error("told while the quota allows one more")
	}
	l.halt()
	l.ask(true)
	if !told() {
		t.Error("not told though all is halted")
	}
}
