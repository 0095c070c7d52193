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
		if s := r.state(); s.removed(5) || s.removed(n) || len(s.Removed) > 3 { // the first word, the last, and those between
			b.Fatal(s.Removed)
		}
	}
}
