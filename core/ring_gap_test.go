package core

import "testing"

// distinct counts the blocks that a ring has memory for.
func distinct(r *ring) int {
	made := map[*block]bool{}
	for _, b := range r.blocks {
		made[b] = true
	}
	return len(made)
}

// TestAMessageOfLongAgoRecovers: of a queue in which one message stays and two hundred
// million went by, a restart makes what is there, in whatever order the log has it.
func TestAMessageOfLongAgoRecovers(t *testing.T) {
	const old, young = 3, 200_000_000
	for name, order := range map[string][]uint64{ // order: irrelevant
		"as they came": {old, young}, "the younger first": {young, old},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv()
			b := NewBroker(Options{Contents: e, Server: "test"})
			b.Apply(1, Record{Kind: RecQueue, Define: &Definition{Queue: 1, Destination: Destination{Kind: Queue, Name: "q"}, Lasting: true}})
			for i, seq := range order {
				b.Apply(Pos(2+i), Record{Kind: RecMessage, ID: seq + 1, Place: Place{Queue: 1, Priority: 4, Seq: seq, ID: seq + 1, Size: 1}})
			}
			b.Recovered(Pos(2 + len(order)))
			q := b.byID[1]
			r := q.ring(4)
			if n := distinct(r); n > 4 {
				t.Errorf("%d blocks for two messages", n)
			}
			if s := r.state(); len(s.Removed) > 8 || s.removed(old) || s.removed(young) || !s.removed(old+1) || !s.removed(young/2) {
				t.Errorf("a checkpoint says %+v", s)
			}
			if got, ok := r.from(old + 1); !ok || got != young {
				t.Errorf("behind the old one stands %d, %v", got, ok)
			}
			for _, want := range []uint64{old, young} {
				if seq, ok := r.first(); !ok || seq != want {
					t.Fatalf("first is %d, %v, want %d", seq, ok, want)
				}
				if got, ok := r.remove(want); !ok || got.id != want+1 {
					t.Fatalf("%d holds %+v, %v", want, got, ok)
				}
			}
			if n := len(r.blocks); n > 1 {
				t.Errorf("%d blocks are left", n)
			}
		})
	}
}
