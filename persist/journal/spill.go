package journal

import (
	"cmp"
	"errors"

	"github.com/tidegate/tidegate/persist/record"
)

// Spilling copies what lives in the oldest segments to a file of its own, once,
// in the order of groups, so that neither a backlog nor one old message pins
// the log. The file counts from the moment it has its name, which it gets when
// all of it is synced; its header says up to which position the log is not
// needed any more. Files of which little lives are merged the same way.

// spills is the SpillLane's state.
type spills struct {
	pass      *pass
	waitSpace bool // do not try again before RetrySpace
	most      int  // sources of a pass while the disk is full; 0: passSegments
	passes    int
	merges    int
	refused   int
	refusal   error // not yet taken
}

// pass is one file being made.
type pass struct {
	*plan
	step    passStep
	at      int   // how far a step with many parts is
	bytes   int64 // of the frames that live
	metas   int64 // of what the footer says of them
	ids     int
	target  *segment
	need    int64 // length of the target at most
	created bool
}

type passStep int

// The steps of a pass. Those that look at the index do it in slices, as
// operations without work, so that nobody waits long for the owner's lock.
const (
	passPlan passStep = iota
	passFilter
	passSort
	passCreate
	passReuse // instead, where there is no room: a spare becomes the target
	passCopy
	passFinish
	passRename
	passMove
)

const (
	// passSlice is how many records one holding of the lock looks at.
	passSlice = 2048
	// passChunk is how much is copied and synced at a time, in bytes: little, so
	// that a flush of the log does not wait behind it.
	passChunk = 2 << 20
	// passIDs is how many live ids make a pass large enough, and passSegments
	// how many sources: both bound its memory.
	passIDs      = 64 << 10
	passSegments = 16
	// passDead is the share of ids, in percent, above whose loss a file is
	// merged.
	passDead = 70
)

func (j *Journal) spillReady() bool {
	if j.setup != nil || j.finish || !j.retained {
		return false
	}
	if p := j.spill.pass; p != nil {
		return p.step != passReuse || len(j.spares) > 0 // else the log took it: one comes back or the pass waits
	}
	if j.spill.waitSpace {
		return false
	}
	if len(j.spillSources()) > 0 {
		return true
	}
	return len(j.mergeSources()) > 0
}

// spillSources are the oldest segments, if the log is over its budget and they
// are covered by both checkpoints. One that could not be copied ends them: a
// file says up to which position it covers all.
func (j *Journal) spillSources() (sources []*segment) {
	covered, total := j.check.covered(), int64(0)
	if covered == 0 {
		return nil
	}
	for _, s := range j.segs.list {
		if s != nil {
			total += s.capacity
		}
	}
	ids := 0
	for _, s := range j.segs.list {
		if s == nil {
			continue
		}
		if total <= j.cfg.LogBytes || !s.sealed || s.unsynced || s.stuck || s.last > covered || !j.nextNamed(s) {
			break
		}
		total -= s.capacity
		if s.live == 0 {
			continue // about to be recycled
		}
		if ids += s.live; len(sources) > 0 && ids > passIDs || len(sources) == cmp.Or(j.spill.most, passSegments) {
			break
		}
		sources = append(sources, s)
	}
	return sources
}

// mergeSources are spill files of which little lives and which are not just
// being consumed, if merging them gives enough room back.
func (j *Journal) mergeSources() (sources []*segment) {
	ids, gain := 0, int64(0)
	for _, s := range j.segs.spills {
		f := s.spill
		if s.live == 0 || s.stuck || !f.quiet || s.live*100 > f.ids*(100-passDead) {
			continue
		}
		if ids += s.live; len(sources) > 0 && ids > passIDs || len(sources) == passSegments {
			break
		}
		gain += s.capacity / int64(f.ids) * int64(f.ids-s.live) // not below 0, as so little lives
		sources = append(sources, s)
	}
	if gain < j.cfg.SegmentBytes/4 {
		return nil
	}
	return sources
}

