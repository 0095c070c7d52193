package core

import "testing"

// BenchmarkSliceOfABacklog is how long a checkpoint holds the broker's lock for a
// queue of a million messages.
func BenchmarkSliceOfABacklog(b *testing.B) {
	const n = 1_000_000
	q := &queue{}
	r := newRing(q, 4)
	for seq := range uint64(n) {
		r.put(seq+5, entry{id: seq, size: 256, flags: entryStored})
	}
	b.ReportAllocs()
	for b.Loop() {
		if s := r.state(); len(s.Removed) < n/64 {
			b.Fatal(len(s.Removed))
		}
	}
}
