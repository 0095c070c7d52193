package core

import (
	"math/rand/v2"
	"strconv"
	"testing"
)

// TestAddresses: more topics than there are numbers, and numbers that are used again.
func TestAddresses(t *testing.T) {
	r := newRing(&queue{}, 4)
	want := map[uint64]string{}
	random := rand.New(rand.NewPCG(1, 2))
	seq := uint64(0)
	add := func(n string) {
		to := &Destination{Kind: Topic, Name: n}
		e := entry{id: seq, flags: uint32(PlaceBridged) << entryPlaceShift}
		e.flags |= r.address(seq, to)
		r.put(seq, e)
		want[seq] = n
		seq++
	}
	for i := range maxAddresses + 5000 {
		add("t" + strconv.Itoa(i))
	}
	for range 200_000 {
		if random.IntN(2) == 0 {
			add("t" + strconv.Itoa(random.IntN(100_000)))
			continue
		}
		at := random.Uint64N(seq)
		if e, ok := r.remove(at); ok {
			r.unaddress(at, e.flags)
			delete(want, at)
		}
	}
	for at, n := range want {
		if to := r.wentTo(at); to == nil || to.Name != n {
			t.Fatalf("entry %d went to %v, not %s", at, to, n)
		}
	}
	for at := range want {
		if e, ok := r.remove(at); ok {
			r.unaddress(at, e.flags)
		}
	}
	if r.went != nil {
		t.Fatalf("%d addresses are left of an empty ring", len(r.went.by))
	}
}
