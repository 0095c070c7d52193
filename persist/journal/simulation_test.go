package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// simKeys is how many keys the simulated owner's checkpoints have.
const simKeys = 5

// simFiles is one directory of a file system, as the journal reads it and as its
// operations change it.
type simFiles struct{ fs *vfs.Mem }

func (s simFiles) List() ([]string, error) { return s.fs.List("d") }

func (s simFiles) Size(name string) (int64, error) {
	f, err := s.fs.OpenRead("d/" + name)
	if err != nil {
		return 0, err
	}
	return f.Size()
}

func (s simFiles) ReadAt(name string, p []byte, off int64) (int, error) {
	f, err := s.fs.OpenRead("d/" + name)
	if err != nil {
		return 0, err
	}
	return f.ReadAt(p, off)
}

func (s simFiles) write(op *Op) error {
	f, err := s.fs.Open("d/" + op.Name)
	if op.Fresh && errors.Is(err, os.ErrNotExist) {
		f, err = s.fs.Create("d/" + op.Name)
	}
	if err != nil {
		return err
	}
	data := op.Data
	if op.Group != nil {
		data = op.Group.Encode(nil)
	}
	if _, err := f.WriteAt(data, op.Off); err != nil || !op.Sync {
		return err
	}
	return f.Sync()
}

func (s simFiles) do(op *Op) error {
	switch op.Kind {
	case OpCreate:
		f, err := s.fs.Create("d/" + op.Name)
		if err != nil {
			return err
		}
		if err := f.Preallocate(op.Size); err != nil {
			return errors.Join(err, s.fs.Remove("d/"+op.Name))
		}
		return f.Sync()
	case OpWrite:
		return s.write(op)
	case OpSync:
		if op.Dir {
			if err := s.fs.SyncDir("d"); err != nil {
				return err
			}
		}
		for _, name := range op.Names {
			f, err := s.fs.Open("d/" + name)
			if err != nil {
				return err
			}
			if err := f.Sync(); err != nil {
				return err
			}
		}
		return nil
	case OpRename:
		if err := s.fs.Rename("d/"+op.Name, "d/"+op.To); err != nil || !op.Dir {
			return err
		}
		return s.fs.SyncDir("d")
	case OpRead:
		if op.Footer == nil {
			return nil
		}
		_, err := op.Footer.Build(s)
		return err
	case OpFooter:
		chunks, err := op.Footer.Build(s)
		if err != nil {
			return err
		}
		f, err := s.fs.Open("d/" + op.Name)
		if err != nil {
			return err
		}
		for _, c := range chunks {
			if _, err := f.WriteAt(c.Data, c.Off); err != nil {
				return err
			}
		}
		return f.Sync()
	}
	return s.fs.Remove("d/" + op.Name)
}

// half does what is done of an operation when the process dies in the middle of
// it: everything but the last syncs.
func (s simFiles) half(op *Op) {
	switch op.Kind {
	case OpRename:
		_ = s.fs.Rename("d/"+op.Name, "d/"+op.To)
	case OpWrite:
		unsynced := *op
		unsynced.Sync = false
		_ = s.write(&unsynced)
	case OpFooter:
		chunks, err := op.Footer.Build(s)
		f, bad := s.fs.Open("d/" + op.Name)
		if err != nil || bad != nil {
			return
		}
		for _, c := range chunks {
			_, _ = f.WriteAt(c.Data, c.Off)
		}
	case OpRemove:
		_ = s.do(op)
	case OpCreate, OpSync, OpRead:
	}
}

// simState is what the owner of a journal keeps: for each key a digest of its
// records in order, and the ids that live. It is the slice model of the log.
type simState struct {
	digest [simKeys]uint64
	live   map[uint64]uint64 // id: position of its body and placement
}

// simEvent is a record as the model keeps it: key, value, and the id it adds or
// removes.
type simEvent struct {
	key, value uint64
	id         uint64
	removes    bool
	size       int
}

