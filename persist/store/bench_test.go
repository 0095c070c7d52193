package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// BenchmarkCommit appends 1 KiB messages, at most window unconfirmed, removes
// them when they are confirmed, on the real disk with a flush made slower.
func BenchmarkCommit(b *testing.B) {
	for _, need := range []record.Need{record.Write, record.Sync} {
		for _, window := range []uint64{1, 64, 1000} {
			for _, delay := range []time.Duration{0, 200 * time.Microsecond, time.Millisecond, 5 * time.Millisecond} {
				if need == record.Write && (delay > 0 || window == 64) {
					continue
				}
				name := fmt.Sprintf("%s/window%d/flush+%s", map[record.Need]string{record.Write: "async", record.Sync: "sync"}[need], window, delay)
				b.Run(name, func(b *testing.B) { commit(b, need, window, delay) })
			}
		}
	}
}

func commit(b *testing.B, need record.Need, window uint64, delay time.Duration) {
	var s fixture
	due := func() {
		go s.Checkpoint(func(add func(key, at uint64, recs []record.Record)) {
			add(1, s.Stats().Last, []record.Record{{Kind: 1}})
		})
	}
	s = open(b, Options{FS: vfs.OS, Dir: b.TempDir(), SegmentBytes: 64 << 20, FlushDelay: delay, OnCheckpoint: due})
	s.Retain(func(func(uint64) bool) {})
	payload := [][]byte{make([]byte, 1024)}
	head := make([]byte, 40)
	stable := func() uint64 {
		written, synced := s.Stable()
		if need == record.Write {
			return written
		}
		return synced
	}
	// A batch of what one read of a socket brings.
	batch := make([]record.Record, 0, 32)
	ids := make([]uint64, 32)
	b.SetBytes(1024)
	b.ReportAllocs()
	b.ResetTimer()
	id, released := uint64(0), uint64(0)
	for n := 0; n < b.N; {
		batch = batch[:0]
		for ; n < b.N && len(batch) < min(cap(batch), int(window)); n++ {
			id++
			ids[len(batch)] = id
			k := len(batch)
			batch = append(batch, record.Record{
				Kind: record.BodyBit | record.PlaceBit, Need: need, IDs: ids[k : k+1 : k+1], Head: head, Body: payload,
			})
		}
		pos := s.Append(batch)
		if pos >= window {
			s.moved.wait(func() bool { return stable()+window > pos })
		}
		for done := stable(); released < done; released++ {
			ids := [1]uint64{released + 1}
			s.Release(pos, ids[:])
		}
		ids = make([]uint64, 32) // the log keeps them
	}
	b.StopTimer()
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkAppendBytesRelease(b *testing.B) {
	s := open(b, Options{FS: vfs.NewMem()})
	payload := [][]byte{make([]byte, 1024)}
	head := make([]byte, 40)
	b.ReportAllocs()
	id := held
	ids := make([]uint64, 1)
	for b.Loop() {
		id++
		s.Hold(record.Held{ID: id, Head: head, Body: payload})
		if _, _, ok := s.Bytes(id); !ok {
			b.Fatal("not there")
		}
		ids[0] = id
		s.Release(0, ids)
	}
}

// BenchmarkHandover is what one durable append costs beside the disk: waking the
// writer, the syncer and the one who waits.
func BenchmarkHandover(b *testing.B) {
	s := open(b, Options{FS: vfs.NewMem(), SegmentBytes: 1 << 20})
	s.Retain(func(func(uint64) bool) {})
	recs := []record.Record{{Kind: 1, Need: record.Sync, Head: make([]byte, 100)}}
	b.ReportAllocs()
	for b.Loop() {
		s.synced(s.Append(recs))
	}
	b.StopTimer()
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}
