package core

import "github.com/tidegate/tidegate/persist/sparse"

// refs counts who holds a message id: entries and dispatched deliveries. An old id costs
// a page and not what is between it and the newest, however far they are apart.
type refs struct {
	counts sparse.Table[int32]
	last   *sparse.Page[int32] // of the highest id seen: kept when empty, it is still being filled
}

func (r *refs) add(id uint64, n int32) {
	p := r.counts.At(id)
	if p != r.last && (r.last == nil || p.Number > r.last.Number) {
		if r.last != nil && r.last.Used == 0 {
			r.counts.Free(r.last)
		}
		r.last = p
	}
	i := id % sparse.PageIDs
	if p.Slots[i] == 0 {
		p.Used++
	}
	p.Slots[i] += n
}

// drop says whether that was the last holder.
func (r *refs) drop(id uint64) bool {
	p, i := r.counts.Find(id), id%sparse.PageIDs
	if p == nil || p.Slots[i] <= 0 {
		panic("core: message released twice")
	}
	if p.Slots[i]--; p.Slots[i] > 0 {
		return false
	}
	if p.Used--; p.Used == 0 && p != r.last {
		r.counts.Free(p)
	}
	return true
}

func (r *refs) each(visit func(id uint64) bool) {
	for p := r.counts.Next(0); p != nil; p = r.counts.Next(p.Number + 1) {
		for i, n := range p.Slots {
			if n > 0 && !visit(p.Number*sparse.PageIDs+uint64(i)) {
				return
			}
		}
	}
}
