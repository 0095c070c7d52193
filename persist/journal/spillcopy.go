package journal

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/tidegate/tidegate/persist/record"
)

// item is one record that may have to be copied.
type item struct {
	pos   uint64
	group uint64
	id    uint64 // its first
	src   int32  // index of its file in the plan
	meta  uint32 // offset of its meta in the plan
	off   uint32 // where it stands, in 8 bytes
	size  uint32 // of its frame, in 8 bytes
	to    uint32 // where its copy stands, in 8 bytes
}

// plan is what one pass copies: 48 bytes a record and about 24 of its meta. It
// is built and used outside the lock, or inside while no operation runs.
type plan struct {
	sources []*segment
	merge   bool
	likely  int    // how many records there are, as far as is known
	items   []item // in the order of positions
	metas   []byte
	order   []int32 // of those that live, by group and position
}

// sourceError is a file that cannot be copied as it is.
type sourceError struct {
	s   *segment
	err error
}

func (e *sourceError) Error() string { return e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }

// metaBytes is about what the meta of a record takes.
const metaBytes = 32

// maxMetas bounds what an item can point into, in bytes.
const maxMetas = 1<<32 - 1

// planning finds the records of a plan's sources.
type planning struct{ p *plan }

// Build implements Builder.
func (x planning) Build(files Files) ([]Chunk, error) {
	p := x.p
	p.items, p.metas = make([]item, 0, p.likely), make([]byte, 0, p.likely*metaBytes)
	for i, s := range p.sources {
		var err error
		if s.spill != nil {
			err = p.addSpill(files, int32(i), s)
		} else {
			err = p.addSegment(files, int32(i), s)
		}
		if err == nil && len(p.metas) > maxMetas {
			err = errors.New("more placements than a spill file can hold")
		}
		if err != nil {
			return nil, &sourceError{s, err}
		}
	}
	if p.merge {
		slices.SortFunc(p.items, func(a, b item) int { return cmp.Compare(a.pos, b.pos) })
	}
	return nil, nil
}

func (p *plan) addSegment(files Files, src int32, s *segment) error {
	got, err := scan(files, s, s.last, func(off int64, f *record.Frame) error {
		if f.IDs() == 0 || f.Kind&(record.BodyBit|record.PlaceBit) == 0 {
			return nil
		}
		p.items = append(p.items, item{
			pos: f.Position, group: f.Group, id: f.ID(0), src: src, meta: uint32(len(p.metas)),
			off: uint32(off / record.Align), size: uint32((record.HeaderBytes + int64(8*f.IDs()+len(f.Head)+len(f.Body)) + record.Align - 1) / record.Align),
		})
		p.metas = appendMeta(p.metas, f)
		return nil
	})
	if err == nil && got.last != s.last {
		err = &DamageError{s.name, got.end, fmt.Sprintf("record %d is not valid", got.last+1)}
	}
	return err
}

func (p *plan) addSpill(files Files, src int32, s *segment) error {
	r := newSummaryReader(files, s)
	for {
		more, err := r.next()
		if err != nil || !more {
			return err
		}
		if len(r.cur.ids) == 0 {
			return r.damage("a record without an id")
		}
		p.items = append(p.items, item{
			pos: r.cur.pos, group: r.cur.group, id: r.cur.ids[0], src: src, meta: uint32(len(p.metas)),
			off: uint32(r.cur.off / record.Align), size: uint32(r.cur.size / record.Align),
		})
		p.metas = append(p.metas, r.meta...)
	}
}

// meta reads what is known of an item into s and gives its bytes.
func (p *plan) meta(i int32, s *summary) []byte {
	b := p.metas[p.items[i].meta:]
	n, err := parseMeta(b, s)
	if err != nil {
		panic("journal: a plan's own meta cannot be read")
	}
	return b[:n]
}

// sorting puts what lives into the order of groups.
type sorting struct{ p *plan }

// Build implements Builder.
func (x sorting) Build(Files) ([]Chunk, error) {
	items := x.p.items
	slices.SortFunc(x.p.order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(items[a].group, items[b].group), cmp.Compare(items[a].pos, items[b].pos))
	})
	return nil, nil
}

// Reading for a copy joins records that stand close to each other.
const (
	copyGap  = 4 << 10 // bytes read for nothing between two records
	copyRead = 1 << 20 // bytes of one read
)

// copying copies order[from:to] to off in the target.
type copying struct {
	p          *plan
	from, to   int
	off        int64
	generation uint32
}

// Build implements Builder.
func (x copying) Build(files Files) ([]Chunk, error) {
	p := x.p
	var out, buf []byte
	for at := x.from; at < x.to; {
		first := &p.items[p.order[at]]
		begin, end := int64(first.off), int64(first.off+first.size)
		n := at + 1
		for ; n < x.to; n++ {
			next := &p.items[p.order[n]]
			if next.src != first.src || int64(next.off) < end || (int64(next.off)-end)*record.Align > copyGap || (int64(next.off+next.size)-begin)*record.Align > copyRead {
				break
			}
			end = int64(next.off + next.size)
		}
		s := p.sources[first.src]
		length := int((end - begin) * record.Align)
		buf = slices.Grow(buf[:0], length)[:length]
		if got, err := files.ReadAt(s.name, buf, begin*record.Align); got < length {
			return nil, &sourceError{s, &DamageError{s.name, begin * record.Align, fmt.Sprintf("only %d of %d bytes can be read: %v", got, length, err)}}
		}
		for ; at < n; at++ {
			it := &p.items[p.order[at]]
			frame := buf[(int64(it.off)-begin)*record.Align:][:int64(it.size)*record.Align]
			f, k, err := record.Decode(frame, s.generation)
			if err != nil || k != len(frame) || f.Type != record.Data || f.Position != it.pos {
				return nil, &sourceError{s, &DamageError{s.name, int64(it.off) * record.Align, fmt.Sprintf("record %d is not valid", it.pos)}}
			}
			it.to = uint32((x.off + int64(len(out))) / record.Align)
			out = record.Restamp(out, frame, x.generation)
		}
	}
	return []Chunk{{x.off, out}}, nil
}

// finishing makes footer and header of the target.
type finishing struct {
	p   *plan
	cfg *Config
	s   *segment
}

// Build implements Builder.
func (x finishing) Build(Files) ([]Chunk, error) {
	p, s := x.p, x.s
	slices.Sort(p.order) // by position again
	w := summaryWriter{generation: s.generation}
	var e summary
	for _, i := range p.order {
		it := &p.items[i]
		w.add(it.pos, int64(it.to)*record.Align, int64(it.size)*record.Align, p.meta(i, &e))
	}
	s.first, s.last = p.items[p.order[0]].pos, p.items[p.order[len(p.order)-1]].pos
	data := w.end()
	s.spill.footAt, s.spill.footLength, s.spill.records = padBlock(s.end), int64(len(data)), uint64(len(p.order))
	s.capacity = max(s.capacity, s.spill.footAt+padBlock(int64(len(data))))
	return []Chunk{{s.spill.footAt, pad(data, 0)}, {0, appendSpillHeader(nil, x.cfg, s)}}, nil
}
