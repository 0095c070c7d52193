package server

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/persist/record"
)

// headVersion begins every head. A head of another version refuses start.
const (
	headVersion = 1
	// delayedVersion is that of a record with a delayed place: to each place it adds
	// the delivery time, 0 for none, and for whom the message is.
	delayedVersion = 2
	// flaggedVersion is that of a record with a place that has flags, or a count with a
	// time: to each place it adds, behind what delayedVersion adds, its flags, and to
	// each count until when the message waits.
	flaggedVersion = 3
	// addressedVersion is that of a record with a place that says where its message
	// went: behind what flaggedVersion adds, the kind and the name, 0 for neither.
	addressedVersion = 4
	// gappedVersion is that of a ring in which something is removed: runs of words of
	// bits, where a version before has every word.
	gappedVersion = 5
	newestVersion = gappedVersion
)

// versionOf is the version of a record's head.
func versionOf(r *core.Record) byte {
	if r.Ring != nil && len(r.Ring.Removed) > 0 {
		return gappedVersion
	}
	version := versionOfPlace(&r.Place)
	if r.Due != 0 || r.Ring != nil && slices.ContainsFunc(r.Ring.Counts, func(c core.Count) bool { return c.Due != 0 }) {
		return flaggedVersion
	}
	for i := range r.More {
		version = max(version, versionOfPlace(&r.More[i]))
	}
	return version
}

func versionOfPlace(p *core.Place) byte {
	switch {
	case p.To != nil:
		return addressedVersion
	case p.Flags != 0:
		return flaggedVersion
	case p.Delay != nil:
		return delayedVersion
	}
	return headVersion
}

// encoder turns broker records into journal records. What the journal keeps
// comes from chunks that are filled once and left to the collector.
type encoder struct {
	bytes  []byte
	ids    []uint64
	pieces [][]byte
}

const (
	byteChunk  = 64 << 10
	idChunk    = 4 << 10
	pieceChunk = 4 << 10
	maxHead    = 4 << 10 // of all records but a checkpoint's and a commit's
)

func kindOf(k core.RecordKind) record.Kind {
	r := record.Kind(k)
	switch k {
	case core.RecMessage:
		r |= record.BodyBit | record.PlaceBit
	case core.RecBody:
		r |= record.BodyBit
	case core.RecCommit:
		r |= record.PlaceBit
	case core.RecRemove, core.RecCount, core.RecQueue, core.RecSubscription, core.RecDelete, core.RecOffered, core.RecRing, core.RecIDs, core.RecNotes:
	}
	return r
}

// Encode turns one broker record into a journal record; Decode is its inverse,
// but for the Content.
func Encode(r *core.Record) record.Record {
	var e encoder
	return e.encode(r)
}

func (e *encoder) encode(r *core.Record) record.Record {
	if cap(e.bytes)-len(e.bytes) < maxHead {
		e.bytes = make([]byte, 0, byteChunk)
	}
	if cap(e.ids)-len(e.ids) < 1+len(r.More) {
		e.ids = make([]uint64, 0, max(idChunk, 1+len(r.More)))
	}
	out := record.Record{Kind: kindOf(r.Kind), Need: record.Need(r.Need)}
	firstID := len(e.ids)
	at := len(e.bytes)
	version := versionOf(r)
	b := append(e.bytes, version)
	switch r.Kind {
	case core.RecMessage:
		b = append(b, byte(r.Content.Format()))
		b = binary.AppendUvarint(b, uint64(1+len(r.More)))
		b = appendPlace(b, &r.Place, version)
		for i := range r.More {
			b = appendPlace(b, &r.More[i], version)
		}
		e.ids = append(e.ids, r.ID)
		out.Group = groupOf(&r.Place)
		out.Body = e.body(r.Content)
		b = appendFile(b, &out, r.Content)
	case core.RecBody:
		b = append(b, byte(r.Content.Format()))
		e.ids = append(e.ids, r.ID)
		out.Group = groupOf(&r.Place)
		out.Body = e.body(r.Content)
		b = appendFile(b, &out, r.Content)
	case core.RecRemove, core.RecOffered, core.RecDelete:
		b = appendRun(b, &r.Run)
	case core.RecCount:
		b = binary.AppendUvarint(appendRun(b, &r.Run), uint64(r.Count))
		if version >= flaggedVersion {
			b = binary.AppendUvarint(b, uint64(r.Due))
		}
	case core.RecNotes:
		b = appendText(appendRun(b, &r.Run), string(r.Notes))
	case core.RecCommit:
		b = binary.AppendUvarint(b, uint64(len(r.More)))
		for i := range r.More {
			b = appendPlace(b, &r.More[i], version)
			e.ids = append(e.ids, r.More[i].ID)
		}
		b = binary.AppendUvarint(b, uint64(len(r.Runs)))
		for i := range r.Runs {
			b = appendRun(b, &r.Runs[i])
		}
	case core.RecQueue, core.RecSubscription:
		b = appendDefinition(b, r.Define)
	case core.RecRing:
		b = appendRing(b, r.Ring, version)
	case core.RecIDs:
		b = binary.AppendUvarint(b, r.ID)
		b = binary.AppendUvarint(b, uint64(r.Run.Queue))
	}
	out.Head = b[at:len(b):len(b)]
	e.bytes = b
	out.IDs = e.ids[firstID:len(e.ids):len(e.ids)]
	return out
}

