package journal_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/persist/journal"
	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// rest runs all lanes but one until they have nothing to do.
func (s *script) rest(t testing.TB, but journal.Lane) {
	t.Helper()
	for busy, n := true, 0; busy; n++ {
		busy = false
		for l := journal.Setup; l <= journal.SpillLane; l++ {
			busy = l != but && (disk{s.mem}).step(s.j, l) || busy
		}
		if n > 100000 {
			t.Fatal("the journal never comes to rest")
		}
	}
}

// backlog is a store whose log is over its budget: of the messages in its oldest
// segments one in five lives. Nothing has spilled yet.
func backlog(t testing.TB) *script {
	t.Helper()
	s := newScript(t)
	s.more(t, 1, 120)
	s.saved(t, 1)
	s.saved(t, 2)
	return s
}

// more sends messages of three groups and removes four of five.
func (s *script) more(t testing.TB, from, to uint64) {
	t.Helper()
	for id := from; id <= to; id++ {
		s.send(id)
		if id%5 != 0 {
			s.remove(id)
		}
		if id%7 == 0 {
			s.rest(t, journal.SpillLane)
			s.j.Tick()
			s.rest(t, journal.SpillLane)
		}
	}
	s.rest(t, journal.SpillLane)
}

func (s *script) saved(t testing.TB, keys ...uint64) {
	t.Helper()
	c := s.j.BeginCheckpoint()
	for _, key := range keys {
		c.Add(key, s.j.Last(), []record.Record{{Kind: kindCheck, Head: fmt.Appendf(nil, "%d %d", key, s.j.Last())}})
	}
	if err := c.Finish(disk{s.mem}); err != nil {
		t.Fatal(err)
	}
	s.j.Save(c)
	s.rest(t, journal.SpillLane)
}

var errCut = errors.New("the machine stops here")

// crashes runs what the lanes of spilling and tidying have to do, and at every
// operation and in the middle of each lets the process die and the power fail:
// the next start has every live message once, in order, with its body.
func (s *script) crashes(t *testing.T) (ops []string) {
	t.Helper()
	for {
		idle := true
		for _, lane := range []journal.Lane{journal.SpillLane, journal.HouseLane} {
			op, ok := s.j.Next(lane)
			if !ok {
				continue
			}
			idle = false
			ops = append(ops, op.String())
			s.starts(t, fmt.Sprintf("before %d, %s", len(ops), op))
			for _, sync := range []string{"sync", "syncdir"} {
				torn := &script{mem: s.mem.Kill(), log: s.log, live: s.live}
				_ = disk{vfs.Inject(torn.mem, func(c vfs.Call) error {
					if c.Op == sync {
						return errCut
					}
					return nil
				})}.run(op)
				torn.starts(t, fmt.Sprintf("before the %s of %d, %s", sync, len(ops), op))
			}
			s.j.Done(op, disk{s.mem}.run(op))
			if err := s.j.Err(); err != nil {
				t.Fatal(err)
			}
		}
		if idle {
			s.starts(t, "at the end")
			return ops
		}
	}
}

// starts opens what a crash leaves and checks it.
func (s *script) starts(t *testing.T, when string) {
	t.Helper()
	images := []*vfs.Mem{s.mem.Kill()}
	for seed := range uint64(12) {
		images = append(images, s.mem.PowerLoss(seed))
	}
	for i, mem := range images {
		j, found, got, err := reopen(mem, s.live)
		if err != nil {
			t.Fatalf("%s, image %d: %v", when, i, err)
		}
		if found.Last != uint64(len(s.log)) {
			t.Fatalf("%s, image %d: recovered up to %d of %d", when, i, found.Last, len(s.log))
		}
		placed, last := map[uint64]bool{}, uint64(0)
		for _, line := range got {
			var pos, id uint64
			var kind record.Kind
			if n, _ := fmt.Sscanf(line, "%d %v [%d]", &pos, &kind, &id); n < 3 {
				continue
			}
			if pos <= last {
				t.Fatalf("%s, image %d: record %d after %d", when, i, pos, last)
			}
			placed[id], last = true, pos
		}
		for id := range s.live { // order: irrelevant
			if !placed[id] {
				t.Fatalf("%s, image %d: message %d is not placed", when, i, id)
			}
		}
		if n := s.bodies(t, j, mem); n > 0 || t.Failed() {
			t.Fatalf("%s, image %d: %d bodies cannot be read", when, i, n)
		}
		(disk{mem}).settle(t, j) // and it goes on from there: house, merges, spills
		if n := s.bodies(t, j, mem); n > 0 || t.Failed() {
			t.Fatalf("%s, image %d, later: %d bodies cannot be read", when, i, n)
		}
	}
}

