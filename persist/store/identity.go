package store

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/persist/journal"
	"github.com/tidegate/tidegate/persist/vfs"
)

// identityFile names the store: two lines of text, the format's version and the
// store's id. It is made once and never changed.
const identityFile = "store"

func identityText(version int, id [16]byte) string {
	return fmt.Sprintf("tidegate store, format %d\nid %s\n", version, hex.EncodeToString(id[:]))
}

// loadIdentity reads the store's id, or draws one from random if there is no
// store yet; nil: there must be one.
func loadIdentity(fs vfs.FS, f *files, random io.Reader) (id [16]byte, err error) {
	b := [128]byte{}
	n, err := f.ReadAt(identityFile, b[:], 0)
	if errors.Is(err, os.ErrNotExist) && random != nil {
		return newIdentity(fs, f, random)
	}
	if n == 0 && err != nil {
		return id, fmt.Errorf("read %s: %w", f.path(identityFile), err)
	}
	version, rest, ok := strings.Cut(strings.TrimPrefix(string(b[:n]), "tidegate store, format "), "\nid ")
	format, err := strconv.Atoi(version)
	if ok && (err != nil || format < 1 || format > journal.Version) {
		return id, fmt.Errorf("%s: format %s, this Tidegate reads up to format %d; use the version that wrote it", f.path(identityFile), version, journal.Version)
	}
	if _, err := hex.Decode(id[:], []byte(strings.TrimSpace(rest))); err != nil || !ok || identityText(format, id) != string(b[:n]) {
		return id, fmt.Errorf("%s does not name a Tidegate store; restore the file or choose another directory", f.path(identityFile))
	}
	return id, nil
}

func newIdentity(fs vfs.FS, f *files, random io.Reader) (id [16]byte, err error) {
	names, err := f.List()
	if err != nil {
		return id, err
	}
	for _, name := range names {
		if strings.HasPrefix(name, "log-") || strings.HasPrefix(name, "checkpoint-") {
			return id, fmt.Errorf("%s holds %s but not the file %q that names the store; restore it or choose another directory", f.dir, name, identityFile)
		}
	}
	if _, err := io.ReadFull(random, id[:]); err != nil {
		return id, err
	}
	const temporary = identityFile + ".new"
	file, err := f.create(temporary)
	if err != nil {
		return id, err
	}
	if _, err := file.WriteAt([]byte(identityText(journal.Version, id)), 0); err != nil {
		return id, err
	}
	if err := file.Sync(); err != nil {
		return id, err
	}
	if err := f.rename(temporary, identityFile); err != nil {
		return id, err
	}
	return id, fs.SyncDir(f.dir)
}
