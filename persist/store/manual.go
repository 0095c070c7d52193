package store

import "github.com/tidegate/tidegate/persist/journal"

// Step does the next half of a lane's work in a Manual store, and says whether
// there was any: an operation is first taken, and at the next call run and
// answered, so that others go on in between. The house lane tidies memory too.
func (s *Store) Step(l journal.Lane) bool {
	if l == journal.HouseLane {
		s.tidyMemory()
		s.removeSpooled()
	}
	s.mu.Lock()
	s.start()
	op := s.taken[l]
	if op == nil {
		s.taken[l], _ = s.j.Next(l)
		begun := s.taken[l] != nil
		s.mu.Unlock()
		return begun
	}
	s.taken[l] = nil
	s.mu.Unlock()
	s.run(op, new([]byte))
	return true
}

// StepLoad answers one Load of a Manual store, and says whether there was one.
func (s *Store) StepLoad() bool {
	s.mu.Lock()
	if len(s.loads) == 0 {
		s.mu.Unlock()
		return false
	}
	l := s.nextLoad()
	s.mu.Unlock()
	s.load(l)
	return true
}

// StepSwap takes messages that are not stored out of memory where a Manual store
// has too many, and says whether there was anything to do.
func (s *Store) StepSwap() bool {
	if s.swapOnce() {
		return true
	}
	s.mu.Unlock()
	return false
}

// await waits, with the lock held, until a lane has done something others wait
// for. In a Manual store the caller does the lanes' work meanwhile.
func (s *Store) await() {
	if !s.opts.Manual {
		s.moved.Wait()
		return
	}
	s.mu.Unlock()
	for l := range journal.SpillLane + 1 {
		s.Step(l)
	}
	s.mu.Lock()
}
