package amqp091

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/interop"
)

// ledgerOfAcks is a channel that checks what a client may say of deliveries.
type ledgerOfAcks struct {
	t       *rapid.T
	settled map[uint64]interop.Outcome // as the runner has said
	open    map[uint64]bool            // delivered and not answered
	frames  int
}

func (l *ledgerOfAcks) Ack(tag uint64, multiple bool) error {
	l.frames++
	for n := range l.open {
		if n == tag || multiple && n <= tag {
			if o := l.settled[n]; o != interop.Taken && o != interop.Refused {
				l.t.Fatalf("ack of %d (multiple: %v) covers %d, which is settled as %d", tag, multiple, n, o)
			}
			delete(l.open, n)
		}
	}
	return nil
}

func (l *ledgerOfAcks) Nack(tag uint64, _, requeue bool) error {
	l.frames++
	if l.settled[tag] != interop.Again || !requeue || !l.open[tag] {
		l.t.Fatalf("nack of %d, which is settled as %d, requeue %v, open %v", tag, l.settled[tag], requeue, l.open[tag])
	}
	delete(l.open, tag)
	return nil
}

// TestLane: each delivery is answered once, as the runner says, in whatever order; none
// that it has not settled is ever covered by an acknowledgement of many.
func TestLane(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := uint64(rapid.IntRange(1, 60).Draw(t, "deliveries"))
		ledger := &ledgerOfAcks{t: t, settled: map[uint64]interop.Outcome{}, open: map[uint64]bool{}}
		var order []uint64
		for tag := uint64(1); tag <= n; tag++ {
			ledger.open[tag] = true
			order = append(order, tag)
		}
		if rapid.Bool().Draw(t, "shuffled") {
			order = rapid.Permutation(order).Draw(t, "order")
		}
		l := &lane{acks: ledger, number: 3, beyond: map[uint64]struct{}{}, handed: int(n)}
		all := lanes{all: map[uint64]*lane{3: l}}
		room := newRoom(int(n))
		empty := l.whenEmpty()
		for len(order) > 0 {
			batch := make([]interop.Settlement, rapid.IntRange(1, len(order)).Draw(t, "batch"))
			for i := range batch {
				batch[i] = interop.Settlement{Tag: 3<<tagBits | order[i], Outcome: interop.Outcome(rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(t, "outcome"))}
				ledger.settled[order[i]] = batch[i].Outcome
			}
			order = order[len(batch):]
			all.settle(batch, room)
		}
		if len(ledger.open) > 0 || l.upto != n || len(l.beyond) > 0 {
			t.Fatalf("left open %v, answered up to %d, beyond %v", ledger.open, l.upto, l.beyond)
		}
		select {
		case <-empty:
		default:
			t.Fatal("all is settled, and nobody was told")
		}
	})
}

// TestLaneAcknowledgesMany: a batch in order takes one acknowledgement.
func TestLaneAcknowledgesMany(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ledger := &ledgerOfAcks{t: t, settled: map[uint64]interop.Outcome{}, open: map[uint64]bool{}}
		l := &lane{acks: ledger, beyond: map[uint64]struct{}{}}
		n := uint64(rapid.IntRange(1, 500).Draw(t, "n"))
		var batch []interop.Settlement
		for tag := uint64(1); tag <= n; tag++ {
			ledger.open[tag], ledger.settled[tag] = true, interop.Taken
			batch = append(batch, interop.Settlement{Tag: tag, Outcome: interop.Taken})
		}
		l.settle(batch)
		if ledger.frames != 1 || len(ledger.open) > 0 {
			t.Fatalf("%d frames for %d messages, %d open", ledger.frames, n, len(ledger.open))
		}
	})
}
