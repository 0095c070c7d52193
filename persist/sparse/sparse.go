// Package sparse is an array over ids that only grow, of which old ones may
// stay: pages of slots behind directories of pages. Finding an id costs three
// loads, an old id that stays does not keep the slots of those that went, and
// ids that lie apart cost nothing for what is between them.
package sparse

import (
	"cmp"
	"slices"
)

// PageIDs is how many ids share a page.
const PageIDs = 1024

// directoryPages is how many pages share a directory: a million ids in 8 KiB,
// as much as a page of the smallest slots, so that an id that lives alone costs
// little.
const directoryPages = 1024

// Page is the slots of PageIDs successive ids.
type Page[T any] struct {
	Number uint64 // id / PageIDs
	Used   int    // slots in use, counted by the table's owner
	Live   int64  // the owner's: of what was ever put into it since it was empty, what is there
	Ever   int64
	Slots  [PageIDs]T
}

// directory is the pages of successive numbers.
type directory[T any] struct {
	number uint64 // page number / directoryPages
	used   int    // pages that exist
	pages  [directoryPages]*Page[T]
}

// Table finds pages by id. Any id may be in it, and any two may be as far apart
// as they like. The zero value is empty. The owner counts the slots in use
// (Page.Used) and calls Free when it is 0.
type Table[T any] struct {
	places      []place[T]      // a power of two long, at most half of it taken
	directories []*directory[T] // those in places, by number; the last may be empty
	pages       int

	// Empty ones for reuse.
	freePages       []*Page[T]
	freeDirectories []*directory[T]
}

// place is where a directory is found: at its number modulo the length, or in
// the first place behind that is free. Those of one backlog follow each other
// and each has its own.
type place[T any] struct {
	key uint64 // number + 1, for one load less than looking into the directory; 0: free
	*directory[T]
}

// How many empty ones are kept for reuse.
const (
	maxFreePages       = 64
	maxFreeDirectories = 4
)

// Pages is how many pages exist.
func (t *Table[T]) Pages() int { return t.pages }

// Find returns the page of id, or nil. (Small enough to be inlined.)
func (t *Table[T]) Find(id uint64) *Page[T] {
	n := id / PageIDs
	for i := n / directoryPages; t.pages > 0; i++ {
		p := &t.places[i&uint64(len(t.places)-1)]
		if p.key == n/directoryPages+1 {
			return p.pages[n%directoryPages]
		}
		if p.key == 0 {
			break
		}
	}
	return nil
}

// At returns the page of id and makes it if there is none.
func (t *Table[T]) At(id uint64) *Page[T] {
	n := id / PageIDs
	d := t.directory(n / directoryPages)
	if d == nil {
		d = t.addDirectory(n / directoryPages)
	}
	p := d.pages[n%directoryPages]
	if p != nil {
		return p
	}
	if k := len(t.freePages); k > 0 {
		p, t.freePages = t.freePages[k-1], t.freePages[:k-1]
	} else {
		p = new(Page[T])
	}
	p.Number, p.Used = n, 0
	d.pages[n%directoryPages] = p
	d.used++
	t.pages++
	return p
}

// directory gives the directory of a number, or nil.
func (t *Table[T]) directory(number uint64) *directory[T] {
	if len(t.places) == 0 {
		return nil
	}
	return t.places[t.place(number)].directory
}

// place is where a directory stands, or would.
func (t *Table[T]) place(number uint64) uint64 {
	mask := uint64(len(t.places) - 1)
	i := number & mask
	for t.places[i].key != 0 && t.places[i].key != number+1 {
		i = (i + 1) & mask
	}
	return i
}

// search gives the index of a directory, or that at which it would stand.
func (t *Table[T]) search(number uint64) (int, bool) {
	return slices.BinarySearchFunc(t.directories, number, func(d *directory[T], n uint64) int { return cmp.Compare(d.number, n) })
}

func (t *Table[T]) addDirectory(number uint64) *directory[T] {
	if last := len(t.directories) - 1; last >= 0 && t.directories[last].used == 0 {
		t.removeDirectory(last)
	}
	var d *directory[T]
	if k := len(t.freeDirectories); k > 0 {
		d, t.freeDirectories = t.freeDirectories[k-1], t.freeDirectories[:k-1]
	} else {
		d = new(directory[T])
	}
	d.number = number
	i, _ := t.search(number)
	t.directories = slices.Insert(t.directories, i, d)
	if 2*len(t.directories) > len(t.places) {
		t.places = make([]place[T], max(8, 2*len(t.places)))
		for _, each := range t.directories {
			t.places[t.place(each.number)] = place[T]{each.number + 1, each}
		}
	} else {
		t.places[t.place(number)] = place[T]{number + 1, d}
	}
	return d
}

// removeDirectory takes an empty one out; what was found behind its place moves
// up, so that no free place comes before it.
func (t *Table[T]) removeDirectory(index int) {
	d := t.directories[index]
	t.directories = slices.Delete(t.directories, index, index+1)
	if len(t.freeDirectories) < maxFreeDirectories {
		t.freeDirectories = append(t.freeDirectories, d)
	}
	mask := uint64(len(t.places) - 1)
	free := t.place(d.number)
	for i := (free + 1) & mask; t.places[i].key != 0; i = (i + 1) & mask {
		if from := t.places[i].number & mask; (i-from)&mask >= (i-free)&mask {
			t.places[free], free = t.places[i], i
		}
	}
	t.places[free] = place[T]{}
}

// Free gives an unused page back; its slots must be zero.
func (t *Table[T]) Free(p *Page[T]) {
	d := t.directory(p.Number / directoryPages)
	d.pages[p.Number%directoryPages] = nil
	d.used--
	t.pages--
	if len(t.freePages) < maxFreePages {
		t.freePages = append(t.freePages, p)
	}
	// The last one stays: the next id goes into it, and where every message is
	// consumed at once its page comes and goes with each.
	if d.used == 0 && d != t.directories[len(t.directories)-1] {
		i, _ := t.search(d.number)
		t.removeDirectory(i)
	}
}

// Next returns the first page whose number is at least n, or nil.
func (t *Table[T]) Next(n uint64) *Page[T] {
	i, ok := t.search(n / directoryPages)
	from := n % directoryPages
	if !ok {
		from = 0
	}
	for ; i < len(t.directories); i++ {
		d := t.directories[i]
		if d.used > 0 {
			for _, p := range d.pages[from:] {
				if p != nil {
					return p
				}
			}
		}
		from = 0
	}
	return nil
}
