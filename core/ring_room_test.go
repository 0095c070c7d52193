package core

import (
	"slices"
	"testing"
)

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

// TestABlockIsUsedAgainAsNew: a ring that is drained as it fills makes no other block,
// and the one it has remembers nothing of those that were in it.
func TestABlockIsUsedAgainAsNew(t *testing.T) {
	r := newRing(&queue{broker: &Broker{}}, 4)
	for seq := range uint64(blockSize) { // not stored, and expiring
		r.put(seq, entry{id: HeldBit | 1, expires: 5})
		r.take(seq)
		r.remove(seq)
	}
	first := r.spare
	if first == nil || len(r.blocks) != 0 {
		t.Fatalf("%d blocks are left, and the spare is %v", len(r.blocks), first)
	}
	if n := testing.AllocsPerRun(4*blockSize, func() {
		r.put(r.next, entry{id: 1, flags: entryStored})
		if r.blocks[0] != first {
			t.Fatal("another block is used")
		}
		r.remove(r.next - 1)
	}); n != 0 {
		t.Errorf("%v allocations for a message", n)
	}
	seq := r.next
	r.put(seq, entry{id: 1, flags: entryStored})
	if b := r.blocks[0]; b.earliest != 0 || r.isTaken(seq) || r.ready != b.live {
		t.Errorf("expiry %d, taken %v, %d of %d ready", b.earliest, r.isTaken(seq), r.ready, b.live)
	}
	if s := r.state(); s.Head > seq || s.removed(seq) {
		t.Errorf("a checkpoint says that the entry is removed: %+v", s)
	}
}

// TestAMessageThatStaysKeepsOneBlock: one that nobody wants, or that a consumer never
// settles, does not keep those behind it, and is where it was.
func TestAMessageThatStaysKeepsOneBlock(t *testing.T) {
	r := newRing(&queue{broker: &Broker{}}, 4)
	const held = 10 // more than a block has room for at first, so that they are full-size
	for range held {
		r.put(r.next, entry{id: r.next + 1, flags: entryStored})
	}
	for range 100 * blockSize {
		r.put(r.next, entry{id: r.next + 1, flags: entryStored})
		r.put(r.next, entry{id: r.next + 1, flags: entryStored})
		r.remove(r.next - 2)
		r.remove(r.next - 1)
	}
	made := map[*block]bool{r.spare: true}
	for _, b := range r.blocks {
		made[b] = true
	}
	if len(made) > 5 {
		t.Errorf("%d blocks for %d messages", len(made), held)
	}
	s := r.state()
	if s.Head != 0 || len(s.Removed) > 3 {
		t.Errorf("a checkpoint from %d has %d runs: %b", s.Head, len(s.Removed), s.Removed)
	}
	for seq := range r.next {
		if s.removed(seq) != (seq >= held) {
			t.Fatalf("a checkpoint says of %d, %v", seq, s.removed(seq))
		}
	}
	if at, ok := r.available(held, 200*blockSize); ok {
		t.Errorf("%d is available", at)
	}
	late := uint64(50*blockSize + 3) // where nothing is any more, as a replay might
	r.put(late, entry{id: late + 1, flags: entryStored})
	if at, ok := r.available(held, 200*blockSize); !ok || at != late || r.at(late).id != late+1 || r.at(late+1) != nil {
		t.Errorf("%d, %v is available", at, ok)
	}
	for _, seq := range []uint64{late, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9} {
		if e, ok := r.remove(seq); !ok || e.id != seq+1 {
			t.Fatalf("sequence %d: %+v, %v", seq, e, ok)
		}
	}
	if len(r.blocks) > 1 || r.ready != 0 || *hollow.entry(3) != (entry{}) || hollow.gone != allGone {
		t.Errorf("%d blocks, %d ready, hollow %+v", len(r.blocks), r.ready, hollow)
	}
}

// TestABacklogsBlocksAreUsedAgain: a full-size one while there are others, and none is
// kept behind the backlog.
func TestABacklogsBlocksAreUsedAgain(t *testing.T) {
	r := newRing(&queue{broker: &Broker{}}, 4)
	const backlog = 3 * blockSize
	put := func() { r.put(r.next, entry{id: r.next + 1}) }
	for range backlog {
		put()
	}
	made := slices.Clone(r.blocks)
	for range 10 * blockSize {
		put()
		r.remove(r.next - 1 - backlog)
		for _, b := range r.blocks {
			if !slices.Contains(made, b) {
				made = append(made, b)
			}
		}
	}
	if len(made) > backlog/blockSize+2 {
		t.Errorf("%d blocks were made", len(made))
	}
	for seq := r.next - backlog; seq < r.next; seq++ {
		if e, ok := r.remove(seq); !ok || e.id != seq+1 {
			t.Fatalf("sequence %d: %+v, %v", seq, e, ok)
		}
	}
	if r.spare != nil && len(r.spare.entries) != fewEntries {
		t.Errorf("a block with places for %d is kept", len(r.spare.entries))
	}
}
