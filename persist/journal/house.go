package journal

import "github.com/tidegate/tidegate/persist/vfs"

func isNoSpace(err error) bool { return vfs.IsNoSpace(err) }

// RetrySpace says that it is worth trying again to make spares.
func (j *Journal) RetrySpace() {
	j.waitSpace, j.spill.waitSpace, j.spill.most = false, false, 0
}

// SpaceWanted says that something waits for RetrySpace.
func (j *Journal) SpaceWanted() bool { return j.full || j.waitSpace || j.spill.waitSpace }

// Starved says that the log stands still for want of a segment.
func (j *Journal) Starved() bool {
	return j.err == nil && j.full && j.grouped && !j.fits() && (len(j.spares) == 0 || j.oversize())
}

func (j *Journal) houseReady() bool {
	if j.setup != nil {
		return false
	}
	if len(j.spares) < j.cfg.Spares && !j.waitSpace || len(j.spares) > j.cfg.MaxSpares || len(j.unwanted) > 0 {
		return true
	}
	return j.garbage() != nil || j.deadSpill() != nil || j.footless() != nil
}

func (j *Journal) nextHouse() *Op {
	if s := j.garbage(); s != nil { // first: it may be the spare that is missing
		return j.retire(s)
	}
	if len(j.spares) < j.cfg.Spares && !j.waitSpace {
		ordinal := j.nextOrdinal
		j.nextOrdinal++
		return &Op{Kind: OpCreate, Name: spareName(ordinal), Size: j.cfg.SegmentBytes}
	}
	if n := len(j.spares); n > j.cfg.MaxSpares {
		name := j.spares[n-1]
		j.spares = j.spares[:n-1]
		return &Op{Kind: OpRemove, Name: name}
	}
	if n := len(j.unwanted); n > 0 {
		name := j.unwanted[n-1]
		j.unwanted = j.unwanted[:n-1]
		return &Op{Kind: OpRemove, Name: name}
	}
	if s := j.deadSpill(); s != nil {
		j.segs.removeSpill(s)
		return &Op{Kind: OpRemove, Name: s.name}
	}
	s := j.footless()
	s.footer = true
	return &Op{Kind: OpFooter, Name: s.name, seg: s, Footer: &Footer{
		cfg: &j.cfg, name: s.name, ordinal: s.ordinal, generation: s.generation, first: s.first, last: s.last,
		end: s.end, capacity: s.capacity, likely: s.live,
	}}
}

func (j *Journal) doneHouse(op *Op, err error) {
	switch op.Kind {
	case OpCreate:
		if err != nil && isNoSpace(err) {
			j.full, j.waitSpace = true, true
			return
		}
		if err != nil {
			j.fail(op, err)
			return
		}
		j.addSpare(op.Name)
	case OpRename:
		if err != nil {
			j.fail(op, err)
			return
		}
		if op.seg.capacity == j.cfg.SegmentBytes {
			j.addSpare(op.To)
		} else {
			j.unwanted = append(j.unwanted, op.To)
		}
	case OpRemove, OpFooter:
		// A file too many is found at the next start; a footer only saves
		// reading the segment. Neither is worth stopping for, but a disk that
		// fails here will be noticed where it matters.
	}
}

func (j *Journal) addSpare(name string) {
	j.spares = append(j.spares, name)
	j.waitSpace = false
	if len(j.spares) >= j.cfg.Spares {
		j.full = false
	}
}

// garbage is a segment that nobody needs: no live id, covered by the older of
// two checkpoints, and its successor is sure to be found.
func (j *Journal) garbage() *segment {
	covered := j.check.covered()
	if !j.retained || covered == 0 {
		return nil
	}
	for _, s := range j.segs.list {
		if s == nil {
			continue
		}
		if !s.sealed || s.last > covered || s.last >= j.synced && !j.nextNamed(s) {
			return nil // those that follow are not covered either
		}
		if s.live == 0 && !s.unsynced && !s.pinned && j.nextNamed(s) {
			return s
		}
	}
	return nil
}

func (j *Journal) nextNamed(s *segment) bool {
	next := j.segs.after(s)
	return next != nil && next.named
}

// retire takes a segment out of the log. Its new name must be durable before it
// is written to, or a crash could bring the old name back over new content.
func (j *Journal) retire(s *segment) *Op {
	j.segs.remove(s)
	return &Op{Kind: OpRename, Name: s.name, To: spareName(s.ordinal), Dir: true, seg: s}
}

// footless is a segment that deserves a footer: a start reads footers only where
// the newest checkpoint covers the segment, and most segments are empty before
// one does. Written at the seal, footers were read back and summed for nothing:
// a sixth of the work of a queue that is consumed as fast as it fills.
func (j *Journal) footless() *segment {
	n := len(j.check.kept)
	if !j.retained || n == 0 {
		return nil
	}
	covered := j.check.kept[n-1].from
	for _, s := range j.segs.list {
		if s == nil || s.footer {
			continue
		}
		if !s.sealed || s.unsynced || s.last > j.synced || s.last > covered {
			return nil
		}
		if s.live > 0 {
			return s
		}
	}
	return nil
}
