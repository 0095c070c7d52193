package store

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// TestBodiesAreReadWhileTheyMove: with passes and merges under way, whoever loads
// gets the right bytes, wherever they stand at that moment.
func TestBodiesAreReadWhileTheyMove(t *testing.T) {
	var s fixture
	var wait sync.WaitGroup
	due := func() {
		wait.Go(func() {
			s.Checkpoint(func(add func(key, at uint64, recs []record.Record)) {
				add(1, s.Stats().Last, []record.Record{{Kind: 1}})
			})
		})
	}
	s = open(t, Options{
		FS: vfs.NewMem(), SegmentBytes: 64 << 10, LogBytes: 256 << 10, CheckpointBytes: 64 << 10, MemoryBytes: 128 << 10, OnCheckpoint: due,
	})
	s.Retain(func(func(uint64) bool) {})
	rng := rand.New(rand.NewPCG(1, 2))
	live := map[uint64]int{}
	var ids []uint64 // that may live
	id, loads := uint64(0), 0
	for s.Stats().SpillPasses < 20 || s.Stats().SpillMerges == 0 {
		if id > 200_000 {
			t.Fatalf("%d messages, and still %+v", id, s.Stats())
		}
		for range 50 {
			id++
			size := 1 + rng.IntN(2000)
			live[id] = size
			ids = append(ids, id)
			s.Append([]record.Record{message(id, size, record.Write)})
		}
		for len(live) > 1500 { // mostly the older ones, but never all of them
			k := rng.IntN(len(ids) / 2)
			gone := ids[k]
			ids[k] = ids[len(ids)-1]
			ids = ids[:len(ids)-1]
			delete(live, gone)
			s.Release(s.Append([]record.Record{removal(gone, record.Write)}), []uint64{gone})
		}
		for range 5 {
			one := ids[rng.IntN(len(ids))]
			done := make(chan error, 1)
			s.Load([]uint64{one}, func() {
				_, got, ok := s.Bytes(one)
				if !ok || !bytes.Equal(bytes.Join(got, nil), body(one, live[one])) {
					done <- fmt.Errorf("message %d: %v, %d bytes", one, ok, len(bytes.Join(got, nil)))
				}
				close(done)
			})
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			loads++
		}
	}
	wait.Wait()
	st := s.Stats()
	t.Logf("%d messages, %d loads, %d passes, %d merges, %d spill files, log %d KiB", id, loads, st.SpillPasses, st.SpillMerges, st.SpillFiles, st.LogBytes>>10)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestAStartReadsNoSpilledBodies: with bodies eight times as long it reads about
// the same.
func TestAStartReadsNoSpilledBodies(t *testing.T) {
	read := map[int]int64{}
	for _, size := range []int{1 << 10, 8 << 10} {
		mem := vfs.NewMem()
		synctest.Test(t, func(t *testing.T) {
			s := open(t, Options{FS: mem, SegmentBytes: 64 << 10, LogBytes: 64 << 10})
			s.Retain(func(func(uint64) bool) {})
			for id := uint64(1); id <= 400; id++ {
				s.synced(s.Append([]record.Record{message(id, size, record.Sync)}))
			}
			for range 3 {
				s.Checkpoint(func(add func(key, at uint64, recs []record.Record)) {
					add(1, 400, []record.Record{{Kind: 1}})
				})
				synctest.Wait()
			}
			if st := s.Stats(); st.SpillFiles == 0 || st.LogBytes > 128<<10 {
				t.Fatalf("%+v", st)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		})
		var bytes atomic.Int64
		counted := vfs.Inject(mem, func(c vfs.Call) error {
			if c.Op == "read" {
				bytes.Add(int64(c.Len))
			}
			return nil
		})
		s := open(t, Options{FS: counted, SegmentBytes: 64 << 10, LogBytes: 64 << 10})
		placed := 0
		if err := s.Replay(func(_ uint64, r record.Record) error {
			placed += len(r.IDs)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if read[size] = bytes.Load(); placed < 400 {
			t.Errorf("%d messages replayed", placed)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// What does not spill (the last segments) is read whole, of either length.
	if read[8<<10] > read[1<<10]+256<<10 {
		t.Errorf("a start reads %d bytes where bodies have 1 KiB, %d where they have 8", read[1<<10], read[8<<10])
	}
}

// TestADamagedFileIsToldOnce: spilling stops there, and the log says so.
func TestADamagedFileIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := vfs.NewMem()
		var log strings.Builder
		s := open(t, Options{FS: mem, SegmentBytes: 64 << 10, LogBytes: 64 << 10, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		s.Retain(func(func(uint64) bool) {})
		for id := uint64(1); id <= 400; id++ {
			s.synced(s.Append([]record.Record{message(id, 1000, record.Sync)}))
		}
		names, err := mem.List("/s")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasPrefix(name, "log-") {
				mem.Flip("/s/"+name, record.Block+300, 1)
				break
			}
		}
		for range 3 {
			s.Checkpoint(func(add func(key, at uint64, recs []record.Record)) { add(1, 400, []record.Record{{Kind: 1}}) })
			synctest.Wait()
		}
		if st := s.Stats(); st.SpillRefused != 1 || st.SpillFiles != 0 || strings.Count(log.String(), "not spilled") != 1 {
			t.Errorf("%+v, log %q", st, log.String())
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
