package store

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// signal wakes tests that wait for positions.
type signal struct {
	mu sync.Mutex
	c  *sync.Cond
}

func newSignal() *signal {
	s := &signal{}
	s.c = sync.NewCond(&s.mu)
	return s
}

func (s *signal) fire() { s.mu.Lock(); s.c.Broadcast(); s.mu.Unlock() }

func (s *signal) wait(ok func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !ok() {
		s.c.Wait()
	}
}

type fixture struct {
	*Store
	moved *signal
}

func open(t testing.TB, o Options) fixture {
	t.Helper()
	f := fixture{moved: newSignal()}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = 64 << 10
	}
	if o.Dir == "" {
		o.Dir = "/s"
	}
	o.OnStable = f.moved.fire
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	f.Store = s
	return f
}

func (f fixture) synced(pos uint64) {
	f.moved.wait(func() bool { _, s := f.Stable(); return s >= pos })
}

func (f fixture) load(ids ...uint64) {
	done := make(chan struct{})
	f.Load(ids, func() { close(done) })
	<-done
}

func body(id uint64, size int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%d.", id), size)[:size]
}

func message(id uint64, size int, need record.Need) record.Record {
	return record.Record{
		Kind: record.BodyBit | record.PlaceBit | 1, Need: need, IDs: []uint64{id}, Group: id % 3,
		Head: fmt.Appendf(nil, "head %d", id), Body: [][]byte{body(id, size)},
	}
}

func removal(id uint64, need record.Need) record.Record {
	return record.Record{Kind: 2, Need: need, Head: fmt.Appendf(nil, "remove %d", id)}
}

// replay gives what Replay gives, and retains ids.
func (f fixture) replay(t testing.TB, retain ...uint64) (out []string) {
	t.Helper()
	err := f.Replay(func(pos uint64, r record.Record) error {
		if len(r.Body) > 0 {
			t.Errorf("replay gave the body of %d", pos)
		}
		out = append(out, fmt.Sprintf("%d %#x %v %s", pos, r.Kind, r.IDs, r.Head))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Retain(slices.Values(retain))
	return out
}

func (f fixture) wantBody(t testing.TB, id uint64, size int) {
	t.Helper()
	head, b, ok := f.Bytes(id)
	if !ok {
		t.Errorf("id %d is not in memory", id)
		return
	}
	wantContent(t, id, size, head, b)
}

func wantContent(t testing.TB, id uint64, size int, head []byte, b [][]byte) {
	t.Helper()
	if string(head) != fmt.Sprintf("head %d", id) || !bytes.Equal(bytes.Join(b, nil), body(id, size)) {
		t.Errorf("id %d has head %q, %d bytes", id, head, len(bytes.Join(b, nil)))
	}
}

func TestWhatWasAppendedIsThereAfterARestart(t *testing.T) {
	for _, fs := range []vfs.FS{vfs.NewMem(), vfs.OS} {
		dir := t.TempDir()
		s := open(t, Options{FS: fs, Dir: dir})
		s.replay(t)
		for id := uint64(1); id <= 200; id++ {
			s.Append([]record.Record{message(id, 1000, record.Ride)})
		}
		last := s.Append([]record.Record{removal(7, record.Sync)})
		s.Release(last, []uint64{7})
		s.synced(last)
		s.wantBody(t, 8, 1000)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, Options{FS: fs, Dir: dir})
		got := s.replay(t, 8, 200)
		if len(got) != 201 || got[0] != "1 0xc1 [1] head 1" || got[200] != "201 0x2 [] remove 7" {
			t.Fatalf("replayed %d records: %q ... %q", len(got), got[0], got[len(got)-1])
		}
		if n := len(s.Recovered().Notes); n != 0 {
			t.Errorf("orderly end, but %q", s.Recovered().Notes)
		}
		s.load(8, 200, 9)
		s.wantBody(t, 8, 1000)
		s.wantBody(t, 200, 1000)
		if _, _, ok := s.Bytes(9); ok {
			t.Error("an id that was not retained was loaded")
		}
		if pos := s.Append([]record.Record{message(201, 10, record.Sync)}); pos != 202 {
			t.Errorf("positions go on at %d", pos)
		}
		s.synced(202)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestASecondOpenIsRefusedAndNamesTheProcess(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{FS: vfs.OS, Dir: dir})
	_, err := Open(Options{Dir: dir})
	var inUse *InUseError
	if !errors.As(err, &inUse) || inUse.PID == 0 {
		t.Fatalf("got %v, want InUseError with a pid", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{FS: vfs.OS, Dir: dir})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCheckpointsReplaceTheLogAndSegmentsAreRecycled(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, Options{FS: fs})
	s.replay(t)
	key := func(n, at uint64) func(func(key, at uint64, recs []record.Record)) {
		return func(add func(key, at uint64, recs []record.Record)) {
			add(n, at, []record.Record{{Kind: 9, Head: fmt.Appendf(nil, "key %d", n)}})
		}
	}
	id := uint64(0)
	for round := range uint64(30) {
		var last uint64
		for range 100 {
			id++
			s.Append([]record.Record{message(id, 500, record.Write)})
			last = s.Append([]record.Record{removal(id, record.Sync)})
			if id != 5 {
				s.Release(last, []uint64{id})
			}
		}
		s.synced(last)
		s.Checkpoint(key(round%3, last))
	}
	if st := s.Stats(); st.Segments > 12 || st.LiveIDs != 1 {
		t.Errorf("after 30 rounds: %+v", st)
	}
	if used := fs.Used(); used > 40*64<<10 {
		t.Errorf("%d bytes on disk", used)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{FS: fs})
	got := s.replay(t, 5)
	for i, want := range []string{"key 0", "key 1", "key 2"} {
		if len(got) < 4 || !bytes.HasSuffix([]byte(got[i]), []byte(want)) {
			t.Fatalf("replay begins %q", got[:min(4, len(got))])
		}
	}
	if !slices.Contains(got, "9 0xc1 [5] head 5") {
		t.Error("the placement of the old id is not replayed")
	}
	s.load(5)
	s.wantBody(t, 5, 500)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestContentsLeaveMemoryAndComeBack(t *testing.T) {
	s := open(t, Options{FS: vfs.NewMem(), MemoryBytes: 100 << 10, SegmentBytes: 1 << 20})
	s.replay(t)
	var last uint64
	for id := uint64(1); id <= 2000; id++ {
		last = s.Append([]record.Record{message(id, 1000, record.Sync)})
		s.synced(last)
	}
	s.Hold(record.Held{ID: held | 1, Head: []byte("h"), Body: [][]byte{[]byte("b")}})
	for s.Stats().Memory > 200<<10 {
		runtime.Gosched() // the house lane evicts
	}
	if _, _, ok := s.Bytes(held | 1); !ok {
		t.Error("a held message left memory")
	}
	done := make(chan struct{})
	s.Load([]uint64{1, 1000, 1500}, func() {
		for _, id := range []uint64{1, 1000, 1500} {
			s.wantBody(t, id, 1000)
		}
		close(done)
	})
	<-done
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
