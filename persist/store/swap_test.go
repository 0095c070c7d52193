package store

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// hold keeps messages of 1 KiB that are not stored: numbers from to before to.
func (f fixture) hold(from, to uint64) {
	for n := from; n < to; n++ {
		f.Hold(record.Held{ID: held | n, Head: []byte("head"), Body: [][]byte{body(n, 500), body(n+1, 524)}})
	}
}

func swapFilesOf(t *testing.T, fs vfs.FS) (n int) {
	t.Helper()
	names, err := fs.List("/s")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, swapPrefix) {
			n++
		}
	}
	return n
}

// TestMessagesThatAreNotStoredAreSwapped: beyond the memory they go to a file of
// their own, come back as they were, and the file goes with the last of them.
func TestMessagesThatAreNotStoredAreSwapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem, syncs := vfs.NewMem(), 0
		fs := vfs.Inject(mem, func(c vfs.Call) error {
			if c.Op == "sync" && strings.HasPrefix(c.Name, swapPrefix) {
				syncs++
			}
			return nil
		})
		const n, memory = 6000, 1 << 20
		s := open(t, Options{FS: fs, MemoryBytes: memory})
		s.hold(0, n)
		synctest.Wait()
		if st := s.Stats(); st.Memory > memory || st.SwapFiles == 0 || st.SwapBytes < 4<<20 || syncs > 0 {
			t.Fatalf("%+v, %d syncs", st, syncs)
		}
		for from := uint64(0); from < n; from += 100 {
			var ids []uint64
			for k := from; k < from+100; k++ {
				ids = append(ids, held|k)
			}
			s.Fetch(ids)
			synctest.Wait()
			for k := from; k < from+100; k++ {
				head, got, ok := s.Bytes(held | k)
				if want := append(body(k, 500), body(k+1, 524)...); !ok || string(head) != "head" || !bytes.Equal(bytes.Join(got, nil), want) {
					t.Fatalf("message %d: %v, %q", k, ok, head)
				}
			}
			s.Release(0, ids)
			if m := s.Stats().Memory; m > 2*memory {
				t.Fatalf("%d bytes in memory", m)
			}
		}
		synctest.Wait()
		if st := s.Stats(); st.Memory != 0 || st.InMemory != 0 {
			t.Errorf("%+v", st)
		}
		s.hold(n, 2*n) // and once more, so that it is left behind
		synctest.Wait()
		if swapFilesOf(t, mem) == 0 {
			t.Fatal("nothing was swapped the second time")
		}
		left := mem.Kill()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if k := swapFilesOf(t, mem); k != 0 {
			t.Errorf("%d swap files after an orderly end", k)
		}
		if err := open(t, Options{FS: left}).Close(); err != nil {
			t.Fatal(err)
		}
		if k := swapFilesOf(t, left); k != 0 {
			t.Errorf("%d swap files are left after a start", k)
		}
	})
}

// TestSwapFilesGoWithTheirLastMessage: what is consumed gives its room back, not
// only at the end.
func TestSwapFilesGoWithTheirLastMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := vfs.NewMem()
		s := open(t, Options{FS: mem, MemoryBytes: 1 << 20})
		const files, message = 3, 1<<20 + 100
		id := uint64(0)
		for s.Stats().SwapFiles < files {
			id++
			s.Hold(record.Held{ID: held | id, Body: [][]byte{make([]byte, message)}})
			synctest.Wait()
		}
		before := swapFilesOf(t, mem)
		for k := uint64(1); k <= id; k++ {
			s.Release(0, []uint64{held | k})
		}
		synctest.Wait()
		if after := swapFilesOf(t, mem); before < files || after > 1 {
			t.Errorf("%d files before all was released, %d afterwards", before, after)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestWithoutRoomToSwapProducersWait: they are told, nothing is lost, and told
// again when there is room.
func TestWithoutRoomToSwapProducersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refuse atomic.Bool
		refuse.Store(true)
		fs := vfs.Inject(vfs.NewMem(), func(c vfs.Call) error {
			if c.Op == "write" && strings.HasPrefix(c.Name, swapPrefix) && refuse.Load() {
				return vfs.ErrNoSpace
			}
			return nil
		})
		var told []bool
		const n, memory = 3000, 1 << 20
		o := Options{FS: fs, MemoryBytes: memory, OnPressure: func(full bool) { told = append(told, full) }}
		s := open(t, o)
		s.hold(0, n)
		synctest.Wait()
		if len(told) != 1 || !told[0] || s.Stats().InMemory != n {
			t.Fatalf("told %v, %+v", told, s.Stats())
		}
		refuse.Store(false)
		<-time.After(3 * spaceEvery) // of the bubble
		synctest.Wait()
		if len(told) != 2 || told[1] || s.Stats().Memory > memory+memory/8 {
			t.Fatalf("told %v, %+v", told, s.Stats())
		}
		s.load(held, held|n/2, held|(n-1))
		for _, k := range []uint64{0, n / 2, n - 1} {
			if _, _, ok := s.Bytes(held | k); !ok {
				t.Errorf("message %d is lost", k)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestStoredMessagesLeaveMemoryFirst: they cost no write.
func TestStoredMessagesLeaveMemoryFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Options{FS: vfs.NewMem(), MemoryBytes: 1 << 20})
		s.Retain(func(func(uint64) bool) {})
		s.hold(0, 300)
		for id := uint64(1); id <= 3000; id++ {
			s.Append([]record.Record{message(id, 1024, record.Write)})
		}
		synctest.Wait()
		if st := s.Stats(); st.SwapFiles != 0 || st.Memory > 1<<20 || s.contents.heldBytes < 300<<10 {
			t.Errorf("%+v, %d bytes of what is not stored", st, s.contents.heldBytes)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestASlowDiskMakesProducersWait: what is not written yet cannot leave memory;
// with twice the budget of it, nobody is to send more until it is written.
func TestASlowDiskMakesProducersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slow atomic.Bool
		written := make(chan struct{})
		fs := vfs.Inject(vfs.NewMem(), func(c vfs.Call) error {
			if c.Op == "write" && slow.Load() {
				<-written
			}
			return nil
		})
		var told []bool
		const memory = 1 << 20
		s := open(t, Options{FS: fs, SegmentBytes: 1 << 20, MemoryBytes: memory, OnPressure: func(full bool) { told = append(told, full) }})
		s.Retain(func(func(uint64) bool) {})
		synctest.Wait()
		slow.Store(true)
		for id := uint64(1); id <= 3000; id++ {
			s.Append([]record.Record{message(id, 1024, record.Write)})
		}
		synctest.Wait()
		if len(told) != 1 || !told[0] {
			t.Fatalf("with %d bytes in memory told %v", s.Stats().Memory, told)
		}
		slow.Store(false)
		close(written)
		synctest.Wait()
		if len(told) != 2 || told[1] || s.Stats().Memory > memory+memory/8 {
			t.Errorf("told %v, %d bytes in memory", told, s.Stats().Memory)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
