package journal

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/tidegate/tidegate/persist/record"
)

// maxCheckpoint bounds what a checkpoint's header may say of its length, in
// bytes.
const maxCheckpoint = 1 << 34

func isEOF(err error) bool { return errors.Is(err, io.EOF) }

// checkInfo is what the header of a checkpoint says.
type checkInfo struct {
	number     uint64
	name       string
	generation uint32
	from       uint64 // replay starts behind it: the lowest position of a key
	highest    uint64 // highest position of a key: it was synced before the checkpoint counted
	keys       uint64
	length     int64 // of the frames
}

// checkpoints are the two kept, and the one being saved.
type checkpoints struct {
	kept   []checkInfo // at most two, the newer last
	next   uint64      // number of the next
	spare  bool        // checkpoint-spare exists
	bytes  int64       // of log since the newest
	begun  bool
	failed []section // sections of one that could not be saved, still the newest of their keys

	saving *Checkpoint
	step   int
	fresh  bool
}

// covered is the position up to which every kept checkpoint covers the log.
func (c *checkpoints) covered() uint64 {
	if len(c.kept) < 2 {
		return 0
	}
	return min(c.kept[0].from, c.kept[1].from)
}

type section struct {
	key, at uint64
	frames  []byte // Data frames of the checkpoint's generation
	count   uint64
}

// Checkpoint is one being made. Its methods run beside calls to the journal,
// but not beside each other.
type Checkpoint struct {
	cfg      *Config
	info     checkInfo
	base     uint64 // last position when it was begun
	before   *checkInfo
	sections []section
	old      []section
	data     []byte
}

// CheckpointDue says that enough was logged since the last. The first two come
// sooner: without them nothing can be recycled, and new segments are slower
// than used ones.
func (j *Journal) CheckpointDue() bool {
	due := j.cfg.CheckpointBytes
	if len(j.check.kept) < 2 {
		due /= 4
	}
	return !j.check.begun && j.check.bytes >= due
}

// Changed says whether anything was logged since the last checkpoint.
func (j *Journal) Changed() bool { return j.check.bytes > 0 }

// BeginCheckpoint starts one. Only one can be made at a time.
func (j *Journal) BeginCheckpoint() *Checkpoint {
	if j.check.begun {
		panic("journal: two checkpoints at once")
	}
	j.check.begun = true
	j.check.bytes = 0
	n := j.check.next
	j.check.next++
	c := &Checkpoint{cfg: &j.cfg, base: j.last, old: j.check.failed}
	// Numbers are drawn from both ends, so that no log segment shares one.
	c.info = checkInfo{number: n, name: checkpointName(n), generation: j.cfg.generation(^n)}
	if k := len(j.check.kept); k > 0 {
		before := j.check.kept[k-1]
		c.before = &before
	}
	return c
}

// Add gives the records that stand for key as of position at. A key without
// records is dropped.
func (c *Checkpoint) Add(key, at uint64, recs []record.Record) {
	s := section{key: key, at: at, count: uint64(len(recs))}
	for i := range recs {
		s.frames = record.Append(s.frames, record.Data, c.info.generation, at, &recs[i])
	}
	c.sections = append(c.sections, s)
}

// Finish puts the checkpoint together: what was added, and for every other key
// what the checkpoint before says, which stands for the position at which this
// one was begun, since the key has not changed.
func (c *Checkpoint) Finish(files Files) error {
	added := map[uint64]bool{}
	for _, s := range c.sections {
		added[s.key] = true
	}
	carry := func(s section, generation uint32) error {
		if added[s.key] {
			return nil
		}
		added[s.key] = true
		frames, err := reframe(s.frames, generation, c.info.generation, c.base)
		c.sections = append(c.sections, section{s.key, c.base, frames, s.count})
		return err
	}
	for _, s := range slices.Backward(c.old) {
		if err := carry(s, s.generation()); err != nil {
			return err
		}
	}
	if c.before != nil {
		before, err := readCheckpoint(files, c.cfg, c.before.name)
		if err != nil {
			return fmt.Errorf("the checkpoint before cannot be copied: %w", err)
		}
		for _, s := range before.sections {
			if err := carry(s, before.generation); err != nil {
				return err
			}
		}
	}
	c.assemble()
	return nil
}

