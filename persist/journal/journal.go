// Package journal is the commit log as a state machine: records go in, file
// operations come out (Next), their results go in (Done), and positions move.
// It decides which file is written where, what must be synced before what, what
// may be recycled and what a crash has left valid. It does no I/O of its own
// beyond reading through Files at recovery, and its callers serialise all calls;
// only Group.Encode and Footer.Build are made to run beside them.
package journal

import (
	"fmt"

	"github.com/tidegate/tidegate/persist/record"
)

// Config is what a journal is given. Zero values mean the defaults.
type Config struct {
	SegmentBytes    int64    // of a segment file, header included; default 64 MiB
	GroupBytes      int64    // most bytes of records in one group; default 4 MiB
	UnsyncedBytes   int64    // written bytes that start a flush unasked; default 16 MiB
	CheckpointBytes int64    // log bytes after which a checkpoint is due; default 256 MiB
	LogBytes        int64    // length of all segments above which the oldest spill; default 16 segments
	Spares          int      // segments kept ready; default 2
	MaxSpares       int      // more than these are removed; default 8
	Store           [16]byte // identity, stands in every file
	Seed            uint64   // fresh for each life: generations are drawn from it
}

const (
	defaultSegment    = 64 << 20
	defaultGroup      = 4 << 20
	defaultUnsynced   = 16 << 20
	defaultCheckpoint = 256 << 20
	logSegments       = 16
	defaultSpares     = 2
	defaultMaxSpares  = 8
	// maxRides is how many records that wait for somebody else's write make one
	// of their own, so that they cannot pile up in memory.
	maxRides = 4096
)

// WithDefaults fills what is zero.
func (c Config) WithDefaults() Config {
	set := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	set(&c.SegmentBytes, defaultSegment)
	set(&c.GroupBytes, defaultGroup)
	set(&c.UnsyncedBytes, defaultUnsynced)
	set(&c.CheckpointBytes, defaultCheckpoint)
	if c.Spares == 0 {
		c.Spares = defaultSpares
	}
	if c.MaxSpares == 0 {
		c.MaxSpares = defaultMaxSpares
	}
	c.SegmentBytes = max(4*record.Block, c.SegmentBytes&^(record.Block-1))
	set(&c.LogBytes, logSegments*c.SegmentBytes)
	return c
}

// Journal is the state machine. It is not safe for concurrent use.
type Journal struct {
	cfg   Config
	err   error // why nothing moves any more
	index index
	segs  segments
	dying dying

	// positions
	last    uint64 // appended
	written uint64
	synced  uint64
	claimed uint64 // durable claim that stands in the last group written

	// commit lane
	queue    []record.Record // appended, not taken
	batch    []record.Record // taken, from batch[taken:] not yet in a group
	taken    int
	start    bool // something in the queue wants to be written
	finish   bool // everything is to be written, synced and claimed
	bare     bool // a group without records is wanted, for its claim
	group    Group
	grouped  bool // group is formed
	busy     [lanes]bool
	active   *segment
	lastLink link // what the next segment names as its predecessor
	writeOp  Op   // reused: one of a lane is under way at a time
	flushOp  Op

	// flush lane
	want          uint64 // position that somebody wants synced
	unsyncedBytes int64  // written beyond synced
	flushBytes    int64  // of these, in the flush that runs

	// house lane
	spares      []string
	unwanted    []string // files to remove
	nextOrdinal uint64
	full        bool // no room for the spares
	waitSpace   bool // do not try again before RetrySpace
	retained    bool // Retain was called: what has no live id is garbage
	setup       *setup

	check checkpoints
	spill spills
}

func newJournal(cfg Config) *Journal {
	return &Journal{cfg: cfg, nextOrdinal: 1}
}

// Append queues records and returns the position of the last.
func (j *Journal) Append(recs []record.Record) uint64 {
	if j.err != nil {
		j.last += uint64(len(recs)) // numbered, but nothing will come of them
		return j.last
	}
	for i := range recs {
		r := &recs[i]
		if r.Kind&record.BodyBit != 0 {
			if len(r.IDs) == 0 || r.IDs[0]>>63 != 0 {
				panic("journal: a body without an id of the stored range")
			}
			j.index.register(r.IDs[0])
		}
		if r.Need != record.Ride {
			j.start = true
		}
	}
	j.queue = append(j.queue, recs...)
	if len(j.queue) >= maxRides {
		j.start = true
	}
	j.last += uint64(len(recs))
	return j.last
}

// Stable is up to where records are written and synced.
func (j *Journal) Stable() (written, synced uint64) { return j.written, j.synced }

// Last is the position of the last record appended.
func (j *Journal) Last() uint64 { return j.last }

