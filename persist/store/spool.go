package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tidegate/tidegate/persist/journal"
	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// Limits of the spool.
const (
	// maxSpooling is how many files may be written at a time.
	maxSpooling = 256
	// spoolers is how many goroutines write and read files.
	spoolers = 3
	// spoolSync is after how many bytes a file that will have to be synced is
	// synced meanwhile, so that its end does not take long.
	spoolSync = 32 << 20
	// spoolGather: pieces below it are copied together before they are written.
	spoolGather = 32 << 10
	spoolBuffer = 64 << 10
	// spoolReserve is how many segments' room the spool leaves on the disk, for
	// acknowledgements and recycling to go on; it looks every spoolLook bytes.
	spoolReserve = 2
	spoolLook    = 16 << 20
)

// spoolPrefix begins the name of a large message's file; 16 hexadecimal digits
// follow.
const spoolPrefix = "large-"

func spoolName(number uint64) string { return fmt.Sprintf("%s%016x", spoolPrefix, number) }

// spoolNumber reads a file's number out of its name.
func spoolNumber(name string) (uint64, bool) {
	digits, ok := strings.CutPrefix(name, spoolPrefix)
	if !ok || len(digits) != 16 {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 16, 64)
	return n, err == nil && n > 0
}

// ErrSpoolBusy says that too many large messages are on their way at a time.
var ErrSpoolBusy = fmt.Errorf("%d large messages are being received already", maxSpooling)

// errForgotten answers what was to be written to a file that nobody wants any
// more.
var errForgotten = errors.New("the message was given up")

// spool has the files of large messages: those being written or read, whose they
// are, and which are to be removed.
type spool struct {
	mu      sync.Mutex // a leaf, also below the store's
	work    sync.Cond
	started bool
	stop    bool
	next    uint64 // number of the next file
	writing int
	files   map[uint64]*spoolFile // being written or read
	ready   []*spoolFile          // with tasks, in turn
	owned   map[uint64]uint64     // id: number of its file
	dying   []dyingFile
	dead    []uint64 // numbers of files to be removed

	owners atomic.Int64 // len(owned)
	doomed atomic.Int64 // len(dead)

	// Between Open and Retain: what was found on disk, and what records name.
	found map[uint64]int64          // number: bytes
	named map[uint64]record.FileRef // by id
}

// dyingFile goes once the record that released its id is synced.
type dyingFile struct {
	after, number uint64
}

// spoolFile is one file under work. Its tasks run one after the other, on any
// goroutine; what they alone use is not guarded.
type spoolFile struct {
	number uint64
	sync   bool

	writing   bool // between SpoolBegin and SpoolForget
	bound     bool // an id has, or had, it
	forgotten atomic.Bool
	queued    bool // in ready, or with a goroutine
	readers   int
	unwanted  bool // no message has it any more: it goes with its last reader
	tasks     []func()

	out, in  vfs.File
	buf      []byte
	size     int64
	crc      uint32
	unsynced int64
	looked   int64 // size at which there was room
	err      error
}

func newSpool() *spool {
	sp := &spool{next: 1, files: map[uint64]*spoolFile{}, owned: map[uint64]uint64{}}
	sp.work.L = &sp.mu
	return sp
}

// task gives a file something to do. The spool's lock is held.
func (s *Store) task(f *spoolFile, t func()) {
	sp := s.spool
	f.tasks = append(f.tasks, t)
	if f.queued {
		return
	}
	f.queued = true
	sp.ready = append(sp.ready, f)
	if !sp.started && !s.opts.Manual {
		sp.started = true
		for range spoolers {
			s.background(s.runSpool)
		}
	}
	sp.work.Signal()
}

// runSpool writes and reads files until the store stops.
func (s *Store) runSpool() {
	sp := s.spool
	for {
		sp.mu.Lock()
		for len(sp.ready) == 0 && !sp.stop {
			sp.work.Wait()
		}
		none := len(sp.ready) == 0
		sp.mu.Unlock()
		if none {
			return
		}
		s.StepSpool()
	}
}

