package store

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/tidegate/tidegate/persist/vfs"
)

// Options say where a store is and how it behaves. Zero values mean the
// defaults.
type Options struct {
	FS  vfs.FS // default vfs.OS
	Dir string // made if it does not exist
	// SegmentBytes is the length of a segment; default 64 MiB.
	SegmentBytes int64
	// LogBytes is the length of the log above which what lives in its oldest
	// segments goes to spill files; default 16 segments.
	LogBytes int64
	// MemoryBytes is the budget for contents in memory; default 256 MiB. What
	// is stored leaves memory beyond it and is read back from the log; what is
	// only held stays.
	MemoryBytes int64
	// CheckpointBytes of log make a checkpoint due; default 256 MiB.
	CheckpointBytes int64
	// CheckpointEvery makes one due if anything changed; default 30 s.
	CheckpointEvery time.Duration

	// The callbacks run on the store's goroutines with no lock held; they may
	// call the store (not Close) and must not wait for positions to move.

	// OnStable says that a position moved.
	OnStable func()
	// OnFail says, once, that the store has failed: positions stand still for
	// good, and only a restart tells what is stored.
	OnFail func(error)
	// OnCheckpoint says that a checkpoint is due; the owner calls Checkpoint on
	// a goroutine of its own.
	OnCheckpoint func()
	// OnSpace says that the disk is full, or no longer. While it is, appends go
	// into the segments that are ready.
	OnSpace func(full bool)
	// OnPressure says that contents cannot leave memory as fast as they come, or
	// that they can again. Nothing is lost, but memory grows while more come.
	OnPressure func(pressed bool)
	// Progress tells how far a recovery is, in bytes.
	Progress func(done, total int64)

	// Manual leaves the store without goroutines and clock: Step and Tick do
	// their work. For a simulation that drives all in one goroutine; callbacks
	// then run inside Step and Tick.
	Manual bool
	// Random is where the store's id and the generations of its files come
	// from; default crypto/rand.
	Random io.Reader

	// FlushDelay is added to each flush, to measure as on a slower disk.
	FlushDelay time.Duration
	Logger     *slog.Logger // default discards
}

const (
	defaultMemory          = 256 << 20
	defaultCheckpointEvery = 30 * time.Second
	// flushEvery is the latest after which what is written is flushed.
	flushEvery = 100 * time.Millisecond
	// spaceEvery is how often a full disk is tried again.
	spaceEvery = time.Second
	// youngBytes is how much newer content an id's own may be behind before it
	// is copied out of the buffer that it came in.
	youngBytes = 16 << 20
	// aloneBytes is the size from which a content has a buffer of its own
	// anyway, so that copying it would save nothing.
	aloneBytes = 32 << 10
	// readAhead is how much is read at once to load a body, in bytes.
	readAhead = 256 << 10
	// loaders is how many goroutines read.
	loaders = 2
	// keepBuffer is the largest write buffer that is kept between groups.
	keepBuffer = 8 << 20
)

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.OS
	}
	if o.MemoryBytes == 0 {
		o.MemoryBytes = defaultMemory
	}
	if o.CheckpointEvery == 0 {
		o.CheckpointEvery = defaultCheckpointEvery
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// InUseError says that another process has the store open.
type InUseError struct {
	Dir string
	PID int // 0 if unknown
}

func (e *InUseError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("data directory %s is in use by another process; stop it or choose another directory", e.Dir)
	}
	return fmt.Sprintf("data directory %s is in use by process %d; stop it or choose another directory", e.Dir, e.PID)
}
