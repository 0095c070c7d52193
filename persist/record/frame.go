package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Sizes of the framing, in bytes.
const (
	// Block is what a commit group is padded to: the unit in which the next
	// group can be torn without reaching this one.
	Block = 4096
	// Align is what every frame is padded to.
	Align = 8
	// HeaderBytes is the fixed part of a frame, before the ids.
	HeaderBytes = 40
)

// Limits on what a frame may say of itself. A file that says more is damaged.
const (
	MaxFrame = 1<<32 - Align // the length is 32 bits
	MaxIDs   = 1 << 24
	// MaxID is the highest id of a stored message: 146,000 years at a million a
	// second. Above it an id was not given in order, and those to come behind it
	// would leave the stored range.
	MaxID = 1<<62 - 1
)

// Type is what a frame is to the log. (A Kind is what a record is to its
// owner.) Numbers from 64 to 95 are for spill files, 96 to 127 for the spool of
// large messages; a file that has one this version does not know is refused.
type Type uint8

// The types of frames.
const (
	Data   Type = 1 // a record, in a segment or a checkpoint
	Commit Type = 2 // the end of a group: Position is the last, Group the durable claim
	Place  Type = 3 // in a footer: a placement's head again, without body
	Key    Type = 4 // in a checkpoint: the records that follow belong to key Group as of Position
	End    Type = 5 // in a checkpoint and a footer: the last frame; Group counts the frames before
	// Summary is a run of records in short, in a spill file's footer: Position is
	// that of the first, Group their number.
	Summary Type = 64
)

func (t Type) known() bool { return t >= Data && t <= End || t == Summary }

// Errors of Decode. ErrShort means that the frame may go on behind the bytes
// given; ErrInvalid that no frame of this generation stands there.
var (
	ErrShort   = errors.New("frame is longer than the bytes given")
	ErrInvalid = errors.New("no valid frame")
)

// UnknownTypeError is a whole frame of a type that this version does not know.
type UnknownTypeError struct{ Type Type }

func (e *UnknownTypeError) Error() string {
	return fmt.Sprintf("frame of type %d: written by a newer version of Tidegate; use that version", e.Type)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// CRC is the checksum used in every file of the store.
func CRC(p []byte) uint32 { return crc32.Checksum(p, castagnoli) }

// frameCRC leaves out the checksum's own four bytes.
func frameCRC(frame []byte) uint32 {
	return crc32.Update(crc32.Checksum(frame[:4], castagnoli), castagnoli, frame[8:])
}

// Frame is a decoded frame; its slices lie in the bytes it was decoded from.
type Frame struct {
	Type     Type
	Kind     Kind
	Position uint64
	Group    uint64
	Head     []byte
	Body     []byte
	ids      []byte
}

// IDs is how many ids the frame carries.
func (f *Frame) IDs() int { return len(f.ids) / 8 }

// ID is the i-th id.
func (f *Frame) ID(i int) uint64 { return binary.LittleEndian.Uint64(f.ids[8*i:]) }

// AppendIDs appends all ids to dst.
func (f *Frame) AppendIDs(dst []uint64) []uint64 {
	for i := range f.IDs() {
		dst = append(dst, f.ID(i))
	}
	return dst
}

// Record is the record that a Data or Place frame carries. The need is not
// stored. Its slices lie in the frame's bytes, but for IDs.
func (f *Frame) Record() Record {
	r := Record{Kind: f.Kind, Group: f.Group, Head: f.Head}
	if len(f.ids) > 0 {
		r.IDs = f.AppendIDs(make([]uint64, 0, f.IDs()))
	}
	if len(f.Body) > 0 {
		r.Body = [][]byte{f.Body}
	}
	return r
}

// Size is the length of the record's frame, padding included.
func Size(r *Record) int64 {
	n := int64(HeaderBytes) + 8*int64(len(r.IDs)) + int64(len(r.Head))
	for _, b := range r.Body {
		n += int64(len(b))
	}
	return (n + Align - 1) &^ (Align - 1)
}

// Append appends the record's frame, with checksum and padding.
func Append(dst []byte, typ Type, generation uint32, position uint64, r *Record) []byte {
	start := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, 0) // length, below
	dst = binary.LittleEndian.AppendUint32(dst, 0) // checksum, below
	dst = binary.LittleEndian.AppendUint32(dst, generation)
	dst = append(dst, byte(typ), byte(r.Kind), 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, position)
	dst = binary.LittleEndian.AppendUint64(dst, r.Group)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(r.Head)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(r.IDs)))
	for _, id := range r.IDs {
		dst = binary.LittleEndian.AppendUint64(dst, id)
	}
	dst = append(dst, r.Head...)
	for _, b := range r.Body {
		dst = append(dst, b...)
	}
	n := len(dst) - start
	if int64(n) > MaxFrame || len(r.IDs) > MaxIDs {
		panic(fmt.Sprintf("record: a frame of %d bytes and %d ids cannot be written", n, len(r.IDs)))
	}
	frame := dst[start:]
	binary.LittleEndian.PutUint32(frame, uint32(n))
	binary.LittleEndian.PutUint32(frame[4:], frameCRC(frame))
	for len(dst)%Align != start%Align {
		dst = append(dst, 0)
	}
	return dst
}

