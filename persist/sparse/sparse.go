// Package sparse is an array over the live range of ids that only grow: pages
// of slots behind a ring of pages, so that finding an id costs two loads and an
// old id that stays does not keep the slots of those that went.
package sparse

import "fmt"

// PageIDs is how many ids share a page.
const PageIDs = 1024

// MaxPages bounds the range between the lowest and the highest id that lives
// (6.9e10 ids): beyond it the ids are not ones that were given out in order.
const MaxPages = 1 << 26

// Page is the slots of PageIDs successive ids.
type Page[T any] struct {
	Number uint64 // id / PageIDs
	Used   int    // slots in use, counted by the table's owner
	Live   int64  // the owner's: of what was ever put into it since it was empty, what is there
	Ever   int64
	Slots  [PageIDs]T
}

// Table finds pages by id. The zero value is empty. The owner counts the slots
// in use (Page.Used) and calls Free when it is 0.
type Table[T any] struct {
	ring  []*Page[T] // a power of two long; page n at n & (len-1)
	first uint64     // lowest page number in the ring
	end   uint64     // one past the highest
	free  []*Page[T]
	pages int
}

// maxFree is how many empty pages are kept for reuse.
const maxFree = 64

// Pages is how many pages exist.
func (t *Table[T]) Pages() int { return t.pages }

// Find returns the page of id, or nil.
func (t *Table[T]) Find(id uint64) *Page[T] {
	n := id / PageIDs
	if n < t.first || n >= t.end {
		return nil
	}
	return t.ring[n&uint64(len(t.ring)-1)]
}

// At returns the page of id and makes it if there is none.
func (t *Table[T]) At(id uint64) *Page[T] {
	n := id / PageIDs
	if n >= t.first && n < t.end {
		if p := t.ring[n&uint64(len(t.ring)-1)]; p != nil {
			return p
		}
	}
	return t.add(n)
}

func (t *Table[T]) add(n uint64) *Page[T] {
	switch {
	case t.first == t.end:
		t.first, t.end = n, n+1
	case n < t.first:
		t.reach(n, t.end)
	case n >= t.end:
		t.reach(t.first, n+1)
	}
	if len(t.ring) == 0 {
		t.ring = make([]*Page[T], 8)
	}
	var p *Page[T]
	if k := len(t.free); k > 0 {
		p, t.free = t.free[k-1], t.free[:k-1]
	} else {
		p = new(Page[T])
	}
	p.Number, p.Used = n, 0
	t.ring[n&uint64(len(t.ring)-1)] = p
	t.pages++
	return p
}

// reach makes the ring cover the pages from first to before end.
func (t *Table[T]) reach(first, end uint64) {
	if end-first > MaxPages {
		panic(fmt.Sprintf("sparse: ids from %d to %d are not of one range", first*PageIDs, end*PageIDs))
	}
	if size := uint64(len(t.ring)); end-first > size {
		for size < end-first {
			size = max(8, size*2)
		}
		ring := make([]*Page[T], size)
		for n := t.first; n < t.end; n++ {
			ring[n&(size-1)] = t.ring[n&uint64(len(t.ring)-1)]
		}
		t.ring = ring
	}
	t.first, t.end = first, end
}

// Free gives an unused page back; its slots must be zero.
func (t *Table[T]) Free(p *Page[T]) {
	t.ring[p.Number&uint64(len(t.ring)-1)] = nil
	t.pages--
	if len(t.free) < maxFree {
		t.free = append(t.free, p)
	}
	for t.first < t.end && t.ring[t.first&uint64(len(t.ring)-1)] == nil {
		t.first++
	}
	for t.end > t.first && t.ring[(t.end-1)&uint64(len(t.ring)-1)] == nil {
		t.end--
	}
}

// Next returns the first page whose number is at least n, or nil.
func (t *Table[T]) Next(n uint64) *Page[T] {
	for n = max(n, t.first); n < t.end; n++ {
		if p := t.ring[n&uint64(len(t.ring)-1)]; p != nil {
			return p
		}
	}
	return nil
}
