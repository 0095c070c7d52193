package store

import (
	"errors"
	"io"

	"github.com/tidegate/tidegate/persist/record"
)

// maxStreams is how many places of the log are read ahead of at once; each has
// at most one window under way and one not yet asked for.
const maxStreams = 8

// stream is a place up to which somebody reads a file forward. When what is
// asked for reaches the window read last, the next one is read, so that a
// consumer of a backlog never waits for a window.
type stream struct {
	name       string
	generation uint32
	from       int64 // offset of the window read last
	next       int64 // where the next begins: at a frame
	busy       bool  // it is being read
	used       int64 // Store.asks when it was followed last
}

// Fetch says that the bytes of ids are about to be asked for, in this order:
// those that are absent are read, and what stands behind them is read ahead as
// far as there is room. It returns at once, and costs an atomic load while
// nothing is out of memory.
func (s *Store) Fetch(ids []uint64) {
	if !s.sparse.Load() || len(ids) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var missing []uint64
	for _, id := range ids {
		if e := s.contents.get(id); e != nil {
			e.wanted = true
			continue
		}
		missing = append(missing, id)
	}
	if len(missing) > 0 {
		s.queueLoad(load{ids: missing})
	} else if s.j.LiveIDs() <= s.contents.storedCount {
		s.sparse.Store(false)
		return
	}
	s.follow(ids[len(ids)-1])
}

// queueLoad gives a load to a loader. The lock is held.
func (s *Store) queueLoad(l load) {
	s.start()
	s.loads = append(s.loads, l)
	for i := loaderLane; i < laneCount; i++ {
		if s.idle[i] {
			s.poke(i)
			return
		}
	}
}

// follow reads on where id stands in the window that was read last. The lock is
// held.
func (s *Store) follow(id uint64) {
	name, generation, off, ok := s.place(id)
	if !ok {
		return
	}
	for i := range s.streams {
		x := &s.streams[i]
		if x.name != name || x.generation != generation || off < x.from || off >= x.next {
			continue
		}
		s.asks++
		x.used = s.asks
		if !x.busy && s.room(readAhead) {
			x.busy = true
			s.queueLoad(load{ahead: window{name, generation, x.next}})
		}
		return
	}
}

// window is a place in a file to read from.
type window struct {
	name       string
	generation uint32
	off        int64
}

// room says whether so many bytes that nobody asked for yet fit into memory.
// The lock is held.
func (s *Store) room(bytes int64) bool {
	return s.contents.bytes+bytes <= s.opts.MemoryBytes+s.opts.MemoryBytes/8
}

// passed notes that w was read up to next, because somebody asked for what
// stands at its beginning or, ahead, because somebody will. Who asks for one
// window after the other (a selector's scan, which asks for one message at a
// time) is read ahead of as well. The lock is held.
func (s *Store) passed(w window, next int64, ahead bool) {
	s.asks++
	oldest := -1
	for i := range s.streams {
		x := &s.streams[i]
		if x.name == w.name && x.generation == w.generation && w.off >= x.from && w.off <= x.next {
			on := w.off == x.next
			x.busy = x.busy && !on
			x.from, x.next, x.used = w.off, max(next, x.next), s.asks
			if on && !ahead && s.room(readAhead) {
				x.busy = true
				s.queueLoad(load{ahead: window{x.name, x.generation, x.next}})
			}
			return
		}
		if !x.busy && (oldest < 0 || x.used < s.streams[oldest].used) {
			oldest = i
		}
	}
	fresh := stream{name: w.name, generation: w.generation, from: w.off, next: next, used: s.asks}
	if len(s.streams) < maxStreams {
		s.streams = append(s.streams, fresh)
	} else if oldest >= 0 {
		s.streams[oldest] = fresh
	}
}

// ended forgets a stream that can be read no further. The lock is held.
func (s *Store) ended(w window) {
	for i := range s.streams {
		if x := &s.streams[i]; x.name == w.name && x.generation == w.generation && x.next == w.off {
			last := len(s.streams) - 1
			s.streams[i] = s.streams[last]
			s.streams = s.streams[:last]
			return
		}
	}
}

// readWindow reads one window ahead and keeps what there is room for.
func (s *Store) readWindow(w window) {
	buf := make([]byte, readAhead)
	got, err := s.files.ReadAt(w.name, buf, w.off)
	var all []found
	end := int64(0)
	if err == nil || errors.Is(err, io.EOF) {
		all, end = parseWindow(buf[:got], w.off, w.generation)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if end <= w.off+record.HeaderBytes { // the file or the log ends, or a body larger than a window stands there
		s.ended(w)
		return
	}
	s.keep(w.name, w.generation, all, int64(got), nil)
	s.passed(w, end, true)
}
