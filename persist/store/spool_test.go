package store

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/tidegate/tidegate/persist/journal"
	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// filling is the content of the large message id.
func filling(id uint64, size int) []byte {
	unit := fmt.Appendf(nil, "%d;", id)
	return bytes.Repeat(unit, size/len(unit)+1)[:size]
}

// spooled writes content to a file of the spool and ends it.
func spooled(t testing.TB, s *Store, sync bool, content []byte) (record.FileRef, error) {
	t.Helper()
	number, err := s.SpoolBegin(sync)
	if err != nil {
		t.Fatal(err)
	}
	for rest := content; len(rest) > 0; {
		n := min(len(rest), 1000)
		s.SpoolWrite(number, [][]byte{rest[:n/2], rest[n/2 : n]}, func(error) {})
		rest = rest[n:]
	}
	ended := make(chan error, 1)
	ref := record.FileRef{Number: number}
	s.SpoolEnd(number, func(size int64, crc uint32, err error) {
		ref.Size, ref.CRC = size, crc
		ended <- err
	})
	return ref, <-ended
}

func largeRecord(id uint64, ref record.FileRef) []record.Record {
	return []record.Record{{
		Kind: record.BodyBit | record.PlaceBit | record.FileBit, Need: record.Sync, IDs: []uint64{id},
		Head: record.AppendFile(fmt.Appendf(nil, "large %d", id), ref), Body: [][]byte{[]byte("front")},
	}}
}

// read gives a file's content, in reads of n bytes.
func read(s *Store, ref record.FileRef, n int) ([]byte, error) {
	s.SpoolOpen(ref.Number)
	defer s.SpoolClose(ref.Number)
	var all []byte
	for off := int64(0); off < ref.Size; off += int64(n) {
		type answer struct {
			b   []byte
			err error
		}
		answers := make(chan answer, 1)
		s.SpoolRead(ref.Number, off, int(min(int64(n), ref.Size-off)), func(b []byte, err error) { answers <- answer{b, err} })
		a := <-answers
		if a.err != nil {
			return nil, a.err
		}
		all = append(all, a.b...)
	}
	return all, nil
}

