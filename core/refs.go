package core

const refPage = 1024

// refs counts who holds a message id: entries and dispatched deliveries. It is
// an array over the live range of ids, in pages, so that one old id costs a
// page and not the range.
type refs struct {
	base  uint64 // first id of pages[0]
	pages []*refsPage
	spare *refsPage // all zero
}

type refsPage struct {
	n    [refPage]int32
	live int
}

func (r *refs) page(id uint64) (*refsPage, uint64) {
	if len(r.pages) == 0 {
		r.base = id - id%refPage
	}
	if id < r.base { // recovery meets ids out of order, perhaps by a year
		first := id - id%refPage
		r.pages = append(make([]*refsPage, (r.base-first)/refPage), r.pages...)
		r.base = first
	}
	if n := len(r.pages); id >= r.base+uint64(n)*refPage && n > 0 {
		r.retire(n - 1)
	}
	if len(r.pages) == 0 {
		r.base = id - id%refPage
	}
	i := (id - r.base) / refPage
	for uint64(len(r.pages)) <= i {
		r.pages = append(r.pages, nil)
	}
	if r.pages[i] == nil {
		r.pages[i], r.spare = r.spare, nil
		if r.pages[i] == nil {
			r.pages[i] = new(refsPage)
		}
	}
	return r.pages[i], id % refPage
}

// retire drops a page that holds nothing, and what is empty at the front.
func (r *refs) retire(i int) {
	if p := r.pages[i]; p != nil && p.live == 0 {
		r.pages[i], r.spare = nil, p
	}
	n := 0
	for n < len(r.pages) && r.pages[n] == nil {
		n++
	}
	r.pages = dropFront(r.pages, n)
	r.base += uint64(n) * refPage
}

func (r *refs) add(id uint64, n int32) {
	p, i := r.page(id)
	if p.n[i] == 0 {
		p.live++
	}
	p.n[i] += n
}

// drop says whether that was the last holder.
func (r *refs) drop(id uint64) bool {
	p, i := r.page(id)
	p.n[i]--
	if p.n[i] > 0 {
		return false
	}
	if p.n[i] < 0 {
		panic("core: message released twice")
	}
	p.live--
	if at := int((id - r.base) / refPage); p.live == 0 && at < len(r.pages)-1 {
		r.retire(at) // the last page is still being filled
	}
	return true
}

func (r *refs) each(visit func(id uint64) bool) {
	for pi, p := range r.pages {
		if p == nil {
			continue
		}
		for i, n := range p.n {
			if n > 0 && !visit(r.base+uint64(pi)*refPage+uint64(i)) {
				return
			}
		}
	}
}
