package journal

import (
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/tidegate/tidegate/persist/record"
)

// spillInfo is what a spill file's header says beside what a segment's does.
type spillInfo struct {
	covers     uint64 // no record of the log up to here is needed: what lived was copied
	footAt     int64
	footLength int64
	records    uint64
	ids        int // that lived when it was written

	before int  // ids that lived at the checkpoint before the last
	quiet  bool // and hardly fewer at the last: it is not just being consumed
}

// appendSpillHeader makes the first block of a spill file; s.first and s.last
// are the lowest and highest position in it.
func appendSpillHeader(dst []byte, cfg *Config, s *segment) []byte {
	start := len(dst)
	dst = append(dst, zeros[:]...)
	b := dst[start:]
	copy(b, spillMagic)
	binary.LittleEndian.PutUint64(b[32:], s.ordinal)
	binary.LittleEndian.PutUint32(b[40:], s.generation)
	binary.LittleEndian.PutUint64(b[48:], s.first)
	binary.LittleEndian.PutUint64(b[56:], s.last)
	binary.LittleEndian.PutUint64(b[64:], s.spill.covers)
	binary.LittleEndian.PutUint64(b[72:], uint64(s.spill.footAt))
	binary.LittleEndian.PutUint64(b[80:], uint64(s.spill.footLength))
	binary.LittleEndian.PutUint64(b[88:], s.spill.records)
	binary.LittleEndian.PutUint64(b[96:], uint64(s.spill.ids))
	cfg.sealBlock(b)
	return dst
}

// readSpill reads the header of a spill file. Its name is given only after all
// of it was synced, so that anything not valid is damage.
func readSpill(files Files, cfg *Config, name string, ordinal uint64) (*segment, error) {
	b := make([]byte, headerBytes)
	if n, err := files.ReadAt(name, b, 0); n < len(b) {
		if err != nil && !isEOF(err) {
			return nil, fmt.Errorf("read header of %s: %w", name, err)
		}
		return nil, &DamageError{name, 0, "it is shorter than a header"}
	}
	state, err := cfg.checkBlock(name, b, spillMagic)
	if err != nil {
		return nil, err
	}
	size, err := files.Size(name)
	if err != nil {
		return nil, err
	}
	s := &segment{
		ordinal: binary.LittleEndian.Uint64(b[32:]), name: name, generation: binary.LittleEndian.Uint32(b[40:]),
		first: binary.LittleEndian.Uint64(b[48:]), last: binary.LittleEndian.Uint64(b[56:]), capacity: size,
		sealed: true, named: true, footer: true,
		spill: &spillInfo{
			covers: binary.LittleEndian.Uint64(b[64:]), footAt: int64(binary.LittleEndian.Uint64(b[72:])),
			footLength: int64(binary.LittleEndian.Uint64(b[80:])), records: binary.LittleEndian.Uint64(b[88:]), ids: int(binary.LittleEndian.Uint64(b[96:])),
		},
	}
	s.end = s.spill.footAt
	if state != blockValid || s.ordinal != ordinal {
		return nil, &DamageError{name, 0, "its header is not valid"}
	}
	if s.spill.footAt < record.Block || s.spill.footLength < record.HeaderBytes || s.spill.footAt > size-s.spill.footLength {
		return nil, &DamageError{name, 0, "it is shorter than its header says"}
	}
	return s, nil
}

// spillQueue orders readers of footers by the position that comes next; of the
// same position, which two files have where one was copied into the other, the
// newer file's first.
type spillQueue []*summaryReader

func (q spillQueue) Len() int { return len(q) }
func (q spillQueue) Less(i, j int) bool {
	if q[i].cur.pos != q[j].cur.pos {
		return q[i].cur.pos < q[j].cur.pos
	}
	return q[i].s.ordinal > q[j].s.ordinal
}
func (q spillQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *spillQueue) Push(x any)   { *q = append(*q, x.(*summaryReader)) }
func (q *spillQueue) Pop() any {
	last := len(*q) - 1
	r := (*q)[last]
	*q = (*q)[:last]
	return r
}

// eachSpilled gives what spill files hold, in the order of positions, each
// record once. Files are read only where their turn comes.
func eachSpilled(files Files, spills []*segment, each func(s *segment, e *summary) error) error {
	var q spillQueue
	for _, s := range spills {
		r := newSummaryReader(files, s)
		r.cur.pos = s.first
		q = append(q, r)
	}
	heap.Init(&q)
	given := uint64(0)
	for len(q) > 0 {
		r := q[0]
		if begun := r.frames > 0; begun && r.cur.pos > given {
			given = r.cur.pos
			if err := each(r.s, &r.cur); err != nil {
				return err
			}
		}
		before := r.cur.pos
		more, err := r.next()
		switch {
		case err != nil:
			return err
		case !more:
			heap.Pop(&q)
			continue
		case r.cur.pos < before || r.cur.pos > r.s.last:
			return r.damage(fmt.Sprintf("record %d out of order", r.cur.pos))
		}
		heap.Fix(&q, 0)
	}
	return nil
}

// replaySpilled gives every placement in spill files, and learns where bodies
// stand.
func (j *Journal) replaySpilled(files Files, each func(pos uint64, r record.Record) error) error {
	return eachSpilled(files, j.segs.spills, func(s *segment, e *summary) error {
		for i, id := range e.ids {
			if err := checkID(s, e.off, id); err != nil {
				return fmt.Errorf("record %d: %w", e.pos, err)
			}
			j.index.register(id)
			if i == 0 && e.kind&record.BodyBit != 0 {
				j.index.place(id, s, e.off)
			} else {
				j.index.refer(id, s)
			}
		}
		if e.kind&record.PlaceBit == 0 {
			return nil
		}
		return each(e.pos, record.Record{Kind: e.kind, IDs: append([]uint64(nil), e.ids...), Group: e.group, Head: e.head})
	})
}

func isDamage(err error) bool {
	var damage *DamageError
	return errors.As(err, &damage)
}

// readSpilled reads the record that a summary stands for.
func readSpilled(files Files, s *segment, e *summary) (f record.Frame, err error) {
	b := make([]byte, e.size)
	if n, err := files.ReadAt(s.name, b, e.off); n < len(b) {
		return f, fmt.Errorf("read %s at %d: %w", s.name, e.off, err)
	}
	f, n, err := record.Decode(b, s.generation)
	if err != nil || n != len(b) || f.Type != record.Data || f.Position != e.pos || !slices.Equal(f.AppendIDs(nil), e.ids) {
		return f, &DamageError{s.name, e.off, fmt.Sprintf("record %d is not valid, which the footer places there", e.pos)}
	}
	return f, nil
}

// checkSpill reads all of a spill file.
func checkSpill(files Files, s *segment) error {
	r, count := newSummaryReader(files, s), uint64(0)
	for {
		more, err := r.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		f, err := readSpilled(files, s, &r.cur)
		if err == nil {
			err = checkIDs(s, r.cur.off, &f)
		}
		if err != nil {
			return err
		}
		count++
	}
	if count != s.spill.records {
		return &DamageError{s.name, 0, fmt.Sprintf("the header tells of %d records, the footer of %d", s.spill.records, count)}
	}
	return nil
}