func (e *simEvent) head() []byte {
	b := binary.LittleEndian.AppendUint64(nil, e.key)
	b = binary.LittleEndian.AppendUint64(b, e.value)
	b = binary.LittleEndian.AppendUint64(b, e.id)
	if e.removes {
		return append(b, 1)
	}
	return append(b, 0)
}

func (e *simEvent) record(need record.Need) record.Record {
	r := record.Record{Kind: 1, Need: need, Head: e.head()}
	if e.id != 0 && !e.removes {
		r.Kind |= record.BodyBit | record.PlaceBit
		r.IDs = []uint64{e.id}
		r.Body = [][]byte{make([]byte, e.size)}
	}
	return r
}

func (s *simState) apply(pos uint64, e *simEvent) {
	s.digest[e.key] = s.digest[e.key]*31 + e.value
	switch {
	case e.removes:
		delete(s.live, e.id)
	case e.id != 0:
		s.live[e.id] = pos
	}
}

// sim drives a journal through lives that end in crashes.
type sim struct {
	t       *testing.T
	rng     *rand.Rand
	files   simFiles
	j       *Journal
	events  []simEvent // events[i] has position i+1
	state   simState
	changed map[uint64]bool
	pending [lanes]*Op // given, not yet answered
	nextID  uint64
	full    bool  // the disk
	starved int   // starts that found no room
	budget  int64 // of the log
	hoard   bool  // a backlog grows, or stands still
}

func (s *sim) fatalf(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf(format, args...)
}

func (s *sim) open(seed uint64, atLeast uint64) {
	cfg := Config{SegmentBytes: 64 << 10, GroupBytes: 16 << 10, UnsyncedBytes: 64 << 10, CheckpointBytes: 128 << 10, LogBytes: s.budget, Seed: seed}
	j, report, err := Recover(cfg, s.files, nil)
	if err != nil {
		s.fatalf("recover: %v", err)
	}
	if report.Last < atLeast || report.Last > uint64(len(s.events)) {
		s.fatalf("recovered up to %d, want %d to %d; %v", report.Last, atLeast, len(s.events), report.Notes)
	}
	s.j = j
	s.pending = [lanes]*Op{}
	for j.Ready(Setup) {
		if s.rng.IntN(40) == 0 {
			return // crash during recovery: the caller opens again
		}
		op, _ := j.Next(Setup)
		err := s.files.do(op)
		if vfs.IsNoSpace(err) {
			// Even the reserve was used up: somebody makes room and starts again.
			s.files.fs.SetLimit(0)
			s.full = false
			s.starved++
			s.open(seed, atLeast)
			return
		}
		j.Done(op, err)
	}
	if j.Err() != nil {
		s.fatalf("setup: %v", j.Err())
	}
	names, _ := s.files.List()
	for _, name := range names {
		size, _ := s.files.Size(name)
		j.Use(name, size)
	}
	s.replay(report)
}

