package store

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// TestAMessageThatStaysIsAsGoodAfterYears: the oldest is 1e11 ids behind, which is
// four months at 10,000 messages a second, and stays through starts, spilling, swapping
// and eviction, until it is released.
func TestAMessageThatStaysIsAsGoodAfterYears(t *testing.T) {
	const gap = uint64(1e11)
	mem := vfs.NewMem()
	o := Options{FS: mem, SegmentBytes: 16 << 10, LogBytes: 32 << 10, MemoryBytes: 16 << 10}
	live := []uint64{1}
	for life := uint64(1); life <= 3; life++ {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, o)
			if life == 1 {
				s.replay(t)
				s.synced(s.Append([]record.Record{message(1, 1000, record.Sync)}))
				h := message(held|1, 1000, record.Ride)
				s.Hold(record.Held{ID: held | 1, Head: h.Head, Body: h.Body})
			} else if n := len(s.replay(t, live...)); n < len(live) {
				t.Fatalf("%d records replayed of %d messages", n, len(live))
			}
			for i := range uint64(40) {
				id := life*gap + i
				s.synced(s.Append([]record.Record{message(id, 1000, record.Sync)}))
				s.Hold(record.Held{ID: held | id, Head: []byte("held"), Body: [][]byte{body(id, 1000)}})
				if i%4 == 0 {
					live = append(live, id)
					continue
				}
				s.Release(s.Append([]record.Record{removal(id, record.Write)}), []uint64{id, held | id})
			}
			for range 2 {
				last := s.Stats().Last
				s.Checkpoint(func(add func(key, at uint64, recs []record.Record)) { add(1, last, []record.Record{{Kind: 1}}) })
				synctest.Wait()
			}
			s.load(live...)
			for _, id := range live {
				s.wantLoaded(t, id, 1000)
			}
			if life == 1 {
				s.wantLoaded(t, held|1, 1000)
			}
			if life == 3 {
				s.Release(s.Append([]record.Record{removal(1, record.Sync)}), []uint64{1})
				live = live[1:]
				synctest.Wait()
			}
			if st := s.Stats(); st.LiveIDs != len(live) || st.SpillFiles == 0 {
				t.Errorf("life %d, %d messages: %+v", life, len(live), st)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
	s := open(t, o)
	if err := s.Replay(func(uint64, record.Record) error { return nil }); err != nil {
		t.Fatal(err)
	}
	s.Retain(slices.Values(live))
	if n := s.Stats().LiveIDs; n != len(live) {
		t.Errorf("%d live ids of %d", n, len(live))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// wantLoaded is wantBody of what may have left memory. With so little of it a body may
// leave again, for others that are read ahead, before it is looked at: whoever wants it
// asks again.
func (f fixture) wantLoaded(t testing.TB, id uint64, size int) {
	t.Helper()
	for range 1000 {
		f.load(id)
		if head, b, ok := f.Bytes(id); ok {
			wantContent(t, id, size, head, b)
			return
		}
	}
	t.Errorf("id %d never stays in memory", id)
}