// generation of a section whose frames are at hand; any if it has none.
func (s *section) generation() uint32 {
	if len(s.frames) == 0 {
		return 0
	}
	return binary.LittleEndian.Uint32(s.frames[8:])
}

func reframe(frames []byte, from, to uint32, at uint64) ([]byte, error) {
	out := make([]byte, 0, len(frames))
	for len(frames) > 0 {
		f, n, err := record.Decode(frames, from)
		if err != nil {
			return nil, err
		}
		r := f.Record()
		out = record.Append(out, record.Data, to, at, &r)
		frames = frames[n:]
	}
	return out, nil
}

func (c *Checkpoint) assemble() {
	i := &c.info
	i.from = c.base
	data := make([]byte, record.Block)
	frames := uint64(0)
	for _, s := range c.sections {
		i.from, i.highest = min(i.from, s.at), max(i.highest, s.at)
	}
	i.highest = max(i.highest, i.from)
	slices.SortStableFunc(c.sections, func(a, b section) int { return cmp.Compare(a.key, b.key) })
	for _, s := range c.sections {
		if s.count == 0 {
			continue // dropped; the section stays here for Abandon
		}
		i.keys++
		data = record.Append(data, record.Key, i.generation, s.at, &record.Record{Group: s.key})
		data = append(data, s.frames...)
		frames += 1 + s.count
	}
	data = record.AppendEnd(data, i.generation, frames)
	i.length = int64(len(data)) - record.Block
	copy(data, checkpointMagic)
	binary.LittleEndian.PutUint64(data[32:], i.number)
	binary.LittleEndian.PutUint32(data[40:], i.generation)
	binary.LittleEndian.PutUint64(data[48:], i.from)
	binary.LittleEndian.PutUint64(data[56:], i.highest)
	binary.LittleEndian.PutUint64(data[64:], i.keys)
	binary.LittleEndian.PutUint64(data[72:], uint64(i.length))
	c.cfg.sealBlock(data)
	c.data = pad(data, 0)
}

// Save hands a finished checkpoint to the CheckLane.
func (j *Journal) Save(c *Checkpoint) {
	j.check.saving, j.check.step = c, 0
	j.Flush(c.info.highest)
}

// Abandon gives up a checkpoint that could not be finished. Its sections stay
// the newest of their keys, for the next one.
func (j *Journal) Abandon(c *Checkpoint) {
	j.check.begun = false
	j.check.saving = nil
	j.check.failed = append(j.check.failed, c.sections...)
}

// Saving says whether a checkpoint is still on its way to the disk.
func (j *Journal) Saving() bool { return j.err == nil && j.check.saving != nil }

// The steps of saving. The file takes the place of one no longer kept where it
// can, since it has its blocks already and removing files is slow.
const (
	saveReuse = iota
	saveWrite
	saveRename
	saveRetire
)

func (j *Journal) checkReady() bool {
	c := j.check.saving
	return j.setup == nil && c != nil && (j.check.step != saveRename || j.synced >= c.info.highest)
}

func (j *Journal) nextCheck() *Op {
	k := &j.check
	c := k.saving
	if k.step == saveReuse && !k.spare {
		k.step, k.fresh = saveWrite, true
	}
	switch k.step {
	case saveReuse:
		return &Op{Kind: OpRename, Name: checkpointSpare, To: checkpointNew}
	case saveWrite:
		return &Op{Kind: OpWrite, Name: checkpointNew, Data: c.data, Sync: true, Fresh: k.fresh}
	case saveRename:
		return &Op{Kind: OpRename, Name: checkpointNew, To: c.info.name, Dir: true}
	}
	return &Op{Kind: OpRename, Name: k.kept[0].name, To: checkpointSpare, Dir: true}
}

