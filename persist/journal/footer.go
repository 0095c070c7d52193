package journal

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tidegate/tidegate/persist/record"
)

// Footer makes the summary of a sealed segment from its records: where bodies
// stand and what was placed, so that a recovery need not read the bodies. It
// stands behind the log's end; a block at the very end of the file names it.
type Footer struct {
	cfg         *Config
	name        string
	ordinal     uint64
	generation  uint32
	first, last uint64
	end         int64
	capacity    int64
	likely      int // how many bodies and placements there are, as far as is known
}

// footerPlace is about what a placement takes in a footer, in bytes.
const footerPlace = 96

// Chunk is bytes for an offset.
type Chunk struct {
	Off  int64
	Data []byte
}

// bodyBytes is one body in a footer: id, offset in 8 bytes, length of the frame
// in 8 bytes.
const bodyBytes = 16

// Build reads the segment and gives what is to be written, in this order. It
// may run beside every other call to the journal; the segment may be recycled
// meanwhile, which it notices or which makes its result worthless but harmless:
// the generation no longer fits.
func (f *Footer) Build(files Files) ([]Chunk, error) {
	s := &segment{name: f.name, generation: f.generation, first: f.first, capacity: f.capacity}
	// A footer of small messages is a third of its segment: not to be made twice.
	bodies, places := make([]byte, 0, f.likely*bodyBytes), make([]byte, 0, f.likely*footerPlace+record.Block)
	frames := uint64(0)
	r, err := scan(files, s, f.last, func(off int64, fr *record.Frame) error {
		if fr.Kind&record.BodyBit != 0 && fr.IDs() > 0 {
			bodies = binary.LittleEndian.AppendUint64(bodies, fr.ID(0))
			bodies = binary.LittleEndian.AppendUint32(bodies, uint32(off/record.Align))
			bodies = binary.LittleEndian.AppendUint32(bodies, uint32((record.HeaderBytes+8*fr.IDs()+len(fr.Head)+len(fr.Body)+7)/record.Align))
		}
		if fr.Kind&record.PlaceBit != 0 {
			p := record.Record{Kind: fr.Kind, IDs: fr.AppendIDs(nil), Group: fr.Group, Head: fr.Head}
			places = record.Append(places, record.Place, f.generation, fr.Position, &p)
			frames++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if r.last != f.last {
		return nil, fmt.Errorf("%s: record %d is not valid at %d", f.name, r.last+1, r.end)
	}
	size, err := files.Size(f.name)
	if err != nil {
		return nil, err
	}
	places = record.AppendEnd(places, f.generation, frames)
	at, length := padBlock(f.end), int64(len(bodies)+len(places))
	trailerAt := max(padBlock(size)-record.Block, at+padBlock(length))
	t := trailer{f.ordinal, f.generation, f.first, f.last, f.end, at, length, int64(len(bodies)) / bodyBytes, record.UpdateCRC(record.CRC(bodies), places)}
	rest := padBlock(length) - length
	return []Chunk{{at, bodies}, {at + int64(len(bodies)), append(places, zeros[:rest]...)}, {trailerAt, t.append(nil, f.cfg)}}, nil
}

// trailer is the last block of a segment with a footer.
type trailer struct {
	ordinal     uint64
	generation  uint32
	first, last uint64
	end         int64 // of the log
	at, length  int64 // of the footer
	bodies      int64
	crc         uint32
}

func (t *trailer) append(dst []byte, cfg *Config) []byte {
	start := len(dst)
	dst = append(dst, zeros[:]...)
	b := dst[start:]
	copy(b, footerMagic)
	binary.LittleEndian.PutUint64(b[32:], t.ordinal)
	binary.LittleEndian.PutUint32(b[40:], t.generation)
	binary.LittleEndian.PutUint32(b[44:], t.crc)
	binary.LittleEndian.PutUint64(b[48:], t.first)
	binary.LittleEndian.PutUint64(b[56:], t.last)
	binary.LittleEndian.PutUint64(b[64:], uint64(t.end))
	binary.LittleEndian.PutUint64(b[72:], uint64(t.at))
	binary.LittleEndian.PutUint64(b[80:], uint64(t.length))
	binary.LittleEndian.PutUint64(b[88:], uint64(t.bodies))
	cfg.sealBlock(b)
	return dst
}

// maxFooter bounds what a trailer may say of the footer's length, in bytes.
const maxFooter = 1 << 31

// footer is a footer that was read.
type footer struct {
	trailer
	body   []byte
	places []byte
}

// readFooter gives the footer of a segment, or nil if it has none that is
// valid: it can always be made again from the records.
func readFooter(files Files, cfg *Config, s *segment) (*footer, error) {
	size, err := files.Size(s.name)
	if err != nil {
		return nil, err
	}
	if size < 2*record.Block {
		return nil, nil
	}
	b := make([]byte, headerBytes)
	if n, err := files.ReadAt(s.name, b, padBlock(size)-record.Block); n < len(b) {
		if err != nil && !isEOF(err) {
			return nil, err
		}
		return nil, nil
	}
	if state, err := cfg.checkBlock(s.name, b, footerMagic); state != blockValid {
		var version *VersionError
		if errors.As(err, &version) {
			return nil, err
		}
		return nil, nil
	}
	t := trailer{
		ordinal: binary.LittleEndian.Uint64(b[32:]), generation: binary.LittleEndian.Uint32(b[40:]), crc: binary.LittleEndian.Uint32(b[44:]),
		first: binary.LittleEndian.Uint64(b[48:]), last: binary.LittleEndian.Uint64(b[56:]), end: int64(binary.LittleEndian.Uint64(b[64:])),
		at: int64(binary.LittleEndian.Uint64(b[72:])), length: int64(binary.LittleEndian.Uint64(b[80:])), bodies: int64(binary.LittleEndian.Uint64(b[88:])),
	}
	if t.ordinal != s.ordinal || t.generation != s.generation || t.length < t.bodies*bodyBytes || t.length > maxFooter || t.at+t.length > size {
		return nil, nil
	}
	data := make([]byte, t.length)
	if n, err := files.ReadAt(s.name, data, t.at); n < len(data) {
		if err != nil && !isEOF(err) {
			return nil, err
		}
		return nil, nil
	}
	if record.CRC(data) != t.crc {
		return nil, nil
	}
	return &footer{t, data[:t.bodies*bodyBytes], data[t.bodies*bodyBytes:]}, nil
}

// each gives the footer's bodies, then its placements.
func (f *footer) each(body func(id uint64, off int64) error, place func(fr *record.Frame) error) error {
	for b := f.body; len(b) > 0; b = b[bodyBytes:] {
		if err := body(binary.LittleEndian.Uint64(b), int64(binary.LittleEndian.Uint32(b[8:]))*record.Align); err != nil {
			return err
		}
	}
	for p := f.places; ; {
		fr, n, err := record.Decode(p, f.generation)
		if err != nil {
			return fmt.Errorf("footer of segment %d: %w", f.ordinal, err)
		}
		if fr.Type == record.End {
			return nil
		}
		if err := place(&fr); err != nil {
			return err
		}
		p = p[n:]
	}
}
