package store

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// bubble opens a store whose goroutines and clock synctest drives, and that
// counts its writes.
func bubble(t *testing.T, o Options) (s *Store, writes *atomic.Int64) {
	t.Helper()
	writes = new(atomic.Int64)
	o.FS = vfs.Inject(vfs.NewMem(), func(c vfs.Call) error {
		if c.Op == "write" {
			writes.Add(1)
		}
		return nil
	})
	o.Dir, o.SegmentBytes = "d", 64<<10
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Retain(func(func(uint64) bool) {})
	synctest.Wait() // spares are made
	writes.Store(0)
	return s, writes
}

func wantStable(t *testing.T, s *Store, written, synced uint64) {
	t.Helper()
	synctest.Wait()
	if w, f := s.Stable(); w != written || f != synced {
		t.Errorf("written %d, synced %d; want %d and %d", w, f, written, synced)
	}
}

func TestWhatARecordNeedsIsWhatItStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, writes := bubble(t, Options{})
		s.Append([]record.Record{removal(1, record.Ride)})
		<-time.After(time.Hour) // of the bubble
		wantStable(t, s, 0, 0)  // nobody came along

		s.Append([]record.Record{removal(2, record.Write)})
		wantStable(t, s, 2, 0)
		if w, f := writes.Load(), s.Stats().Flushes; w != 1 || f != 0 {
			t.Errorf("%d writes, %d syncs for two records of which one needs a write", w, f)
		}
		s.Append([]record.Record{removal(3, record.Sync)})
		wantStable(t, s, 3, 3)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatIsWrittenIsFlushedWithin100Milliseconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, writes := bubble(t, Options{})
		s.Append([]record.Record{removal(1, record.Write)})
		wantStable(t, s, 1, 0)
		<-time.After(flushEvery) // of the bubble
		wantStable(t, s, 1, 1)
		<-time.After(flushEvery) // of the bubble
		synctest.Wait()
		if w, f := writes.Load(), s.Stats().Flushes; w != 2 || f != 1 {
			t.Errorf("%d writes, %d syncs; want the record, its flush, and the claim that says so", w, f)
		}
		<-time.After(24 * time.Hour) // of the bubble
		if w, f := writes.Load(), s.Stats().Flushes; w != 2 || f != 1 {
			t.Errorf("an idle store wrote %d and synced %d times", w, f)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestManyRidersMakeAWriteOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := bubble(t, Options{})
		for n := range uint64(5000) {
			s.Append([]record.Record{removal(n, record.Ride)})
		}
		synctest.Wait()
		if w, _ := s.Stable(); w < 4000 {
			t.Errorf("%d written of 5000 that ride", w)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestACheckpointIsDueAfterBytesOrTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var due atomic.Int64
		s, _ := bubble(t, Options{OnCheckpoint: func() { due.Add(1) }, CheckpointBytes: 128 << 10})
		save := func() {
			s.Checkpoint(func(add func(key, at uint64, recs []record.Record)) {
				add(1, s.Stats().Last, []record.Record{{Kind: 1}})
			})
		}
		<-time.After(time.Hour) // of the bubble
		if n := due.Load(); n != 0 {
			t.Errorf("due %d times without a change", n)
		}
		s.Append([]record.Record{removal(1, record.Write)})
		<-time.After(31 * time.Second) // of the bubble
		if n := due.Load(); n != 1 {
			t.Errorf("due %d times 31 s after a change, want once", n)
		}
		<-time.After(time.Hour) // of the bubble
		if n := due.Load(); n != 1 {
			t.Errorf("due %d times though the first was not made", n)
		}
		save()
		for id := uint64(1); id <= 10; id++ { // the second comes after a quarter
			s.Append([]record.Record{message(id, 4000, record.Sync)})
			synctest.Wait()
		}
		if n := due.Load(); n != 2 {
			t.Errorf("due %d times after 40 KiB more, want twice", n)
		}
		save()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestOldContentsShareNoBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := bubble(t, Options{})
		network := make([]byte, 64<<10) // as a connection reads it
		copy(network[100:], "kept")
		s.Hold(record.Held{ID: held | 1, Body: [][]byte{network[100:104:104]}})
		for id := uint64(2); id <= 24<<10; id++ {
			s.Hold(record.Held{ID: held | id, Body: [][]byte{make([]byte, 1000)}})
			s.Release(0, []uint64{held | (id - 1)}[:min(1, id-2)])
		}
		synctest.Wait()
		_, b, ok := s.Bytes(held | 1)
		if !ok || string(b[0]) != "kept" {
			t.Fatalf("%q %v", b, ok)
		}
		if &b[0][0] == &network[100] {
			t.Error("16 MiB later it still pins the buffer that it came in")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
