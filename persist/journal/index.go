package journal

import (
	"slices"

	"github.com/tidegate/tidegate/persist/sparse"
)

// index knows for each live stored id where its body is and in which segments
// it has records. An id without records yet is there too, so that one released
// before it was written is told from one not seen.
type index struct {
	table sparse.Table[entry]
	extra map[uint64][]uint64 // id: further segments with records of it
	count int
}

// entry packs one id: the offset of its body in 8 bytes, the ordinal of its
// home (the segment of its body, or of its first placement), and what it is.
type entry uint64

const (
	offBits      = 32
	homeBits     = 28
	homeMask     = 1<<homeBits - 1
	offMask      = 1<<offBits - 1
	hasBody      = entry(1) << 60
	hasExtra     = entry(1) << 61
	isKept       = entry(1) << 62
	isPresent    = entry(1) << 63
	maxOrdinal   = homeMask
	maxCapacity  = int64(offMask) * 8
	bodyAndExtra = hasBody | hasExtra
)

func (e entry) home() uint64 { return uint64(e>>offBits) & homeMask }
func (e entry) off() int64   { return int64(e&offMask) * 8 }

func (x *index) slot(id uint64) *entry {
	p := x.table.Find(id)
	if p == nil {
		return nil
	}
	return &p.Slots[id%sparse.PageIDs]
}

func (x *index) register(id uint64) *entry {
	p := x.table.At(id)
	e := &p.Slots[id%sparse.PageIDs]
	if *e == 0 {
		*e = isPresent
		p.Used++
		x.count++
	}
	return e
}

func (x *index) present(id uint64) bool {
	e := x.slot(id)
	return e != nil && *e != 0
}

func (x *index) body(id uint64) (ordinal uint64, off int64, ok bool) {
	e := x.slot(id)
	if e == nil || *e&hasBody == 0 {
		return 0, 0, false
	}
	return e.home(), e.off(), true
}

// refer notes that s has a record of id. Of an id that is not there (released
// already) it notes nothing.
func (x *index) refer(id uint64, s *segment) {
	e := x.slot(id)
	if e == nil || *e == 0 {
		return
	}
	x.referEntry(e, id, s)
}

func (x *index) referEntry(e *entry, id uint64, s *segment) {
	switch e.home() {
	case s.ordinal:
		return
	case 0:
		*e |= entry(s.ordinal) << offBits
		s.live++
		return
	}
	for _, o := range x.extra[id] {
		if o == s.ordinal {
			return
		}
	}
	if x.extra == nil {
		x.extra = map[uint64][]uint64{}
	}
	x.extra[id] = append(x.extra[id], s.ordinal)
	*e |= hasExtra
	s.live++
}

// place notes that the body of id stands in s at off.
func (x *index) place(id uint64, s *segment, off int64) {
	e := x.slot(id)
	if e == nil || *e == 0 {
		return
	}
	x.referEntry(e, id, s)
	if home := e.home(); home != s.ordinal {
		others := x.extra[id]
		for i, o := range others {
			if o == s.ordinal {
				others[i] = home
			}
		}
	}
	*e = *e&^(homeMask<<offBits|offMask) | entry(s.ordinal)<<offBits | entry(off/8) | hasBody
}

// refers says whether s is known to have a record of id.
func (x *index) refers(id uint64, s *segment) bool {
	e := x.slot(id)
	if e == nil || *e == 0 {
		return false
	}
	return e.home() == s.ordinal || slices.Contains(x.extra[id], s.ordinal)
}

// move notes that a record of id stands in to, no longer in from: its body, at
// off, or another. All that from has of an id moves to the same file; of body
// and others the order does not matter.
func (x *index) move(id uint64, from, to *segment, off int64, body bool) {
	e := x.slot(id)
	if e == nil || *e == 0 {
		return
	}
	switch others := x.extra[id]; {
	case e.home() == from.ordinal:
		if !body && *e&hasBody != 0 {
			return // its body, which is why this is its home, brings it along
		}
		*e = *e&^(homeMask<<offBits|offMask) | entry(to.ordinal)<<offBits | entry(off/8)
		if !body {
			*e &^= offMask
		}
		if i := slices.Index(others, to.ordinal); i >= 0 {
			x.setExtra(e, id, slices.Delete(others, i, i+1))
		} else {
			to.live++
		}
	case slices.Contains(others, from.ordinal):
		i := slices.Index(others, from.ordinal)
		if e.home() == to.ordinal || slices.Contains(others, to.ordinal) {
			x.setExtra(e, id, slices.Delete(others, i, i+1))
		} else {
			others[i] = to.ordinal
			to.live++
		}
	default:
		return
	}
	from.live--
}

func (x *index) setExtra(e *entry, id uint64, others []uint64) {
	if len(others) > 0 {
		x.extra[id] = others
		return
	}
	delete(x.extra, id)
	*e &^= hasExtra
}

// drop forgets an id.
func (x *index) drop(segs *segments, id uint64) {
	p := x.table.Find(id)
	if p == nil {
		return
	}
	e := &p.Slots[id%sparse.PageIDs]
	if *e == 0 {
		return
	}
	if s := segs.get(e.home()); s != nil {
		s.live--
	}
	if *e&hasExtra != 0 {
		for _, o := range x.extra[id] {
			if s := segs.get(o); s != nil {
				s.live--
			}
		}
		delete(x.extra, id)
	}
	*e = 0
	x.count--
	if p.Used--; p.Used == 0 {
		x.table.Free(p)
	}
}

func (x *index) keep(id uint64) {
	if e := x.slot(id); e != nil && *e != 0 {
		*e |= isKept
	}
}

// sweep drops what was not kept.
func (x *index) sweep(segs *segments) {
	for p := x.table.Next(0); p != nil; p = x.table.Next(p.Number + 1) {
		for i := range p.Slots {
			switch e := &p.Slots[i]; {
			case *e&isKept != 0:
				*e &^= isKept
			case *e != 0:
				x.drop(segs, p.Number*sparse.PageIDs+uint64(i))
			}
		}
	}
}

// dying are ids released by records that are not yet synced, oldest first.
type dying struct {
	batches []batch
	ids     []uint64
	batchAt int // batches and ids before these are gone
	idAt    int
}

type batch struct {
	after uint64
	n     int
}

func (d *dying) push(after uint64, ids []uint64) {
	if len(ids) == 0 {
		return
	}
	d.ids = append(d.ids, ids...)
	if k := len(d.batches); k > d.batchAt && d.batches[k-1].after >= after {
		// Waiting a little longer than needed keeps the order simple.
		d.batches[k-1].n += len(ids)
		return
	}
	d.batches = append(d.batches, batch{after, len(ids)})
}

// pop gives the oldest batch if it need not wait any longer; it is valid until
// the next push.
func (d *dying) pop(synced uint64) ([]uint64, bool) {
	if d.batchAt == len(d.batches) || d.batches[d.batchAt].after > synced {
		d.compact()
		return nil, false
	}
	n := d.batches[d.batchAt].n
	ids := d.ids[d.idAt : d.idAt+n]
	d.batchAt++
	d.idAt += n
	return ids, true
}

// compact moves what waits to the front when that is less than what went, so
// that memory is reused and the moves cost O(1) an id.
func (d *dying) compact() {
	if d.idAt*2 >= len(d.ids) {
		d.ids = d.ids[:copy(d.ids, d.ids[d.idAt:])]
		d.idAt = 0
	}
	if d.batchAt*2 >= len(d.batches) {
		d.batches = d.batches[:copy(d.batches, d.batches[d.batchAt:])]
		d.batchAt = 0
	}
}
