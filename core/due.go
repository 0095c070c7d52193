package core

// dueItem says when an entry of a holding queue is due: 24 bytes and no
// pointers, so that a million of them cost the collector nothing.
type dueItem struct {
	due  int64  // ms since 1970
	ring uint64 // ringKey
	seq  uint64
}

// ringKey names a ring.
func ringKey(q QueueID, priority uint8) uint64 { return uint64(q)<<4 | uint64(priority) }

func (i dueItem) before(o dueItem) bool {
	if i.due != o.due {
		return i.due < o.due
	}
	if i.ring != o.ring {
		return i.ring < o.ring
	}
	return i.seq < o.seq
}

// dueHeap has the item that is due first in front.
type dueHeap []dueItem

func (h *dueHeap) push(i dueItem) {
	*h = append(*h, i)
	s := *h
	for at := len(s) - 1; at > 0; {
		up := (at - 1) / 2
		if !s[at].before(s[up]) {
			return
		}
		s[at], s[up] = s[up], s[at]
		at = up
	}
}

func (h *dueHeap) pop() dueItem {
	s := *h
	first := s[0]
	last := len(s) - 1
	s[0] = s[last]
	*h = s[:last]
	h.down(0)
	if cap(*h) > 1024 && len(*h) < cap(*h)/4 { // a peak is not kept
		*h = append(make(dueHeap, 0, cap(*h)/2), *h...)
	}
	return first
}

func (h *dueHeap) down(at int) {
	s := *h
	for {
		least := at
		for c := 2*at + 1; c <= 2*at+2 && c < len(s); c++ {
			if s[c].before(s[least]) {
				least = c
			}
		}
		if least == at {
			return
		}
		s[at], s[least] = s[least], s[at]
		at = least
	}
}

// keep drops the items that are not wanted.
func (h *dueHeap) keep(wanted func(dueItem) bool) {
	var kept dueHeap
	for _, i := range *h {
		if wanted(i) {
			kept = append(kept, i)
		}
	}
	*h = kept
	for at := len(kept)/2 - 1; at >= 0; at-- {
		h.down(at)
	}
}
