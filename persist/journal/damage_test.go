package journal_test

import (
	"bytes"
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

// script is a small store made the same way each time: segments of 16 KiB, some
// recycled, some sealed with footers, some spilled, two checkpoints, a tail.
type script struct {
	mem  *vfs.Mem
	j    *journal.Journal
	log  []record.Record
	live map[uint64]bool
}

var scriptConfig = journal.Config{SegmentBytes: 16 << 10, GroupBytes: 8 << 10, LogBytes: 48 << 10, Seed: 1}

func newScript(t testing.TB) *script {
	t.Helper()
	s := &script{mem: vfs.NewMem(), live: map[uint64]bool{}}
	j, _, err := disk{s.mem}.start(scriptConfig)
	if err != nil {
		t.Fatal(err)
	}
	s.j = j
	j.Retain(func(func(uint64) bool) {})
	return s
}

func (s *script) append(r record.Record) uint64 {
	r.Need = record.Write
	s.log = append(s.log, r)
	return s.j.Append([]record.Record{r})
}

func (s *script) send(id uint64) {
	s.live[id] = true
	s.append(record.Record{Kind: kindMessage, IDs: []uint64{id}, Group: id % 3, Head: fmt.Appendf(nil, "m%d", id), Body: [][]byte{bytes.Repeat([]byte{byte(id)}, 700)}})
}

func (s *script) remove(id uint64) {
	delete(s.live, id)
	s.j.Release(s.append(record.Record{Kind: kindRemove, Head: fmt.Append(nil, id)}), []uint64{id})
}

func (s *script) settle(t testing.TB) { disk{s.mem}.settle(t, s.j) }

func (s *script) checkpoint(t testing.TB, keys ...uint64) {
	t.Helper()
	s.saved(t, keys...)
	s.settle(t)
}

func (s *script) sends(t testing.TB, from, to uint64) {
	t.Helper()
	for id := from; id <= to; id++ {
		s.send(id)
		if id%5 != 0 {
			s.remove(id)
		}
		if id%7 == 0 {
			s.settle(t)
			s.j.Tick()
			s.settle(t)
		}
	}
	s.settle(t)
}

func build(t testing.TB) *script {
	t.Helper()
	s := newScript(t)
	s.sends(t, 1, 60)
	s.checkpoint(t, 1, 2)
	s.sends(t, 61, 90)
	s.checkpoint(t, 2)
	s.sends(t, 91, 110)
	s.j.Finish()
	s.settle(t)
	if !s.j.Finished() {
		t.Fatal("not finished")
	}
	return s
}

// reopen recovers and replays mem, and gives the positions and heads replayed.
func reopen(mem *vfs.Mem, live map[uint64]bool) (*journal.Journal, *journal.Recovered, []string, error) {
	cfg := scriptConfig
	cfg.Seed = 99
	j, found, err := disk{mem}.start(cfg)
	if err != nil {
		return nil, nil, nil, err
	}
	var out []string
	err = j.Replay(disk{mem}, func(pos uint64, r record.Record) error {
		out = append(out, fmt.Sprintf("%d %#x %v %s", pos, r.Kind, r.IDs, r.Head))
		return nil
	})
	if err == nil {
		j.Retain(maps.Keys(live))
	}
	return j, found, out, err
}

// bodies reads every live body; it reports whether one was wrong without being
// noticed.
func (s *script) bodies(t testing.TB, j *journal.Journal, mem *vfs.Mem) (unreadable int) {
	t.Helper()
	for id := range s.live { // order: irrelevant
		name, generation, off, ok := j.Place(id)
		if !ok {
			t.Errorf("id %d is nowhere", id)
			continue
		}
		buf := make([]byte, 1024)
		n, _ := disk{mem}.ReadAt(name, buf, off)
		f, _, err := journal.Body(buf[:n], generation, id)
		if err != nil {
			unreadable++
			continue
		}
		if !bytes.Equal(f.Body, bytes.Repeat([]byte{byte(id)}, 700)) {
			t.Errorf("id %d has another body", id)
		}
	}
	return unreadable
}

func TestEveryFlippedBitIsReportedOrHarmless(t *testing.T) {
	s := build(t)
	_, _, want, err := reopen(s.mem.Kill(), s.live)
	if err != nil {
		t.Fatal(err)
	}
	names, _ := s.mem.List("/")
	if !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, "spill-") }) {
		t.Fatalf("no spill file among %q", names)
	}
	flips, reported := 0, 0
	for _, name := range names {
		step := int64(41)
		if testing.Short() {
			step = 211
		}
		for off := int64(0); ; off += step {
			mem := s.mem.Kill()
			if !mem.Flip("/"+name, off, 1<<(off%8)) {
				break
			}
			flips++
			j, found, got, err := reopen(mem, s.live)
			if err != nil {
				if !strings.Contains(err.Error(), name) && !strings.Contains(err.Error(), "log-") {
					t.Errorf("%s at %d: %v does not say where", name, off, err)
				}
				reported++
				continue
			}
			if slices.Equal(got, want) {
				s.bodies(t, j, mem)
				continue
			}
			if len(found.Notes) == 0 || found.Last != uint64(len(s.log)) {
				t.Fatalf("%s at %d flipped: %d records instead of %d, last %d, notes %q", name, off, len(got), len(want), found.Last, found.Notes)
			}
		}
	}
	t.Logf("%d flips, %d stop the start", flips, reported)
}

