package core

// addresses are where the messages of a ring went whose queue does not say it: those
// that came by a bridge, and those on their way out by a transport. An entry has a
// number of the table in its upper flags, so that a long backlog of a few topics costs
// nothing.
type addresses struct {
	all  []address
	free []uint16 // numbers that nobody has any more
	by   map[Destination]uint16
	more map[uint64]*Destination // by sequence: of those for whom no number is left
}

type address struct {
	to *Destination
	n  int // entries
}

const (
	entryAddressShift = 16
	maxAddresses      = 1<<16 - 1 // numbers begin at 1
)

// address notes where the message of a new entry went, and gives the flags that say so.
func (r *ring) address(seq uint64, to *Destination) (flags uint32) {
	if r.went == nil {
		r.went = &addresses{by: map[Destination]uint16{}}
	}
	a := r.went
	n := a.by[*to]
	switch {
	case n != 0:
	case len(a.free) > 0:
		n = a.free[len(a.free)-1]
		a.free = a.free[:len(a.free)-1]
	case len(a.all) < maxAddresses:
		a.all = append(a.all, address{})
		n = uint16(len(a.all))
	default:
		if a.more == nil {
			a.more = map[uint64]*Destination{}
		}
		a.more[seq] = to
		return 0
	}
	if a.all[n-1].n == 0 {
		a.all[n-1].to = to
		a.by[*to] = n
	}
	a.all[n-1].n++
	return uint32(n) << entryAddressShift
}

// wentTo gives what address noted; nil: nothing.
func (r *ring) wentTo(seq uint64) *Destination {
	if r.went == nil {
		return nil
	}
	if e := r.at(seq); e != nil && e.flags>>entryAddressShift != 0 {
		return r.went.all[e.flags>>entryAddressShift-1].to
	}
	return r.went.more[seq]
}

// unaddress forgets an entry's.
func (r *ring) unaddress(seq uint64, flags uint32) {
	a := r.went
	if a == nil {
		return
	}
	n := flags >> entryAddressShift
	if n == 0 {
		delete(a.more, seq)
		return
	}
	if x := &a.all[n-1]; x.n > 1 {
		x.n--
	} else {
		delete(a.by, *x.to)
		*x = address{}
		a.free = append(a.free, uint16(n))
	}
	if len(a.by) == 0 && len(a.more) == 0 {
		r.went = nil
	}
}
