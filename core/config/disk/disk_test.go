package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/property"
	"github.com/tidegate/tidegate/persist/vfs"
)

// errPower is what every operation answers after the power has gone.
var errPower = errors.New("no power")

const (
	queues = "# queues\n>\na.b maxmsgs=5\n"
	main   = "server = S\nqueues = queues.conf\n"
)

func onDisk(t *testing.T) *vfs.Mem {
	t.Helper()
	mem := vfs.NewMem()
	for name, text := range map[string]string{"d/tibemsd.conf": main, "d/queues.conf": queues} {
		if err := Write(mem, name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return mem
}

// change makes two changes in two files.
func change(t *testing.T, files vfs.FS) *config.Config {
	t.Helper()
	c, err := config.Load(Files{files}, "d", config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.PutDestination(property.Queue, property.Definition{Name: "a.b", Set: property.Set{{ID: property.MaxMsgs, Number: 6}}}); err != nil {
		t.Fatal(err)
	}
	if err := c.SetParam("server", "T"); err != nil {
		t.Fatal(err)
	}
	return c
}

func read(t *testing.T, files vfs.FS, name string) string {
	t.Helper()
	b, err := Files{files}.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestPowerCutLeavesTheOldFileOrTheNew cuts the power before each operation of a
// save in turn, many ways each: what is found is one of the two, whole, and after
// Save has returned the new one.
func TestPowerCutLeavesTheOldFileOrTheNew(t *testing.T) {
	newQueues, newMain := strings.Replace(queues, "5", "6", 1), strings.Replace(main, "S", "T", 1)
	old, renewed := 0, 0
	for cut, done := 0, false; !done; cut++ {
		mem := onDisk(t)
		c := change(t, mem)
		calls := 0
		err := Save(vfs.Inject(mem, func(vfs.Call) error {
			if calls++; calls > cut {
				return errPower
			}
			return nil
		}), c)
		done = err == nil
		for seed := range uint64(40) {
			after := mem.PowerLoss(seed)
			for name, want := range map[string][2]string{"d/queues.conf": {queues, newQueues}, "d/tibemsd.conf": {main, newMain}} {
				got := read(t, after, name)
				switch {
				case got == want[1]:
					renewed++
				case got == want[0] && !done:
					old++
				default:
					t.Fatalf("power cut before operation %d (saved: %v), seed %d: %s holds %q", cut+1, done, seed, name, got)
				}
			}
		}
	}
	if old == 0 || renewed == 0 {
		t.Errorf("the cuts left %d old files and %d new ones", old, renewed)
	}
}

// TestAFaultLeavesTheOldFileAndNothingElse lets each operation fail in turn, the
// power staying: the old file stands, no other is left behind, and saving again
// succeeds.
func TestAFaultLeavesTheOldFileAndNothingElse(t *testing.T) {
	for fault := 1; ; fault++ {
		mem := onDisk(t)
		c := change(t, mem)
		calls := 0
		var failed vfs.Call
		err := Save(vfs.Inject(mem, func(call vfs.Call) error {
			if calls++; calls == fault {
				failed = call
				return vfs.ErrNoSpace
			}
			return nil
		}), c)
		if err == nil {
			if fault < 6 {
				t.Fatalf("a save takes %d operations", fault-1)
			}
			return
		}
		if !errors.Is(err, vfs.ErrNoSpace) || !strings.Contains(err.Error(), "d/") {
			t.Errorf("%+v: %v", failed, err)
		}
		names, err := mem.List("d")
		if err != nil || fmt.Sprint(names) != "[queues.conf tibemsd.conf]" {
			t.Errorf("%+v leaves %v, %v", failed, names, err)
		}
		if len(c.Changed()) == 0 {
			t.Errorf("%+v: the change is taken for saved", failed)
		}
		if err := Save(mem, c); err != nil {
			t.Errorf("after %+v: %v", failed, err)
		}
		if !strings.Contains(read(t, mem, "d/queues.conf"), "maxmsgs=6") || !strings.Contains(read(t, mem, "d/tibemsd.conf"), "= T") {
			t.Errorf("after %+v the second save has not written all", failed)
		}
	}
}

func TestARealDirectory(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "users.conf")
	if err := os.WriteFile(name, []byte("admin:x:\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tibemsd.conf"), []byte("users = users.conf\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(Files{vfs.OS}, dir, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	u, ok := c.Object(config.Users, "admin")
	if !ok {
		t.Fatalf("admin was not read: %v", c.Findings)
	}
	if err := c.Put(u.With("password", "y")); err != nil {
		t.Fatal(err)
	}
	if err := Save(vfs.OS, c); err != nil {
		t.Fatal(err)
	}
	if got := read(t, vfs.OS, name); got != "admin:y:\n" {
		t.Errorf("the file holds %q", got)
	}
	if st, err := os.Stat(name); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("a file of secrets has become %v, %v", st.Mode(), err)
	}
	link := filepath.Join(dir, "link.conf")
	if err := os.Symlink("users.conf", link); err != nil {
		t.Fatal(err)
	}
	if err := Write(vfs.OS, link, []byte("z")); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Lstat(link); err != nil || st.Mode()&os.ModeSymlink == 0 || read(t, vfs.OS, name) != "z" {
		t.Errorf("the link is now %v, %v, and the file holds %q", st.Mode(), err, read(t, vfs.OS, name))
	}
	if (Files{vfs.OS}).Exists(filepath.Join(dir, "nope")) || !(Files{vfs.OS}).Exists(name) {
		t.Error("Exists is wrong")
	}
}
