package store

import (
	"time"

	"github.com/tidegate/tidegate/persist/journal"
)

// clockWanted says whether the clock has a reason to run. The lock is held.
func (s *Store) clockWanted() bool {
	return s.j.Restless() || s.j.Full() || s.opts.OnCheckpoint != nil && s.j.Changed()
}

// runClock is the one coarse timer: it runs only while something written is not
// flushed or not claimed, the disk is full, or a checkpoint will be due.
func (s *Store) runClock() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	checked, tried := time.Now(), time.Now()
	for {
		s.mu.Lock()
		if !s.clockWanted() {
			if !s.sleep(clockLane) {
				return
			}
			checked = time.Now() // the first change counts the time
			continue
		}
		if s.stopping {
			s.mu.Unlock()
			return
		}
		every := s.opts.CheckpointEvery - time.Since(checked)
		if s.j.Full() {
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
		now := time.Now()
		s.mu.Lock()
		s.j.Tick()
		if s.j.Full() && now.Sub(tried) >= spaceEvery {
			tried = now
			s.j.RetrySpace()
		}
		due := false
		if now.Sub(checked) >= s.opts.CheckpointEvery {
			checked = now
			due = s.opts.OnCheckpoint != nil && !s.asked && s.j.Changed()
			s.asked = s.asked || due
		}
		for _, l := range []journal.Lane{journal.CommitLane, journal.FlushLane, journal.HouseLane} {
			s.rouse(l)
		}
		s.mu.Unlock()
		if due {
			s.opts.OnCheckpoint()
		}
	}
}