// groupOf is the order in which bodies stand in spill files: what one ring's
// consumers read lies together.
func groupOf(p *core.Place) uint64 { return uint64(p.Queue)<<4 | uint64(p.Priority) }

func (e *encoder) body(c message.Content) [][]byte {
	if cap(e.pieces)-len(e.pieces) < 4 {
		e.pieces = make([][]byte, 0, pieceChunk)
	}
	at := len(e.pieces)
	e.pieces = c.Pieces(e.pieces)
	return e.pieces[at:len(e.pieces):len(e.pieces)]
}

// holdHead is the head of a message that is held: what makes its content.
func holdHead(f message.Format) []byte { return holdHeads[f] }

var holdHeads = func() (h [256][]byte) {
	for i := range h {
		h[i] = []byte{headVersion, byte(i)}
	}
	return h
}()

// formatOf reads the format out of a body's head.
func formatOf(head []byte) message.Format {
	if len(head) < 2 {
		return 0
	}
	return message.Format(head[1])
}

// appendFile ends the head of a message that lies in a file with its name.
func appendFile(b []byte, out *record.Record, c message.Content) []byte {
	f := fileOf(c)
	if f.Number == 0 {
		return b
	}
	out.Kind |= record.FileBit | record.PlaceBit
	return record.AppendFile(b, record.FileRef(f))
}

func fileOf(c message.Content) message.File {
	if c.Format() != message.FormatLarge {
		return message.File{}
	}
	return c.(message.Spooled).File() //nolint:forcetypeassert // what the format says
}

// fileIn reads the file's name out of a body's head.
func fileIn(head []byte) message.File {
	if formatOf(head) != message.FormatLarge {
		return message.File{}
	}
	f, _, _ := record.File(head)
	return message.File(f)
}

func appendPlace(b []byte, p *core.Place, version byte) []byte {
	b = binary.AppendUvarint(b, uint64(p.Queue))
	b = append(b, p.Priority)
	b = binary.AppendUvarint(b, p.Seq)
	b = binary.AppendUvarint(b, p.ID)
	b = binary.AppendUvarint(b, uint64(p.Expires))
	b = binary.AppendUvarint(b, uint64(p.Size))
	if version == headVersion {
		return b
	}
	if p.Delay == nil {
		b = append(b, 0, 0)
	} else {
		b = binary.AppendUvarint(b, uint64(p.Delay.Due))
		b = binary.AppendUvarint(b, uint64(len(p.Delay.Targets)))
		for _, t := range p.Delay.Targets {
			b = binary.AppendUvarint(b, uint64(t))
		}
	}
	if version >= flaggedVersion {
		b = append(b, p.Flags)
	}
	switch {
	case version < addressedVersion:
	case p.To == nil:
		b = append(b, 0)
	default:
		b = appendText(append(b, byte(p.To.Kind)), p.To.Name)
	}
	return b
}

