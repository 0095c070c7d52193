package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/tidegate/tidegate/persist/journal"
	"github.com/tidegate/tidegate/persist/vfs"
)

// files are the open files of a store's directory by name. It is the journal's
// way to read and runs its operations.
type files struct {
	fs       vfs.FS
	dir      string
	readOnly bool
	traffic  traffic

	mu   sync.Mutex
	open map[string]vfs.File
}

func newFiles(fs vfs.FS, dir string, readOnly bool) *files {
	return &files{fs: fs, dir: dir, readOnly: readOnly, open: map[string]vfs.File{}}
}

func (f *files) path(name string) string { return filepath.Join(f.dir, name) }

func (f *files) get(name string) (vfs.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if file := f.open[name]; file != nil {
		return file, nil
	}
	open := f.fs.Open
	if f.readOnly {
		open = f.fs.OpenRead
	}
	file, err := open(f.path(name))
	if err != nil {
		return nil, err
	}
	f.open[name] = file
	return file, nil
}

func (f *files) create(name string) (vfs.File, error) {
	file, err := f.fs.Create(f.path(name))
	if err != nil {
		return nil, err
	}
	f.put(name, file)
	return file, nil
}

// put takes a file (nil: none) for a name and closes what had it before.
func (f *files) put(name string, file vfs.File) {
	f.mu.Lock()
	old := f.open[name]
	delete(f.open, name)
	if file != nil {
		f.open[name] = file
	}
	f.mu.Unlock()
	if old != nil {
		_ = old.Close() // nothing unsynced in it matters any more
	}
}

func (f *files) rename(from, to string) error {
	if err := f.fs.Rename(f.path(from), f.path(to)); err != nil {
		return err
	}
	f.mu.Lock()
	file := f.open[from]
	delete(f.open, from)
	f.mu.Unlock()
	f.put(to, file)
	return nil
}

func (f *files) remove(name string) error {
	f.put(name, nil)
	return f.fs.Remove(f.path(name))
}

func (f *files) writeAt(name string, b []byte, off int64) error {
	file, err := f.get(name)
	if err != nil {
		return err
	}
	n, err := file.WriteAt(b, off)
	f.traffic.wrote(n)
	return err
}

func (f *files) closeAll() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, file := range f.open { // order: irrelevant
		errs = append(errs, file.Close())
	}
	clear(f.open)
	return errors.Join(errs...)
}

// List implements journal.Files.
func (f *files) List() ([]string, error) { return f.fs.List(f.dir) }

// Size implements journal.Files.
func (f *files) Size(name string) (int64, error) {
	file, err := f.get(name)
	if err != nil {
		return 0, err
	}
	return file.Size()
}

// ReadAt implements journal.Files.
func (f *files) ReadAt(name string, p []byte, off int64) (int, error) {
	file, err := f.get(name)
	if err != nil {
		return 0, err
	}
	n, err := file.ReadAt(p, off)
	f.traffic.read(n)
	return n, err
}

// run does one operation. buf is the lane's write buffer, reused.
func (f *files) run(op *journal.Op, buf *[]byte) error {
	switch op.Kind {
	case journal.OpCreate:
		return f.allocate(op.Name, op.Size)
	case journal.OpWrite:
		return f.write(op, buf)
	case journal.OpSync:
		return f.sync(op)
	case journal.OpRename:
		if err := f.rename(op.Name, op.To); err != nil {
			return err
		}
		if op.Dir {
			return f.fs.SyncDir(f.dir)
		}
		return nil
	case journal.OpFooter:
		return f.footer(op)
	case journal.OpRead:
		if op.Footer == nil {
			return nil
		}
		_, err := op.Footer.Build(f)
		return err
	case journal.OpRemove:
		if err := f.remove(op.Name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	return fmt.Errorf("unknown operation %d", op.Kind)
}

func (f *files) allocate(name string, size int64) error {
	file, err := f.create(name)
	if err != nil {
		return err
	}
	if err = file.Preallocate(size); err == nil {
		err = file.Sync()
	}
	if err != nil {
		return errors.Join(err, f.remove(name))
	}
	return nil
}

func (f *files) write(op *journal.Op, buf *[]byte) error {
	var file vfs.File
	var err error
	if op.Fresh {
		file, err = f.create(op.Name)
	} else {
		file, err = f.get(op.Name)
	}
	if err != nil {
		return err
	}
	data := op.Data
	if op.Group != nil {
		data = op.Group.Encode((*buf)[:0])
		if *buf = data; cap(data) > keepBuffer {
			*buf = nil
		}
	}
	n, err := file.WriteAt(data, op.Off)
	f.traffic.wrote(n)
	if err != nil {
		return err
	}
	if op.Sync {
		return file.Sync()
	}
	return nil
}

func (f *files) sync(op *journal.Op) error {
	if op.Dir {
		if err := f.fs.SyncDir(f.dir); err != nil {
			return err
		}
	}
	for _, name := range op.Names {
		file, err := f.get(name)
		if err != nil {
			return err
		}
		if err := file.Sync(); err != nil {
			return err
		}
	}
	return nil
}

func (f *files) footer(op *journal.Op) error {
	chunks, err := op.Footer.Build(f)
	if err != nil {
		return err
	}
	file, err := f.get(op.Name)
	if err != nil {
		return err
	}
	for _, c := range chunks {
		n, err := file.WriteAt(c.Data, c.Off)
		f.traffic.wrote(n)
		if err != nil {
			return err
		}
	}
	return file.Sync()
}
