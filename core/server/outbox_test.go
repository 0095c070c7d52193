package server

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/core"
)

func tags(outs []core.Out) (t []uint64) {
	for i := range outs {
		t = append(t, outs[i].Tag)
	}
	return t
}

func TestOutboxPassesOnlyOtherLinks(t *testing.T) {
	var x outbox
	push := func(o core.Out) bool { return x.push(&o, 5, 5) }
	push(core.Out{Tag: 1, Consumer: 1, After: 9, Need: core.Sync})
	if push(core.Out{Tag: 2, Consumer: 1}) {
		t.Error("an out passed one before it on its link")
	}
	if !push(core.Out{Tag: 3, Consumer: 2, After: 5, Need: core.Sync}) {
		t.Error("an open out waits for another link")
	}
	if push(core.Out{Tag: 4, Consumer: 3, Barrier: true}) {
		t.Error("a barrier passed")
	}
	if x.release(9, 8) {
		t.Error("released before its position is synced")
	}
	if !x.release(9, 9) || !slices.Equal(tags(x.ready), []uint64{3, 1, 2, 4}) {
		t.Errorf("ready %v", tags(x.ready))
	}
	if len(x.links) != 0 || len(x.waiting) != 0 {
		t.Errorf("left over: links %v, waiting %d", x.links, len(x.waiting))
	}
}

// TestOutboxKeepsItsRules: nothing leaves before its record, in another order
// than its link's, or ahead of what a barrier waits for; and all leaves at last.
func TestOutboxKeepsItsRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x outbox
		var written, synced core.Pos
		var pushed []core.Out
		left := map[uint64]bool{}
		seen := 0
		look := func() {
			for ; seen < len(x.ready); seen++ {
				o := x.ready[seen]
				was := pushed[o.Tag-1]
				if !open(&was, written, synced) {
					t.Fatalf("out %d left before its record", o.Tag)
				}
				for _, before := range pushed[:o.Tag-1] {
					if !left[before.Tag] && (was.Barrier || linkOf(&before) == linkOf(&was)) {
						t.Fatalf("out %d left before out %d", o.Tag, before.Tag)
					}
				}
				left[o.Tag] = true
			}
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "push") {
				o := core.Out{
					Tag: uint64(len(pushed) + 1), Consumer: core.ConsumerID(rapid.IntRange(1, 3).Draw(t, "link")),
					Barrier: rapid.IntRange(0, 5).Draw(t, "barrier") == 0, Need: core.Need(rapid.IntRange(0, 2).Draw(t, "need")),
				}
				if o.Need != core.Ride {
					o.After = core.Pos(rapid.IntRange(0, 30).Draw(t, "after"))
				}
				pushed = append(pushed, o)
				x.push(&o, written, synced)
			} else {
				written += core.Pos(rapid.IntRange(0, 5).Draw(t, "written"))
				synced = max(synced, core.Pos(rapid.Uint64Range(0, uint64(written)).Draw(t, "synced")))
				x.release(written, synced)
			}
			look()
		}
		written, synced = 100, 100
		x.release(written, synced)
		look()
		if len(left) != len(pushed) || len(x.links) != 0 {
			t.Fatalf("%d of %d left, links %v", len(left), len(pushed), x.links)
		}
	})
}
