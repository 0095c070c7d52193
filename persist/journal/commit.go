package journal

import (
	"fmt"

	"github.com/tidegate/tidegate/persist/record"
)

// Group is what one write puts into a segment: records, a commit frame, and
// zeros up to a block's end; before the first group of a segment its header.
type Group struct {
	records []record.Record
	first   uint64 // position of the first record
	durable uint64
	seg     *segment
	off     int64 // of the group (behind the header)
	cfg     *Config
	header  bool
	bytes   int64    // of the records' frames
	offsets []uint32 // of each record in the segment, in 8 bytes; set by Encode
}

func padBlock(n int64) int64 { return (n + record.Block - 1) &^ (record.Block - 1) }

// size is the group's length in the file, header apart.
func (g *Group) size() int64 { return padBlock(g.bytes + record.HeaderBytes) }

// Encode appends the group's bytes. It may run beside every other call to the
// journal, so that copying and checksums happen outside its owner's lock.
func (g *Group) Encode(dst []byte) []byte {
	start := int64(len(dst))
	if g.header {
		s := g.seg
		dst = appendHeader(dst, g.cfg, &header{
			ordinal: s.ordinal, generation: s.generation, first: s.first, capacity: s.capacity, prev: s.prev,
		})
	}
	base := int64(len(dst)) - g.off
	g.offsets = g.offsets[:0]
	for i := range g.records {
		g.offsets = append(g.offsets, uint32((int64(len(dst))-base)/record.Align))
		dst = record.Append(dst, record.Data, g.seg.generation, g.first+uint64(i), &g.records[i])
	}
	dst = record.AppendCommit(dst, g.seg.generation, g.first+uint64(len(g.records))-1, g.durable)
	return pad(dst, start)
}

var zeros [record.Block]byte

// pad fills up to a whole number of blocks since start.
func pad(dst []byte, start int64) []byte {
	n := int64(len(dst)) - start
	return append(dst, zeros[:padBlock(n)-n]...)
}

func (j *Journal) commitReady() bool {
	switch {
	case j.setup != nil:
		return false
	case j.grouped:
		return j.fits() || len(j.spares) > 0 && !j.oversize() || j.oversize() && !j.waitSpace
	case j.unsyncedBytes >= 2*j.cfg.UnsyncedBytes:
		// Whoever waits for written waits for the disk here, so that what a
		// power loss can take from asynchronous senders stays bounded.
		return false
	case j.start && (len(j.queue) > 0 || len(j.batch) > j.taken):
		return true
	}
	return (j.bare || j.finish) && j.bareFits()
}

func (j *Journal) bareFits() bool {
	return j.claimed < j.synced && j.active != nil && j.active.end+record.Block <= j.active.capacity
}

func (j *Journal) fits() bool {
	return j.active != nil && j.active.end+j.group.size() <= j.active.capacity
}

func (j *Journal) oversize() bool { return record.Block+j.group.size() > j.cfg.SegmentBytes }

func (j *Journal) nextCommit() *Op {
	if !j.grouped {
		j.gather()
	}
	if !j.fits() {
		if j.oversize() && j.waitSpace || !j.oversize() && len(j.spares) == 0 {
			return nil // it waits for a segment
		}
		return j.roll()
	}
	g := &j.group
	s := j.active
	g.seg, g.off, g.cfg, g.durable = s, s.end, &j.cfg, j.synced
	g.header = s.end == record.Block && !s.named
	at := g.off
	if g.header {
		at = 0
	}
	j.writeOp = Op{Kind: OpWrite, Name: s.name, Off: at, Group: g}
	return &j.writeOp
}

// gather takes what is queued into a group, as much as one may hold but at
// least one record.
func (j *Journal) gather() {
	if j.taken == len(j.batch) {
		clear(j.batch) // lets go of bodies
		j.queue, j.batch = j.batch[:0], j.queue
		j.taken = 0
		j.start = false
	}
	g := &j.group
	g.first, g.bytes = j.written+1, 0
	from := j.taken
	for j.taken < len(j.batch) {
		n := record.Size(&j.batch[j.taken])
		if j.taken > from && g.bytes+n > j.groupLimit() {
			break
		}
		g.bytes += n
		j.taken++
	}
	g.records = j.batch[from:j.taken]
	j.grouped = true
	if j.taken < len(j.batch) || len(j.queue) > 0 && j.finish {
		j.start = true
	}
}