func TestABadNewestCheckpointFallsBackAndSaysSo(t *testing.T) {
	s := build(t)
	mem := s.mem.Kill()
	mem.Flip("/checkpoint-0000000000000002", 4100, 1)
	_, found, got, err := reopen(mem, s.live)
	if err != nil {
		t.Fatal(err)
	}
	if found.Checkpoint != "checkpoint-0000000000000001" || len(found.Notes) != 1 || !strings.Contains(found.Notes[0], "checkpoint-0000000000000002 is damaged") {
		t.Errorf("%+v", found)
	}
	if len(got) < 50 {
		t.Errorf("replayed %d records", len(got))
	}
	mem = s.mem.Kill()
	mem.Flip("/checkpoint-0000000000000001", 4100, 1)
	mem.Flip("/checkpoint-0000000000000002", 4100, 1)
	_, _, _, err = reopen(mem, s.live)
	var damage *journal.DamageError
	if !errors.As(err, &damage) {
		t.Errorf("both bad: %v", err)
	}
}

func TestATornTailIsDroppedAndDamageIsNot(t *testing.T) {
	s := newScript(t)
	s.sends(t, 1, 3)
	s.j.Tick() // the first groups are claimed
	s.settle(t)
	s.send(4)
	s.settle(t)
	whole := s.mem.Kill()
	// Group 1 begins at 4096; the records of the last one are torn.
	mem := whole
	if _, found, got, err := reopen(mem.Kill(), s.live); err != nil || len(got) != 7 || len(found.Notes) != 0 {
		t.Fatalf("whole: %v %v %v", err, got, found)
	}
	torn := whole.Kill()
	flipRecord(t, torn, "m4")
	_, found, got, err := reopen(torn, s.live)
	if err != nil || len(got) != 6 || found.Last != 6 || len(found.Notes) != 1 {
		t.Errorf("torn tail: %v, replayed %q, %+v", err, got, found)
	}
	damaged := whole.Kill()
	flipRecord(t, damaged, "m2")
	_, _, _, err = reopen(damaged, s.live)
	var damage *journal.DamageError
	if !errors.As(err, &damage) || !strings.HasPrefix(damage.Name, "log-") || damage.Off < 4096 {
		t.Errorf("damage: %v", err)
	}
}

func flipRecord(t testing.TB, mem *vfs.Mem, head string) {
	t.Helper()
	names, _ := mem.List("/")
	for _, name := range names {
		size, _ := disk{mem}.Size(name)
		b := make([]byte, size)
		_, _ = disk{mem}.ReadAt(name, b, 0)
		if i := bytes.Index(b, []byte(head)); i >= 0 {
			mem.Flip("/"+name, int64(i), 1)
			return
		}
	}
	t.Fatalf("no record with %s", head)
}

func TestFootersSayWhatAScanSays(t *testing.T) {
	s := build(t)
	with, _, got, err := reopen(s.mem.Kill(), s.live)
	if err != nil {
		t.Fatal(err)
	}
	bare := s.mem.Kill()
	names, _ := bare.List("/")
	footers := 0
	for _, name := range names {
		size, _ := disk{bare}.Size(name)
		b := make([]byte, 8)
		_, _ = disk{bare}.ReadAt(name, b, size-record.Block)
		if string(b) == "TIDEFOOT" {
			footers++
			bare.Flip("/"+name, size-record.Block, 1)
		}
	}
	if footers == 0 {
		t.Fatal("no footers")
	}
	without, _, scanned, err := reopen(bare, s.live)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, scanned) {
		t.Errorf("with footers %q\nwithout %q", got, scanned)
	}
	for id := range s.live { // order: irrelevant
		n1, g1, o1, _ := with.Place(id)
		n2, g2, o2, _ := without.Place(id)
		if n1 != n2 || g1 != g2 || o1 != o2 {
			t.Errorf("id %d: %s %d and %s %d", id, n1, o1, n2, o2)
		}
	}
}

