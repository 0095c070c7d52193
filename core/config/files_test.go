package config

import (
	"io/fs"
	"os"
)

// disk reads real files.
type disk struct{}

func (disk) Read(name string) ([]byte, error) { return os.ReadFile(name) }
func (disk) Exists(name string) bool          { _, err := os.Stat(name); return err == nil }

// mem is a set in memory.
type mem map[string]string

func (m mem) Read(name string) ([]byte, error) {
	s, ok := m[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(s), nil
}

func (m mem) Exists(name string) bool { _, ok := m[name]; return ok }
