// Package disk is where configurations lie: it reads the files of a set for
// core/config, and writes those that changed so that a power cut leaves each as it
// was or as it is to be, never in between.
package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/persist/vfs"
)

// Suffix is what the name of a file has while it is written. One that is left
// behind means nothing, and is written over.
const Suffix = ".new"

// Files reads from a file system: config.Files.
type Files struct{ FS vfs.FS }

// Read gives a file, or fs.ErrNotExist. What is larger than config.MaxFile is read
// only so far that config.Load sees it.
func (f Files) Read(name string) ([]byte, error) {
	file, err := f.FS.OpenRead(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return nil, err
	}
	b := make([]byte, min(size, config.MaxFile+1))
	n, err := file.ReadAt(b, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if errors.Is(err, syscall.EISDIR) { // a set is often named by its directory
		return nil, fs.ErrNotExist
	}
	return b[:n], err
}

// Exists says whether there is a file of the name.
func (f Files) Exists(name string) bool {
	file, err := f.FS.OpenRead(name)
	if err != nil {
		return false
	}
	return file.Close() == nil
}

// Save writes the files of c that changed, each whole or not at all, and tells c.
// On an error the files before it are written and those behind it are not; c still
// holds all changes, and Save can be called again.
func Save(files vfs.FS, c *config.Config) error {
	for _, f := range c.Changed() {
		if err := Write(files, f.Path, f.Bytes); err != nil {
			return fmt.Errorf("%s is not saved: %w", f.Path, err)
		}
		c.Saved(f.Name)
	}
	return nil
}

// Write puts a file in the place of the one of its name, which stays until the new
// one is durable. The new one has the other's permissions. A symbolic link stays one:
// the file it leads to is replaced.
func Write(files vfs.FS, name string, b []byte) error {
	if links, ok := files.(interface{ Resolve(name string) string }); ok {
		name = links.Resolve(name)
	}
	temporary := name + Suffix
	if err := fill(files, temporary, name, b); err != nil {
		return errors.Join(err, remove(files, temporary))
	}
	if err := files.Rename(temporary, name); err != nil {
		return errors.Join(err, remove(files, temporary))
	}
	return files.SyncDir(filepath.Dir(name))
}

func fill(files vfs.FS, temporary, name string, b []byte) error {
	file, err := files.Create(temporary)
	if err != nil {
		return err
	}
	if keeper, ok := files.(interface{ KeepMode(from, to string) error }); ok {
		err = keeper.KeepMode(name, temporary)
	}
	if err == nil {
		_, err = file.WriteAt(b, 0)
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

func remove(files vfs.FS, name string) error {
	if err := files.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
