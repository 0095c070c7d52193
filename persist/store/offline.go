package store

import (
	"errors"
	"fmt"
	"os"

	"github.com/tidegate/tidegate/persist/journal"
	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// Report is what Inspect found.
type Report struct {
	Dir    string      `json:"dir"`
	ID     string      `json:"id"` // of the store, hexadecimal
	Format int         `json:"format"`
	Large  []LargeInfo `json:"large"` // files of large messages
	journal.Contents
}

// Inspect says what a store holds that no process has open. It changes nothing.
// Damage is a *journal.DamageError, a store in use an *InUseError.
func Inspect(fs vfs.FS, dir string) (Report, error) {
	report := Report{Dir: dir}
	err := offline(fs, dir, func(id [16]byte, f *files, c *journal.Contents) (err error) {
		report.ID, report.Format, report.Contents = fmt.Sprintf("%x", id), journal.Version, *c
		report.Large, _, err = large(f, c)
		return err
	})
	return report, err
}

// Verify reads everything in a store that no process has open and tells each
// problem. An error means that it could not be read, not that it is damaged.
func Verify(fs vfs.FS, dir string, problem func(string)) error {
	err := offline(fs, dir, func(_ [16]byte, f *files, c *journal.Contents) error {
		if err := c.Problems(problem); err != nil {
			return err
		}
		return largeProblems(f, c, problem)
	})
	var damage *journal.DamageError
	if errors.As(err, &damage) {
		problem(damage.Error())
		return nil
	}
	return err
}

// Dump gives every record of a store that no process has open, with its body
// and where it stands, in the order of positions. Its slices are valid during
// the call.
func Dump(fs vfs.FS, dir string, each func(pos uint64, segment string, offset int64, r record.Record) error) error {
	return offline(fs, dir, func(_ [16]byte, _ *files, c *journal.Contents) error { return c.Records(each) })
}

func offline(fs vfs.FS, dir string, use func(id [16]byte, f *files, c *journal.Contents) error) error {
	f := newFiles(fs, dir, true)
	defer f.closeAll() // opened for reading
	id, err := loadIdentity(fs, f, nil)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s holds no store: it has no file %q", dir, identityFile)
	}
	if err != nil {
		return err
	}
	// What cannot be locked for another reason (a copy on a medium that is not
	// writable) is nobody's.
	lock, err := fs.Lock(f.path("lock"))
	var locked *vfs.LockedError
	if errors.As(err, &locked) {
		return &InUseError{dir, locked.PID}
	}
	if err == nil {
		defer lock.Close()
	}
	c, err := journal.Examine(journal.Config{Store: id}, f, nil)
	if err != nil {
		return fmt.Errorf("store %s: %w", dir, err)
	}
	return use(id, f, c)
}
