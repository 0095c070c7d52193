package bridges

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tidegate/tidegate/e2e/harness"
)

// letter is one message of the ledger.
type letter struct {
	sender string
	seq    int
}

const letterSize = 256

// id is its message id, the same however often it is sent.
func (l letter) id() string { return fmt.Sprintf("ID:%s-%d", l.sender, l.seq) }

func (l letter) body() string { return harness.Filling(l.sender, int64(l.seq), letterSize) }

// arrival is a letter as its receiver got it.
type arrival struct {
	id, body string
	// again: who gave it says that it may have been given before.
	again bool
	// place is where it lies in the receiver's stream, if that says so: a copy given
	// twice has it twice, and letters stand in it in the order in which they came.
	place uint64
}

// letter reads which one it is.
func (a *arrival) letter() (l letter, ok bool) {
	unit, _, _ := strings.Cut(a.body, ";")
	sender, seq, _ := strings.Cut(unit, "/")
	if _, err := fmt.Sscanf(seq, "%d", &l.seq); err != nil {
		return l, false
	}
	l.sender = sender
	return l, a.body == l.body()
}

// ledger is the account of a run: what senders were promised, and what arrived.
type ledger struct {
	each    int // letters of each sender
	senders []string
	ahead   int // how many may be sent and not have arrived

	mu       sync.Mutex
	changed  chan struct{}   // closed at every change
	accepted map[letter]bool // those that their senders had a promise for
	repeats  map[letter]int
	places   map[letter][]uint64 // of each copy's
	seen     map[letter]int
	flagged  map[letter]int // copies that the receiver's broker gave again
	first    map[string][]firstly
	altered  []string
	others   []string // what else was wrong
}

// firstly is a letter's first arrival.
type firstly struct {
	seq   int
	place uint64
}

func newLedger(each int, senders ...string) *ledger {
	return &ledger{
		each: each, senders: senders, ahead: 1_000, changed: make(chan struct{}), accepted: map[letter]bool{}, repeats: map[letter]int{}, places: map[letter][]uint64{},
		seen: map[letter]int{}, flagged: map[letter]int{}, first: map[string][]firstly{},
	}
}

// tell wakes those who wait. The caller holds mu.
func (g *ledger) tell() {
	close(g.changed)
	g.changed = make(chan struct{})
}

// until waits until come, which is called with mu held, says so.
func (g *ledger) until(ctx context.Context, come func() bool) error {
	for {
		g.mu.Lock()
		done, changed := come(), g.changed
		g.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// arrive enters an arrival.
func (g *ledger) arrive(a *arrival) {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.tell()
	l, whole := a.letter()
	if !whole || !slices.Contains(g.senders, l.sender) || a.id != l.id() {
		g.altered = append(g.altered, fmt.Sprintf("%q with id %q", a.body[:min(len(a.body), 40)], a.id))
		return
	}
	g.seen[l]++
	// JetStream, killed, forgets whom it had given what: the place tells as well.
	if a.again || slices.Contains(g.places[l], a.place) {
		g.flagged[l]++
	} else if a.place != 0 {
		g.places[l] = append(g.places[l], a.place)
	}
	if g.seen[l] == 1 {
		g.first[l.sender] = append(g.first[l.sender], firstly{l.seq, a.place})
	}
}

// answered enters promises for all that were sent, but for those that have to be sent
// again.
func (g *ledger) answered(all, again []letter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range again {
		g.repeats[l]++
	}
	for _, l := range all {
		if !slices.Contains(again, l) {
			g.accepted[l] = true
		}
	}
	g.tell()
}

func (g *ledger) wrong(what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.others = append(g.others, what)
}

// all says whether everything has arrived. The caller holds mu.
func (g *ledger) all() bool { return len(g.seen) == g.total() }

func (g *ledger) total() int { return g.each * len(g.senders) }

// balance is what a ledger comes to.
type balance struct {
	arrived       int      // letters, once each
	copies        int      // more than one of a letter
	flagged       int      // of copies: given again by the receiver's broker
	repeated      int      // letters that senders had to send again
	unexplained   int      // of copies: neither given nor sent again
	twicePlaced   int      // letters that lie in the receiver's stream more often than they were sent
	outOfOrder    int      // first arrivals
	lost          []letter // accepted, and not arrived
	altered, more []string
}

// balance sums up.
func (g *ledger) balance() balance {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := balance{arrived: len(g.seen), repeated: len(g.repeats), altered: g.altered, more: g.others}
	for l, n := range g.seen {
		b.copies += n - 1
		flagged := min(g.flagged[l], n-1)
		b.flagged += flagged
		b.unexplained += max(0, n-1-flagged-g.repeats[l])
		if len(g.places[l]) > 1+g.repeats[l] {
			b.twicePlaced++
		}
	}
	for _, s := range g.senders {
		for seq := 1; seq <= g.each; seq++ {
			if l := (letter{s, seq}); g.accepted[l] && g.seen[l] == 0 {
				b.lost = append(b.lost, l)
			}
		}
		b.outOfOrder += g.outOfOrder(s)
	}
	return b
}

// outOfOrder counts a sender's first arrivals that came after a later one, but for those
// that it had to send again. The caller holds mu.
func (g *ledger) outOfOrder(sender string) (n int) {
	first := g.first[sender]
	if len(first) > 0 && first[0].place != 0 {
		slices.SortStableFunc(first, func(a, b firstly) int {
			return int(a.place) - int(b.place)
		})
	}
	last := 0
	for _, f := range first {
		if f.seq < last && g.repeats[letter{sender, f.seq}] == 0 {
			n++
		}
		last = max(last, f.seq)
	}
	return n
}

func (b *balance) String() string {
	return fmt.Sprintf("%d arrived, lost %d, altered %d, out of order %d; %d sent again by their senders; %d copies too many with the same id: %d of them redelivered by the receiver's broker, %d neither redelivered nor sent again; %d more often in the receiver's stream than they were sent",
		b.arrived, len(b.lost), len(b.altered), b.outOfOrder, b.repeated, b.copies, b.flagged, b.unexplained, b.twicePlaced)
}
