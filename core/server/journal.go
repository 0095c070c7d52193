package server

import (
	"iter"

	"github.com/tidegate/tidegate/persist/record"
)

// Journal is what the server needs of a store. Positions number records from 1
// without gaps, across restarts; they are never offsets. All methods may be
// called from any goroutine; Append must be called in the order in which the
// records' outcomes were applied (the server holds its core lock).
type Journal interface {
	// Append queues recs and returns the position of the last of them. It never
	// waits for the disk. It keeps the slices inside the records (not recs
	// itself).
	Append(recs []record.Record) uint64
	// Stable says up to which position records are written (given to the
	// operating system) and synced. The callback given at open says when they
	// move; a store that failed stops moving them and says so through OnFail.
	Stable() (written, synced uint64)
	// Hold keeps messages that are not stored until they are released. Their ids
	// have bit 63 set, and come from a range of their own. It keeps the slices
	// inside (not all itself).
	Hold(all ...record.Held)
	// Bytes gives the head and body of an id that is in memory.
	Bytes(id uint64) (head []byte, body [][]byte, ok bool)
	// Load brings the bodies of ids into memory, outside every lock, and then
	// calls done once; Bytes finds them until they are released or memory is
	// needed, and in any case while done runs.
	Load(ids []uint64, done func())
	// Release says that nobody holds these ids any more. They count as live
	// until the position after is synced (the record that removed them), or at
	// once where after is 0.
	Release(after uint64, ids []uint64)
	// Checkpoint writes one. drive adds each key that changed since the last,
	// with the position its records stand for; a key added without records is
	// dropped, one not added is copied from the checkpoint before.
	Checkpoint(drive func(add func(key, at uint64, recs []record.Record)))
	// Replay gives, once after open and before anything else: the newest
	// checkpoint's records, key by key, each with its key's position; then
	// every placement older than the lowest of those positions that still may
	// live, and every later record, in the order of positions. Body is absent:
	// Load reads it.
	Replay(each func(pos uint64, r record.Record) error) error
	// Retain names, after Replay, the stored ids that live.
	Retain(ids iter.Seq[uint64])
}

// Fetcher is a Journal that reads ahead.
type Fetcher interface {
	// Fetch says that the bytes of ids will be asked for soon, in this order. It
	// keeps nothing of ids, never waits for the disk, and costs next to nothing
	// while everything is in memory.
	Fetch(ids []uint64)
}
