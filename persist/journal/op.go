package journal

import (
	"fmt"
	"strings"
)

// Lane is a sequence of operations that run one after the other; lanes run
// beside each other.
type Lane int

// The lanes.
const (
	Setup      Lane = iota // after recovery, before anything else
	CommitLane             // segments' groups
	FlushLane              // syncs that move the synced position
	HouseLane              // spares, footers, recycling
	CheckLane              // the checkpoint that was given to Save
	SpillLane              // copies old segments to spill files
	lanes
)

// OpKind is what an operation does.
type OpKind int

// The operations.
const (
	// OpCreate makes file Name of Size bytes, allocated, and syncs it. If it
	// fails, what was made of it is removed.
	OpCreate OpKind = iota + 1
	// OpWrite writes Data, or what Group encodes, to Name at Off, and syncs
	// the file if Sync is set. A Name that does not exist is created if Fresh.
	OpWrite
	// OpSync syncs Names in this order, the directory before them if Dir.
	OpSync
	// OpRename renames Name to To, and syncs the directory if Dir.
	OpRename
	// OpFooter lets Footer build bytes, writes what comes out to Name, and
	// syncs it.
	OpFooter
	// OpRemove removes Name.
	OpRemove
	// OpRead lets Footer read, if there is one, and writes nothing.
	OpRead
)

// Builder makes bytes of what stands in files. It may run beside every other
// call to the journal.
type Builder interface {
	Build(files Files) ([]Chunk, error)
}

// Op is one file operation. It is owned by the journal until Done.
type Op struct {
	Kind   OpKind
	Lane   Lane
	Name   string
	To     string
	Off    int64
	Size   int64
	Data   []byte
	Group  *Group
	Names  []string
	Footer Builder
	Dir    bool
	Sync   bool
	Fresh  bool

	upto uint64
	seg  *segment
	segs []*segment
}

func (op *Op) String() string {
	switch op.Kind {
	case OpCreate:
		return fmt.Sprintf("create %s of %d bytes", op.Name, op.Size)
	case OpWrite:
		return fmt.Sprintf("write %s at %d", op.Name, op.Off)
	case OpSync:
		return "sync " + strings.Join(op.Names, ", ")
	case OpRename:
		return fmt.Sprintf("rename %s to %s", op.Name, op.To)
	case OpFooter:
		return "build and write a part of " + op.Name
	case OpRead:
		return "read " + op.Name
	}
	return "remove " + op.Name
}

// Files is how the journal reads. The names are those of its operations.
type Files interface {
	List() ([]string, error)
	Size(name string) (int64, error)
	// ReadAt is io.ReaderAt: fewer bytes than asked come with an error, at the
	// end of the file io.EOF.
	ReadAt(name string, p []byte, off int64) (int, error)
}

// Ready says whether Next has an operation for a lane.
func (j *Journal) Ready(lane Lane) bool {
	if j.err != nil || j.busy[lane] {
		return false
	}
	switch lane {
	case Setup:
		return j.setup != nil
	case CommitLane:
		return j.commitReady()
	case FlushLane:
		return j.flushReady()
	case HouseLane:
		return j.houseReady()
	case SpillLane:
		return j.spillReady()
	}
	return j.checkReady()
}

// Next gives the next operation of a lane, if there is one and the one before
// is done.
func (j *Journal) Next(lane Lane) (*Op, bool) {
	if !j.Ready(lane) {
		return nil, false
	}
	var op *Op
	switch lane {
	case Setup:
		op = j.setup.next()
	case CommitLane:
		op = j.nextCommit()
	case FlushLane:
		op = j.nextFlush()
	case HouseLane:
		op = j.nextHouse()
	case CheckLane:
		op = j.nextCheck()
	case SpillLane:
		op = j.nextSpill()
	}
	if op == nil {
		return nil, false
	}
	op.Lane = lane
	j.busy[lane] = true
	return op, true
}

// Done answers an operation. A failure that could mean a lost write or sync
// stops the journal for good (Err).
func (j *Journal) Done(op *Op, err error) {
	j.busy[op.Lane] = false
	if j.err != nil {
		return
	}
	switch op.Lane {
	case Setup:
		j.doneSetup(op, err)
	case CommitLane:
		j.doneCommit(op, err)
	case FlushLane:
		j.doneFlush(op, err)
	case HouseLane:
		j.doneHouse(op, err)
	case CheckLane:
		j.doneCheck(op, err)
	case SpillLane:
		j.doneSpill(op, err)
	}
}
