package store

import (
	"cmp"
	"errors"
	"io"
	"slices"

	"github.com/tidegate/tidegate/persist/journal"
	"github.com/tidegate/tidegate/persist/record"
)

// load is one call of Load, or of Fetch (done is nil), or a window to be read
// ahead of what was asked for.
type load struct {
	ids   []uint64
	done  func()
	ahead window
}

// Load brings the bodies of ids into memory on a goroutine of the store, and
// then calls done once.
func (s *Store) Load(ids []uint64, done func()) {
	l := load{ids: slices.Clone(ids), done: done}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queueLoad(l)
}

// place says where the bytes of an id stand on disk. The lock is held.
func (s *Store) place(id uint64) (name string, generation uint32, off int64, ok bool) {
	if id >= held {
		at := s.swap.place(id)
		if at.file == 0 {
			return "", 0, 0, false
		}
		f := s.swap.files[at.file]
		return f.name, f.generation, int64(at.off) * record.Align, true
	}
	return s.j.Place(id)
}

func (s *Store) runLoader(lane int) {
	for {
		s.mu.Lock()
		if len(s.loads) == 0 {
			if !s.sleep(lane) {
				return
			}
			continue
		}
		l := s.nextLoad()
		s.mu.Unlock()
		s.load(l)
	}
}

// nextLoad takes the oldest. The lock is held.
func (s *Store) nextLoad() load {
	l := s.loads[0]
	s.loads = slices.Delete(s.loads, 0, 1)
	return l
}

func (s *Store) load(l load) {
	if l.ahead.name != "" {
		s.readWindow(l.ahead)
		return
	}
	pinned := s.bring(l.ids)
	if l.done != nil {
		l.done()
	}
	s.mu.Lock()
	for _, id := range pinned {
		if e := s.contents.get(id); e != nil && e.pins > 0 {
			e.pins--
		}
	}
	s.rouseHouse()
	s.mu.Unlock()
}

// wanted is an id to be read, and where it stood when asked.
type wanted struct {
	id         uint64
	name       string
	generation uint32
	off        int64
}

// maxTries bounds how often a body that moved is looked for again.
const maxTries = 8

// bring reads what is absent and returns the ids whose bytes it pinned.
func (s *Store) bring(ids []uint64) (pinned []uint64) {
	asked := make(map[uint64]bool, len(ids))
	for _, id := range ids {
		asked[id] = true
	}
	for range maxTries {
		todo, have := s.absent(ids)
		pinned = append(pinned, have...)
		if len(todo) == 0 {
			return pinned
		}
		ids = ids[:0]
		for len(todo) > 0 {
			n, damaged := s.readFrom(todo, asked)
			for _, w := range todo[:n] {
				if !damaged {
					ids = append(ids, w.id)
				}
			}
			todo = todo[n:]
		}
	}
	return pinned
}

// absent sorts ids: what is in memory is pinned, what is in the log is to be
// read, in the order in which it stands there; what is gone is forgotten.
func (s *Store) absent(ids []uint64) (todo []wanted, pinned []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		if e := s.contents.get(id); e != nil {
			e.pins++
			pinned = append(pinned, id)
			continue
		}
		if name, generation, off, ok := s.place(id); ok {
			todo = append(todo, wanted{id, name, generation, off})
		}
	}
	slices.SortFunc(todo, func(a, b wanted) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.off, b.off))
	})
	return todo, pinned
}

// found is a body in a window that was read.
type found struct {
	id  uint64
	off int64
	f   record.Frame
}

// readFrom reads one window that begins with todo[0] and puts into memory what
// it holds. It returns how many of todo it went past; the caller asks for all
// of them once more, which pins what has arrived, unless todo[0] is damaged.
func (s *Store) readFrom(todo []wanted, asked map[uint64]bool) (n int, damaged bool) {
	w := todo[0]
	buf := make([]byte, readAhead)
	got, err := s.files.ReadAt(w.name, buf, w.off)
	if err == nil || errors.Is(err, io.EOF) {
		buf = buf[:got]
		if length := record.FrameLength(buf); length > int64(len(buf)) && length <= record.MaxFrame && got == readAhead {
			buf, err = s.readLong(w, length)
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		s.opts.Logger.Warn("body not read, looking for it again", "file", w.name, "offset", w.off, "error", err)
		return 1, false
	}
	if _, _, err := journal.Body(buf, w.generation, w.id); err != nil {
		s.mu.Lock()
		_, generation, off, ok := s.place(w.id)
		s.mu.Unlock()
		if damaged = ok && generation == w.generation && off == w.off; damaged {
			s.opts.Logger.Error("body damaged", "file", w.name, "offset", w.off, "id", w.id)
		}
		return 1, damaged
	}
	all, end := parseWindow(buf, w.off, w.generation)
	s.mu.Lock()
	s.keep(w.name, w.generation, all, int64(len(buf)), asked)
	s.passed(window{w.name, w.generation, w.off}, end, false)
	s.mu.Unlock()
	for n = 1; n < len(todo) && todo[n].name == w.name && todo[n].off < end; n++ {
	}
	return n, false
}

func (s *Store) readLong(w wanted, length int64) ([]byte, error) {
	size, err := s.files.Size(w.name)
	if err != nil || w.off+length > size {
		return nil, errors.Join(journal.ErrGone, err)
	}
	buf := make([]byte, length)
	got, err := s.files.ReadAt(w.name, buf, w.off)
	return buf[:got], err
}

// parseWindow finds the bodies in consecutive frames, and where the last ends.
func parseWindow(buf []byte, off int64, generation uint32) (all []found, end int64) {
	at := 0
	for at < len(buf) {
		f, n, err := record.Decode(buf[at:], generation)
		if err != nil {
			break
		}
		if f.Type == record.Data && f.Kind&record.BodyBit != 0 && f.IDs() > 0 {
			all = append(all, found{f.ID(0), off + int64(at), f})
		}
		at += n
		if f.Type == record.Commit { // the next group begins at a block
			at += int(-(off + int64(at)) & (record.Block - 1))
		}
	}
	return all, off + int64(at)
}

// keep puts bodies into memory: those asked for, and as far as there is room
// those that stand beside them, which are asked for next. The lock is held.
func (s *Store) keep(name string, generation uint32, all []found, window int64, asked map[uint64]bool) {
	used := int64(0)
	keep := all[:0]
	for _, f := range all {
		file, use, off, ok := s.place(f.id)
		if !ok || file != name || use != generation || off != f.off || s.contents.get(f.id) != nil {
			continue
		}
		if !asked[f.id] && !s.room(window) {
			continue
		}
		used += int64(len(f.f.Head) + len(f.f.Body))
		keep = append(keep, f)
	}
	// A window of which little is kept must not stay in memory for it.
	share := 2*used >= window
	pieces := make([][]byte, len(keep))
	for i, f := range keep {
		var body [][]byte
		if len(f.f.Body) > 0 {
			pieces[i] = f.f.Body
			body = pieces[i : i+1 : i+1]
		}
		e := s.contents.put(f.id, f.f.Head, body, true)
		e.wanted = true
		if !share {
			e.unshare()
		}
	}
}
