package vfs

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func mustCreate(t *testing.T, fs FS, name string) File {
	t.Helper()
	f, err := fs.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func mustWrite(t *testing.T, f File, off int64, p []byte) {
	t.Helper()
	if n, err := f.WriteAt(p, off); n != len(p) || err != nil {
		t.Fatalf("wrote %d of %d bytes: %v", n, len(p), err)
	}
}

func contentOf(t *testing.T, fs FS, name string) []byte {
	t.Helper()
	f, err := fs.OpenRead(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, size)
	if n, _ := f.ReadAt(p, 0); n != len(p) {
		t.Fatalf("read %d of %d bytes of %s", n, len(p), name)
	}
	return p
}

const seeds = 200

func TestPowerLossKeepsWhatWasSynced(t *testing.T) {
	for seed := range uint64(seeds) {
		m := NewMem()
		f := mustCreate(t, m, "d/a")
		mustWrite(t, f, 0, []byte("synced"))
		if err := errors.Join(f.Sync(), m.SyncDir("d")); err != nil {
			t.Fatal(err)
		}
		mustWrite(t, f, 6, []byte(" and not"))
		got := contentOf(t, m.PowerLoss(seed), "d/a")
		if !bytes.HasPrefix(got, []byte("synced")) {
			t.Fatalf("seed %d: %q", seed, got)
		}
	}
}

func TestPowerLossMayLoseWhatWasNot(t *testing.T) {
	outcomes := map[string]bool{}
	entries := map[bool]bool{}
	for seed := range uint64(seeds) {
		m := NewMem()
		f := mustCreate(t, m, "d/a")
		mustWrite(t, f, 0, bytes.Repeat([]byte("."), 3*Sector))
		if err := errors.Join(f.Sync(), m.SyncDir("d")); err != nil {
			t.Fatal(err)
		}
		mustWrite(t, f, 0, bytes.Repeat([]byte("1"), 2*Sector))
		mustWrite(t, f, 2*Sector, bytes.Repeat([]byte("2"), Sector))
		mustCreate(t, m, "d/b")
		after := m.PowerLoss(seed)
		got := contentOf(t, after, "d/a")
		outcomes[string([]byte{got[0], got[Sector], got[2*Sector]})] = true
		for s := 0; s < len(got); s += Sector {
			if bytes.Count(got[s:s+Sector], got[s:s+1]) != Sector {
				t.Fatalf("seed %d: a sector is torn", seed)
			}
		}
		names, err := after.List("d")
		if err != nil {
			t.Fatal(err)
		}
		entries[len(names) == 2] = true
	}
	for _, want := range []string{"...", "112", "11.", "..2", "1..", ".1."} {
		if !outcomes[want] {
			t.Errorf("no seed of %d leaves %q", seeds, want)
		}
	}
	if len(entries) != 2 {
		t.Errorf("a new entry that was not synced is always lost or always kept: %v", entries)
	}
}

func TestPowerLossIsTheSameForTheSameSeed(t *testing.T) {
	m := NewMem()
	for _, name := range []string{"d/a", "d/b", "d/c"} {
		mustWrite(t, mustCreate(t, m, name), 0, bytes.Repeat([]byte(name), 1000))
	}
	for seed := range uint64(20) {
		one, two := m.PowerLoss(seed), m.PowerLoss(seed)
		for _, name := range []string{"d/a", "d/b", "d/c"} {
			if !bytes.Equal(contentOf(t, one, name), contentOf(t, two, name)) {
				t.Fatalf("seed %d: %s differs", seed, name)
			}
		}
	}
}

func TestRenameIsLostWithoutSyncDir(t *testing.T) {
	lost, kept := false, false
	for seed := range uint64(seeds) {
		m := NewMem()
		f := mustCreate(t, m, "d/old")
		mustWrite(t, f, 0, []byte("x"))
		if err := errors.Join(f.Sync(), m.SyncDir("d"), m.Rename("d/old", "d/new")); err != nil {
			t.Fatal(err)
		}
		after := m.PowerLoss(seed)
		a, b := contentOf(t, after, "d/old"), contentOf(t, after, "d/new")
		if (a == nil) == (b == nil) {
			t.Fatalf("seed %d: the file has two names or none", seed)
		}
		lost, kept = lost || b == nil, kept || a == nil
	}
	if !lost || !kept {
		t.Errorf("lost %v, kept %v: both must happen", lost, kept)
	}
}

func TestKillKeepsEveryWrite(t *testing.T) {
	m := NewMem()
	f := mustCreate(t, m, "d/a")
	mustWrite(t, f, 0, []byte("not synced"))
	lock, err := m.Lock("d/lock")
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	after := m.Kill()
	if got := contentOf(t, after, "d/a"); string(got) != "not synced" {
		t.Errorf("found %q", got)
	}
	if _, err := after.Lock("d/lock"); err != nil {
		t.Errorf("the lock of a killed process holds: %v", err)
	}
}

func TestLimitIsADiskThatIsFull(t *testing.T) {
	m := NewMem()
	m.SetLimit(100)
	f := mustCreate(t, m, "d/a")
	if err := f.Preallocate(101); !IsNoSpace(err) {
		t.Errorf("preallocate: %v, want no space", err)
	}
	if err := f.Preallocate(100); err != nil {
		t.Error(err)
	}
	mustWrite(t, f, 0, make([]byte, 100)) // reserved before
	if _, err := f.WriteAt([]byte("x"), 100); !IsNoSpace(err) {
		t.Errorf("write: %v, want no space", err)
	}
	if free, err := m.Free("d"); free != 0 || err != nil {
		t.Errorf("free: %d, %v", free, err)
	}
}

// TestBothFileSystemsBehaveAlike holds Mem to what OS does.
func TestBothFileSystemsBehaveAlike(t *testing.T) {
	for name, fs := range map[string]FS{"os": OS, "mem": NewMem()} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "store")
			if err := fs.MkdirAll(dir); err != nil {
				t.Fatal(err)
			}
			at := func(name string) string { return filepath.Join(dir, name) }
			if _, err := fs.Open(at("none")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("open of nothing: %v", err)
			}
			f := mustCreate(t, fs, at("b"))
			defer f.Close()
			if err := f.Preallocate(8192); err != nil {
				t.Fatal(err)
			}
			mustWrite(t, f, 4096, []byte("hello"))
			if err := errors.Join(f.Sync(), fs.Rename(at("b"), at("a")), fs.SyncDir(dir)); err != nil {
				t.Fatal(err)
			}
			mustWrite(t, f, 4101, []byte("!")) // an open file stays open
			got := contentOf(t, fs, at("a"))
			if len(got) != 8192 || string(got[4096:4102]) != "hello!" || got[0] != 0 {
				t.Errorf("%d bytes, %q", len(got), got[4096:4102])
			}
			if err := f.Truncate(4098); err != nil {
				t.Fatal(err)
			}
			mustCreate(t, fs, at("c")).Close()
			if names, err := fs.List(dir); err != nil || len(names) != 2 || names[0] != "a" || names[1] != "c" {
				t.Errorf("list: %v, %v", names, err)
			}
			if err := fs.Remove(at("c")); err != nil {
				t.Error(err)
			}
			if n, err := f.ReadAt(make([]byte, 10), 4096); n != 2 || err == nil {
				t.Errorf("read past the end: %d, %v", n, err)
			}
			lock, err := fs.Lock(at("lock"))
			if err != nil {
				t.Fatal(err)
			}
			var locked *LockedError
			if _, err := fs.Lock(at("lock")); !errors.As(err, &locked) || locked.PID != os.Getpid() {
				t.Errorf("second lock: %v, want the pid of this process", err)
			}
			if err := lock.Close(); err != nil {
				t.Error(err)
			}
			again, err := fs.Lock(at("lock"))
			if err != nil {
				t.Fatalf("lock after its release: %v", err)
			}
			again.Close()
		})
	}
}

func TestInjectFailsWhatTheHookSays(t *testing.T) {
	broken := errors.New("broken")
	var calls []Call
	fs := Inject(NewMem(), func(c Call) error {
		calls = append(calls, c)
		if c.Op == "sync" {
			return broken
		}
		return nil
	})
	f := mustCreate(t, fs, "d/a")
	mustWrite(t, f, 7, []byte("xyz"))
	if err := f.Sync(); !errors.Is(err, broken) {
		t.Errorf("sync: %v", err)
	}
	want := []Call{{Op: "create", Name: "a"}, {"write", "a", 7, 3}, {Op: "sync", Name: "a"}}
	if len(calls) != len(want) {
		t.Fatalf("saw %v, want %v", calls, want)
	}
	for i := range want {
		if calls[i] != want[i] {
			t.Errorf("call %d: %v, want %v", i, calls[i], want[i])
		}
	}
}
