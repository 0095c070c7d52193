package store

import (
	"time"

	"github.com/tidegate/tidegate/persist/journal"
)

// clockWanted says whether the clock has a reason to run. The lock is held.
func (s *Store) clockWanted() bool {
	return s.j.Restless() || s.spaceWanted() || s.opts.OnCheckpoint != nil && s.j.Changed()
}

// spaceWanted says whether something waits for room on the disk. The lock is
// held.
func (s *Store) spaceWanted() bool { return s.j.SpaceWanted() || s.swap.failed }

// clock is when the coarse timer did last what it does less often.
type clock struct {
	checked time.Time // whether a checkpoint is due
	tried   time.Time // a full disk
}

// runClock is the one coarse timer: it runs only while something written is not
// flushed or not claimed, the disk is full, or a checkpoint will be due.
func (s *Store) runClock() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	s.mu.Lock()
	s.clock = clock{time.Now(), time.Now()}
	s.mu.Unlock()
	for {
		s.mu.Lock()
		if !s.clockWanted() {
			if !s.sleep(clockLane) {
				return
			}
			s.mu.Lock()
			s.clock.checked = time.Now() // the first change counts the time
			s.mu.Unlock()
			continue
		}
		if s.stopping {
			s.mu.Unlock()
			return
		}
		every := s.opts.CheckpointEvery - time.Since(s.clock.checked)
		if s.spaceWanted() {
			every = min(every, spaceEvery)
		}
		if s.j.Restless() {
			every = flushEvery
		}
		slow := every > flushEvery
		s.idle[clockLane] = slow // then the first unflushed write must wake it
		s.mu.Unlock()
		timer.Reset(max(every, time.Millisecond))
		select {
		case <-timer.C:
		case <-s.wake[clockLane]:
			continue
		}
		s.Tick(time.Now())
	}
}

// Tick is what the coarse timer does at now: what is written becomes wanted
// flushed, a full disk is tried again, a checkpoint becomes due. The store's own
// goroutine calls it, or in its place the owner of a Manual store.
func (s *Store) Tick(now time.Time) {
	s.mu.Lock()
	if s.clock.checked.IsZero() { // of a Manual store
		s.clock = clock{now, now}
	}
	s.j.Tick()
	if s.spaceWanted() && now.Sub(s.clock.tried) >= spaceEvery {
		s.clock.tried = now
		s.j.RetrySpace()
		s.swap.failed = false
		s.rouseSwap()
	}
	due := false
	if now.Sub(s.clock.checked) >= s.opts.CheckpointEvery {
		s.clock.checked = now
		due = s.opts.OnCheckpoint != nil && !s.asked && s.j.Changed()
		s.asked = s.asked || due
	}
	for _, l := range []journal.Lane{journal.CommitLane, journal.FlushLane, journal.HouseLane, journal.SpillLane} {
		s.rouse(l)
	}
	s.mu.Unlock()
	if due {
		s.opts.OnCheckpoint()
	}
}
