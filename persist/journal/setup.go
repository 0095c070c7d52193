package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/persist/record"
)

func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// setup is what a recovery changes on disk, as a list of operations. The new
// life begins in a new segment that repeats the log's unclaimed tail. Its
// rename is the moment at which it counts: a crash before leaves the old end
// as it was, one after finds a segment that is whole and synced.
type setup struct {
	j   *Journal
	ops []*Op
	at  int
}

func (s *setup) add(op *Op) { s.ops = append(s.ops, op) }

func (s *setup) next() *Op {
	return s.ops[s.at]
}

// clear renames what holds nothing to spares, all durably before the new life
// goes on: a segment of a dropped life must never be taken for one of this.
func (s *setup) clear(names []string) {
	for _, name := range names {
		prefix, digits, _ := strings.Cut(name, "-")
		if prefix+"-" != segmentPrefix && prefix+"-" != spillingPrefix {
			continue
		}
		s.add(&Op{Kind: OpRename, Name: name, To: sparePrefix + digits})
	}
}

// end makes all entries durable; the journal then looks at its spares.
func (s *setup) end() { s.add(&Op{Kind: OpSync, Dir: true}) }

func (r *recovery) prepareTail(j *Journal, cut *segment, firstTail uint64) error {
	ordinal := j.nextOrdinal
	j.nextOrdinal++
	s := &segment{
		ordinal: ordinal, name: segmentName(ordinal), generation: r.cfg.generation(ordinal),
		first: firstTail, last: j.last, end: record.Block,
		prev: link{cut.ordinal, r.cutEnd, cut.generation},
	}
	data, err := r.copyTail(s, firstTail)
	if err != nil {
		return err
	}
	s.end += int64(len(data))
	s.capacity = max(r.cfg.SegmentBytes, s.end)
	head := appendHeader(nil, &j.cfg, &header{s.ordinal, s.generation, s.first, s.capacity, s.prev})
	j.setup = &setup{j: j}
	// The name of a spare may not be durable yet: a power loss could bring its
	// old one back over what is written next.
	j.setup.add(&Op{Kind: OpSync, Dir: true})
	made, ok := r.spare(s.capacity)
	if !ok {
		made = spareName(ordinal)
		j.setup.add(&Op{Kind: OpCreate, Name: made, Size: s.capacity})
	}
	r.leftover = slices.DeleteFunc(r.leftover, func(name string) bool { return name == made })
	if len(data) > 0 {
		j.setup.add(&Op{Kind: OpWrite, Name: made, Off: record.Block, Data: data, Sync: true})
	}
	j.setup.add(&Op{Kind: OpWrite, Name: made, Data: head, Sync: true})
	j.setup.add(&Op{Kind: OpRename, Name: made, To: s.name, Dir: true, seg: s})
	for _, old := range r.chain[r.cut+1:] {
		// Its records stand in the new segment now.
		j.segs.remove(old)
		r.leftover = append(r.leftover, old.name)
	}
	j.setup.clear(r.leftover)
	j.setup.end()
	return nil
}

// spare finds a spare of this size, so that a start needs no room on a disk that
// is full.
func (r *recovery) spare(capacity int64) (name string, ok bool) {
	for _, name := range r.leftover {
		_, spare := parseName(name, sparePrefix)
		if _, ok := parseName(name, spillingPrefix); !ok && !spare {
			continue
		}
		if size, err := r.files.Size(name); err == nil && size >= capacity { // a footer may have made it longer
			return name, true
		}
	}
	return "", false
}

