package journal

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/tidegate/tidegate/persist/record"
)

// scanWindow is how much of a segment is read at a time.
const scanWindow = 1 << 20

// window reads a file forward.
type window struct {
	files Files
	name  string
	limit int64 // nothing is read from here on
	step  int64 // how much is read at a time; 0: scanWindow
	buf   []byte
	at    int64 // offset of buf[0]
}

// bytes gives at least want bytes from off, or what there is before limit. The
// result is valid until the next call.
func (w *window) bytes(off, want int64) ([]byte, error) {
	have := w.at + int64(len(w.buf)) - off
	if off >= w.at && have >= min(want, w.limit-off) {
		return w.buf[off-w.at:], nil
	}
	n := max(0, min(max(want, cmp.Or(w.step, scanWindow)), w.limit-off))
	if int64(cap(w.buf)) < n {
		w.buf = make([]byte, n)
	}
	w.buf = w.buf[:n]
	w.at = off
	got, err := w.files.ReadAt(w.name, w.buf, off)
	w.buf = w.buf[:got]
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s at %d: %w", w.name, off, err)
	}
	return w.buf, nil
}

// decode reads the frame at off. ErrInvalid covers one that ends behind limit.
func (w *window) decode(off int64, generation uint32) (record.Frame, int, error) {
	want := int64(record.HeaderBytes)
	for {
		b, err := w.bytes(off, want)
		if err != nil {
			return record.Frame{}, 0, err
		}
		f, n, err := record.Decode(b, generation)
		if !errors.Is(err, record.ErrShort) {
			if err != nil && !errors.Is(err, record.ErrInvalid) {
				err = fmt.Errorf("%s at %d: %w", w.name, off, err)
			}
			return f, n, err
		}
		length := record.FrameLength(b)
		if length <= want || off+length > w.limit { // also where the file ends early
			return f, 0, record.ErrInvalid
		}
		want = length
	}
}

// scanned is what a scan found.
type scanned struct {
	last   uint64 // position of the last valid record; before the first if none
	end    int64  // behind the last valid frame
	claim  uint64 // highest durable claim of valid frames
	broken bool   // ended because something invalid stands at end
}

// scan reads a segment's records in order until one is invalid, the position
// after bound comes, or the segment is full. Records of a former life may stand
// behind bound.
func scan(files Files, h *segment, bound uint64, each func(off int64, f *record.Frame) error) (scanned, error) {
	w := &window{files: files, name: h.name, limit: h.capacity}
	r := scanned{last: h.first - 1, end: record.Block}
	for r.last < bound || bound == noBound {
		f, n, err := w.decode(r.end, h.generation)
		switch {
		case errors.Is(err, record.ErrInvalid):
			r.broken = true
			return r, nil
		case err != nil:
			return r, err
		}
		next := r.end + int64(n)
		switch {
		case f.Type == record.Data && f.Position == r.last+1:
			if each != nil {
				if err := each(r.end, &f); err != nil {
					return r, err
				}
			}
			r.last++
		case f.Type == record.Commit && f.Position == r.last:
			r.claim = max(r.claim, f.Group)
			next = padBlock(next)
		default:
			r.broken = true
			return r, nil
		}
		r.end = next
	}
	// The commit frame behind the last record belongs to it.
	f, n, err := w.decode(r.end, h.generation)
	if err == nil && f.Type == record.Commit && f.Position == r.last {
		r.claim = max(r.claim, f.Group)
		r.end = padBlock(r.end + int64(n))
	}
	if errors.Is(err, record.ErrInvalid) {
		err = nil
	}
	return r, err
}

// noBound lets a scan go on to the end of what is valid.
const noBound = ^uint64(0)

// claims looks behind an invalid frame for groups that are valid, since each
// begins at a block, and gives the highest durable claim among them.
func claims(files Files, h *segment, from int64) (highest uint64, at int64, err error) {
	w := &window{files: files, name: h.name, limit: h.capacity}
	for off := padBlock(from); off+record.Block <= h.capacity; {
		b, err := w.bytes(off, record.Block)
		if err != nil {
			return 0, 0, err
		}
		if len(b) < record.HeaderBytes || binary.LittleEndian.Uint32(b[8:]) != h.generation {
			if len(b) < record.Block {
				break
			}
			off += record.Block
			continue
		}
		next := off
		for {
			f, n, err := w.decode(next, h.generation)
			if errors.Is(err, record.ErrInvalid) {
				break
			}
			if err != nil {
				return 0, 0, err
			}
			if f.Type == record.Commit && f.Group > highest {
				highest, at = f.Group, next
			}
			next += int64(n)
			if f.Type == record.Commit {
				break
			}
		}
		off = max(off+record.Block, padBlock(next))
	}
	return highest, at, nil
}