// groupLimit keeps groups within a segment where records allow it.
func (j *Journal) groupLimit() int64 {
	return min(j.cfg.GroupBytes, j.cfg.SegmentBytes-3*record.Block)
}

// roll begins a new segment: a spare gets the next ordinal's name. A record
// that fits in no ordinary segment gets one of its own size.
func (j *Journal) roll() *Op {
	ordinal := j.nextOrdinal
	if ordinal > maxOrdinal {
		panic("journal: out of segment ordinals")
	}
	if j.oversize() {
		size := record.Block + j.group.size()
		if size > maxCapacity {
			panic(fmt.Sprintf("journal: a record of %d bytes fits in no segment", j.group.bytes))
		}
		j.nextOrdinal++
		return &Op{Kind: OpCreate, Name: segmentName(ordinal), Size: size, seg: j.begin(ordinal, size)}
	}
	spare := j.spares[len(j.spares)-1]
	j.spares = j.spares[:len(j.spares)-1]
	j.nextOrdinal++
	return &Op{Kind: OpRename, Name: spare, To: segmentName(ordinal), seg: j.begin(ordinal, j.cfg.SegmentBytes)}
}

func (j *Journal) begin(ordinal uint64, capacity int64) *segment {
	return &segment{
		ordinal: ordinal, name: segmentName(ordinal), generation: j.cfg.generation(ordinal),
		first: j.written + 1, last: j.written, end: record.Block, capacity: capacity, prev: j.lastLink,
	}
}

func (j *Journal) doneCommit(op *Op, err error) {
	if err != nil {
		if op.Kind == OpCreate && isNoSpace(err) {
			// The record waits for space; nothing was promised of it.
			j.full, j.waitSpace = true, true
			return
		}
		j.fail(op, err)
		return
	}
	if op.Kind != OpWrite {
		if j.active != nil {
			j.active.sealed = true
		}
		j.active = op.seg
		j.segs.add(op.seg)
		return
	}
	g, s := op.Group, op.Group.seg
	for i := range g.records {
		j.locate(&g.records[i], s, int64(g.offsets[i])*record.Align)
		if g.records[i].Need == record.Sync {
			j.want = max(j.want, g.first+uint64(i))
		}
	}
	n := g.size()
	s.end += n
	s.unsynced = true
	j.written += uint64(len(g.records))
	s.last = j.written
	j.claimed = g.durable
	j.lastLink = link{s.ordinal, s.end, s.generation}
	j.check.bytes += n
	j.bare = false
	if len(g.records) > 0 {
		j.unsyncedBytes += n
	}
	if j.unsyncedBytes >= j.cfg.UnsyncedBytes || j.finish {
		j.want = j.written
	}
	g.records = nil
	j.grouped = false
	if j.taken == len(j.batch) {
		clear(j.batch) // a quiet log must not keep the last bodies
		j.batch, j.taken = j.batch[:0], 0
	}
}

// locate tells the index where a record stands.
func (j *Journal) locate(r *record.Record, s *segment, off int64) {
	ids := r.IDs
	if r.Kind&record.BodyBit != 0 {
		j.index.place(ids[0], s, off)
		ids = ids[1:]
	}
	for _, id := range ids {
		j.index.refer(id, s)
	}
}

func (j *Journal) flushReady() bool {
	return j.setup == nil && (j.want > j.synced && j.written > j.synced || j.finish && j.written == j.last && j.segs.dirty())
}

// nextFlush syncs every segment written since its last sync, in their order.
// Until the directory is synced too, a renamed segment may be lost as a whole.
func (j *Journal) nextFlush() *Op {
	op := &j.flushOp
	*op = Op{Kind: OpSync, upto: j.written, Names: op.Names[:0], segs: op.segs[:0]}
	for _, s := range j.segs.list {
		if s == nil || !s.unsynced {
			continue
		}
		s.unsynced = false
		op.Names = append(op.Names, s.name)
		op.segs = append(op.segs, s)
		op.Dir = op.Dir || !s.named
	}
	j.flushBytes = j.unsyncedBytes
	return op
}

func (j *Journal) doneFlush(op *Op, err error) {
	if err != nil {
		j.fail(op, err)
		return
	}
	for _, s := range op.segs {
		s.named = true
	}
	j.synced = op.upto
	j.unsyncedBytes -= j.flushBytes
	j.bury()
}
