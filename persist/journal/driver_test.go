package journal_test

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/tidegate/tidegate/persist/journal"
	"github.com/tidegate/tidegate/persist/vfs"
)

// disk runs a journal's operations on a file system, one at a time.
type disk struct{ fs vfs.FS }

func (d disk) List() ([]string, error) { return d.fs.List("/") }

func (d disk) Size(name string) (int64, error) {
	f, err := d.fs.Open("/" + name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return f.Size()
}

func (d disk) ReadAt(name string, p []byte, off int64) (int, error) {
	f, err := d.fs.Open("/" + name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return f.ReadAt(p, off)
}

func (d disk) with(name string, do func(vfs.File) error) error {
	f, err := d.fs.Open("/" + name)
	if err != nil {
		return err
	}
	return errors.Join(do(f), f.Close())
}

func (d disk) run(op *journal.Op) error {
	switch op.Kind {
	case journal.OpCreate:
		return d.create(op)
	case journal.OpWrite:
		return d.write(op)
	case journal.OpSync:
		if op.Dir {
			if err := d.fs.SyncDir("/"); err != nil {
				return err
			}
		}
		for _, name := range op.Names {
			if err := d.with(name, vfs.File.Sync); err != nil {
				return err
			}
		}
		return nil
	case journal.OpRename:
		if err := d.fs.Rename("/"+op.Name, "/"+op.To); err != nil || !op.Dir {
			return err
		}
		return d.fs.SyncDir("/")
	case journal.OpRemove:
		err := d.fs.Remove("/" + op.Name)
		if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
		return err
	}
	if op.Footer == nil {
		return nil
	}
	chunks, err := op.Footer.Build(d)
	if err != nil || op.Kind == journal.OpRead {
		return err
	}
	return d.with(op.Name, func(f vfs.File) error {
		for _, c := range chunks {
			if _, err := f.WriteAt(c.Data, c.Off); err != nil {
				return err
			}
		}
		return f.Sync()
	})
}

func (d disk) create(op *journal.Op) error {
	f, err := d.fs.Create("/" + op.Name)
	if err != nil {
		return err
	}
	if err = f.Preallocate(op.Size); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Close(), d.fs.Remove(filepath.Join("/", op.Name)))
	}
	return f.Close()
}

func (d disk) write(op *journal.Op) error {
	if op.Fresh {
		f, err := d.fs.Create("/" + op.Name)
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	data := op.Data
	if op.Group != nil {
		data = op.Group.Encode(nil)
	}
	return d.with(op.Name, func(f vfs.File) error {
		if _, err := f.WriteAt(data, op.Off); err != nil || !op.Sync {
			return err
		}
		return f.Sync()
	})
}

// step runs one operation of a lane, if there is one.
func (d disk) step(j *journal.Journal, l journal.Lane) bool {
	op, ok := j.Next(l)
	if ok {
		j.Done(op, d.run(op))
	}
	return ok
}

// settle runs lanes until none has anything to do.
func (d disk) settle(t interface {
	Helper()
	Fatal(...any)
}, j *journal.Journal,
) {
	for busy, n := true, 0; busy; n++ {
		busy = false
		for l := journal.Setup; l <= journal.SpillLane; l++ {
			busy = d.step(j, l) || busy
		}
		if n > 100000 {
			t.Fatal("the journal never comes to rest")
		}
	}
}

// start recovers, and sets the spares up.
func (d disk) start(cfg journal.Config) (*journal.Journal, *journal.Recovered, error) {
	j, found, err := journal.Recover(cfg, d, nil)
	if err != nil {
		return nil, nil, err
	}
	for d.step(j, journal.Setup) {
	}
	if j.Err() != nil {
		return nil, nil, j.Err()
	}
	names, err := d.List()
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		size, err := d.Size(name)
		if err != nil {
			return nil, nil, err
		}
		j.Use(name, size)
	}
	return j, found, nil
}
