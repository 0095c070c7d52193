package store

import (
	"errors"
	"io"

	"github.com/tidegate/tidegate/persist/journal"
	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// SpoolBegin begins the file of a large message; see core/server.Spool.
func (s *Store) SpoolBegin(sync bool) (number uint64, err error) {
	sp := s.spool
	sp.mu.Lock()
	defer sp.mu.Unlock()
	if sp.writing >= maxSpooling {
		return 0, ErrSpoolBusy
	}
	sp.writing++
	f := &spoolFile{number: sp.next, sync: sync, writing: true}
	sp.next++
	sp.files[f.number] = f
	return f.number, nil
}

// SpoolWrite writes the next bytes of a file.
func (s *Store) SpoolWrite(number uint64, pieces [][]byte, done func(err error)) {
	s.writer(number, func(f *spoolFile) { done(s.spoolWrite(f, pieces)) })
}

// SpoolEnd ends a file.
func (s *Store) SpoolEnd(number uint64, done func(size int64, crc uint32, err error)) {
	s.writer(number, func(f *spoolFile) {
		err := s.spoolEnd(f)
		done(f.size, f.crc, err)
	})
}

func (s *Store) writer(number uint64, do func(f *spoolFile)) {
	sp := s.spool
	sp.mu.Lock()
	defer sp.mu.Unlock()
	f := sp.files[number]
	if f == nil || !f.writing {
		panic("store: a file of the spool is written that was not begun")
	}
	s.task(f, func() { do(f) })
}

// SpoolForget says that the file's writer is done with it: it stays if an id has
// it (SpoolBind), and goes otherwise.
func (s *Store) SpoolForget(number uint64) {
	sp := s.spool
	sp.mu.Lock()
	defer sp.mu.Unlock()
	f := sp.files[number]
	if f == nil || !f.writing {
		return
	}
	f.writing = false
	sp.writing--
	if f.bound {
		s.task(f, f.close)
		return
	}
	f.forgotten.Store(true)
	s.task(f, func() {
		f.close()
		sp.mu.Lock()
		sp.dead = append(sp.dead, f.number)
		sp.doom()
		sp.mu.Unlock()
		s.mu.Lock()
		s.rouseSpool()
		s.mu.Unlock()
	})
}

// SpoolBind gives a file to a message: it is kept until the id is released.
func (s *Store) SpoolBind(number, id uint64) { s.spool.bind(number, id) }

// SpoolOpen announces reads of a file, which stays until SpoolClose.
func (s *Store) SpoolOpen(number uint64) {
	sp := s.spool
	sp.mu.Lock()
	defer sp.mu.Unlock()
	f := sp.files[number]
	if f == nil {
		f = &spoolFile{number: number}
		sp.files[number] = f
	}
	f.readers++
}

// SpoolClose ends them.
func (s *Store) SpoolClose(number uint64) {
	sp := s.spool
	sp.mu.Lock()
	defer sp.mu.Unlock()
	if f := sp.files[number]; f != nil {
		f.readers--
		s.task(f, func() {})
	}
}

// SpoolRead reads n bytes of a file that is open and gives them to done, on a
// goroutine of the store.
func (s *Store) SpoolRead(number uint64, off int64, n int, done func(b []byte, err error)) {
	sp := s.spool
	sp.mu.Lock()
	defer sp.mu.Unlock()
	f := sp.files[number]
	if f == nil || f.readers == 0 {
		panic("store: a file of the spool is read that is not open")
	}
	s.task(f, func() { done(s.spoolRead(f, off, n)) })
}

func (s *Store) spoolRead(f *spoolFile, off int64, n int) ([]byte, error) {
	if f.in == nil {
		in, err := s.opts.FS.OpenRead(s.files.path(spoolName(f.number)))
		if err != nil {
			return nil, err
		}
		f.in = in
	}
	b := make([]byte, n)
	got, err := f.in.ReadAt(b, off)
	switch {
	case got == n:
		return b, nil
	case err == nil || errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	return nil, err
}

func (s *Store) spoolWrite(f *spoolFile, pieces [][]byte) error {
	if f.forgotten.Load() && f.err == nil {
		f.err = errForgotten
	}
	if f.err != nil {
		return f.err
	}
	if f.out == nil {
		if f.err = s.diskRoom(spoolReserve); f.err != nil {
			return f.err
		}
		if f.out, f.err = s.opts.FS.Create(s.files.path(spoolName(f.number))); f.err != nil {
			return f.err
		}
	}
	for _, p := range pieces {
		if f.err = f.write(p); f.err != nil {
			return f.err
		}
	}
	f.err = f.flush()
	f.buf = nil // there may be many files, each waiting for its next bytes
	if f.err != nil {
		return f.err
	}
	if f.size-f.looked >= spoolLook {
		f.looked = f.size
		f.err = s.diskRoom(spoolReserve)
	}
	if f.err == nil && f.sync && f.unsynced >= spoolSync {
		f.unsynced = 0
		f.err = f.out.Sync()
	}
	return f.err
}

// diskRoom leaves the log what it needs on a disk that fills: room for so many
// segments.
func (s *Store) diskRoom(segments int64) error {
	free, err := s.opts.FS.Free(s.opts.Dir)
	segment := journal.Config{SegmentBytes: s.opts.SegmentBytes}.WithDefaults().SegmentBytes
	if err == nil && free < segments*segment {
		return vfs.ErrNoSpace
	}
	return nil // what cannot be known does not stop it
}

// write puts p behind what is there; small pieces gather in buf.
func (f *spoolFile) write(p []byte) error {
	f.crc = record.UpdateCRC(f.crc, p)
	if len(p) < spoolGather {
		if f.buf == nil {
			f.buf = make([]byte, 0, spoolBuffer)
		}
		if len(f.buf)+len(p) > cap(f.buf) {
			if err := f.flush(); err != nil {
				return err
			}
		}
		f.buf = append(f.buf, p...)
		return nil
	}
	if err := f.flush(); err != nil {
		return err
	}
	return f.append(p)
}

func (f *spoolFile) flush() error {
	if len(f.buf) == 0 {
		return nil
	}
	err := f.append(f.buf)
	f.buf = f.buf[:0]
	return err
}

func (f *spoolFile) append(p []byte) error {
	n, err := f.out.WriteAt(p, f.size)
	f.size += int64(n)
	f.unsynced += int64(n)
	return err
}

func (s *Store) spoolEnd(f *spoolFile) error {
	err := s.spoolWrite(f, nil)
	if err == nil && f.sync {
		if err = f.out.Sync(); err == nil {
			err = s.opts.FS.SyncDir(s.opts.Dir)
		}
		f.err = err
	}
	f.close()
	return err
}

// close closes the file for writing.
func (f *spoolFile) close() {
	f.buf = nil
	if f.out != nil {
		_ = f.out.Close() // synced, or never to be
		f.out = nil
	}
}