// replay checks what the journal gives against the model.
func (s *sim) replay(report *Recovered) {
	s.events = s.events[:report.Last]
	want := simState{live: map[uint64]uint64{}}
	for i := range s.events {
		want.apply(uint64(i+1), &s.events[i])
	}
	got := simState{}
	at := [simKeys]uint64{}
	placed := map[uint64]bool{}
	last := uint64(0)
	err := s.j.Replay(s.files, func(pos uint64, r record.Record) error {
		if len(r.Head) == 16 { // a checkpoint's section
			key := binary.LittleEndian.Uint64(r.Head)
			got.digest[key], at[key] = binary.LittleEndian.Uint64(r.Head[8:]), pos
			return nil
		}
		e := simEvent{
			key: binary.LittleEndian.Uint64(r.Head), value: binary.LittleEndian.Uint64(r.Head[8:]),
			id: binary.LittleEndian.Uint64(r.Head[16:]), removes: r.Head[24] == 1,
		}
		if pos <= last {
			return fmt.Errorf("position %d after %d", pos, last)
		}
		if last = pos; pos > report.Last {
			return fmt.Errorf("position %d, beyond %d", pos, report.Last)
		}
		want := s.events[pos-1]
		want.size = 0
		if e != want {
			return fmt.Errorf("record %d is %v, want %v", pos, e, want)
		}
		if pos > at[e.key] {
			got.digest[e.key] = got.digest[e.key]*31 + e.value
			s.changed[e.key] = true
		}
		if e.id != 0 && !e.removes {
			placed[e.id] = true
		}
		return nil
	})
	if err != nil {
		s.fatalf("replay: %v", err)
	}
	if got.digest != want.digest {
		s.fatalf("after replay from %d to %d (last given %d) the keys stand at %x, want %x", report.From, report.Last, last, got.digest, want.digest)
	}
	s.state = want
	for id, pos := range want.live { // order: irrelevant
		if !placed[id] {
			s.fatalf("id %d of record %d lives and was not given", id, pos)
		}
	}
	s.j.Retain(slices.Values(slices.Sorted(maps.Keys(want.live))))
	s.readBodies()
}

// readBodies finds the body of every live id that is written.
func (s *sim) readBodies() {
	written, _ := s.j.Stable()
	for id, pos := range s.state.live { // order: irrelevant
		if pos > written {
			continue
		}
		name, generation, off, ok := s.j.Place(id)
		if !ok {
			s.fatalf("id %d of record %d has no place", id, pos)
		}
		b := make([]byte, 128<<10)
		n, err := s.files.ReadAt(name, b, off)
		if err != nil && !errors.Is(err, io.EOF) {
			s.fatalf("read of %d in %s: %v", id, name, err)
		}
		f, _, err := Body(b[:n], generation, id)
		if err != nil || f.Position != pos || len(f.Body) != s.events[pos-1].size {
			s.fatalf("body of %d at %s %d: %v", id, name, off, err)
		}
	}
}

func (s *sim) append() {
	e := simEvent{key: s.rng.Uint64N(simKeys - 1), value: s.rng.Uint64()}
	if s.rng.IntN(50) == 0 {
		e.key = simKeys - 1 // a key that hardly changes: copied by checkpoints
	}
	need := record.Need(s.rng.IntN(3))
	switch live := slices.Sorted(maps.Keys(s.state.live)); {
	case len(live) > 0 && s.rng.IntN(20) < len(live) && (!s.hoard || s.rng.IntN(20) == 0):
		e.id, e.removes = live[s.rng.IntN(len(live))], true
	case s.rng.IntN(3) > 0:
		s.nextID++
		e.id, e.size = s.nextID, s.rng.IntN(6000)
		if s.rng.IntN(100) == 0 {
			e.size = 100 << 10 // more than a segment
		}
	}
	s.appendEvent(e, need)
}

// consume removes most of a backlog, but not all: what makes spill files sparse.
func (s *sim) consume() {
	for _, id := range slices.Sorted(maps.Keys(s.state.live)) {
		if s.rng.IntN(6) > 0 {
			s.appendEvent(simEvent{key: s.rng.Uint64N(simKeys), value: s.rng.Uint64(), id: id, removes: true}, record.Write)
		}
	}
}

func (s *sim) appendEvent(e simEvent, need record.Need) {
	pos := s.j.Append([]record.Record{e.record(need)})
	if pos != uint64(len(s.events))+1 {
		s.fatalf("position %d, want %d", pos, len(s.events)+1)
	}
	s.events = append(s.events, e)
	s.state.apply(pos, &e)
	s.changed[e.key] = true
	if e.removes {
		s.j.Release(pos, []uint64{e.id})
	}
}