// Restamp appends a whole valid frame, padding included, as one of another
// generation.
func Restamp(dst, frame []byte, generation uint32) []byte {
	start := len(dst)
	dst = append(dst, frame...)
	b := dst[start : start+int(binary.LittleEndian.Uint32(frame))]
	binary.LittleEndian.PutUint32(b[8:], generation)
	binary.LittleEndian.PutUint32(b[4:], frameCRC(b))
	return dst
}

// AppendCommit ends a group: its last record is position (or the one before the
// group if it has none), and everything up to durable was synced when it was
// written.
func AppendCommit(dst []byte, generation uint32, position, durable uint64) []byte {
	return Append(dst, Commit, generation, position, &Record{Group: durable})
}

// AppendEnd ends a checkpoint or footer of count frames.
func AppendEnd(dst []byte, generation uint32, count uint64) []byte {
	return Append(dst, End, generation, 0, &Record{Group: count})
}

// FrameLength reads how long the frame at the start of src says it is, padding
// included; 0 if that cannot be.
func FrameLength(src []byte) int64 {
	if len(src) < 4 {
		return 0
	}
	n := int64(binary.LittleEndian.Uint32(src))
	if n < HeaderBytes || n > MaxFrame {
		return 0
	}
	return (n + Align - 1) &^ (Align - 1)
}

// Decode reads the frame at the start of src and says how many bytes it takes
// with its padding. A frame of another generation is ErrInvalid: it is what an
// earlier use of the segment left there.
func Decode(src []byte, generation uint32) (f Frame, n int, err error) {
	if len(src) < HeaderBytes {
		return f, 0, ErrShort
	}
	length, padded := int64(binary.LittleEndian.Uint32(src)), FrameLength(src)
	if padded == 0 || binary.LittleEndian.Uint32(src[8:]) != generation {
		return f, 0, ErrInvalid
	}
	head, ids := int64(binary.LittleEndian.Uint32(src[32:])), int64(binary.LittleEndian.Uint32(src[36:]))
	if ids > MaxIDs || HeaderBytes+8*ids+head > length {
		return f, 0, ErrInvalid
	}
	if int64(len(src)) < padded {
		return f, 0, ErrShort
	}
	if binary.LittleEndian.Uint32(src[4:]) != frameCRC(src[:length]) {
		return f, 0, ErrInvalid
	}
	f.Type, f.Kind = Type(src[12]), Kind(src[13])
	f.Position = binary.LittleEndian.Uint64(src[16:])
	f.Group = binary.LittleEndian.Uint64(src[24:])
	rest := src[HeaderBytes:length:length]
	f.ids, rest = rest[:8*ids:8*ids], rest[8*ids:]
	f.Head, f.Body = rest[:head:head], rest[head:]
	if !f.Type.known() || src[14] != 0 || src[15] != 0 {
		return f, int(padded), &UnknownTypeError{f.Type}
	}
	return f, int(padded), nil
}