func containsPrefix(ops []string, parts ...string) bool {
	return slices.ContainsFunc(ops, func(op string) bool {
		for _, p := range parts {
			if !strings.Contains(op, p) {
				return false
			}
		}
		return true
	})
}

// TestCrashesAtEveryOperationOfASpillPass: the segments go only after the file
// has its name for good.
func TestCrashesAtEveryOperationOfASpillPass(t *testing.T) {
	s := backlog(t)
	before := s.j.Stats()
	ops := s.crashes(t)
	st := s.j.Stats()
	if st.SpillPasses == 0 || st.SpillFiles == 0 || !containsPrefix(ops, "rename spilling-", "to spill-") || !containsPrefix(ops, "rename log-", "to spare-") {
		t.Fatalf("nothing spilled: %+v, %q", st, ops)
	}
	if st.LogBytes > scriptConfig.LogBytes || st.LogBytes >= before.LogBytes {
		t.Errorf("the log has %d bytes, before %d, the budget is %d", st.LogBytes, before.LogBytes, scriptConfig.LogBytes)
	}
}

// TestCrashesAtEveryOperationOfAMerge: spill files of which little lives become
// one, and go.
func TestCrashesAtEveryOperationOfAMerge(t *testing.T) {
	s := backlog(t)
	s.settle(t)
	s.more(t, 121, 240)
	s.saved(t, 1)
	s.saved(t, 2)
	s.settle(t)
	files := s.j.Stats().SpillFiles
	for _, id := range slices.Sorted(maps.Keys(s.live)) {
		if id%4 != 0 {
			s.remove(id)
		}
	}
	s.rest(t, journal.SpillLane)
	s.saved(t, 1)
	s.saved(t, 2)
	s.saved(t, 1)
	ops := s.crashes(t)
	st := s.j.Stats()
	if st.SpillMerges == 0 || st.SpillFiles >= files || !containsPrefix(ops, "remove spill-") {
		t.Fatalf("nothing merged: %d files before, %+v, %q", files, st, ops)
	}
}

// TestEveryFailingCallOfASpillPassIsHarmless: whatever fails, nothing that lives
// is lost, and a full disk does not stop the log.
func TestEveryFailingCallOfASpillPassIsHarmless(t *testing.T) {
	for _, fail := range []error{errors.New("input/output error"), vfs.ErrNoSpace} {
		calls := 0
		for n := 0; ; n++ {
			s, count := backlog(t), 0
			faulty := disk{vfs.Inject(s.mem, func(c vfs.Call) error {
				if count++; count == n+1 && (fail != vfs.ErrNoSpace || c.Op == "write" || c.Op == "preallocate" || c.Op == "create") {
					return fail
				}
				return nil
			})}
			for faulty.step(s.j, journal.SpillLane) || faulty.step(s.j, journal.HouseLane) {
			}
			if err := s.j.Err(); err != nil && fail == vfs.ErrNoSpace {
				t.Fatalf("call %d: a full disk stops the log: %v", n, err)
			}
			s.starts(t, fmt.Sprintf("call %d failed with %v", n, fail))
			if count <= n {
				break
			}
			calls++
		}
		t.Logf("%d calls failed with %v, each in turn", calls, fail)
	}
}