func largeFiles(t testing.TB, fs vfs.FS, dir string) (numbers []uint64) {
	t.Helper()
	names, err := fs.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if n, ok := spoolNumber(name); ok {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// openSpool opens a store and gives what it replays of large messages that no
// later record removed.
func openSpool(t testing.TB, o Options) (*Store, *watcher, map[uint64]record.FileRef) {
	t.Helper()
	o.Dir, o.SegmentBytes = "d", 64<<10
	w := watch(&o)
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	live := map[uint64]record.FileRef{}
	if err := s.Replay(func(_ uint64, r record.Record) error {
		var id uint64
		if _, err := fmt.Sscanf(string(r.Head), "remove %d", &id); err == nil {
			delete(live, id)
		}
		if r.Kind&record.FileBit != 0 {
			live[r.IDs[0]], _, _ = record.File(r.Head)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.Retain(maps.Keys(live))
	return s, w, live
}

func TestSpoolKeepsWhatWasWritten(t *testing.T) {
	mem := vfs.NewMem()
	s, w, _ := openSpool(t, Options{FS: mem})
	content := filling(1, 300_001)
	ref, err := spooled(t, s, true, content)
	if err != nil || ref.Size != int64(len(content)) || ref.CRC != record.CRC(content) {
		t.Fatalf("%+v, %v", ref, err)
	}
	at := s.Append(largeRecord(1, ref))
	s.SpoolBind(ref.Number, 1)
	s.SpoolForget(ref.Number)
	w.until(func() bool { _, synced := s.Stable(); return synced == at })
	for _, n := range []int{1 << 20, 4096, 70_000} {
		if got, err := read(s, ref, n); err != nil || !bytes.Equal(got, content) {
			t.Errorf("read %d bytes at a time: %d bytes, %v", n, len(got), err)
		}
	}
	head, body, ok := s.Bytes(1)
	if got, rest, fine := record.File(head); !ok || !fine || got != ref || string(rest) != "large 1" || string(body[0]) != "front" {
		t.Errorf("bytes %q %q, reference %+v", rest, body, got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, w, live := openSpool(t, Options{FS: mem})
	if got, err := read(s, live[1], 1<<20); err != nil || !bytes.Equal(got, content) {
		t.Errorf("after a restart: %d bytes, %v", len(got), err)
	}
	if next, _ := spooled(t, s, false, content); next.Number <= ref.Number {
		t.Errorf("number %d is given again", next.Number)
	}
	// The file goes once the record that removed the message is synced.
	s.Release(s.Append([]record.Record{{Kind: 3, Need: record.Sync, Head: []byte("remove 1")}}), []uint64{1})
	w.until(func() bool { _, synced := s.Stable(); return synced == s.j.Last() })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if numbers := largeFiles(t, mem, "d"); slices.Contains(numbers, ref.Number) {
		t.Errorf("files %x are left", numbers)
	}
}

// TestSpoolFilesGoWithTheirMessage: a file without a message is removed at once,
// one of a message that is not stored when it is released and nobody reads it: who
// has announced to read it, reads it whole, begun or not.
func TestSpoolFilesGoWithTheirMessage(t *testing.T) {
	mem := vfs.NewMem()
	removed := make(chan string, 10)
	fs := vfs.Inject(mem, func(c vfs.Call) error {
		if c.Op == "remove" {
			removed <- c.Name
		}
		return nil
	})
	s, _, _ := openSpool(t, Options{FS: fs})
	given, err := spooled(t, s, false, filling(1, 1000))
	if err != nil {
		t.Fatal(err)
	}
	s.SpoolForget(given.Number) // aborted, or no subscriber wanted it
	if got := <-removed; got != spoolName(given.Number) {
		t.Errorf("removed %s", got)
	}
	kept, err := spooled(t, s, false, filling(2, 1000))
	if err != nil {
		t.Fatal(err)
	}
	s.SpoolBind(kept.Number, held|7)
	s.SpoolForget(kept.Number)
	s.SpoolOpen(kept.Number)
	s.Release(0, []uint64{held | 7})
	other, err := spooled(t, s, false, filling(3, 1000))
	if err != nil {
		t.Fatal(err)
	}
	s.SpoolForget(other.Number) // what could be removed before it is
	if got := <-removed; got != spoolName(other.Number) {
		t.Errorf("removed %s while it was announced to be read", got)
	}
	for range 2 {
		if got, err := readOpen(s, kept); err != nil || !bytes.Equal(got, filling(2, 1000)) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	}
	s.SpoolClose(kept.Number)
	if got := <-removed; got != spoolName(kept.Number) {
		t.Errorf("removed %s", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func readOpen(s *Store, ref record.FileRef) ([]byte, error) {
	var got []byte
	done := make(chan error)
	s.SpoolRead(ref.Number, 0, int(ref.Size), func(b []byte, err error) {
		got = b
		done <- err
	})
	return got, <-done
}

// TestSpoolOnAFullDisk: the message is refused, its file goes, the store lives.
func TestSpoolOnAFullDisk(t *testing.T) {
	for name, fault := range map[string]error{"none left": vfs.ErrNoSpace, "write fails": syscall.EIO} {
		t.Run(name, func(t *testing.T) {
			mem := vfs.NewMem()
			var broken atomic.Bool
			removed := make(chan string, 10)
			fs := vfs.Inject(mem, func(c vfs.Call) error {
				if strings.HasPrefix(c.Name, spoolPrefix) && c.Op == "remove" {
					removed <- c.Name
				}
				if strings.HasPrefix(c.Name, spoolPrefix) && c.Op == "write" && broken.Load() && c.Off > 0 {
					return fault
				}
				return nil
			})
			s, w, _ := openSpool(t, Options{FS: fs})
			broken.Store(true)
			ref, err := spooled(t, s, true, filling(1, 200_000))
			if !errors.Is(err, fault) {
				t.Errorf("error %v", err)
			}
			s.SpoolForget(ref.Number)
			if got := <-removed; got != spoolName(ref.Number) {
				t.Errorf("removed %s", got)
			}
			broken.Store(false)
			mem.SetLimit(mem.Used() + 100) // room for nothing but what is reserved
			if _, err := spooled(t, s, true, filling(1, 200_000)); !errors.Is(err, vfs.ErrNoSpace) {
				t.Errorf("with nothing left: %v", err)
			}
			at := s.Append(numbered(1, record.Sync, 100))
			w.until(func() bool { _, synced := s.Stable(); return synced == at })
			if err := s.Close(); err != nil || len(w.fails) > 0 {
				t.Errorf("the store: %v, %v", err, w.fails)
			}
		})
	}
}

func TestSpoolIsBounded(t *testing.T) {
	s, _, _ := openSpool(t, Options{FS: vfs.NewMem()})
	for range maxSpooling {
		if _, err := s.SpoolBegin(false); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.SpoolBegin(false); !errors.Is(err, ErrSpoolBusy) {
		t.Errorf("error %v", err)
	}
	s.SpoolForget(1)
	if _, err := s.SpoolBegin(false); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestSpoolCrash: whenever the power fails or the process dies, a message whose
// record was synced has its file, whole; and after the next start no file is
// left that no message has.
func TestSpoolCrash(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		mem := vfs.NewMem()
		var crashed *vfs.Mem
		var accepted, removed map[uint64]bool // as durable when it crashed
		acc, rem := map[uint64]bool{}, map[uint64]bool{}
		calls, at := 0, 40+rng.IntN(400)
		var s *Store
		fs := vfs.Inject(mem, func(c vfs.Call) error {
			if calls++; calls == at && crashed == nil {
				accepted, removed = maps.Clone(acc), maps.Clone(rem)
				if seed%3 == 0 {
					crashed = mem.Kill()
				} else {
					crashed = mem.PowerLoss(seed)
				}
			}
			return nil
		})
		var live map[uint64]record.FileRef
		s, _, live = openSpool(t, Options{FS: fs, Manual: true})
		step := func(until uint64) {
			for {
				for l := range journal.SpillLane + 1 {
					s.Step(l)
				}
				if _, synced := s.Stable(); synced >= until {
					return
				}
			}
		}
		refs := map[uint64]record.FileRef{}
		for id := uint64(1); crashed == nil; id++ {
			number, err := s.SpoolBegin(true)
			if err != nil {
				t.Fatal(err)
			}
			content := filling(id, 1+rng.IntN(20_000))
			for rest := content; len(rest) > 0; {
				n := min(len(rest), 1+rng.IntN(9000))
				s.SpoolWrite(number, [][]byte{rest[:n]}, func(error) {})
				rest = rest[n:]
				if rng.IntN(2) == 0 {
					s.StepSpool()
				}
			}
			if rng.IntN(5) == 0 { // aborted
				s.SpoolForget(number)
				continue
			}
			ref := record.FileRef{Number: number}
			var failed error
			s.SpoolEnd(number, func(size int64, crc uint32, err error) { ref.Size, ref.CRC, failed = size, crc, err })
			for s.StepSpool() {
				continue
			}
			if failed != nil {
				t.Fatal(failed)
			}
			refs[id] = ref
			pos := s.Append(largeRecord(id, ref))
			s.SpoolBind(number, id)
			s.SpoolForget(number)
			step(pos)
			acc[id] = true
			for old := range refs { // order: irrelevant
				if rng.IntN(3) == 0 {
					delete(refs, old)
					rem[old] = true // from here on it may be gone
					pos := s.Append([]record.Record{{Kind: 3, Need: record.Write, Head: fmt.Appendf(nil, "remove %d", old)}})
					s.Release(pos, []uint64{old})
					if rng.IntN(2) == 0 {
						s.j.Flush(pos)
						step(pos)
					}
				}
			}
		}
		if len(live) != 0 {
			t.Fatal("a new store has messages")
		}
		fs, after := vfs.FS(crashed), accepted
		s, _, live = openSpool(t, Options{FS: fs})
		for id := range after { // order: irrelevant
			if _, ok := live[id]; !ok && !removed[id] {
				t.Errorf("seed %d: message %d is lost", seed, id)
			}
		}
		want := map[uint64]bool{}
		for id, ref := range live { // order: irrelevant
			want[ref.Number] = true
			got, err := read(s, ref, 7000)
			if err != nil || record.CRC(got) != ref.CRC || !bytes.HasPrefix(got, filling(id, min(3, len(got)))) {
				t.Errorf("seed %d: message %d: %d bytes, %v", seed, id, len(got), err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, n := range largeFiles(t, crashed, "d") {
			if !want[n] {
				t.Errorf("seed %d: %s is left", seed, spoolName(n))
			}
		}
		if len(live) > len(largeFiles(t, crashed, "d")) {
			t.Errorf("seed %d: %d messages, files %x", seed, len(live), largeFiles(t, crashed, "d"))
		}
	}
}

func TestToolsKnowTheSpool(t *testing.T) {
	mem := vfs.NewMem()
	s, w, _ := openSpool(t, Options{FS: mem})
	ref, err := spooled(t, s, true, filling(5, 5000))
	if err != nil {
		t.Fatal(err)
	}
	at := s.Append(largeRecord(5, ref))
	s.SpoolBind(ref.Number, 5)
	w.until(func() bool { _, synced := s.Stable(); return synced == at })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	report, err := Inspect(mem, "d")
	if want := []LargeInfo{{spoolName(ref.Number), 5000, 5}}; err != nil || !slices.Equal(report.Large, want) {
		t.Errorf("inspect: %+v, %v", report.Large, err)
	}
	problems := func() (all []string) {
		if err := Verify(mem, "d", func(p string) { all = append(all, p) }); err != nil {
			t.Fatal(err)
		}
		return all
	}
	if got := problems(); len(got) != 0 {
		t.Errorf("problems %q", got)
	}
	mem.Flip("d/"+spoolName(ref.Number), 4321, 1)
	if got := problems(); len(got) != 1 || !strings.Contains(got[0], "damaged") {
		t.Errorf("problems of a flipped bit: %q", got)
	}
	f, err := mem.Open("d/" + spoolName(ref.Number))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(4999); err != nil {
		t.Fatal(err)
	}
	if got := problems(); len(got) != 1 || !strings.Contains(got[0], "4999") {
		t.Errorf("problems of a short file: %q", got)
	}
}

// TestSpilledRecordsStillNameTheirFiles: what a large message's record says of
// its file survives the copy into a spill file, also of one sent in a
// transaction.
func TestSpilledRecordsStillNameTheirFiles(t *testing.T) {
	mem := vfs.NewMem()
	o := Options{FS: mem, LogBytes: 64 << 10}
	s, w, _ := openSpool(t, o)
	contents := map[uint64][]byte{}
	for id := uint64(1); id <= 2; id++ {
		contents[id] = filling(id, 9000)
		ref, err := spooled(t, s, true, contents[id])
		if err != nil {
			t.Fatal(err)
		}
		at := s.Append(largeRecord(id, ref))
		s.SpoolBind(ref.Number, id)
		s.SpoolForget(ref.Number)
		w.until(func() bool { _, synced := s.Stable(); return synced == at })
	}
	last := uint64(0)
	for id := 3; id < 400; id++ {
		last = s.Append(numbered(id, record.Sync, 900))
		w.until(func() bool { _, synced := s.Stable(); return synced == last })
	}
	for s.Stats().SpillFiles == 0 { // a checkpoint covers what may be spilled; each wakes the house
		s.Checkpoint(func(add func(key, at uint64, recs []record.Record)) { add(1, last, []record.Record{{Kind: 1}}) })
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, _, live := openSpool(t, o)
	if len(live) != 2 {
		t.Errorf("large messages %v", live)
	}
	for id, ref := range live { // order: irrelevant
		if got, err := read(s, ref, 4096); err != nil || !bytes.Equal(got, contents[id]) {
			t.Errorf("message %d: %d bytes, %v", id, len(got), err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if names := largeFiles(t, mem, "d"); len(names) != 2 {
		t.Errorf("files %x", names)
	}
}

// TestTheFixtureOfLargeMessagesStillOpens: files and records of large messages
// that an earlier version wrote are those that this one reads.
func TestTheFixtureOfLargeMessagesStillOpens(t *testing.T) {
	const dir = "../testdata/fixture-large"
	if *update {
		mem := vfs.NewMem()
		s, w, _ := openSpool(t, Options{FS: mem})
		for id := uint64(1); id <= 2; id++ {
			ref, err := spooled(t, s, true, filling(id, 3000*int(id)))
			if err != nil {
				t.Fatal(err)
			}
			at := s.Append(largeRecord(id, ref))
			s.SpoolBind(ref.Number, id)
			s.SpoolForget(ref.Number)
			w.until(func() bool { _, synced := s.Stable(); return synced == at })
		}
		if _, err := spooled(t, s, false, filling(3, 500)); err != nil { // of a message that is not stored
			t.Fatal(err)
		}
		save(t, mem.Kill(), dir)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	fs := copyDir(t, dir)
	s, _, live := openSpool(t, Options{FS: fs})
	if len(live) != 2 {
		t.Errorf("large messages %v", live)
	}
	for id, ref := range live { // order: irrelevant
		if got, err := read(s, ref, 1000); err != nil || !bytes.Equal(got, filling(id, 3000*int(id))) || record.CRC(got) != ref.CRC {
			t.Errorf("message %d: %d bytes, %v", id, len(got), err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if names := largeFiles(t, fs, "d"); len(names) != 2 {
		t.Errorf("files %x", names)
	}
}
