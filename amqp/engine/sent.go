package engine

import (
	"slices"
	"sort"
)

// sentRing remembers the unsettled deliveries of a session by delivery-id, over
// the live range of ids. What a peer leaves unsettled while it settles what comes
// later moves out of the range, so that it does not keep room for all of that.
type sentRing struct {
	base   uint32
	ring   []sent // a power of two; the live range starts at head
	head   int
	n      int
	live   int     // of n, those not settled
	strays []stray // older than base, in order; the settled among them go with the next add
	gone   int     // of strays, those settled
}

type sent struct {
	link *Link // nil: settled
	ref  uint64
}

type stray struct {
	id uint32
	sent
}

// firstRing is how many deliveries a ring has room for at first. A full one in
// which fewer than a quarter are unsettled does not grow: those become strays.
const firstRing = 64

func (r *sentRing) add(id uint32, l *Link, ref uint64) {
	if r.gone > len(r.strays)/2 {
		r.strays = slices.DeleteFunc(r.strays, func(s stray) bool { return s.link == nil })
		r.gone = 0
	}
	if r.n == len(r.ring) {
		if r.n > firstRing && r.live < r.n/4 {
			r.stray()
		} else {
			r.grow()
		}
	}
	if r.n == 0 {
		r.base, r.head = id, 0
	}
	r.ring[(r.head+r.n)&(len(r.ring)-1)] = sent{l, ref}
	r.n++
	if l != nil {
		r.live++
	}
	r.trim()
}

func (r *sentRing) grow() {
	bigger := make([]sent, max(firstRing, 2*len(r.ring)))
	for i := range r.n {
		bigger[i] = r.ring[(r.head+i)&(len(r.ring)-1)]
	}
	r.ring, r.head = bigger, 0
}

// stray moves all that is unsettled out of the ring.
func (r *sentRing) stray() {
	for i := range r.n {
		e := &r.ring[(r.head+i)&(len(r.ring)-1)]
		if e.link != nil {
			r.strays = append(r.strays, stray{r.base + uint32(i), *e})
			*e = sent{}
		}
	}
	r.n, r.live = 0, 0
}

func (r *sentRing) get(id uint32) *sent {
	if i := id - r.base; i < uint32(r.n) {
		return &r.ring[(r.head+int(i))&(len(r.ring)-1)]
	}
	if from, to := r.astray(id, id); from < to {
		return &r.strays[from].sent
	}
	return nil
}

// within cuts a range of ids to those of the ring, so that a wide range costs
// nothing; ok is false where none is left. Of the strays astray tells.
func (r *sentRing) within(first, last uint32) (from, to uint32, ok bool) {
	if r.n == 0 {
		return 0, 0, false
	}
	if before(first, r.base) {
		first = r.base
	}
	if end := r.base + uint32(r.n) - 1; before(end, last) {
		last = end
	}
	return first, last, !before(last, first)
}

// astray is where the strays of a range of ids are.
func (r *sentRing) astray(first, last uint32) (from, to int) {
	if len(r.strays) == 0 {
		return 0, 0
	}
	from = sort.Search(len(r.strays), func(i int) bool { return !before(r.strays[i].id, first) })
	to = sort.Search(len(r.strays), func(i int) bool { return before(last, r.strays[i].id) })
	return from, to
}

func (r *sentRing) forget(id uint32) {
	e := r.get(id)
	if e == nil || e.link == nil {
		return
	}
	*e = sent{}
	if id-r.base < uint32(r.n) {
		r.live--
		r.trim()
	} else {
		r.gone++
	}
}

func (r *sentRing) trim() {
	for r.n > 0 && r.ring[r.head].link == nil {
		r.head = (r.head + 1) & (len(r.ring) - 1)
		r.base++
		r.n--
	}
}

// drop forgets all of a link's.
func (r *sentRing) drop(l *Link) {
	for i := range r.n {
		if e := &r.ring[(r.head+i)&(len(r.ring)-1)]; e.link == l {
			*e = sent{}
			r.live--
		}
	}
	for i := range r.strays {
		if s := &r.strays[i]; s.link == l {
			s.sent = sent{}
			r.gone++
		}
	}
	r.trim()
}
