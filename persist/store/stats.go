package store

import (
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/persist/journal"
)

// Stats is the store in numbers.
type Stats struct {
	journal.Stats
	Last     uint64 `json:"last"` // positions
	Written  uint64 `json:"written"`
	Synced   uint64 `json:"synced"`
	InMemory int    `json:"inMemory"` // ids whose bytes are in memory
	Memory   int64  `json:"memory"`   // their bytes
	Full     bool   `json:"full"`

	SwapFiles int   `json:"swapFiles"`
	SwapBytes int64 `json:"swapBytes"` // their lengths

	// What was read from the store's files and written to them in this life; files
	// of large messages are not counted.
	Reads      int64 `json:"reads"`
	ReadBytes  int64 `json:"readBytes"`
	Writes     int64 `json:"writes"`
	WriteBytes int64 `json:"writeBytes"`

	Flushes      int64         `json:"flushes"`
	FlushAverage time.Duration `json:"flushAverage"`
	FlushLast    time.Duration `json:"flushLast"`
	FlushMax     time.Duration `json:"flushMax"`
}

// Stats counts. During Replay only the recovery's findings are known.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.started {
		return Stats{Last: s.found.Last, Written: s.found.Last, Synced: s.found.Last}
	}
	st := Stats{
		Stats: s.j.Stats(), Last: s.j.Last(), InMemory: s.contents.count, Memory: s.contents.bytes, Full: s.j.Full(),
		Reads: s.files.traffic.reads.Load(), ReadBytes: s.files.traffic.readBytes.Load(),
		Writes: s.files.traffic.writes.Load(), WriteBytes: s.files.traffic.writeBytes.Load(),
		SwapFiles: len(s.swap.files), SwapBytes: s.swap.bytes,
		Flushes: s.flushes.count, FlushLast: s.flushes.last, FlushMax: s.flushes.max,
	}
	st.Written, st.Synced = s.j.Stable()
	if s.flushes.count > 0 {
		st.FlushAverage = s.flushes.total / time.Duration(s.flushes.count)
	}
	return st
}

// traffic counts reads and writes of files: an addition for what is a system call.
type traffic struct {
	reads, readBytes, writes, writeBytes atomic.Int64
}

func (t *traffic) read(n int) {
	t.reads.Add(1)
	t.readBytes.Add(int64(n))
}

func (t *traffic) wrote(n int) {
	t.writes.Add(1)
	t.writeBytes.Add(int64(n))
}
