package vfs

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"sync"
)

// Sector is the unit that a disk writes whole or not at all, in bytes.
const Sector = 512

// Mem is a file system in memory that knows what is durable and what is not.
// Crash makes the file system that a process finds after one.
type Mem struct {
	mu      sync.Mutex
	entries map[string]*inode // as the running process sees them
	durable map[string]*inode // as of the last SyncDir
	pending []dirOp           // since then, in order
	locks   map[string]int    // by name, the pid of its holder
	limit   int64             // bytes all files may have; 0 no limit
	pid     int
}

type dirOp struct {
	from, to string // to alone: create; from alone: remove
	node     *inode
}

type inode struct {
	data    []byte
	durable []byte
	writes  []write // not synced, in order
}

type write struct {
	off  int64
	data []byte // nil: the length became off
}

// NewMem returns an empty file system.
func NewMem() *Mem {
	return &Mem{entries: map[string]*inode{}, durable: map[string]*inode{}, locks: map[string]int{}, pid: os.Getpid()}
}

// SetLimit bounds the sum of all files' lengths; what goes beyond fails with
// ErrNoSpace. 0 lifts the limit.
func (m *Mem) SetLimit(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limit = bytes
}

// Used is the sum of all files' lengths in bytes.
func (m *Mem) Used() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.used()
}

func (m *Mem) used() int64 {
	n := int64(0)
	for _, f := range m.entries { // order: irrelevant
		n += int64(len(f.data))
	}
	return n
}

// MkdirAll does nothing: directories are prefixes of names.
func (m *Mem) MkdirAll(string) error { return nil }

// Create implements FS.
func (m *Mem) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = filepath.Clean(name)
	f := &inode{}
	m.entries[name] = f
	m.pending = append(m.pending, dirOp{to: name, node: f})
	return &memFile{m, f, false}, nil
}

// Open implements FS.
func (m *Mem) Open(name string) (File, error) { return m.open(name, false) }

// OpenRead implements FS.
func (m *Mem) OpenRead(name string) (File, error) { return m.open(name, true) }

func (m *Mem) open(name string, readOnly bool) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.entries[filepath.Clean(name)]
	if f == nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: os.ErrNotExist}
	}
	return &memFile{m, f, readOnly}, nil
}

// Rename implements FS.
func (m *Mem) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	from, to = filepath.Clean(from), filepath.Clean(to)
	f := m.entries[from]
	if f == nil {
		return &os.PathError{Op: "rename", Path: from, Err: os.ErrNotExist}
	}
	delete(m.entries, from)
	m.entries[to] = f
	m.pending = append(m.pending, dirOp{from: from, to: to, node: f})
	return nil
}

// Remove implements FS.
func (m *Mem) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = filepath.Clean(name)
	if m.entries[name] == nil {
		return &os.PathError{Op: "remove", Path: name, Err: os.ErrNotExist}
	}
	delete(m.entries, name)
	m.pending = append(m.pending, dirOp{from: name})
	return nil
}

// List implements FS.
func (m *Mem) List(dir string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	dir = filepath.Clean(dir)
	for name := range m.entries { // order: irrelevant
		if filepath.Dir(name) == dir {
			names = append(names, filepath.Base(name))
		}
	}
	sort.Strings(names)
	return names, nil
}

// SyncDir makes all entries durable, of whatever directory: tests use one.
func (m *Mem) SyncDir(string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, op := range m.pending {
		op.apply(m.durable)
	}
	m.pending = m.pending[:0]
	return nil
}

func (op dirOp) apply(entries map[string]*inode) {
	switch {
	case op.from == "":
		entries[op.to] = op.node
	case op.to == "":
		delete(entries, op.from)
	case entries[op.from] == op.node: // not lost earlier
		delete(entries, op.from)
		entries[op.to] = op.node
	}
}

// Lock implements FS; a crash clone holds none.
func (m *Mem) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = filepath.Clean(name)
	if pid := m.locks[name]; pid != 0 {
		return nil, &LockedError{Name: name, PID: pid}
	}
	m.locks[name] = m.pid
	return &memLock{m, name}, nil
}

type memLock struct {
	m    *Mem
	name string
}

func (l *memLock) Close() error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	delete(l.m.locks, l.name)
	return nil
}

// Free implements FS.
func (m *Mem) Free(string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.limit == 0 {
		return 1 << 40, nil
	}
	return max(0, m.limit-m.used()), nil
}

type memFile struct {
	m        *Mem
	f        *inode
	readOnly bool
}

func (f *memFile) Close() error { return nil }

func (f *memFile) Size() (int64, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	return int64(len(f.f.data)), nil
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if off >= int64(len(f.f.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.f.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if f.readOnly {
		return 0, os.ErrPermission
	}
	if err := f.m.room(f.f, off+int64(len(p))); err != nil {
		return 0, err
	}
	w := write{off, slices.Clone(p)}
	f.f.data = w.apply(f.f.data)
	f.f.writes = append(f.f.writes, w)
	return len(p), nil
}

func (m *Mem) room(f *inode, size int64) error {
	more := size - int64(len(f.data))
	if more > 0 && m.limit > 0 && m.used()+more > m.limit {
		return ErrNoSpace
	}
	return nil
}

func (w write) apply(data []byte) []byte {
	if w.data == nil {
		return resize(data, w.off)
	}
	if end := w.off + int64(len(w.data)); end > int64(len(data)) {
		data = resize(data, end)
	}
	copy(data[w.off:], w.data)
	return data
}

func resize(data []byte, n int64) []byte {
	if n <= int64(len(data)) {
		return data[:n:n]
	}
	return append(data, make([]byte, n-int64(len(data)))...)
}

func (f *memFile) Preallocate(size int64) error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if size <= int64(len(f.f.data)) {
		return nil
	}
	if err := f.m.room(f.f, size); err != nil {
		return err
	}
	return f.resize(size)
}

func (f *memFile) Truncate(size int64) error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.m.room(f.f, size); err != nil {
		return err
	}
	return f.resize(size)
}

func (f *memFile) resize(size int64) error {
	w := write{off: size}
	f.f.data = w.apply(f.f.data)
	f.f.writes = append(f.f.writes, w)
	return nil
}

func (f *memFile) Sync() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	for _, w := range f.f.writes {
		f.f.durable = w.apply(f.f.durable)
	}
	f.f.writes = nil
	return nil
}
