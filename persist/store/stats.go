package store

import (
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
		SwapFiles: len(s.swap.files), SwapBytes: s.swap.bytes,
		Flushes: s.flushes.count, FlushLast: s.flushes.last, FlushMax: s.flushes.max,
	}
	st.Written, st.Synced = s.j.Stable()
	if s.flushes.count > 0 {
		st.FlushAverage = s.flushes.total / time.Duration(s.flushes.count)
	}
	return st
}