// observeSpills is called at each checkpoint.
func (j *Journal) observeSpills() {
	for _, s := range j.segs.spills {
		s.spill.quiet = s.spill.before > 0 && s.live*10 >= s.spill.before*9
		s.spill.before = s.live
	}
}

// deadSpill is a spill file of which nothing lives.
func (j *Journal) deadSpill() *segment {
	if !j.retained {
		return nil
	}
	for _, s := range j.segs.spills {
		if s.live == 0 && !s.pinned {
			return s
		}
	}
	return nil
}

func (j *Journal) nextSpill() *Op {
	if j.spill.pass == nil {
		p := &pass{plan: &plan{}}
		if p.sources = j.spillSources(); len(p.sources) == 0 {
			p.sources, p.merge = j.mergeSources(), true
		}
		for _, s := range p.sources {
			s.pinned = true
			p.likely += s.live
		}
		j.spill.pass = p
	}
	p := j.spill.pass
	op := &Op{Kind: OpRead, Name: p.sources[0].name}
	switch p.step {
	case passPlan:
		op.Footer = planning{p.plan}
	case passFilter:
		j.filterSlice(p)
	case passSort:
		op.Footer = sorting{p.plan}
	case passCreate:
		j.beginSpill(p)
		// An upper bound: for each record its meta and three numbers, and frames.
		foot := p.metas + int64(len(p.order))*16
		foot += (foot/summaryFrame+2)*(record.HeaderBytes+record.Align) + record.Block
		p.need = padBlock(record.Block + p.bytes + foot)
		return &Op{Kind: OpCreate, Name: p.target.name, Size: p.need}
	case passReuse:
		spare := j.spares[len(j.spares)-1]
		j.spares = j.spares[:len(j.spares)-1]
		return &Op{Kind: OpRename, Name: spare, To: p.target.name, Dir: true}
	case passCopy:
		return j.copyOp(p)
	case passFinish:
		return &Op{Kind: OpFooter, Name: p.target.name, Footer: finishing{p.plan, &j.cfg, p.target}}
	case passRename:
		return &Op{Kind: OpRename, Name: p.target.name, To: spillName(p.target.ordinal), Dir: true}
	case passMove:
		j.moveSlice(p)
	}
	return op
}

// filterSlice finds what lives among the next records of the plan.
func (j *Journal) filterSlice(p *pass) {
	var e summary
	for end := min(p.at+passSlice, len(p.items)); p.at < end; p.at++ {
		meta := p.meta(int32(p.at), &e)
		it := &p.items[p.at]
		s := p.sources[it.src]
		lives := false
		for i, id := range e.ids {
			here := false
			if i == 0 && e.kind&record.BodyBit != 0 {
				ordinal, off, ok := j.index.body(id)
				here = ok && ordinal == s.ordinal && off == int64(it.off)*record.Align
			} else {
				here = j.index.refers(id, s)
			}
			lives = lives || here
			if here && i == 0 {
				p.ids++
			}
		}
		if lives {
			p.order = append(p.order, int32(p.at))
			p.bytes += int64(it.size) * record.Align
			p.metas += int64(len(meta))
		}
	}
}

func (j *Journal) beginSpill(p *pass) {
	ordinal := j.nextOrdinal
	if ordinal > maxOrdinal {
		panic("journal: out of segment ordinals")
	}
	j.nextOrdinal++
	covers := uint64(0)
	for _, s := range p.sources {
		if s.spill != nil {
			covers = max(covers, s.spill.covers)
		} else {
			covers = max(covers, s.last)
		}
	}
	p.target = &segment{
		ordinal: ordinal, name: spillingName(ordinal), generation: j.cfg.generation(ordinal), end: record.Block,
		sealed: true, named: true, footer: true, spill: &spillInfo{covers: covers, ids: max(p.ids, 1)},
	}
}