// TestASpillFileIsOrderedByGroup: who reads one queue's backlog reads forward.
func TestASpillFileIsOrderedByGroup(t *testing.T) {
	s := backlog(t)
	s.settle(t)
	last := map[string][2]int64{} // file: group and offset last seen
	spilled := 0
	for _, group := range []uint64{0, 1, 2} {
		for _, id := range slices.Sorted(maps.Keys(s.live)) {
			name, _, off, _ := s.j.Place(id)
			if id%3 != group || !strings.HasPrefix(name, "spill-") {
				continue
			}
			if before, ok := last[name]; ok && off <= before[1] {
				t.Errorf("message %d of group %d stands at %d in %s, behind it group %d at %d", id, group, off, name, before[0], before[1])
			}
			last[name] = [2]int64{int64(group), off}
			spilled++
		}
	}
	if spilled == 0 {
		t.Fatal("nothing spilled")
	}
}

// TestADamagedSegmentDoesNotSpill: it stays, with what can still be read of it,
// and is not counted as copied.
func TestADamagedSegmentDoesNotSpill(t *testing.T) {
	s := backlog(t)
	flipRecord(t, s.mem, "m10")
	s.settle(t)
	st := s.j.Stats()
	if s.j.Err() != nil || st.SpillRefused != 1 || st.SpillPasses != 0 {
		t.Errorf("%v, %+v", s.j.Err(), st)
	}
	if n := s.bodies(t, s.j, s.mem); n != 1 {
		t.Errorf("%d bodies cannot be read, one was damaged", n)
	}
	names, _ := s.mem.List("/")
	if i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, "spilling-") }); i >= 0 {
		t.Errorf("%s is left over", names[i])
	}
}

// TestAFullDiskSpillsIntoASpare: what lives of several segments goes into one
// that is ready, so that acknowledgements go on though there is no room and one
// old message pins every segment; a crash at any operation loses nothing.
func TestAFullDiskSpillsIntoASpare(t *testing.T) {
	s := backlog(t)
	s.mem.SetLimit(s.mem.Used())
	before := s.j.Stats()
	ops := s.crashes(t)
	st := s.j.Stats()
	if st.SpillPasses == 0 || !containsPrefix(ops, "rename spare-", "to spilling-") {
		t.Fatalf("nothing spilled: %+v, %q", st, ops)
	}
	if st.SpillFiles+st.Segments >= before.Segments || st.Spares <= before.Spares {
		t.Errorf("before %+v, now %+v: nothing was gained", before, st)
	}
}

// TestNoRoomForASpillFileIsWaitedFor: where all lives, so that nothing is gained,
// the log goes on, and spills once there is room.
func TestNoRoomForASpillFileIsWaitedFor(t *testing.T) {
	s := newScript(t)
	for id := uint64(1); id <= 120; id++ { // all of them live: they fit into no spare
		s.send(id)
		if id%7 == 0 {
			s.rest(t, journal.SpillLane)
			s.j.Tick()
			s.rest(t, journal.SpillLane)
		}
	}
	s.saved(t, 1)
	s.saved(t, 2)
	s.mem.SetLimit(s.mem.Used())
	s.settle(t)
	if st := s.j.Stats(); s.j.Err() != nil {
		t.Fatalf("%v, %+v", s.j.Err(), st)
	}
	s.mem.SetLimit(0)
	s.j.RetrySpace()
	s.settle(t)
	if st := s.j.Stats(); st.SpillPasses == 0 || s.j.SpaceWanted() || st.LogBytes > scriptConfig.LogBytes {
		t.Errorf("%+v", st)
	}
	if n := s.bodies(t, s.j, s.mem); n > 0 {
		t.Errorf("%d bodies cannot be read", n)
	}
}
