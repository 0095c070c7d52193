package journal

import "testing"

// TestASpillFileDoesNotFollowASegment: the segment before one that is not durable
// yet must stay, or a power loss leaves a log without an end to begin behind.
func TestASpillFileDoesNotFollowASegment(t *testing.T) {
	j := newJournal(Config{})
	old, next := &segment{ordinal: 3, sealed: true}, &segment{ordinal: 5}
	j.segs.add(old)
	j.segs.addSpill(&segment{ordinal: 4, named: true, spill: &spillInfo{}})
	if j.segs.after(old) != nil || j.nextNamed(old) {
		t.Error("a spill file is taken for the log's")
	}
	j.segs.add(next)
	if j.segs.after(old) != next || j.nextNamed(old) {
		t.Error("the successor is not found, or counts before it is durable")
	}
	next.named = true
	if !j.nextNamed(old) {
		t.Error("the durable successor does not count")
	}
}