// StepSpool does what one file of the spool is to do, and says whether there was
// any: for the owner of a Manual store.
func (s *Store) StepSpool() bool {
	sp := s.spool
	sp.mu.Lock()
	if len(sp.ready) == 0 {
		sp.mu.Unlock()
		return false
	}
	f := sp.ready[0]
	sp.ready = sp.ready[:copy(sp.ready, sp.ready[1:])]
	tasks := f.tasks
	f.tasks = nil
	sp.mu.Unlock()
	for _, t := range tasks {
		t()
	}
	sp.mu.Lock()
	f.queued = false
	if len(f.tasks) > 0 {
		f.queued = true
		sp.ready = append(sp.ready, f)
		sp.work.Signal()
	}
	var idle io.Closer
	unwanted := false
	if !f.queued && !f.writing && f.readers == 0 {
		delete(sp.files, f.number)
		if f.in != nil {
			idle = f.in
		}
		if unwanted = f.unwanted; unwanted {
			sp.bid(f.number)
			sp.doom()
		}
	}
	sp.mu.Unlock()
	if idle != nil {
		_ = idle.Close() // only read
	}
	if unwanted {
		s.mu.Lock()
		s.rouseSpool()
		s.mu.Unlock()
	}
	return true
}

// stopSpool lets the goroutines end once all that was asked for is done.
func (sp *spool) stopSpool() {
	sp.mu.Lock()
	sp.stop = true
	sp.work.Broadcast()
	sp.mu.Unlock()
}

// bind gives a file to an id.
func (sp *spool) bind(number, id uint64) {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	sp.owned[id] = number
	if f := sp.files[number]; f != nil {
		f.bound = true
	}
	sp.owners.Store(int64(len(sp.owned)))
}

// release lets go of the files of ids; what is stored goes once after is synced.
// It says whether a file is to be removed now.
func (sp *spool) release(after, synced uint64, ids []uint64) bool {
	if sp.owners.Load() == 0 {
		return false
	}
	sp.mu.Lock()
	defer sp.mu.Unlock()
	for _, id := range ids {
		number, ok := sp.owned[id]
		if !ok {
			continue
		}
		delete(sp.owned, id)
		if id >= held || after <= synced {
			sp.bid(number)
		} else {
			sp.dying = append(sp.dying, dyingFile{after, number})
		}
	}
	sp.owners.Store(int64(len(sp.owned)))
	return sp.doom() > 0
}

// bury says that all up to synced is; it tells whether a file is to be removed.
func (sp *spool) bury(synced uint64) bool {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	kept := sp.dying[:0]
	for _, d := range sp.dying {
		if d.after <= synced {
			sp.bid(d.number)
		} else {
			kept = append(kept, d)
		}
	}
	sp.dying = kept
	return sp.doom() > 0
}

// bid bids a file go, once nobody reads it: a reader that is announced has perhaps
// not opened it, and a delivery that is settled beforehand lets its message go as
// it begins. The lock is held.
func (sp *spool) bid(number uint64) {
	if f := sp.files[number]; f != nil && f.readers > 0 {
		f.unwanted = true
		return
	}
	sp.dead = append(sp.dead, number)
}

func (sp *spool) doom() int {
	sp.doomed.Store(int64(len(sp.dead)))
	return len(sp.dead)
}

// removeSpooled removes one file that nobody needs; the house lane's work,
// because unlinking can stall a commit. It says whether there was one.
func (s *Store) removeSpooled() bool {
	sp := s.spool
	if sp.doomed.Load() == 0 {
		return false
	}
	sp.mu.Lock()
	number := sp.dead[len(sp.dead)-1]
	sp.dead = sp.dead[:len(sp.dead)-1]
	sp.doom()
	sp.mu.Unlock()
	err := s.opts.FS.Remove(s.files.path(spoolName(number)))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		// It is found again at the next start.
		s.opts.Logger.Warn("large message's file not removed", "file", spoolName(number), "error", err)
	}
	return true
}

// rouseSpool wakes the house for files to be removed. The store's lock is held.
func (s *Store) rouseSpool() {
	if s.idle[journal.HouseLane] && s.spool.doomed.Load() > 0 {
		s.poke(int(journal.HouseLane))
	}
}
