package engine

// sentRing remembers the unsettled deliveries of a session by delivery-id, over
// the live range of ids.
type sentRing struct {
	base uint32
	ring []sent // a power of two; the live range starts at head
	head int
	n    int
}

type sent struct {
	link *Link // nil: settled
	ref  uint64
}

func (r *sentRing) add(id uint32, l *Link, ref uint64) {
	if r.n == 0 {
		r.base, r.head = id, 0
	}
	if r.n == len(r.ring) {
		bigger := make([]sent, max(64, 2*len(r.ring)))
		for i := range r.n {
			bigger[i] = r.ring[(r.head+i)&(len(r.ring)-1)]
		}
		r.ring, r.head = bigger, 0
	}
	r.ring[(r.head+r.n)&(len(r.ring)-1)] = sent{l, ref}
	r.n++
	r.trim()
}

func (r *sentRing) get(id uint32) *sent {
	if i := id - r.base; i < uint32(r.n) {
		return &r.ring[(r.head+int(i))&(len(r.ring)-1)]
	}
	return nil
}

// within cuts a range of ids to the live ones, so that a wide range costs
// nothing; ok is false where none is left.
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

func (r *sentRing) forget(id uint32) {
	if e := r.get(id); e != nil {
		*e = sent{}
		r.trim()
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
		}
	}
	r.trim()
}
