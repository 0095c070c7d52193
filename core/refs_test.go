package core

import (
	"maps"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestRefsCountHowFarApartIDsMayBe: whoever holds an id counts, and the last one that lets
// go is told so, whatever order ids come and go in.
func TestRefsCountHowFarApartIDsMayBe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r refs
		model := map[uint64]int{}
		ids := rapid.Custom(func(t *rapid.T) uint64 {
			return rapid.SampledFrom([]uint64{1, 1e11, 1e13, 1<<62 - 3000}).Draw(t, "era") + rapid.Uint64Range(0, 2500).Draw(t, "id")
		})
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				id := ids.Draw(t, "id")
				r.add(id, 1)
				model[id]++
			},
			"drop": func(t *rapid.T) {
				if len(model) == 0 {
					return
				}
				id := rapid.SampledFrom(slices.Sorted(maps.Keys(model))).Draw(t, "held")
				if model[id]--; model[id] == 0 {
					delete(model, id)
				}
				if last := r.drop(id); last != (model[id] == 0) {
					t.Fatalf("%d has %d holders more, and that was the last: %v", id, model[id], last)
				}
			},
			"": func(t *rapid.T) {
				if live := slices.Collect(r.each); !slices.Equal(live, slices.Sorted(maps.Keys(model))) {
					t.Fatalf("%d live, not %v", live, model)
				}
				pages := map[uint64]bool{}
				for id := range model { // order: irrelevant
					pages[id/1024] = true
				}
				if n := r.counts.Pages(); n > len(pages)+1 {
					t.Fatalf("%d pages for the ids of %d", n, len(pages))
				}
			},
		})
	})
}

// TestAMessageThatStaysKeepsOnePageOfCounts: also where a recovery meets it behind
// all that came later.
func TestAMessageThatStaysKeepsOnePageOfCounts(t *testing.T) {
	var before, after runtime.MemStats
	for _, first := range []uint64{1, 1e13} {
		runtime.ReadMemStats(&before)
		var r refs
		r.add(first, 1)
		for id := uint64(1e10); id < 1e12; id += 1e8 {
			r.add(id, 1)
			r.drop(id)
		}
		r.add(1e13+1-first, 1)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 256<<10 {
			t.Errorf("from %d: %d bytes", first, n)
		}
	}
}
