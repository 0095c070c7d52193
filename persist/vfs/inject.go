package vfs

import (
	"io"
	"path/filepath"
)

// Call is one operation as a fault hook sees it, before it happens.
type Call struct {
	Op   string // "create", "open", "write", "read", "sync", "preallocate", "truncate", "rename", "remove", "syncdir", "list", "mkdir"
	Name string // last element of the path
	Off  int64  // of a read or write
	Len  int
}

// Inject puts a hook in front of every operation of fs. An error it returns is
// the operation's result and nothing happens; a hook may also wait, to make a
// slow disk of a fast one. It must be safe for concurrent use.
func Inject(fs FS, hook func(Call) error) FS { return &injected{fs, hook} }

type injected struct {
	FS
	hook func(Call) error
}

func (i *injected) call(op, name string) error {
	return i.hook(Call{Op: op, Name: filepath.Base(name)})
}

func (i *injected) MkdirAll(dir string) error {
	if err := i.call("mkdir", dir); err != nil {
		return err
	}
	return i.FS.MkdirAll(dir)
}

func (i *injected) wrap(op, name string, open func(string) (File, error)) (File, error) {
	if err := i.call(op, name); err != nil {
		return nil, err
	}
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	return &injectedFile{f, filepath.Base(name), i.hook}, nil
}

func (i *injected) Create(name string) (File, error) { return i.wrap("create", name, i.FS.Create) }
func (i *injected) Open(name string) (File, error)   { return i.wrap("open", name, i.FS.Open) }
func (i *injected) OpenRead(name string) (File, error) {
	return i.wrap("open", name, i.FS.OpenRead)
}

func (i *injected) Rename(from, to string) error {
	if err := i.call("rename", from); err != nil {
		return err
	}
	return i.FS.Rename(from, to)
}

func (i *injected) Remove(name string) error {
	if err := i.call("remove", name); err != nil {
		return err
	}
	return i.FS.Remove(name)
}

func (i *injected) List(dir string) ([]string, error) {
	if err := i.call("list", dir); err != nil {
		return nil, err
	}
	return i.FS.List(dir)
}

func (i *injected) SyncDir(dir string) error {
	if err := i.call("syncdir", dir); err != nil {
		return err
	}
	return i.FS.SyncDir(dir)
}

func (i *injected) Lock(name string) (io.Closer, error) { return i.FS.Lock(name) }

type injectedFile struct {
	File
	name string // as opened: a renamed file keeps the name it came with
	hook func(Call) error
}

func (f *injectedFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.hook(Call{"read", f.name, off, len(p)}); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

func (f *injectedFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.hook(Call{"write", f.name, off, len(p)}); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, off)
}

func (f *injectedFile) Sync() error {
	if err := f.hook(Call{Op: "sync", Name: f.name}); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *injectedFile) Preallocate(size int64) error {
	if err := f.hook(Call{Op: "preallocate", Name: f.name}); err != nil {
		return err
	}
	return f.File.Preallocate(size)
}

func (f *injectedFile) Truncate(size int64) error {
	if err := f.hook(Call{Op: "truncate", Name: f.name}); err != nil {
		return err
	}
	return f.File.Truncate(size)
}
