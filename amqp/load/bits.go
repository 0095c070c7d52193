package load

import "math/bits"

// set is a set of numbers that fills up from below: what is under base is all
// in it, and only the rest takes memory, a bit a number.
type set struct {
	base  uint64   // a multiple of 64
	words []uint64 // of base and above
	count uint64
}

// maxSpread is how far above base a number may be; what is further away can only
// be damage.
const maxSpread = 1 << 32

// add puts from..to-1 in and gives how many of them were not there yet. false
// means that they are too far off to be true.
func (s *set) add(from, to uint64) (fresh uint64, ok bool) {
	if to > s.base+maxSpread {
		return 0, false
	}
	if from = max(from, s.base); from >= to {
		return 0, true
	}
	for uint64(len(s.words))*64 < to-s.base {
		s.words = append(s.words, 0)
	}
	for at := from; at < to; {
		w, low := (at-s.base)/64, at%64
		n := min(64-low, to-at)
		mask := (^uint64(0) >> (64 - n)) << low
		fresh += uint64(bits.OnesCount64(mask &^ s.words[w]))
		s.words[w] |= mask
		at += n
	}
	s.count += fresh
	full := 0
	for full < len(s.words) && s.words[full] == ^uint64(0) {
		full++
	}
	if full > 0 {
		s.words = s.words[:copy(s.words, s.words[full:])]
		s.base += uint64(full) * 64
	}
	return fresh, true
}

// has tells whether n is in the set.
func (s *set) has(n uint64) bool {
	if n < s.base {
		return true
	}
	w := (n - s.base) / 64
	return w < uint64(len(s.words)) && s.words[w]>>(n%64)&1 == 1
}

// missing gives the lowest number under end that is not in the set.
func (s *set) missing(end uint64) (uint64, bool) {
	for n := s.base; n < end; n++ {
		if !s.has(n) {
			return n, true
		}
	}
	return 0, false
}
