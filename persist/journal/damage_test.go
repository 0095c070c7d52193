package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// restart opens what another life left and gives the keys' digests and the
// number of records that count.
func restart(files simFiles) (digest [simKeys]uint64, last uint64, err error) {
	cfg := Config{SegmentBytes: 64 << 10, Seed: 99}
	j, report, err := Recover(cfg, files, nil)
	if err != nil {
		return digest, 0, err
	}
	for op, ok := j.Next(Setup); ok; op, ok = j.Next(Setup) {
		j.Done(op, files.do(op))
	}
	if j.Err() != nil {
		return digest, 0, j.Err()
	}
	at := [simKeys]uint64{}
	err = j.Replay(files, func(pos uint64, r record.Record) error {
		if len(r.Head) < 16 {
			return fmt.Errorf("a head of %d bytes", len(r.Head))
		}
		key := binary.LittleEndian.Uint64(r.Head)
		if key >= simKeys {
			return fmt.Errorf("key %d", key)
		}
		value := binary.LittleEndian.Uint64(r.Head[8:])
		if len(r.Head) == 16 {
			digest[key], at[key] = value, pos
		} else if pos > at[key] {
			digest[key] = digest[key]*31 + value
		}
		return nil
	})
	return digest, report.Last, err
}

// orderly is a life that ended well, with two checkpoints in the middle.
func orderly(t *testing.T, seed uint64) *sim {
	t.Helper()
	s := &sim{
		t: t, rng: rand.New(rand.NewPCG(seed, 2)), files: simFiles{vfs.NewMem()},
		state: simState{live: map[uint64]uint64{}}, changed: map[uint64]bool{},
	}
	cfg := Config{SegmentBytes: 64 << 10, GroupBytes: 16 << 10, Seed: seed + 1}
	j, _, err := Recover(cfg, s.files, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.j = j
	drain := func() {
		for again := true; again; {
			again = false
			for lane := Setup; lane < lanes; lane++ {
				if op, ok := j.Next(lane); ok {
					j.Done(op, s.files.do(op))
					again = true
				}
			}
		}
	}
	drain()
	for i := range 120 {
		s.append()
		if i%7 == 0 {
			drain()
		}
		if i == 50 || i == 80 {
			s.checkpoint()
			drain()
		}
	}
	j.Finish()
	drain()
	if !j.Finished() || j.Err() != nil {
		t.Fatalf("not finished: %v", j.Err())
	}
	return s
}

// TestEveryFlippedBitIsReportedOrHarmless: after an orderly end all is claimed,
// so no damage can pass for a torn tail. (A body that only Load reads is checked
// when it is read.)
func TestEveryFlippedBitIsReportedOrHarmless(t *testing.T) {
	for seed := range uint64(3) {
		s := orderly(t, seed)
		names, err := s.files.List()
		if err != nil {
			t.Fatal(err)
		}
		reported, harmless := 0, 0
		for _, name := range names {
			size, err := s.files.Size(name)
			if err != nil {
				t.Fatal(err)
			}
			for range 250 {
				off, mask := s.rng.Int64N(size), byte(1)<<s.rng.IntN(8)
				if s.rng.IntN(4) == 0 {
					off %= record.Block // headers and first groups
				}
				files := simFiles{s.files.fs.Kill()}
				if !files.fs.Flip("d/"+name, off, mask) {
					t.Fatalf("%s is shorter than %d", name, off)
				}
				digest, last, err := restart(files)
				switch {
				case err != nil:
					reported++
					if !strings.Contains(err.Error(), "log-") && !strings.Contains(err.Error(), "checkpoint-") {
						t.Errorf("seed %d: %s at %d: %v: names no file", seed, name, off, err)
					}
				case digest != s.state.digest || last != uint64(len(s.events)):
					t.Errorf("seed %d: bit %x of %s at %d flipped: the log ends at %d of %d without a word", seed, mask, name, off, last, len(s.events))
				default:
					harmless++
				}
			}
		}
		if reported == 0 || harmless == 0 {
			t.Errorf("seed %d: %d reported, %d harmless", seed, reported, harmless)
		}
	}
}

// TestDamageBehindTheLastClaimIsATornTail: without the claim of an orderly end,
// the last group may be torn, and the log goes on from the one before.
func TestDamageBehindTheLastClaimIsATornTail(t *testing.T) {
	files := simFiles{vfs.NewMem()}
	j, _, err := Recover(Config{SegmentBytes: 64 << 10, Seed: 1}, files, nil)
	if err != nil {
		t.Fatal(err)
	}
	run := func(wanted ...Lane) {
		for again := true; again; {
			again = false
			for _, lane := range wanted {
				if op, ok := j.Next(lane); ok {
					j.Done(op, files.do(op))
					again = true
				}
			}
		}
	}
	run(Setup)
	j.Retain(func(func(uint64) bool) {})
	for i := range uint64(3) {
		e := simEvent{key: i, value: 7}
		j.Append([]record.Record{e.record(record.Sync)})
		run(CommitLane, FlushLane, HouseLane)
	}
	// Group 3 says that 2 was durable; nothing says so of 3.
	name := j.active.name
	for group, want := range map[int64]uint64{2: 0, 3: 2} {
		broken := simFiles{files.fs.Kill()}
		broken.fs.Flip("d/"+name, record.Block*group+20, 1)
		_, last, err := restart(broken)
		var damage *DamageError
		if want == 0 {
			if !errors.As(err, &damage) || damage.Name != name || damage.Off != record.Block*group {
				t.Errorf("group %d: %v, want damage at %d of %s", group, err, record.Block*group, name)
			}
			continue
		}
		if err != nil || last != want {
			t.Errorf("group %d: the log ends at %d (%v), want %d", group, last, err, want)
		}
	}
}
