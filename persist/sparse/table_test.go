package sparse

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestTableIsAMap: whatever order ids come and go in, the table says what a map
// says, and pages go with their last id.
func TestTableIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var table Table[int]
		model := map[uint64]int{}
		base := rapid.Uint64Range(0, 1<<40).Draw(t, "base")
		ids := rapid.Uint64Range(base, base+200*PageIDs)
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				id, v := ids.Draw(t, "id"), rapid.IntRange(1, 1000).Draw(t, "v")
				p := table.At(id)
				if p.Slots[id%PageIDs] == 0 {
					p.Used++
				}
				p.Slots[id%PageIDs] = v
				model[id] = v
			},
			"clear": func(t *rapid.T) {
				if len(model) > 0 {
					id := rapid.SampledFrom(slices.Sorted(maps.Keys(model))).Draw(t, "old")
					p := table.Find(id)
					if p == nil {
						t.Fatalf("no page of id %d", id)
					}
					p.Slots[id%PageIDs] = 0
					if p.Used--; p.Used == 0 {
						table.Free(p)
					}
					delete(model, id)
				}
			},
			"": func(t *rapid.T) {
				pages := map[uint64]bool{}
				for id, v := range model {
					pages[id/PageIDs] = true
					if p := table.Find(id); p == nil || p.Slots[id%PageIDs] != v {
						t.Fatalf("id %d is lost", id)
					}
				}
				if table.Pages() != len(pages) {
					t.Fatalf("%d pages for ids of %d", table.Pages(), len(pages))
				}
				last, seen := uint64(0), 0
				for p := table.Next(0); p != nil; p = table.Next(p.Number + 1) {
					if !pages[p.Number] || seen > 0 && p.Number <= last {
						t.Fatalf("page %d out of order or empty", p.Number)
					}
					last = p.Number
					seen++
				}
				if seen != len(pages) {
					t.Fatalf("Next gives %d of %d pages", seen, len(pages))
				}
				if id := ids.Draw(t, "other"); model[id] == 0 {
					if p := table.Find(id); p != nil && p.Slots[id%PageIDs] != 0 {
						t.Fatalf("id %d was never there", id)
					}
				}
			},
		})
	})
}

func BenchmarkFind(b *testing.B) {
	var table Table[uint64]
	for id := range uint64(100 * PageIDs) {
		p := table.At(id)
		p.Used++
		p.Slots[id%PageIDs] = id
	}
	b.ReportAllocs()
	for id := uint64(0); b.Loop(); id = (id + 1) % (100 * PageIDs) {
		if p := table.Find(id); p.Slots[id%PageIDs] != id {
			b.Fatal("lost")
		}
	}
}