func (s *sim) checkpoint() {
	if s.j.check.begun {
		return
	}
	c := s.j.BeginCheckpoint()
	for key := range uint64(simKeys) {
		if s.changed[key] {
			head := binary.LittleEndian.AppendUint64(nil, key)
			head = binary.LittleEndian.AppendUint64(head, s.state.digest[key])
			c.Add(key, s.j.Last(), []record.Record{{Kind: 2, Head: head}})
		}
	}
	clear(s.changed)
	if err := c.Finish(s.files); err != nil {
		s.fatalf("checkpoint: %v", err)
	}
	if s.rng.IntN(10) == 0 {
		s.j.Abandon(c)
		return
	}
	s.j.Save(c)
}

// step does one thing that may happen next.
func (s *sim) step() {
	switch n := s.rng.IntN(40); {
	case n < 16:
		s.append()
	case n == 16:
		s.checkpoint()
	case n == 17:
		s.j.Tick()
	case n == 18 && s.rng.IntN(8) == 0:
		if s.hoard = !s.hoard; !s.hoard {
			s.consume()
		}
	case n == 18 && s.rng.IntN(20) == 0:
		// The disk fills up, or has room again.
		if s.full = !s.full; s.full {
			s.files.fs.SetLimit(s.files.fs.Used() + s.rng.Int64N(100<<10))
		} else {
			s.files.fs.SetLimit(0)
			s.j.RetrySpace()
		}
	default:
		lane := CommitLane + Lane(s.rng.IntN(int(lanes-CommitLane)))
		if op := s.pending[lane]; op != nil {
			s.pending[lane] = nil
			s.j.Done(op, s.files.do(op))
		} else if op, ok := s.j.Next(lane); ok {
			s.pending[lane] = op
		}
	}
	if err := s.j.Err(); err != nil {
		s.fatalf("the journal stopped: %v", err)
	}
	if written, synced := s.j.Stable(); synced > written || written > s.j.Last() {
		s.fatalf("written %d, synced %d of %d", written, synced, s.j.Last())
	}
}

// TestEveryCrashKeepsWhatWasPromised: everything synced survives a power loss,
// everything written a kill; what comes back is a prefix of what was appended;
// checkpoints and recycling never lose a live id nor change a key.
func TestEveryCrashKeepsWhatWasPromised(t *testing.T) {
	runs := 150
	if testing.Short() {
		runs = 30
	}
	if n, err := strconv.Atoi(os.Getenv("TIDEGATE_CRASH_RUNS")); err == nil {
		runs = n // for a long search by hand
	}
	spilled, merged := 0, 0
	for seed := range uint64(runs) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := &sim{
				budget: int64(seed%3) * 96 << 10, // 0: the default, which is never reached
				t:      t, rng: rand.New(rand.NewPCG(seed, 1)), files: simFiles{vfs.NewMem()},
				state: simState{live: map[uint64]uint64{}}, changed: map[uint64]bool{},
			}
			promised, durable := uint64(0), uint64(0) // what a kill leaves, what a power loss leaves
			for life := range uint64(8) {
				s.open(seed*100+life+1, promised)
				if s.j.Err() == nil && s.j.setup == nil {
					for range s.rng.IntN(1500) {
						s.step()
					}
					s.readBodies()
				}
				spilled += s.j.spill.passes
				merged += s.j.spill.merges
				written, synced := s.j.Stable()
				if s.j.setup != nil {
					written, synced = promised, durable // nothing new was promised
				}
				for _, op := range s.pending { // what was under way may have happened, or half of it
					if op != nil && op.Lane != Setup && s.rng.IntN(2) == 0 {
						s.files.half(op)
					}
				}
				if s.rng.IntN(3) == 0 {
					promised, durable, s.files = written, synced, simFiles{s.files.fs.Kill()}
				} else {
					promised, durable, s.files = synced, synced, simFiles{s.files.fs.PowerLoss(s.rng.Uint64())}
				}
			}
		})
	}
	t.Logf("%d passes over the log, %d over spill files", spilled, merged)
	if spilled < runs/2 || merged < runs/20 {
		t.Errorf("only %d passes and %d merges in %d runs: they are hardly tried", spilled, merged, runs)
	}
}
