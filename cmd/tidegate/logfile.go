package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// logFile is the file of the trace log. When it would grow above a size it is
// renamed to NAME.N, N growing, and begun anew (ems 1.2 logfile_max_size,
// logfile_max_count).
type logFile struct {
	name string
	f    *os.File
	size int64
	most int64 // bytes; 0: no limit
	keep int   // renamed files; 0: all
}

func openLogFile(name string, most int64, keep int) (*logFile, error) {
	l := &logFile{name: name, most: most, keep: keep}
	return l, l.open()
}

func (l *logFile) open() error {
	f, err := os.OpenFile(l.name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.f, l.size = f, info.Size()
	return nil
}

func (l *logFile) write(line string) error {
	if l.f == nil || l.most > 0 && l.size > 0 && l.size+int64(len(line)) > l.most {
		if err := l.rotate(); err != nil {
			return err
		}
	}
	n, err := l.f.WriteString(line)
	l.size += int64(n)
	return err
}

// rotate renames the file and begins a new one. One that cannot be renamed goes
// on.
func (l *logFile) rotate() error {
	if l.f == nil {
		return l.open()
	}
	numbers := l.numbers()
	next := 1
	if len(numbers) > 0 {
		next = numbers[len(numbers)-1] + 1
	}
	err := os.Rename(l.name, l.numbered(next))
	if err != nil {
		return err
	}
	err = l.f.Close()
	l.f = nil
	if err = errors.Join(err, l.open()); err != nil {
		return err
	}
	for numbers = append(numbers, next); l.keep > 0 && len(numbers) > l.keep; numbers = numbers[1:] {
		err = errors.Join(err, os.Remove(l.numbered(numbers[0])))
	}
	return err
}

func (l *logFile) numbered(n int) string { return l.name + "." + strconv.Itoa(n) }

// numbers lists the renamed files, oldest first.
func (l *logFile) numbers() (all []int) {
	entries, _ := os.ReadDir(filepath.Dir(l.name)) // none that can be read: there are none
	for _, e := range entries {
		if text, ok := strings.CutPrefix(e.Name(), filepath.Base(l.name)+"."); ok {
			if n, err := strconv.Atoi(text); err == nil && n > 0 {
				all = append(all, n)
			}
		}
	}
	slices.Sort(all)
	return all
}

func (l *logFile) close() error {
	if l.f == nil {
		return nil
	}
	err := l.f.Close()
	l.f = nil
	return err
}
