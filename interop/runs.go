package interop

import (
	"cmp"
	"slices"
)

// maxRuns is how many runs a set keeps; the lowest go.
const maxRuns = 1 << 20

// runs is a set of numbers that mostly follow each other: first and last of each run, in
// order, none touching another.
type runs struct{ all [][2]uint64 }

func (s *runs) find(n uint64) (int, bool) {
	i, ok := slices.BinarySearchFunc(s.all, n, func(r [2]uint64, n uint64) int { return cmp.Compare(r[0], n) })
	if ok {
		return i, true
	}
	return i - 1, i > 0 && s.all[i-1][1] >= n
}

func (s *runs) has(n uint64) bool {
	_, ok := s.find(n)
	return ok
}

// add takes first to last in.
func (s *runs) add(first, last uint64) {
	from, in := s.find(first)
	if !in && (from < 0 || s.all[from][1]+1 < first) {
		from++ // it begins a run
		s.all = slices.Insert(s.all, from, [2]uint64{first, last})
	}
	r := &s.all[from]
	r[1] = max(r[1], last)
	next := from + 1
	for next < len(s.all) && s.all[next][0] <= r[1]+1 {
		r[1] = max(r[1], s.all[next][1])
		next++
	}
	s.all = slices.Delete(s.all, from+1, next)
	if n := len(s.all) - maxRuns; n > 0 {
		s.all = slices.Delete(s.all, 0, n)
	}
}