func TestEveryFailingCallStopsOrIsHarmless(t *testing.T) {
	for _, fail := range []error{errors.New("input/output error"), vfs.ErrNoSpace} {
		calls := 0
		for n := 0; ; n++ {
			s := newScript(t)
			count := 0
			faulty := vfs.Inject(s.mem, func(c vfs.Call) error {
				if c.Op == "open" || c.Op == "read" {
					return nil
				}
				count++
				if count == n+1 {
					return fail
				}
				return nil
			})
			run := func() {
				for range 5000 {
					busy := false
					for l := journal.CommitLane; l <= journal.SpillLane; l++ {
						busy = disk{faulty}.step(s.j, l) || busy
					}
					if s.j.Full() {
						s.j.RetrySpace()
					}
					if !busy {
						return
					}
				}
				t.Fatal("never rests")
			}
			for id := uint64(1); id <= 40; id++ {
				s.send(id)
				s.remove(id)
				if id%10 == 0 && !s.j.Saving() && s.j.Err() == nil {
					c := s.j.BeginCheckpoint()
					c.Add(1, s.j.Last(), []record.Record{{Kind: kindCheck, Head: fmt.Appendf(nil, "1 %d", s.j.Last())}})
					if err := c.Finish(disk{s.mem}); err != nil {
						t.Fatal(err)
					}
					s.j.Save(c)
				}
				run()
				s.j.Tick()
				run()
			}
			written, synced := s.j.Stable()
			for promised, mem := range map[uint64]*vfs.Mem{written: s.mem.Kill(), synced: s.mem.PowerLoss(uint64(n))} { // order: irrelevant
				_, found, _, err := reopen(mem, s.live)
				if err != nil {
					t.Fatalf("call %d: %v", n, err)
				}
				if found.Last < promised {
					t.Fatalf("call %d failed: %d promised, %d recovered", n, promised, found.Last)
				}
			}
			if s.j.Err() == nil && written != uint64(len(s.log)) {
				t.Fatalf("call %d failed, the journal did not, but only %d of %d are written", n, written, len(s.log))
			}
			if count <= n {
				break
			}
			calls++
		}
		t.Logf("%d calls failed with %v, each in turn", calls, fail)
	}
}

// TestAnIDThatNoMessageGetsIsDamage: its checksum fits, but the ids to come would
// follow it out of the stored range. It is told wherever it stands: in the
// tail, behind a footer, in a spill file; of a body and of a placement.
func TestAnIDThatNoMessageGetsIsDamage(t *testing.T) {
	const forged = record.MaxID + 1
	for _, c := range []struct {
		where string
		begin int  // the forged record comes before this step
		spill bool // of what is old
		kind  record.Kind
		ids   []uint64
	}{
		{"log-", 2, true, kindMessage, []uint64{forged}},
		{"log-", 2, true, kindMessage, []uint64{500, forged}},
		{"log-", 2, true, kindPlace, []uint64{1<<63 | 3}},
		{"log-", 0, false, kindMessage, []uint64{forged}},
		{"log-", 0, false, kindMessage, []uint64{500, forged}},
		{"spill-", 0, true, kindMessage, []uint64{forged}},
		{"spill-", 0, true, kindMessage, []uint64{500, forged}},
	} {
		s := newScript(t)
		if !c.spill {
			cfg := scriptConfig
			cfg.LogBytes = 1 << 30
			j, _, err := disk{s.mem}.start(cfg)
			if err != nil {
				t.Fatal(err)
			}
			j.Retain(func(func(uint64) bool) {})
			s.j = j
		}
		for i, step := range []func(){
			func() { s.sends(t, 1, 60); s.checkpoint(t, 1, 2) },
			func() { s.sends(t, 61, 90); s.checkpoint(t, 2) },
			func() { s.sends(t, 91, 110) },
		} {
			if i == c.begin {
				s.append(record.Record{Kind: c.kind, IDs: c.ids, Head: []byte("forged")})
			}
			step()
		}
		id := fmt.Sprint(c.ids[len(c.ids)-1])
		_, _, _, err := reopen(s.mem.Kill(), s.live)
		var damage *journal.DamageError
		if !errors.As(err, &damage) || !strings.HasPrefix(damage.Name, c.where) || !strings.Contains(err.Error(), id) {
			t.Errorf("%+v: %v", c, err)
		}
		found, err := journal.Examine(scriptConfig, disk{s.mem.Kill()}, nil)
		if err != nil {
			t.Fatal(err)
		}
		told := false
		if err := found.Problems(func(problem string) { told = told || strings.Contains(problem, id) }); err != nil || !told {
			t.Errorf("%+v: %v, not told of", c, err)
		}
	}
}
