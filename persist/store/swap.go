package store

import (
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/sparse"
)

// Messages that are not stored leave memory for files of their own: written
// once, never synced, read back like bodies in the log, removed with their last
// message and at every start.

const (
	swapPrefix = "swap-"
	// swapFileBytes is the length at which a swap file is full, and swapBatch how much
	// is written at a time, in bytes.
	swapFileBytes = 64 << 20
	swapBatch     = 1 << 20
	// swapReserve is how many segments' room swapping leaves on the disk, for
	// what is stored.
	swapReserve = 4
)

func swapName(number uint32) string { return fmt.Sprintf("%s%016x", swapPrefix, number) }

// swapPlace says where a message stands: the file's number (0: nowhere) and the
// offset in 8 bytes.
type swapPlace struct{ file, off uint32 }

type swapFile struct {
	number     uint32
	name       string
	generation uint32
	size       int64
	live       int // ids that have a place here, in memory or not
}

// swap is guarded by the store's lock; only its lane writes to files.
type swap struct {
	places  sparse.Table[swapPlace]
	files   map[uint32]*swapFile
	current *swapFile
	next    uint32
	hand    uint64   // page of contents.held at which it goes on
	dead    []uint32 // files to be removed
	failed  bool     // the disk takes no more; tried again by the clock
	pressed bool     // more is in memory than is good: producers are to wait
	buf     []byte
	bytes   int64 // lengths of all files
}

func (w *swap) place(id uint64) swapPlace {
	p := w.places.Find(id &^ held)
	if p == nil {
		return swapPlace{}
	}
	return p.Slots[id%sparse.PageIDs]
}

func (w *swap) put(id uint64, at swapPlace) {
	p := w.places.At(id &^ held)
	if p.Slots[id%sparse.PageIDs].file == 0 {
		p.Used++
	}
	p.Slots[id%sparse.PageIDs] = at
}

// drop forgets a message's place; true: a file has become empty.
func (w *swap) drop(id uint64) bool {
	p := w.places.Find(id &^ held)
	if p == nil {
		return false
	}
	at := &p.Slots[id%sparse.PageIDs]
	f := w.files[at.file]
	if f == nil {
		return false
	}
	*at = swapPlace{}
	if p.Used--; p.Used == 0 {
		w.places.Free(p)
	}
	f.live--
	return w.bury(f)
}

// bury notes that an empty file can go.
func (w *swap) bury(f *swapFile) bool {
	if f.live > 0 || f == w.current && f.size < swapFileBytes {
		return false // the current one is filled on
	}
	if f == w.current {
		w.current = nil
	}
	delete(w.files, f.number)
	w.dead = append(w.dead, f.number)
	w.bytes -= f.size
	return true
}

// swapWanted says whether messages that are not stored are what fills memory:
// others leave it for nothing. The lock is held.
func (s *Store) swapWanted() bool {
	c := &s.contents
	return c.bytes > s.opts.MemoryBytes && c.heldBytes > s.opts.MemoryBytes/2 && !s.swap.failed
}

// rouseSwap wakes the swap lane if there is something to do. The lock is held.
func (s *Store) rouseSwap() {
	if s.idle[swapLane] && (s.swapWanted() || len(s.swap.dead) > 0 || s.swapPressed() != s.swap.pressed) {
		s.poke(swapLane)
	}
}

// swapPressed says whether memory holds half more than it should, in spite of
// swapping, or since stored messages are written too slowly: then producers have to
// wait. It ends well below. The lock is held.
func (s *Store) swapPressed() bool {
	over := s.contents.bytes - s.opts.MemoryBytes
	if s.swap.pressed {
		return over > s.opts.MemoryBytes/8
	}
	return over > s.opts.MemoryBytes/2
}

func (s *Store) runSwap() {
	for s.swapOnce() || s.sleep(swapLane) {
		continue
	}
}