func (j *Journal) copyOp(p *pass) *Op {
	c := copying{p: p.plan, from: p.at, to: p.at, off: p.target.end, generation: p.target.generation}
	bytes := int64(0)
	for c.to < len(p.order) {
		n := int64(p.items[p.order[c.to]].size) * record.Align
		if c.to > c.from && bytes+n > passChunk {
			break
		}
		bytes += n
		c.to++
	}
	p.at, p.target.end = c.to, p.target.end+bytes
	return &Op{Kind: OpFooter, Name: p.target.name, Footer: c}
}

// moveSlice tells the index where the next records of the plan stand now.
func (j *Journal) moveSlice(p *pass) {
	var e summary
	for end := min(p.at+passSlice, len(p.order)); p.at < end; p.at++ {
		p.meta(p.order[p.at], &e)
		it := &p.items[p.order[p.at]]
		for i, id := range e.ids {
			body := i == 0 && e.kind&record.BodyBit != 0
			j.index.move(id, p.sources[it.src], p.target, int64(it.to)*record.Align, body)
		}
	}
}

func (j *Journal) doneSpill(op *Op, err error) {
	p := j.spill.pass
	var source *sourceError
	switch {
	case errors.As(err, &source):
		// It is read where somebody asks for it; whoever does is told then.
		source.s.stuck = true
		j.spill.refused++
		j.spill.refusal = err
		j.abandonSpill(p)
		return
	case err != nil && isNoSpace(err) && p.step == passCreate:
		j.noRoomToSpill(p)
		return
	case err != nil && isNoSpace(err) && p.step < passRename:
		j.spill.waitSpace = true
		j.abandonSpill(p)
		return
	case err != nil:
		j.fail(op, err)
		return
	}
	switch p.step {
	case passFilter:
		if p.at < len(p.items) {
			return
		}
		if len(p.order) == 0 { // all of it died meanwhile
			j.abandonSpill(p)
			return
		}
	case passCreate:
		p.created, p.target.capacity = true, op.Size
		p.step = passReuse // that is, not needed
		j.spill.most = 0
	case passReuse:
		p.created, p.target.capacity = true, j.cfg.SegmentBytes
	case passCopy:
		if p.at < len(p.order) {
			return
		}
	case passRename:
		p.target.name = op.To
		p.target.pinned = true
		j.segs.addSpill(p.target)
	case passMove:
		if p.at < len(p.order) {
			return
		}
		p.target.pinned = false
		p.target.spill.ids = max(p.target.live, 1)
		if p.merge {
			j.spill.merges++
		} else {
			j.spill.passes++
		}
		j.endSpill(p)
		return
	case passPlan, passSort, passFinish:
	}
	p.at = 0
	p.step++
}

// noRoomToSpill goes on in a spare, since segments come back for it; if what
// lives does not fit into one, the next pass has fewer sources. Acknowledgements
// would else fill the segments that are left, while one old message in each of
// the others keeps them from being recycled.
func (j *Journal) noRoomToSpill(p *pass) {
	switch {
	case p.merge:
		j.spill.waitSpace = true
	case p.need <= j.cfg.SegmentBytes && len(j.spares) > 0:
		p.step = passReuse
		return
	case p.need > j.cfg.SegmentBytes && len(p.sources) > 1:
		j.spill.most = len(p.sources) / 2
	default:
		j.spill.waitSpace = true
	}
	j.abandonSpill(p)
}

// TakeRefusal gives, once, why a damaged file was not copied.
func (j *Journal) TakeRefusal() error {
	err := j.spill.refusal
	j.spill.refusal = nil
	return err
}

func (j *Journal) abandonSpill(p *pass) {
	if p.created {
		j.unwanted = append(j.unwanted, p.target.name)
	}
	j.endSpill(p)
}

func (j *Journal) endSpill(p *pass) {
	for _, s := range p.sources {
		s.pinned = false
	}
	j.spill.pass = nil
}
