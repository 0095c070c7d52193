// Package store runs a journal: the goroutines that write, flush and tidy, the
// bytes of messages by id, the lock on the directory, and what can be asked of
// a store that is not open (Inspect, Verify, Dump). *Store is the Journal that
// core/server asks for.
package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/persist/journal"
	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// Store is an open store. Its methods may be called from any goroutine; see
// core/server.Journal for what they promise.
type Store struct {
	opts  Options
	files *files
	lock  io.Closer
	found journal.Recovered

	// mu is a leaf: nothing else is locked, waited for or called back under it.
	mu       sync.Mutex
	moved    sync.Cond // broadcast when a lane has done something others wait for
	j        *journal.Journal
	contents contents
	idle     [laneCount]bool
	wake     [laneCount]chan struct{}
	started  bool // the goroutines run
	stopping bool
	told     bool // OnFail was called
	asked    bool // OnCheckpoint was called and no checkpoint has begun since
	full     bool // as last told by OnSpace
	loads    []load
	streams  []stream
	asks     int64 // counts what streams were followed or begun
	swap     swap
	sparse   atomic.Bool // something that lives may be out of memory
	flushes  flushStats
	clock    clock
	spool    *spool
	taken    [journal.SpillLane + 1]*journal.Op // Manual: under way

	space  sync.Mutex // orders the calls of OnSpace
	making sync.Mutex // one checkpoint at a time
	lanes  sync.WaitGroup
}

// The goroutines that can sleep: the journal's lanes, and our own.
const (
	clockLane  = int(journal.SpillLane) + 1
	loaderLane = clockLane + 1
	swapLane   = loaderLane + loaders
	laneCount  = swapLane + 1
)

// Open opens the store in a directory, or makes one, after recovering what a
// crash left. Another process that has it open is *InUseError.
func Open(o Options) (*Store, error) {
	o = o.withDefaults()
	if err := o.FS.MkdirAll(o.Dir); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	s := &Store{opts: o, swap: swap{files: map[uint32]*swapFile{}}, files: newFiles(o.FS, o.Dir, false), spool: newSpool()}
	s.moved.L = &s.mu
	lock, err := o.FS.Lock(s.files.path("lock"))
	var locked *vfs.LockedError
	switch {
	case errors.As(err, &locked):
		return nil, &InUseError{o.Dir, locked.PID}
	case err != nil:
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	s.lock = lock
	if err := s.recover(); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", o.Dir, err), s.files.closeAll(), lock.Close())
	}
	for i := range s.wake {
		s.wake[i] = make(chan struct{}, 1)
	}
	return s, nil
}

func (s *Store) recover() error {
	identity, err := loadIdentity(s.opts.FS, s.files, s.opts.Random)
	if err != nil {
		return err
	}
	var seed [8]byte
	if _, err := io.ReadFull(s.opts.Random, seed[:]); err != nil {
		return err
	}
	cfg := journal.Config{
		SegmentBytes: s.opts.SegmentBytes, CheckpointBytes: s.opts.CheckpointBytes, LogBytes: s.opts.LogBytes,
		Store: identity, Seed: binary.LittleEndian.Uint64(seed[:]),
	}
	j, found, err := journal.Recover(cfg, s.files, s.opts.Progress)
	if err != nil {
		return err
	}
	s.j, s.found = j, *found
	for _, note := range found.Notes {
		s.opts.Logger.Warn("store recovery", "note", note)
	}
	var buf []byte
	for {
		op, ok := j.Next(journal.Setup)
		if !ok {
			break
		}
		j.Done(op, s.files.run(op, &buf))
	}
	if err := j.Err(); err != nil {
		return err
	}
	names, err := s.files.List()
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, ok := spoolNumber(name); ok || strings.HasPrefix(name, swapPrefix) {
			continue
		}
		if size, err := s.files.Size(name); err == nil {
			j.Use(name, size)
		}
	}
	s.spool.found, err = spoolFound(s.opts.FS, s.opts.Dir, names)
	return errors.Join(err, s.clearSwap(names))
}

// Recovered says what opening the store found.
func (s *Store) Recovered() journal.Recovered { return s.found }

// Append queues records and returns the position of the last of them.
func (s *Store) Append(recs []record.Record) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start()
	pos := s.j.Append(recs)
	for i := range recs {
		if r := &recs[i]; r.Kind&record.BodyBit != 0 {
			s.contents.put(r.IDs[0], r.Head, r.Body, false)
		}
	}
	s.rouse(journal.CommitLane)
	s.rouseHouse()
	if s.swapPressed() {
		s.rouseSwap()
	}
	return pos
}

// SetMemory changes the budget for contents in memory, in bytes, above 0.
func (s *Store) SetMemory(bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.MemoryBytes = bytes
	s.rouseHouse()
}

