package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// watcher waits for what a store tells.
type watcher struct {
	mu    sync.Mutex
	moved sync.Cond
	fails []error
	full  []bool
}

func watch(o *Options) *watcher {
	w := &watcher{}
	w.moved.L = &w.mu
	o.OnStable = func() { w.tell(func() {}) }
	o.OnFail = func(err error) { w.tell(func() { w.fails = append(w.fails, err) }) }
	o.OnSpace = func(full bool) { w.tell(func() { w.full = append(w.full, full) }) }
	return w
}

func (w *watcher) tell(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	w.moved.Broadcast()
}

func (w *watcher) until(done func() bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !done() {
		w.moved.Wait()
	}
}

func numbered(n int, need record.Need, bytes int) []record.Record {
	return []record.Record{{
		Kind: record.BodyBit | record.PlaceBit, Need: need, IDs: []uint64{uint64(n)},
		Head: fmt.Appendf(nil, "record %d", n), Body: [][]byte{make([]byte, bytes)},
	}}
}

// survivors opens what a crash left and gives the positions that came back,
// which must be those from 1 on without a gap, each with its own head.
func survivors(t *testing.T, fs vfs.FS) uint64 {
	t.Helper()
	s, err := Open(Options{FS: fs, Dir: "d", SegmentBytes: 1 << 20})
	if err != nil {
		t.Fatalf("open after the crash: %v", err)
	}
	last := uint64(0)
	if err := s.Replay(func(pos uint64, r record.Record) error {
		if want := fmt.Sprintf("record %d", pos); pos != last+1 || string(r.Head) != want {
			return fmt.Errorf("position %d (%q) after %d", pos, r.Head, last)
		}
		last = pos
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return last
}

func TestAFailedWriteOrSyncStopsTheStoreForGood(t *testing.T) {
	for _, op := range []string{"write", "sync"} {
		t.Run(op, func(t *testing.T) {
			mem := vfs.NewMem()
			var broken atomic.Bool
			failures := atomic.Int32{}
			fs := vfs.Inject(mem, func(c vfs.Call) error {
				if c.Op == op && broken.Load() {
					failures.Add(1)
					return syscall.EIO
				}
				return nil
			})
			o := Options{FS: fs, Dir: "d", SegmentBytes: 1 << 20}
			w := watch(&o)
			s, err := Open(o)
			if err != nil {
				t.Fatal(err)
			}
			stable := func() (written, synced uint64) { return s.Stable() }
			s.Append(numbered(1, record.Sync, 100))
			w.until(func() bool { _, synced := stable(); return synced == 1 })
			broken.Store(true)
			s.Append(numbered(2, record.Sync, 100))
			w.until(func() bool { return len(w.fails) > 0 })
			broken.Store(false)
			if pos := s.Append(numbered(3, record.Sync, 100)); pos != 3 {
				t.Errorf("position %d, want 3", pos)
			}
			if err := s.Close(); !errors.Is(err, syscall.EIO) {
				t.Errorf("close: %v, want the failure", err)
			}
			if _, synced := stable(); synced != 1 || failures.Load() != 1 || len(w.fails) != 1 {
				t.Errorf("synced %d, %d attempts, told %v: want 1, one and once", synced, failures.Load(), w.fails)
			}
			for seed := range uint64(20) {
				if last := survivors(t, mem.PowerLoss(seed)); last < 1 || last > 2 {
					t.Fatalf("seed %d: %d records survive, want 1 or 2", seed, last)
				}
			}
		})
	}
}

func TestAFullDiskIsSurvived(t *testing.T) {
	mem := vfs.NewMem()
	const segment = 256 << 10
	o := Options{FS: mem, Dir: "d", SegmentBytes: segment}
	w := watch(&o)
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	add := func() uint64 {
		n++
		return s.Append(numbered(n, record.Sync, 8<<10))
	}
	first := add()
	w.until(func() bool { _, synced := s.Stable(); return synced == first })
	mem.SetLimit(mem.Used() + segment/2)
	// More than fits: what is ready takes some of it, the rest waits.
	var last uint64
	for range 5 * segment / (8 << 10) {
		last = add()
	}
	w.until(func() bool { return len(w.full) == 1 })
	if _, synced := s.Stable(); synced >= last || len(w.fails) > 0 {
		t.Errorf("synced %d of %d, failures %v", synced, last, w.fails)
	}
	mem.SetLimit(0)
	w.until(func() bool { _, synced := s.Stable(); return synced == last })
	w.until(func() bool { return len(w.full) == 2 })
	if !w.full[0] || w.full[1] || len(w.fails) > 0 {
		t.Errorf("told %v, failures %v", w.full, w.fails)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := survivors(t, mem); got != last {
		t.Errorf("%d records, want %d", got, last)
	}
}

// TestPowerMayFailWhileManyAppend: whenever the power fails, what was synced
// before is there afterwards; and whenever the process dies, what was written.
func TestPowerMayFailWhileManyAppend(t *testing.T) {
	for seed := range uint64(25) {
		mem := vfs.NewMem()
		o := Options{FS: mem, Dir: "d", SegmentBytes: 1 << 20}
		w := watch(&o)
		s, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		var order sync.Mutex // the core's lock
		n := 0
		var senders sync.WaitGroup
		stop := make(chan struct{})
		for range 4 {
			senders.Add(1)
			go func() {
				defer senders.Done()
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					order.Lock()
					n++
					pos := s.Append(numbered(n, record.Need(i%3), 200*(i%30)))
					order.Unlock()
					w.until(func() bool { written, _ := s.Stable(); return written+200 > pos })
				}
			}()
		}
		w.until(func() bool { _, synced := s.Stable(); return synced > 50*seed })
		written, _ := s.Stable()
		killed := mem.Kill()
		_, synced := s.Stable()
		failed := mem.PowerLoss(seed)
		close(stop)
		senders.Wait()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if last := survivors(t, killed); last < written {
			t.Errorf("seed %d: %d survive a kill, %d were written", seed, last, written)
		}
		if last := survivors(t, failed); last < synced {
			t.Errorf("seed %d: %d survive a power loss, %d were synced", seed, last, synced)
		}
	}
}
