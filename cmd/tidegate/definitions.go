package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/tidegate/tidegate/core/admin"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/config/disk"
	"github.com/tidegate/tidegate/persist/vfs"
)

// definitionsDir is where the server keeps what administrators define when no
// configuration directory was given, below the data directory
// (docs/decisions/0060-definitions-beside-the-data.md).
const definitionsDir = "conf"

// firstFiles are what a new set begins with: everything may be created by being
// used, as EMS is delivered.
var firstFiles = map[string]string{
	config.MainFile: "# Written by tidegate; yours to edit while it is stopped.\nserver = tidegate\n",
	"queues.conf":   ">\n",
	"topics.conf":   ">\n",
}

// newSet reads a set that may not be there yet.
type newSet struct{ disk.Files }

// Read is config.Files.
func (s newSet) Read(name string) ([]byte, error) {
	b, err := s.Files.Read(name)
	if text, ok := firstFiles[filepath.Base(name)]; ok && errors.Is(err, fs.ErrNotExist) {
		return []byte(text), nil
	}
	return b, err
}

// openDefinitions reads what is defined beside the data, or begins anew. A new set
// is written as a whole by its first commit.
func openDefinitions(data string, log *slog.Logger) (*admin.Definitions, error) {
	if info, err := os.Stat(data); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--data %s: %w: write the name of a directory", data, err)
	} else if err == nil && !info.IsDir() {
		return nil, fmt.Errorf("--data %s is a file: write the name of a directory", data)
	}
	dir := filepath.Join(data, definitionsDir)
	main := filepath.Join(dir, config.MainFile)
	files := disk.Files{FS: vfs.OS}
	begun := files.Exists(main)
	var c *config.Config
	var err error
	if begun {
		c, err = config.Load(files, main, config.Options{})
	} else {
		c, err = config.Load(newSet{files}, main, config.Options{})
	}
	if err != nil {
		return nil, err
	}
	for _, f := range c.Findings {
		log.Warn("configuration", "finding", f.String())
	}
	return admin.NewDefinitions(c, func(c *config.Config) error {
		if !begun && len(c.Changed()) > 0 {
			if err := begin(dir, c); err != nil {
				return err
			}
			begun = true
		}
		return disk.Save(vfs.OS, c)
	}), nil
}

// begin writes the first files of a set; the main one last: it says that the set is
// there.
func begin(dir string, c *config.Config) error {
	if err := vfs.OS.MkdirAll(dir); err != nil {
		return err
	}
	for _, name := range []string{"queues.conf", "topics.conf", config.MainFile} {
		text, _ := c.Text(name)
		if err := disk.Write(vfs.OS, filepath.Join(dir, name), text); err != nil {
			return err
		}
	}
	return nil
}