func appendRun(b []byte, r *core.Run) []byte {
	b = binary.AppendUvarint(b, uint64(r.Queue))
	b = append(b, r.Priority)
	b = binary.AppendUvarint(b, r.First)
	return binary.AppendUvarint(b, r.Count)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendDefinition(b []byte, d *core.Definition) []byte {
	b = binary.AppendUvarint(b, uint64(d.Queue))
	b = append(b, byte(d.Destination.Kind), flag(d.NoLocal)|flag(d.Shared)<<1|flag(d.Global)<<2|flag(d.Lasting)<<3|flag(d.Static)<<4)
	for _, s := range []string{d.Destination.Name, d.Client, d.Name, d.Selector} {
		b = appendText(b, s)
	}
	return b
}

func flag(v bool) byte {
	if v {
		return 1
	}
	return 0
}

func appendRing(b []byte, r *core.RingState, version byte) []byte {
	b = binary.AppendUvarint(b, uint64(r.Queue))
	b = append(b, r.Priority)
	b = binary.AppendUvarint(b, r.Head)
	b = binary.AppendUvarint(b, r.Next)
	b = binary.AppendUvarint(b, r.Offered)
	b = binary.AppendUvarint(b, uint64(len(r.Removed)))
	last := uint64(0)
	for _, run := range r.Removed { // there are none below gappedVersion
		b = binary.AppendUvarint(b, run.From-last)
		b = binary.LittleEndian.AppendUint64(b, run.Bits)
		last = run.From
	}
	b = binary.AppendUvarint(b, uint64(len(r.Counts)))
	for _, c := range r.Counts {
		b = binary.AppendUvarint(b, c.Seq)
		b = binary.AppendUvarint(b, uint64(c.Count))
		if version >= flaggedVersion {
			b = binary.AppendUvarint(b, uint64(c.Due))
		}
	}
	return b
}

// reader takes a head apart; the first fault sticks.
type reader struct {
	b       []byte
	version byte
	err     error
}

var (
	errShort = errors.New("the head ends too early")
	errRuns  = errors.New("what is removed of a ring does not go upwards")
	errHeld  = errors.New("it has the id of a message that is not stored")
	errID    = fmt.Errorf("it has an id above %d, which no message gets", uint64(record.MaxID))
)

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.err = errShort
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.err = errShort
		r.b = nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// word reads eight bytes.
func (r *reader) word() uint64 {
	if len(r.b) < 8 {
		r.err = errShort
		return 0
	}
	v := binary.LittleEndian.Uint64(r.b)
	r.b = r.b[8:]
	return v
}

// id reads the id of a stored message.
func (r *reader) id() uint64 { return r.stored(r.uint()) }

// stored refuses ids of the range that no record may have.
func (r *reader) stored(id uint64) uint64 {
	switch {
	case id&core.HeldBit != 0:
		r.err = errHeld
	case id > record.MaxID:
		r.err = errID
	}
	return id
}

// count reads the number of things that take at least size bytes each.
func (r *reader) count(size int) int {
	n := r.uint()
	if n > uint64(len(r.b)/size) {
		r.err = errShort
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.count(1)
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *reader) place() (p core.Place) {
	p.Queue = core.QueueID(r.uint())
	p.Priority = r.byte()
	p.Seq, p.ID = r.uint(), r.id()
	p.Expires = int64(r.uint())
	p.Size = uint32(r.uint())
	if r.version == headVersion {
		return p
	}
	due := int64(r.uint())
	var targets []core.QueueID
	for range r.count(1) {
		targets = append(targets, core.QueueID(r.uint()))
	}
	if due != 0 {
		p.Delay = &core.Delay{Due: due, Targets: targets}
	}
	if r.version >= flaggedVersion {
		p.Flags = r.byte()
	}
	if r.version >= addressedVersion {
		if kind := core.DestinationKind(r.byte()); kind != 0 {
			p.To = &core.Destination{Kind: kind, Name: r.text()}
		}
	}
	return p
}

func (r *reader) run() (v core.Run) {
	v.Queue = core.QueueID(r.uint())
	v.Priority = r.byte()
	v.First, v.Count = r.uint(), r.uint()
	return v
}

// Decode turns a journal record back. Its Content stays nil. Errors: a kind that
// this version does not know, fields that are cut.
func Decode(in record.Record) (core.Record, error) {
	r := &reader{b: in.Head}
	if in.Kind&record.FileBit != 0 {
		_, head, ok := record.File(in.Head)
		if !ok {
			return core.Record{}, errors.New("a large message without the name of its file")
		}
		r.b = head
	}
	out := core.Record{Kind: core.RecordKind(in.Kind &^ (record.BodyBit | record.PlaceBit | record.FileBit))}
	if r.version = r.byte(); r.version < headVersion || r.version > newestVersion {
		return out, fmt.Errorf("a record's head has version %d, this program reads up to %d: start the version that wrote it", r.version, newestVersion)
	}
	switch out.Kind {
	case core.RecMessage:
		r.byte()
		n := r.count(6)
		if n == 0 && r.err == nil {
			return out, errors.New("a message without a place")
		}
		out.Place = r.place()
		for range n - 1 {
			out.More = append(out.More, r.place())
		}
		out.ID = out.Place.ID
	case core.RecBody:
		r.byte()
		if len(in.IDs) != 1 {
			return out, errors.New("a body without its id")
		}
		out.ID = r.stored(in.IDs[0])
	case core.RecRemove, core.RecOffered, core.RecDelete:
		out.Run = r.run()
	case core.RecCount:
		out.Run = r.run()
		out.Count = uint32(r.uint())
		if r.version >= flaggedVersion {
			out.Due = int64(r.uint())
		}
	case core.RecNotes:
		out.Run = r.run()
		out.Notes = []byte(r.text())
	case core.RecCommit:
		for range r.count(6) {
			out.More = append(out.More, r.place())
		}
		for range r.count(4) {
			out.Runs = append(out.Runs, r.run())
		}
	case core.RecQueue, core.RecSubscription:
		out.Define = r.definition()
	case core.RecRing:
		out.Ring = r.ring()
	case core.RecIDs:
		out.ID = r.id()
		out.Run.Queue = core.QueueID(r.uint())
	default:
		return out, fmt.Errorf("a record of kind %d, which this version does not know: start the version that wrote it", out.Kind)
	}
	if r.err != nil {
		return out, fmt.Errorf("a record of kind %d: %w", out.Kind, r.err)
	}
	if len(r.b) != 0 {
		return out, fmt.Errorf("a record of kind %d: %d bytes too many", out.Kind, len(r.b))
	}
	return out, nil
}

func (r *reader) definition() *core.Definition {
	d := &core.Definition{Queue: core.QueueID(r.uint())}
	d.Destination.Kind = core.DestinationKind(r.byte())
	f := r.byte()
	d.NoLocal, d.Shared, d.Global, d.Lasting, d.Static = f&1 != 0, f&2 != 0, f&4 != 0, f&8 != 0, f&16 != 0
	d.Destination.Name, d.Client, d.Name, d.Selector = r.text(), r.text(), r.text(), r.text()
	return d
}

func (r *reader) ring() *core.RingState {
	s := &core.RingState{Queue: core.QueueID(r.uint()), Priority: r.byte(), Head: r.uint(), Next: r.uint(), Offered: r.uint()}
	if r.version >= gappedVersion {
		from := uint64(0)
		for i := range r.count(1 + 8) {
			skip := r.uint()
			if skip == 0 && i > 0 || skip > math.MaxUint64/64-from {
				r.err = errRuns
			}
			from += skip
			s.Removed = append(s.Removed, core.RemovedRun{From: from, Bits: r.word()})
		}
	} else {
		for i := range r.count(8) {
			s.Removed = core.AppendRemoved(s.Removed, uint64(i), r.word())
		}
	}
	for range r.count(2) {
		c := core.Count{Seq: r.uint(), Count: uint32(r.uint())}
		if r.version >= flaggedVersion {
			c.Due = int64(r.uint())
		}
		s.Counts = append(s.Counts, c)
	}
	return s
}