// copyTail encodes the records from firstTail on as one group of s.
func (r *recovery) copyTail(s *segment, firstTail uint64) ([]byte, error) {
	if r.tail == 0 {
		return nil, nil
	}
	var data []byte
	for i := r.cut; i < len(r.chain); i++ {
		_, err := scan(r.files, r.chain[i], r.tailBound(i), func(_ int64, f *record.Frame) error {
			if f.Position >= firstTail {
				rec := f.Record()
				data = record.Append(data, record.Data, s.generation, f.Position, &rec)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	data = record.AppendCommit(data, s.generation, s.last, firstTail-1)
	return pad(data, 0), nil
}

// tailBound is where chain[i] ended before the cut shortened it.
func (r *recovery) tailBound(i int) uint64 {
	if i+1 < len(r.chain) {
		return r.bound(i)
	}
	return r.report.Last
}

func (j *Journal) doneSetup(op *Op, err error) {
	if err != nil {
		j.fail(op, err)
		return
	}
	s := j.setup
	if op.seg != nil {
		j.active = op.seg
		op.seg.named = true
		j.segs.add(op.seg)
		j.lastLink = link{op.seg.ordinal, op.seg.end, op.seg.generation}
	}
	if s.at++; s.at == len(s.ops) {
		j.setup = nil
	}
}

// Use makes spares of files that hold nothing, once Setup is done: names and
// sizes as found in the directory. Those of another size are removed.
func (j *Journal) Use(name string, size int64) {
	if _, ok := parseName(name, sparePrefix); !ok {
		return
	}
	if size >= j.cfg.SegmentBytes && size <= 2*j.cfg.SegmentBytes {
		j.addSpare(name)
		return
	}
	j.unwanted = append(j.unwanted, name)
}

// Replay gives the newest checkpoint's records, each with its key's position;
// then, in the order of positions, every placement up to the checkpoint's and
// every record behind it, without bodies; and so learns what stands where. Its
// slices are valid during the call. Nothing may be appended before.
func (j *Journal) Replay(files Files, each func(pos uint64, r record.Record) error) error {
	from := uint64(0)
	if n := len(j.check.kept); n > 0 {
		c, err := readCheckpoint(files, &j.cfg, j.check.kept[n-1].name)
		if err != nil {
			return err
		}
		from = c.from
		give := func(at uint64, f *record.Frame) error { return each(at, f.Record()) }
		for i := range c.sections {
			if err := c.sections[i].each(c.generation, give); err != nil {
				return err
			}
		}
	}
	if err := j.replaySpilled(files, each); err != nil {
		return err
	}
	for _, s := range j.segs.list {
		if s == nil {
			continue
		}
		if err := j.replaySegment(files, s, from, each); err != nil {
			return err
		}
	}
	return nil
}

func (j *Journal) replaySegment(files Files, s *segment, from uint64, each func(pos uint64, r record.Record) error) error {
	if s.last <= from {
		f, err := readFooter(files, &j.cfg, s)
		if err != nil {
			return err
		}
		if f != nil && f.last <= s.last { // else a recovery cut the segment after its footer was written
			s.footer, s.last, s.end = true, f.last, f.end
			return f.each(func(id uint64, off int64) error {
				if err := checkID(s, off, id); err != nil {
					return err
				}
				j.index.register(id)
				j.index.place(id, s, off)
				return nil
			}, func(fr *record.Frame) error {
				if err := j.learn(s, 0, fr); err != nil {
					return err
				}
				return each(fr.Position, fr.Record())
			})
		}
	}
	got, err := scan(files, s, s.last, func(off int64, f *record.Frame) error {
		if err := j.learn(s, off, f); err != nil {
			return err
		}
		if f.Position <= from && f.Kind&record.PlaceBit == 0 {
			return nil
		}
		r := f.Record()
		r.Body = nil
		return each(f.Position, r)
	})
	switch {
	case err != nil:
		return err
	case got.last == s.last:
		s.end = max(s.end, got.end)
	case s.last > from:
		return &DamageError{s.name, got.end, fmt.Sprintf("record %d was valid when the store was opened", got.last+1)}
	default:
		return j.endUnknown(files, s, got)
	}
	return nil
}

// endUnknown judges a segment whose successor is gone, so that its last
// position is only bounded: it ends where nothing valid follows.
func (j *Journal) endUnknown(files Files, s *segment, got scanned) error {
	if next := j.segs.after(s); next != nil && next.prev.ordinal == s.ordinal {
		return &DamageError{s.name, got.end, fmt.Sprintf("no valid record %d, but %s goes on behind %d", got.last+1, next.name, s.last)}
	}
	claim, at, err := claims(files, s, got.end)
	if err != nil {
		return err
	}
	if claim > got.last {
		return &DamageError{s.name, got.end, fmt.Sprintf("no valid record %d, but the group at %d says that all up to %d were durable", got.last+1, at, claim)}
	}
	s.last, s.end = got.last, got.end
	return nil
}

// learn notes where a record stands. off is 0 for one from a footer, which has
// told about bodies before.
func (j *Journal) learn(s *segment, off int64, f *record.Frame) error {
	if err := checkIDs(s, off, f); err != nil {
		return err
	}
	i := 0
	if f.Kind&record.BodyBit != 0 && f.IDs() > 0 {
		i = 1
		if off > 0 {
			j.index.register(f.ID(0))
			j.index.place(f.ID(0), s, off)
		}
	}
	for ; i < f.IDs(); i++ {
		j.index.register(f.ID(i))
		j.index.refer(f.ID(i), s)
	}
	return nil
}

// checkIDs refuses a record that names a message which cannot be: its checksum may fit,
// but ids are given in order, and those to come would follow it.
func checkIDs(s *segment, off int64, f *record.Frame) error {
	for i := range f.IDs() {
		if err := checkID(s, off, f.ID(i)); err != nil {
			return fmt.Errorf("record %d: %w", f.Position, err)
		}
	}
	return nil
}

func checkID(s *segment, off int64, id uint64) error {
	if id <= record.MaxID {
		return nil
	}
	return &DamageError{s.name, off, fmt.Sprintf("it names message %d, and no message has an id above %d", id, uint64(record.MaxID))}
}

// ErrGone says that a body is no longer where it was looked for.
var ErrGone = errors.New("the segment holds something else there")

// Body decodes the body record of id from bytes read at its place. The result
// aliases them. It is ErrGone if the segment was recycled meanwhile, and
// record.ErrShort if more bytes are needed.
func Body(b []byte, generation uint32, id uint64) (f record.Frame, n int, err error) {
	f, n, err = record.Decode(b, generation)
	switch {
	case errors.Is(err, record.ErrShort):
		return f, 0, err
	case err != nil || f.Type != record.Data || f.Kind&record.BodyBit == 0 || f.IDs() == 0 || f.ID(0) != id:
		return f, 0, ErrGone
	}
	return f, n, nil
}
