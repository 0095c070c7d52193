package engine

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestSentIsAMap: the deliveries of a session, added in order and settled in any,
// are a map from id to delivery, across the wrap of ids.
func TestSentIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		links := []*Link{{}, {}, {}}
		var r sentRing
		next := rapid.SampledFrom([]uint32{0, ^uint32(0) - 300}).Draw(t, "first")
		model := map[uint32]sent{}
		var ids []uint32 // of the model, in order
		forget := func(id uint32) {
			delete(model, id)
			ids = slices.DeleteFunc(ids, func(i uint32) bool { return i == id })
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				for range rapid.IntRange(1, 200).Draw(t, "n") {
					if l := rapid.SampledFrom(append(links, nil)).Draw(t, "link"); l == nil {
						r.add(next, nil, 0)
					} else {
						r.add(next, l, uint64(next)+7)
						model[next] = sent{l, uint64(next) + 7}
						ids = append(ids, next)
					}
					next++
				}
			},
			"settle all but a few": func(t *rapid.T) {
				keep := rapid.IntRange(0, 3).Draw(t, "keep")
				for i, id := range slices.Clone(ids) {
					if i%50 >= keep {
						r.forget(id)
						forget(id)
					}
				}
			},
			"settle": func(t *rapid.T) {
				if len(ids) > 0 {
					id := rapid.SampledFrom(ids).Draw(t, "id")
					r.forget(id)
					r.forget(id) // twice is once
					forget(id)
				}
			},
			"drop": func(t *rapid.T) {
				l := rapid.SampledFrom(links).Draw(t, "link")
				r.drop(l)
				for _, id := range slices.Clone(ids) {
					if model[id].link == l {
						forget(id)
					}
				}
			},
			"": func(t *rapid.T) {
				for _, id := range ids {
					if e := r.get(id); e == nil || *e != model[id] {
						t.Fatalf("delivery %d is %+v, want %+v", id, e, model[id])
					}
				}
				if e := r.get(next); e != nil && e.link != nil {
					t.Fatalf("delivery %d is there, and was not sent", next)
				}
				live := 0
				if len(ids) > 0 {
					first, last := ids[0], ids[len(ids)-1]
					for i, to := r.astray(first, last); i < to; i++ {
						if r.strays[i].link != nil {
							live++
						}
					}
					if from, to, ok := r.within(first, last); ok {
						for id := from; ; id++ {
							if r.get(id).link != nil {
								live++
							}
							if id == to {
								break
							}
						}
					}
				}
				if live != len(ids) {
					t.Fatalf("%d of %d deliveries are in the range of all", live, len(ids))
				}
			},
		})
	})
}

// TestAnUnsettledDeliveryPinsNoOthers: a peer that never settles one of its
// deliveries costs its session no memory for those that it settles.
func TestAnUnsettledDeliveryPinsNoOthers(t *testing.T) {
	var r sentRing
	l := &Link{}
	r.add(0, l, 1)
	for id := uint32(1); id < 1_000_000; id++ {
		r.add(id, l, 1)
		if id >= 10 {
			r.forget(id - 9)
		}
		if id%50_000 == 0 {
			r.add(id+1, l, 1) // and one more every now and then
			id++
		}
	}
	if len(r.ring) > 4*firstRing || len(r.strays) > 100 {
		t.Errorf("after a million deliveries, of which some twenty are not settled, there is room for %d and %d", len(r.ring), len(r.strays))
	}
	if e := r.get(0); e == nil || e.link != l {
		t.Error("the first delivery is forgotten")
	}
}
