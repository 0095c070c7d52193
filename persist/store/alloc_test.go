package store

import (
	"testing"

	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// A durable message that is appended, flushed and released, in batches of 32 as
// a read of a socket brings them, costs no allocation of its own: what there is belongs
// to the batch (its ids) and now and then to a segment.
func TestAppendAllocatesForBatchesOnly(t *testing.T) {
	s := open(t, Options{FS: vfs.OS, Dir: t.TempDir(), SegmentBytes: 8 << 20})
	s.Retain(func(func(uint64) bool) {})
	const size = 32
	payload := [][]byte{make([]byte, 1024)}
	head := make([]byte, 40)
	batch := make([]record.Record, 0, size)
	id, last := uint64(0), uint64(0)
	step := func() {
		batch = batch[:0]
		ids := make([]uint64, size) // the log keeps them
		for k := range size {
			id++
			ids[k] = id
			batch = append(batch, record.Record{
				Kind: record.BodyBit | record.PlaceBit, Need: record.Sync, IDs: ids[k : k+1 : k+1], Head: head, Body: payload,
			})
		}
		last = s.Append(batch)
		s.synced(last)
		s.Release(last, ids)
	}
	for range 10 {
		step()
	}
	if n := testing.AllocsPerRun(100, step); n > 4 {
		t.Errorf("%v allocations for %d messages", n, size)
	}
	if want := uint64(111 * size); last != want {
		t.Errorf("position %d, not %d", last, want)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
