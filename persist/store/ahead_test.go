package store

import (
	"testing"
	"testing/synctest"

	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// backlog leaves n messages of 1 KiB in a store, opened again: all on disk, none
// in memory.
func backlog(t *testing.T, n uint64, memory int64) fixture {
	t.Helper()
	mem := vfs.NewMem()
	o := Options{FS: mem, SegmentBytes: 4 << 20, MemoryBytes: memory}
	s := open(t, o)
	s.Retain(func(func(uint64) bool) {})
	for id := uint64(1); id <= n; id++ {
		s.Append([]record.Record{message(id, 1024, record.Write)})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, o)
	if err := s.Replay(func(uint64, record.Record) error { return nil }); err != nil {
		t.Fatal(err)
	}
	s.Retain(func(yield func(uint64) bool) {
		for id := uint64(1); id <= n && yield(id); id++ {
		}
	})
	return s
}

func (f fixture) absentOf(ids []uint64) (n int) {
	for _, id := range ids {
		if _, _, ok := f.Bytes(id); !ok {
			n++
		}
	}
	return n
}

// TestABacklogIsReadAhead: whoever asks for a backlog in order waits once, for
// the first window (and where a file ends); all else is there before it is
// asked for, within the memory that is allowed.
func TestABacklogIsReadAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, batch, memory = 6000, 50, 2 << 20
		s := backlog(t, n, memory)
		misses := 0
		for from := uint64(1); from <= n; from += batch {
			var ids []uint64
			for id := from; id < from+batch; id++ {
				ids = append(ids, id)
			}
			if s.absentOf(ids) > 0 {
				misses++
			}
			s.Fetch(ids)
			synctest.Wait()
			if k := s.absentOf(ids); k > 0 {
				t.Fatalf("%d of the messages from %d on are absent after Fetch", k, from)
			}
			s.Release(0, ids)
			if m := s.Stats().Memory; m > memory*2 {
				t.Fatalf("%d bytes in memory", m)
			}
		}
		if misses > 3 { // the beginning, and each of the files
			t.Errorf("of %d batches %d were waited for", n/batch, misses)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestFetchIsQuietOnceAllIsInMemory: its flag goes back, so that the lock is not
// taken for nothing.
func TestFetchIsQuietOnceAllIsInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := backlog(t, 100, 1<<20)
		if !s.sparse.Load() {
			t.Fatal("all is on disk, and nothing says so")
		}
		for range 2 {
			s.Fetch([]uint64{1, 50, 100})
			synctest.Wait()
		}
		if s.sparse.Load() {
			t.Error("everything is in memory, and Fetch still looks")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestManyStreamsAreBounded: reading from everywhere keeps a bounded number of
// streams and stays within memory.
func TestManyStreamsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const memory = 1 << 20
		s := backlog(t, 8000, memory)
		for id := uint64(1); id <= 8000; id += 390 {
			s.Fetch([]uint64{id})
			synctest.Wait()
			if n := len(s.streams); n > maxStreams {
				t.Fatalf("%d streams", n)
			}
			if m := s.Stats().Memory; m > 2*memory {
				t.Fatalf("%d bytes in memory", m)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