// Stable says up to which position records are written and synced.
func (s *Store) Stable() (written, synced uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.j.Stable()
}

// Hold keeps messages that are not stored until they are released.
func (s *Store) Hold(all ...record.Held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start()
	for i := range all {
		h := &all[i]
		if h.ID < held {
			panic("store: Hold of an id of the stored range")
		}
		s.contents.put(h.ID, h.Head, h.Body, false)
	}
	s.rouseHouse()
	if s.contents.bytes > s.opts.MemoryBytes {
		s.rouseSwap()
	}
}

// Bytes gives the head and body of an id that is in memory.
func (s *Store) Bytes(id uint64) (head []byte, body [][]byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.contents.get(id)
	if e == nil {
		return nil, nil, false
	}
	return e.head, e.body, true
}

// Release says that nobody holds these ids any more.
func (s *Store) Release(after uint64, ids []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := ids
	for i, id := range ids {
		s.contents.drop(id)
		if id >= held && len(s.swap.files) > 0 && s.swap.drop(id) {
			s.rouseSwap()
		}
		if id >= held && len(stored) == len(ids) {
			stored = ids[:i:i]
		} else if id < held && len(stored) < len(ids) {
			stored = append(stored, id) // a mixed batch: copied once
		}
	}
	if len(stored) > 0 {
		s.j.Release(after, stored)
	}
	if s.swap.pressed {
		s.rouseSwap()
	}
	if _, synced := s.j.Stable(); s.spool.release(after, synced, ids) {
		s.rouseSpool()
	}
}

// Replay gives what is stored; see core/server.Journal.
func (s *Store) Replay(each func(pos uint64, r record.Record) error) error {
	s.mu.Lock()
	late := s.started
	s.mu.Unlock()
	if late {
		panic("store: Replay after the store was used")
	}
	if err := s.j.Replay(s.files, s.spool.learn(each)); err != nil {
		return fmt.Errorf("replay store %s: %w", s.opts.Dir, err)
	}
	return nil
}

// Retain names, after Replay, the stored ids that live.
func (s *Store) Retain(ids iter.Seq[uint64]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.j.Retain(s.spool.keep(ids, func(id uint64, err error) {
		s.opts.Logger.Error("large message has lost its file: restore it while the server is stopped, or it cannot be delivered", "id", id, "error", err)
	}))
	s.sparse.Store(s.j.LiveIDs() > 0)
	s.start()
	s.rouse(journal.HouseLane)
	s.rouse(journal.SpillLane)
}

// Close writes and syncs everything, says so in the log, and lets go of the
// directory. Nothing may be appended afterwards.
func (s *Store) Close() error {
	s.mu.Lock()
	s.start()
	s.j.Finish()
	for l := range journal.SpillLane + 1 {
		s.rouse(l)
	}
	for (!s.j.Finished() || s.j.Saving()) && !s.j.Starved() {
		s.await()
	}
	err := s.j.Err()
	if err == nil && !s.j.Finished() {
		written, _ := s.j.Stable()
		err = fmt.Errorf("close store %s: the disk is full and %d records are not written", s.opts.Dir, s.j.Last()-written)
	}
	s.stopping = true
	s.moved.Broadcast()
	for i := range s.wake {
		s.poke(i)
	}
	s.mu.Unlock()
	s.spool.stopSpool()
	s.lanes.Wait()
	for s.removeSpooled() {
		continue
	}
	names, bad := s.files.List()
	return errors.Join(err, bad, s.clearSwap(names), s.files.closeAll(), s.lock.Close())
}

// Checkpoint makes one; see core/server.Journal. It returns when the checkpoint
// is durable, or has failed.
func (s *Store) Checkpoint(drive func(add func(key, at uint64, recs []record.Record))) {
	s.making.Lock()
	defer s.making.Unlock()
	s.mu.Lock()
	s.asked = false
	if s.j.Err() != nil || s.stopping || s.opts.Manual && s.j.Saving() {
		s.mu.Unlock()
		return
	}
	s.start()
	c := s.j.BeginCheckpoint()
	s.mu.Unlock()
	began := time.Now()
	drive(c.Add)
	err := c.Finish(s.files)
	s.mu.Lock()
	if err != nil {
		s.j.Abandon(c)
		s.mu.Unlock()
		s.opts.Logger.Error("checkpoint not made, the log grows until one is", "error", err)
		return
	}
	s.j.Save(c)
	for l := range journal.SpillLane + 1 {
		s.rouse(l)
	}
	for s.j.Saving() && !s.stopping && !s.opts.Manual {
		s.await()
	}
	s.rouse(journal.HouseLane)
	s.rouse(journal.SpillLane)
	s.mu.Unlock()
	s.opts.Logger.Debug("checkpoint made", "took", time.Since(began))
}
