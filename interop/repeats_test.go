package interop

import (
	"testing"
	"testing/synctest"
)

// TestImportOnceInABatch: copies that come while the first one still waits here are
// confirmed and not taken.
func TestImportOnceInABatch(t *testing.T) {
	rigged(t, func(g *rig) {
		g.manager.Apply([]Spec{certified(func(s *Spec) { s.Imports = []Destination{queue("q.*")} })})
		synctest.Wait()
		tags := g.outside.deliver(
			text(queue("q.a"), "2", 2), text(queue("q.a"), "3", 3), text(queue("q.a"), "2", 2), text(queue("q.a"), "1", 1), text(queue("q.a"), "3", 3))
		synctest.Wait()
		for _, tag := range tags {
			if g.outside.outcome(tag) != Taken {
				t.Fatalf("message %d was not confirmed", tag)
			}
		}
		equal(t, "q.a", g.texts("q.a"), []string{"2", "3", "1"})
		equal(t, "duplicates", g.status("T").Counts.Duplicates, uint64(2))
	})
}
