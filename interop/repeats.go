package interop

// repeats finds what is twice in a batch: the outside may give a message again while the
// first copy still waits here, and the ledger knows only what is committed.
type repeats struct {
	highest map[string]uint64 // sequence of each source so far
}

// has says whether batch[i] is a copy of one before it.
func (s *repeats) has(batch []Inbound, i int) bool {
	in := &batch[i]
	if in.Source == "" {
		return false
	}
	if s.highest == nil {
		s.highest = map[string]uint64{}
	}
	if h, known := s.highest[in.Source]; !known || in.Sequence > h { // nearly always
		s.highest[in.Source] = in.Sequence
		return false
	}
	for j := range batch[:i] {
		if batch[j].Sequence == in.Sequence && batch[j].Source == in.Source {
			return true
		}
	}
	return false
}