// swapOnce does one piece of the lane's work; false, and the lock is held then:
// there is none.
func (s *Store) swapOnce() bool {
	s.mu.Lock()
	switch {
	case len(s.swap.dead) > 0:
		number := s.swap.dead[len(s.swap.dead)-1]
		s.swap.dead = s.swap.dead[:len(s.swap.dead)-1]
		s.mu.Unlock()
		if err := s.files.remove(swapName(number)); err != nil {
			s.opts.Logger.Warn("swap file not removed", "file", swapName(number), "error", err)
		}
		return true
	case s.swapPressed() != s.swap.pressed:
		s.swap.pressed = !s.swap.pressed
		pressed := s.swap.pressed
		s.mu.Unlock()
		s.opts.Logger.Debug("memory for messages", "short", pressed)
		if s.opts.OnPressure != nil {
			s.opts.OnPressure(pressed)
		}
		return true
	case s.swapWanted() && !s.stopping:
		victims, some := s.swapVictims()
		if !some { // all of it is being read just now: whoever comes next wakes the lane
			return false
		}
		s.mu.Unlock()
		s.swapOut(victims)
		return true
	}
	return false
}

// swapVictim is a message on its way out.
type swapVictim struct {
	id   uint64
	head []byte
	body [][]byte
	off  int64
}

// swapVictims chooses messages, the oldest first, going round; what was asked
// for since it last came by stays once more. Those that stand in a file already
// leave at once. any: there was something to do. The lock is held.
func (s *Store) swapVictims() (victims []swapVictim, any bool) {
	c, bytes := &s.contents, int64(0)
	enough := func() bool { return bytes >= swapBatch || c.bytes-bytes <= s.opts.MemoryBytes || !s.swapWanted() }
	for range c.held.Pages() + 1 {
		if enough() {
			break
		}
		p := c.held.Next(s.swap.hand)
		if p == nil {
			if p = c.held.Next(0); p == nil {
				break
			}
		}
		first := p.Number * sparse.PageIDs
		s.swap.hand = p.Number + 1
		for i := range p.Slots {
			e := &p.Slots[i]
			if e.size == 0 || e.pins > 0 {
				continue
			}
			any = true
			if e.wanted {
				e.wanted = false
				continue
			}
			if enough() { // the page is gone through again
				s.swap.hand = p.Number
				break
			}
			id := held | (first + uint64(i))
			if s.swap.place(id).file != 0 {
				c.drop(id)
				s.sparse.Store(true)
				continue
			}
			victims = append(victims, swapVictim{id: id, head: e.head, body: e.body})
			bytes += e.size
		}
	}
	return victims, any
}

// swapOut writes victims and lets go of those that are still there.
func (s *Store) swapOut(victims []swapVictim) {
	if len(victims) == 0 {
		return
	}
	f, err := s.swapTarget()
	if err == nil {
		w := &s.swap
		w.buf = w.buf[:0]
		for i := range victims {
			v := &victims[i]
			v.off = f.size + int64(len(w.buf))
			w.buf = record.Append(w.buf, record.Data, f.generation, 0, &record.Record{Kind: record.BodyBit, IDs: []uint64{v.id}, Head: v.head, Body: v.body})
		}
		err = s.files.writeAt(f.name, w.buf, f.size)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.swap.failed = true
		if s.idle[clockLane] {
			s.poke(clockLane) // it tries again
		}
		s.opts.Logger.Warn("messages that are not stored stay in memory, producers will have to wait", "error", err)
		return
	}
	f.size += int64(len(s.swap.buf))
	s.swap.bytes += int64(len(s.swap.buf))
	if cap(s.swap.buf) > 2*swapBatch {
		s.swap.buf = nil
	}
	for i := range victims {
		v := &victims[i]
		e := s.contents.get(v.id)
		if e == nil {
			continue // released meanwhile
		}
		s.swap.put(v.id, swapPlace{f.number, uint32(v.off / record.Align)})
		f.live++
		if e.pins == 0 && !e.wanted {
			s.contents.drop(v.id)
		}
	}
	s.sparse.Store(true)
	s.swap.bury(f)
}

// swapTarget gives the file to write to.
func (s *Store) swapTarget() (*swapFile, error) {
	s.mu.Lock()
	f := s.swap.current
	s.mu.Unlock()
	if f != nil && f.size < swapFileBytes {
		return f, nil
	}
	if err := s.diskRoom(swapReserve); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.swap.next++
	next := &swapFile{number: s.swap.next, name: swapName(s.swap.next), generation: s.swap.next}
	s.mu.Unlock()
	if _, err := s.files.create(next.name); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.swap.files[next.number] = next
	s.swap.current = next
	if f != nil {
		s.swap.bury(f)
	}
	return next, nil
}

// clearSwap removes what an earlier life swapped out.
func (s *Store) clearSwap(names []string) error {
	for _, name := range names {
		if strings.HasPrefix(name, swapPrefix) {
			if err := s.files.remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}
