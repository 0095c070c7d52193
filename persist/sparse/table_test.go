package sparse

import (
	"maps"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// directoryIDs is how many ids share a directory.
const directoryIDs = PageIDs * directoryPages

// scattered draws ids of neighbouring pages, of neighbouring directories, of
// directories that want the same place and of some near it, and from far away.
func scattered(base uint64) *rapid.Generator[uint64] {
	return rapid.OneOf(
		rapid.Uint64Range(base, base+200*PageIDs),
		rapid.Custom(func(t *rapid.T) uint64 {
			return base + rapid.Uint64Range(0, 20).Draw(t, "directory")*directoryIDs + rapid.Uint64Range(0, 3).Draw(t, "page")*PageIDs
		}),
		rapid.Custom(func(t *rapid.T) uint64 {
			return base + (rapid.Uint64Range(0, 9).Draw(t, "round")*64+rapid.Uint64Range(0, 2).Draw(t, "beside"))*directoryIDs
		}),
		rapid.Custom(func(t *rapid.T) uint64 { return base + rapid.Uint64Range(0, 20).Draw(t, "far")*1e12 }),
		rapid.SampledFrom([]uint64{0, 1 << 62, 1<<63 - 1, ^uint64(0)}),
	)
}

// TestTableIsAMap: whatever order ids come and go in and however far they are
// apart, the table says what a map says, and pages and directories go with
// their last id.
func TestTableIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var table Table[int]
		model := map[uint64]int{}
		base := rapid.Uint64Range(0, 1<<40).Draw(t, "base")
		ids := scattered(base)
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
				pages, directories := map[uint64]bool{}, map[uint64]bool{}
				for id, v := range model {
					pages[id/PageIDs], directories[id/directoryIDs] = true, true
					if p := table.Find(id); p == nil || p.Slots[id%PageIDs] != v {
						t.Fatalf("id %d is lost", id)
					}
				}
				if table.Pages() != len(pages) {
					t.Fatalf("%d pages for ids of %d", table.Pages(), len(pages))
				}
				if n := len(table.directories); n < len(directories) || n > len(directories)+1 {
					t.Fatalf("%d directories for ids of %d", n, len(directories))
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

// TestIDsFarApartCostNothingForWhatIsBetween: one that stays while others come
// and go for years.
func TestIDsFarApartCostNothingForWhatIsBetween(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var table Table[uint64]
	table.At(7).Used++
	for id := uint64(1e9); id <= 1e13; id += 1e9 {
		p := table.At(id)
		p.Used++
		p.Used--
		table.Free(p)
	}
	table.At(1e13).Used++
	runtime.ReadMemStats(&after)
	// Two pages and two directories are 33 KiB; what else runs in this process has the rest.
	if n := after.TotalAlloc - before.TotalAlloc; n > 128<<10 {
		t.Errorf("%d bytes", n)
	}
	if p := table.Next(0); p != table.Find(7) || table.Next(p.Number+1) != table.Find(1e13) || table.Next(table.Find(1e13).Number+1) != nil {
		t.Error("Next finds others than the two")
	}
	if n := testing.AllocsPerRun(100, func() { table.Free(table.At(5e12)) }); n != 0 {
		t.Errorf("%v allocations for a page that comes and goes", n)
	}
}

// BenchmarkFindAcross looks by turns at the head and the tail of a backlog, and at
// an id that stayed behind.
func BenchmarkFindAcross(b *testing.B) {
	var table Table[uint64]
	ids := []uint64{5, 1e12, 1e12 + 20*directoryIDs}
	for _, id := range ids {
		table.At(id).Used++
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if table.Find(ids[i%len(ids)]) == nil {
			b.Fatal("lost")
		}
	}
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
