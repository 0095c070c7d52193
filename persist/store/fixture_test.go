package store

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegate/tidegate/persist/journal"
	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

var update = flag.Bool("update", false, "write the fixture of the present format anew; those of older formats stay as they are for ever")

// copyDir copies a folder of this machine into a file system in memory.
func copyDir(t *testing.T, dir string) *vfs.Mem {
	t.Helper()
	mem := vfs.NewMem()
	names, err := vfs.OS.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		f, err := mem.Create("d/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt(data, 0); err != nil {
			t.Fatal(err)
		}
	}
	return mem.Kill()
}

// spilled is what a killed process leaves: two checkpoints, segments with and
// without footers, one recycled, spill files, and a tail that nobody claims.
func spilled(t *testing.T) (killed *vfs.Mem) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		mem := vfs.NewMem()
		s, err := Open(Options{FS: mem, Dir: "d", SegmentBytes: 16 << 10, LogBytes: 32 << 10})
		if err != nil {
			t.Fatal(err)
		}
		s.Retain(func(func(uint64) bool) {})
		last := uint64(0)
		add := func(n int) {
			for range n {
				r := numbered(int(last)+1, record.Sync, 900)
				r[0].Group = last % 2
				last = s.Append(r)
				synctest.Wait()
			}
		}
		checkpoint := func(key uint64) {
			s.Checkpoint(func(put func(key, at uint64, recs []record.Record)) {
				put(key, last, []record.Record{{Kind: 2, Head: fmt.Appendf(nil, "key %d as of %d", key, last)}})
			})
			synctest.Wait()
		}
		remove := func(ids ...uint64) {
			last = s.Append([]record.Record{{Kind: 3, Need: record.Sync, Head: fmt.Appendf(nil, "remove %v", ids)}})
			synctest.Wait()
			s.Release(last, ids)
		}
		add(30)
		remove(1, 2, 3, 4, 5, 6, 8, 10, 13)
		checkpoint(1)
		add(3)
		checkpoint(2)
		add(6)
		last = s.Append(numbered(int(last)+1, record.Write, 900))
		synctest.Wait()
		if st := s.Stats(); st.SpillFiles == 0 {
			t.Fatalf("nothing spilled: %+v", st)
		}
		killed = mem.Kill()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
	return killed
}

// save writes a folder of a file system in memory to this machine.
func save(t *testing.T, fs *vfs.Mem, dir string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	names, err := fs.List("d")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		f, err := fs.OpenRead("d/" + name)
		if err != nil {
			t.Fatal(err)
		}
		size, err := f.Size()
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, size)
		if n, _ := f.ReadAt(data, 0); int64(n) != size {
			t.Fatalf("read %d of %d bytes of %s", n, size, name)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// listing opens a store and tells what it replays and which bodies it has.
func listing(t *testing.T, fs vfs.FS) string {
	t.Helper()
	s, err := Open(Options{FS: fs, Dir: "d", SegmentBytes: 16 << 10})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	var ids []uint64
	if err := s.Replay(func(pos uint64, r record.Record) error {
		lines = append(lines, fmt.Sprintf("%d kind %#02x ids %v group %d head %q", pos, uint8(r.Kind), r.IDs, r.Group, r.Head))
		if r.Kind&record.BodyBit != 0 {
			ids = append(ids, r.IDs[0])
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.Retain(slices.Values(ids))
	loaded := make(chan struct{})
	s.Load(ids, func() {
		defer close(loaded)
		for _, id := range ids {
			head, body, ok := s.Bytes(id)
			n := 0
			for _, b := range body {
				n += len(b)
			}
			lines = append(lines, fmt.Sprintf("id %d found %v head %q body of %d bytes", id, ok, head, n))
		}
	})
	<-loaded
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n") + "\n"
}

// TestTheFixturesStillOpen: a store written by an earlier version, or by this
// one, replays as it did then, and once more after this version has opened it.
func TestTheFixturesStillOpen(t *testing.T) {
	newest := fmt.Sprintf("../testdata/fixture-v%d", journal.Version)
	if *update {
		save(t, spilled(t), newest)
		if err := os.WriteFile(newest+".golden", []byte(listing(t, copyDir(t, newest))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for version := 1; version <= journal.Version; version++ {
		dir := fmt.Sprintf("../testdata/fixture-v%d", version)
		want, err := os.ReadFile(dir + ".golden")
		if err != nil {
			t.Fatal(err)
		}
		fs := copyDir(t, dir)
		for _, time := range []string{"first", "second"} {
			if d := cmp.Diff(string(want), listing(t, fs)); d != "" {
				t.Errorf("%s opened the %s time: %s", dir, time, d)
			}
		}
	}
}
