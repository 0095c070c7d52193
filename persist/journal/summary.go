package journal

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tidegate/tidegate/persist/record"
)

// summary is a record in a spill file's footer: what a recovery needs of it.
// head is there for placements only.
type summary struct {
	pos       uint64
	off, size int64 // of its frame in the file, padding included
	kind      record.Kind
	group     uint64
	ids       []uint64
	head      []byte
}

// summaryFrame is the length at which a Summary frame is full, in bytes: little
// enough that many footers can be read side by side.
const summaryFrame = 64 << 10

// appendMeta encodes what a summary says of a record wherever it stands.
func appendMeta(b []byte, f *record.Frame) []byte {
	b = append(b, byte(f.Kind))
	b = binary.AppendUvarint(b, f.Group)
	b = binary.AppendUvarint(b, uint64(f.IDs()))
	first := uint64(0)
	for i := range f.IDs() {
		b = binary.AppendVarint(b, int64(f.ID(i)-first))
		first = f.ID(0)
	}
	if f.Kind&record.PlaceBit == 0 {
		return append(b, 0)
	}
	b = binary.AppendUvarint(b, uint64(len(f.Head)))
	return append(b, f.Head...)
}

var errSummary = errors.New("a summary is not as it was written")

// varint reads one number and what follows; ok turns false at the first fault.
func uvarint(b []byte, ok *bool) (uint64, []byte) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		*ok = false
		return 0, nil
	}
	return v, b[n:]
}

// parseMeta reads what appendMeta wrote into s, and gives how long it is. The
// head aliases b, the ids use s.ids' memory.
func parseMeta(b []byte, s *summary) (n int, err error) {
	ok, start := true, len(b)
	if len(b) == 0 {
		return 0, errSummary
	}
	s.kind, b = record.Kind(b[0]), b[1:]
	s.group, b = uvarint(b, &ok)
	count, b := uvarint(b, &ok)
	if !ok || count > uint64(len(b)) { // each takes at least a byte
		return 0, errSummary
	}
	s.ids = s.ids[:0]
	for range count {
		d, k := binary.Varint(b)
		if k <= 0 {
			return 0, errSummary
		}
		b = b[k:]
		if len(s.ids) > 0 {
			d += int64(s.ids[0])
		}
		s.ids = append(s.ids, uint64(d))
	}
	length, b := uvarint(b, &ok)
	if !ok || length > uint64(len(b)) {
		return 0, errSummary
	}
	s.head, b = b[:length:length], b[length:]
	return start - len(b), nil
}

// summaryWriter puts summaries, in the order of positions, into frames.
type summaryWriter struct {
	generation  uint32
	out         []byte
	run         []byte // entries of the frame to come
	first, prev uint64
	count       uint64 // in run
	frames      uint64
}

func (w *summaryWriter) add(pos uint64, off, size int64, meta []byte) {
	if w.count == 0 {
		w.first, w.prev = pos, pos
	}
	w.run = binary.AppendUvarint(w.run, pos-w.prev)
	w.run = binary.AppendUvarint(w.run, uint64(off)/record.Align)
	w.run = binary.AppendUvarint(w.run, uint64(size)/record.Align)
	w.run = append(w.run, meta...)
	w.prev = pos
	if w.count++; len(w.run) >= summaryFrame {
		w.flush()
	}
}

func (w *summaryWriter) flush() {
	if w.count == 0 {
		return
	}
	w.out = record.Append(w.out, record.Summary, w.generation, w.first, &record.Record{Group: w.count, Body: [][]byte{w.run}})
	w.run, w.count = w.run[:0], 0
	w.frames++
}

// end gives all frames.
func (w *summaryWriter) end() []byte {
	w.flush()
	return record.AppendEnd(w.out, w.generation, w.frames)
}

// summaryReader reads a spill file's footer forward.
type summaryReader struct {
	s      *segment
	w      window
	at     int64
	run    []byte
	left   uint64 // entries in run
	frames uint64
	cur    summary
	meta   []byte // of cur, as it stands in the file
}

func newSummaryReader(files Files, s *segment) *summaryReader {
	return &summaryReader{
		s: s, at: s.spill.footAt,
		w: window{files: files, name: s.name, limit: s.spill.footAt + s.spill.footLength, step: 2 * summaryFrame},
	}
}

// next moves cur to the next summary; false at the end. A head in cur is valid
// until the call after.
func (r *summaryReader) next() (bool, error) {
	for r.left == 0 {
		if len(r.run) > 0 {
			return false, r.damage("a frame holds more than it says")
		}
		f, n, err := r.w.decode(r.at, r.s.generation)
		if errors.Is(err, record.ErrInvalid) {
			return false, r.damage("no valid frame in its footer")
		}
		if err != nil {
			return false, err
		}
		switch {
		case f.Type == record.End && f.Group == r.frames:
			return false, nil
		case f.Type != record.Summary:
			return false, r.damage("a frame out of place in its footer")
		}
		r.frames++
		r.at += int64(n)
		r.run, r.left, r.cur.pos = f.Body, f.Group, f.Position
	}
	ok := true
	delta, b := uvarint(r.run, &ok)
	off, b := uvarint(b, &ok)
	size, b := uvarint(b, &ok)
	n, err := parseMeta(b, &r.cur)
	if !ok || err != nil || delta > noBound-r.cur.pos || off > offMask || size > offMask {
		return false, r.damage("its footer cannot be read")
	}
	r.cur.pos += delta
	r.cur.off, r.cur.size = int64(off)*record.Align, int64(size)*record.Align
	r.meta, r.run = b[:n:n], b[n:]
	r.left--
	if e := &r.cur; e.off < record.Block || e.size < record.HeaderBytes || e.off > r.s.spill.footAt-e.size {
		return false, r.damage(fmt.Sprintf("it places record %d at %d, which is outside", e.pos, e.off))
	}
	return true, nil
}

func (r *summaryReader) damage(reason string) error { return &DamageError{r.s.name, r.at, reason} }
