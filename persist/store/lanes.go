package store

import (
	"time"

	"github.com/tidegate/tidegate/persist/journal"
)

type flushStats struct {
	count int64
	total time.Duration
	max   time.Duration
	last  time.Duration
}

// start starts the lanes at the first use after Replay, which has the journal
// for itself. The lock is held.
func (s *Store) start() {
	if s.started {
		return
	}
	s.started = true
	if s.opts.Manual {
		return
	}
	for _, l := range []journal.Lane{journal.CommitLane, journal.FlushLane, journal.HouseLane, journal.CheckLane, journal.SpillLane} {
		s.background(func() { s.runLane(l) })
	}
	s.background(s.runClock)
	for i := range loaders {
		s.background(func() { s.runLoader(loaderLane + i) })
	}
	s.background(s.runSwap)
}

// background runs something on a goroutine that Close waits for.
func (s *Store) background(run func()) {
	s.lanes.Add(1)
	go func() {
		defer s.lanes.Done()
		run()
	}()
}

// poke wakes a goroutine that sleeps or is about to. The lock is held.
func (s *Store) poke(i int) {
	s.idle[i] = false
	select {
	case s.wake[i] <- struct{}{}:
	default:
	}
}

// rouse wakes a lane that has something to do. The lock is held.
func (s *Store) rouse(l journal.Lane) {
	if s.idle[l] && s.j.Ready(l) {
		s.poke(int(l))
	}
}

// rouseHouse wakes the house if memory asks for it. The lock is held.
func (s *Store) rouseHouse() {
	if s.idle[journal.HouseLane] && (s.contents.agedPage() || s.contents.bytes > s.opts.MemoryBytes) {
		s.poke(int(journal.HouseLane))
	}
}

// sleep waits to be poked; it is called with the lock held, and false when the
// store stops.
func (s *Store) sleep(i int) bool {
	if s.stopping {
		s.mu.Unlock()
		return false
	}
	s.idle[i] = true
	s.mu.Unlock()
	<-s.wake[i]
	return true
}

// runLane runs the journal's operations of one lane. Writes go on in one while
// a flush runs in another.
func (s *Store) runLane(l journal.Lane) {
	var buf []byte
	for {
		if l == journal.HouseLane {
			s.tidyMemory()
			s.removeSpooled()
		}
		s.mu.Lock()
		op, ok := s.j.Next(l)
		if !ok && l == journal.HouseLane && s.spool.doomed.Load() > 0 {
			s.mu.Unlock()
			continue
		}
		if !ok {
			if !s.sleep(int(l)) {
				return
			}
			continue
		}
		s.mu.Unlock()
		s.run(op, &buf)
	}
}

// run runs an operation and answers it.
func (s *Store) run(op *journal.Op, buf *[]byte) {
	began := time.Now()
	if op.Lane == journal.FlushLane && s.opts.FlushDelay > 0 {
		wait(s.opts.FlushDelay)
	}
	err := s.files.run(op, buf)
	s.finish(op, err, time.Since(began))
}

// finish answers an operation and tells whom it concerns.
func (s *Store) finish(op *journal.Op, err error, took time.Duration) {
	s.mu.Lock()
	written, synced := s.j.Stable()
	s.j.Done(op, err)
	w, f := s.j.Stable()
	if f != synced && s.spool.bury(f) {
		s.rouseSpool()
	}
	failed, tell := s.j.Err(), false
	if failed != nil && !s.told {
		s.told, tell = true, true
	}
	due := s.opts.OnCheckpoint != nil && !s.asked && s.j.CheckpointDue()
	if due {
		s.asked = true
	}
	full := s.j.Full() != s.full
	if op.Lane == journal.FlushLane {
		s.flushes.add(took)
	}
	s.rouse(journal.CommitLane)
	s.rouse(journal.FlushLane)
	if op.Kind != journal.OpWrite || op.Lane != journal.CommitLane || failed != nil {
		s.rouse(journal.HouseLane)
		s.rouse(journal.CheckLane)
		s.rouse(journal.SpillLane)
		s.moved.Broadcast()
	}
	if s.idle[clockLane] && s.clockWanted() {
		s.poke(clockLane)
	}
	refusal := s.j.TakeRefusal()
	s.mu.Unlock()
	if refusal != nil {
		s.opts.Logger.Error("old messages are not spilled, and the log grows, because a file is damaged; tidegate store verify tells more", "error", refusal)
	}
	if tell {
		s.opts.Logger.Error("store failed", "error", failed)
		if s.opts.OnFail != nil {
			s.opts.OnFail(failed)
		}
	}
	if (w != written || f != synced) && s.opts.OnStable != nil {
		s.opts.OnStable()
	}
	if due {
		s.opts.OnCheckpoint()
	}
	if full {
		s.tellSpace()
	}
}

func (f *flushStats) add(took time.Duration) {
	f.count++
	f.total += took
	f.last = took
	f.max = max(f.max, took)
}

// tellSpace tells what is so now, and each change once.
func (s *Store) tellSpace() {
	s.space.Lock()
	defer s.space.Unlock()
	s.mu.Lock()
	full := s.j.Full()
	changed := full != s.full
	s.full = full
	s.mu.Unlock()
	if !changed {
		return
	}
	if full {
		s.opts.Logger.Warn("no space for the next segments", "dir", s.opts.Dir)
	} else {
		s.opts.Logger.Info("space for the next segments again", "dir", s.opts.Dir)
	}
	if s.opts.OnSpace != nil {
		s.opts.OnSpace(full)
	}
}

// tidyMemory ages and evicts contents, a bounded step at each holding of the
// lock.
func (s *Store) tidyMemory() {
	at, rounds := 0, 0
	for more := true; more; {
		s.mu.Lock()
		switch {
		case s.contents.bytes > s.opts.MemoryBytes && rounds <= 2*s.contents.stored.Pages():
			// First, so that nothing is copied only to be dropped.
			if s.contents.evict(s.evictable, &rounds) {
				s.sparse.Store(true)
			}
		case at > 0 || s.contents.agedPage():
			at = s.contents.age(at)
		default:
			more = false
			s.rouseSwap()
		}
		s.mu.Unlock()
	}
}

// evictable says whether an id's bytes can leave memory: they can be read back,
// or nobody will ask for them.
func (s *Store) evictable(id uint64) bool {
	if _, _, _, ok := s.j.Place(id); ok {
		return true
	}
	return !s.j.Live(id)
}
