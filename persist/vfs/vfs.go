// Package vfs is the file system as the store needs it: few operations, each
// with the durability it promises, so that a test can lose exactly what a power
// cut may lose. OS is the real one, Mem the one that tests and the simulation
// crash, Inject puts faults and delays in front of either.
package vfs

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// FS is one file system. All methods may be called from any goroutine. Names
// are paths in the form of the operating system.
type FS interface {
	// MkdirAll makes a directory and its parents, and syncs what it made.
	MkdirAll(dir string) error
	// Create makes an empty file for reading and writing, or empties the one
	// of that name. The entry is durable only after SyncDir.
	Create(name string) (File, error)
	// Open opens an existing file for reading and writing.
	Open(name string) (File, error)
	// OpenRead opens an existing file for reading only.
	OpenRead(name string) (File, error)
	// Rename gives a file another name, replacing one of that name. Open files
	// stay open. It is durable only after SyncDir.
	Rename(from, to string) error
	// Remove deletes a file. It is durable only after SyncDir.
	Remove(name string) error
	// List names the files of a directory, sorted.
	List(dir string) ([]string, error)
	// SyncDir makes the entries of a directory durable.
	SyncDir(dir string) error
	// Lock takes an exclusive lock that ends with the process, or fails with
	// *LockedError. The file holds the pid of its holder.
	Lock(name string) (io.Closer, error)
	// Free is the space in bytes that an ordinary user could still fill.
	Free(dir string) (int64, error)
}

// File is an open file. Reads and writes may overlap with each other and with
// Sync; a Sync covers what was written before it was called.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Size is the length in bytes.
	Size() (int64, error)
	// Preallocate makes the file at least size bytes long with all its blocks
	// reserved, so that writing there cannot run out of space.
	Preallocate(size int64) error
	// Truncate sets the length.
	Truncate(size int64) error
	// Sync makes content and length durable (fdatasync).
	Sync() error
}

// LockedError says that another process holds a lock.
type LockedError struct {
	Name string
	PID  int // 0 if the holder did not say
}

func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("%s is locked by another process", e.Name)
	}
	return fmt.Sprintf("%s is locked by process %d", e.Name, e.PID)
}

// ErrNoSpace is what a full disk answers; compare with IsNoSpace.
var ErrNoSpace error = syscall.ENOSPC

// IsNoSpace tells a full disk (or an exhausted quota) from other failures.
func IsNoSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
