package core

import "testing"

// TestBlockKeepsEntriesApart: a block with few places holds as many entries as it
// has sequences, whichever of them come and go.
func TestBlockKeepsEntriesApart(t *testing.T) {
	r := newRing(&queue{broker: &Broker{}}, 4)
	live := map[uint64]bool{}
	check := func() {
		t.Helper()
		for seq := range r.next {
			switch e := r.at(seq); {
			case (e != nil) != live[seq]:
				t.Fatalf("sequence %d: there is %v, want %v", seq, e != nil, live[seq])
			case e != nil && e.id != seq+1:
				t.Fatalf("sequence %d holds message %d", seq, e.id-1)
			}
		}
	}
	put := func(seq uint64) {
		r.put(seq, entry{id: seq + 1})
		live[seq] = true
	}
	remove := func(seq uint64) {
		if e, ok := r.remove(seq); !ok || e.id != seq+1 {
			t.Fatalf("removing %d gave %+v, %v", seq, e, ok)
		}
		delete(live, seq)
	}
	for seq := range uint64(3 * fewEntries) { // drained as it fills
		put(seq)
		check()
		remove(seq)
	}
	if n := len(r.blocks[0].entries); n != fewEntries {
		t.Errorf("a block that never held two has places for %d", n)
	}
	for seq := uint64(3 * fewEntries); seq < 2*blockSize; seq++ { // one stays behind, more and more come
		put(seq)
		if seq%3 == 0 && seq > 4*fewEntries {
			remove(seq - 1)
		}
		check()
	}
	if n := len(r.blocks[0].entries); n != blockSize {
		t.Errorf("a block that holds most of its sequences has places for %d", n)
	}
}