func (j *Journal) doneCheck(op *Op, err error) {
	k := &j.check
	if err != nil {
		if k.step == saveWrite && isNoSpace(err) {
			// The log is whole without it; the next attempt says the same.
			c := k.saving
			k.fresh = true
			k.spare = false
			j.Abandon(c)
			return
		}
		j.fail(op, err)
		return
	}
	switch k.step {
	case saveReuse:
		k.spare, k.fresh = false, false
	case saveRename:
		k.kept = append(k.kept, k.saving.info)
		k.failed = nil
		j.observeSpills()
		if len(k.kept) <= 2 {
			k.saving, k.begun = nil, false
			return
		}
	case saveRetire:
		k.kept = slices.Delete(k.kept, 0, 1)
		k.spare = true
		k.saving, k.begun = nil, false
		return
	}
	k.step++
}

// checkpointFile is a checkpoint that was read.
type checkpointFile struct {
	checkInfo
	sections []section
}

// DamageError is a file that is not what was written and cannot be explained by
// a crash. Nothing is changed on disk when it is returned.
type DamageError struct {
	Name   string
	Off    int64
	Reason string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("%s is damaged at offset %d: %s", e.Name, e.Off, e.Reason)
}

// readCheckpoint reads and verifies a whole checkpoint.
func readCheckpoint(files Files, cfg *Config, name string) (*checkpointFile, error) {
	b := make([]byte, headerBytes)
	if _, err := files.ReadAt(name, b, 0); err != nil && !isEOF(err) {
		return nil, err
	}
	state, err := cfg.checkBlock(name, b, checkpointMagic)
	if err != nil {
		return nil, err
	}
	if state != blockValid {
		return nil, &DamageError{name, 0, "its header is not valid"}
	}
	c := &checkpointFile{checkInfo: checkInfo{
		name: name, number: binary.LittleEndian.Uint64(b[32:]), generation: binary.LittleEndian.Uint32(b[40:]),
		from: binary.LittleEndian.Uint64(b[48:]), highest: binary.LittleEndian.Uint64(b[56:]),
		keys: binary.LittleEndian.Uint64(b[64:]), length: int64(binary.LittleEndian.Uint64(b[72:])),
	}}
	size, err := files.Size(name)
	if err != nil {
		return nil, err
	}
	if c.length < 0 || c.length > maxCheckpoint || record.Block+c.length > size {
		return nil, &DamageError{name, 0, "it is shorter than its header says"}
	}
	data := make([]byte, c.length)
	if n, err := files.ReadAt(name, data, record.Block); n < len(data) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return c, c.parse(data)
}

func (c *checkpointFile) parse(data []byte) error {
	frames := uint64(0)
	for off := 0; ; {
		f, n, err := record.Decode(data[off:], c.generation)
		var unknown *record.UnknownTypeError
		if errors.As(err, &unknown) {
			return fmt.Errorf("%s at %d: %w", c.name, record.Block+off, err)
		}
		damage := &DamageError{c.name, int64(record.Block + off), "no valid frame"}
		if err != nil {
			return damage
		}
		last := len(c.sections) - 1
		switch {
		case f.Type == record.End && f.Group == frames && uint64(len(c.sections)) == c.keys:
			return nil
		case f.Type == record.Key:
			c.sections = append(c.sections, section{key: f.Group, at: f.Position})
		case f.Type == record.Data && last >= 0:
			s := &c.sections[last]
			start := off - len(s.frames)
			s.frames = data[start : off+n : off+n]
			s.count++
		default:
			damage.Reason = "a frame out of place"
			return damage
		}
		frames++
		off += n
	}
}

// each gives the records of a section.
func (s *section) each(generation uint32, give func(at uint64, f *record.Frame) error) error {
	for b := s.frames; len(b) > 0; {
		f, n, err := record.Decode(b, generation)
		if err != nil {
			return err
		}
		if err := give(s.at, &f); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