// Err is the failure that stopped the journal, or nil.
func (j *Journal) Err() error { return j.err }

// Full says that there is no room for the segments to come. What is ready is
// still written to.
func (j *Journal) Full() bool { return j.full }

// Release says that nobody holds ids any more. They count as live until after
// is synced, or no longer if it is 0.
func (j *Journal) Release(after uint64, ids []uint64) {
	if after <= j.synced {
		for _, id := range ids {
			j.index.drop(&j.segs, id)
		}
		return
	}
	j.dying.push(after, ids)
}

// bury drops what only waited for synced.
func (j *Journal) bury() {
	for {
		ids, ok := j.dying.pop(j.synced)
		if !ok {
			return
		}
		for _, id := range ids {
			j.index.drop(&j.segs, id)
		}
	}
}

// Place says where the body of an id stands: the file, the generation its frame
// must have, and the frame's offset. False if it is not written or not live.
func (j *Journal) Place(id uint64) (name string, generation uint32, off int64, ok bool) {
	ordinal, off, ok := j.index.body(id)
	if !ok {
		return "", 0, 0, false
	}
	s := j.segs.get(ordinal)
	return s.name, s.generation, off, true
}

// LiveIDs is how many stored ids somebody holds.
func (j *Journal) LiveIDs() int { return j.index.count - len(j.dying.ids) + j.dying.idAt }

// Live says whether an id of the stored range counts as live.
func (j *Journal) Live(id uint64) bool { return j.index.present(id) }

// Retain keeps the given stored ids and drops all others; from now on segments
// without live ids are recycled.
func (j *Journal) Retain(ids func(yield func(uint64) bool)) {
	for id := range ids {
		j.index.keep(id)
	}
	j.index.sweep(&j.segs)
	j.retained = true
}

// Finish asks for everything, also what rides, to be written and synced and for
// a last group that says so: the end of an orderly life.
func (j *Journal) Finish() { j.finish, j.start = true, true }

// Finished says that Finish has nothing left to do.
func (j *Journal) Finished() bool {
	return j.err != nil || j.finish && j.synced == j.last && !j.segs.dirty() && !j.grouped && !j.bareFits()
}

// Tick is the coarse timer: what is written becomes wanted synced, and when all
// is synced the log says so in a bare group.
func (j *Journal) Tick() {
	switch {
	case j.written > j.synced:
		j.want = j.written
	case j.bareFits():
		j.bare = true // takes along what rides
	}
}

// Restless says whether Tick has anything to do: whether the timer must run.
func (j *Journal) Restless() bool {
	return j.err == nil && (j.written > j.synced || j.bareFits())
}

// Flush asks for everything written so far, and up to position what is still to
// be written, to be synced.
func (j *Journal) Flush(position uint64) {
	if position > j.written {
		j.start = true
	}
	j.want = max(j.want, min(position, j.last))
}

func (j *Journal) fail(op *Op, err error) {
	if j.err == nil {
		j.err = fmt.Errorf("journal: %s: %w", op, err)
	}
	// Nothing queued will ever be written: let the collector have it.
	// (The group may be being encoded.)
	j.queue, j.batch, j.taken = nil, nil, 0
}

// Stats is the journal in numbers.
type Stats struct {
	Segments        int   `json:"segments"`
	Spares          int   `json:"spares"`
	LogBytes        int64 `json:"logBytes"` // lengths of all segments
	LiveIDs         int   `json:"liveIDs"`  // stored
	Queued          int   `json:"queued"`   // records not yet in a group
	SinceCheckpoint int64 `json:"sinceCheckpoint"`
	SpillFiles      int   `json:"spillFiles"`
	SpillBytes      int64 `json:"spillBytes"`   // lengths of all spill files
	SpillPasses     int   `json:"spillPasses"`  // of this life, that copied from the log
	SpillMerges     int   `json:"spillMerges"`  // that copied from spill files
	SpillRefused    int   `json:"spillRefused"` // segments and files that are damaged and stay as they are
}

// Stats counts.
func (j *Journal) Stats() Stats {
	st := Stats{
		Spares: len(j.spares), LiveIDs: j.index.count, SinceCheckpoint: j.check.bytes,
		Queued: len(j.queue) + len(j.batch) - j.taken,
	}
	for _, s := range j.segs.list {
		if s != nil {
			st.Segments++
			st.LogBytes += s.capacity
		}
	}
	st.SpillFiles, st.SpillPasses, st.SpillMerges, st.SpillRefused = len(j.segs.spills), j.spill.passes, j.spill.merges, j.spill.refused
	for _, s := range j.segs.spills {
		st.SpillBytes += s.capacity
	}
	return st
}
