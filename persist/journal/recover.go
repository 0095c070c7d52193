package journal

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/tidegate/tidegate/persist/record"
)

// Recovered is what a recovery found, for people.
type Recovered struct {
	Segments   int      `json:"segments"`
	SpillFiles int      `json:"spillFiles"`
	Checkpoint string   `json:"checkpoint,omitempty"` // file name, empty if none
	From       uint64   `json:"from"`                 // the checkpoint covers up to here
	Last       uint64   `json:"last"`                 // last valid position
	Claimed    uint64   `json:"claimed"`              // highest position the log itself says was durable
	Notes      []string `json:"notes,omitempty"`      // what was not as an orderly end leaves it
}

func (r *Recovered) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// recovery is the state of Recover.
type recovery struct {
	cfg      Config
	files    Files
	names    []string
	report   Recovered
	chain    []*segment // valid and not of a dropped life, by ordinal
	leftover []string   // segments and spares that hold nothing
	spills   []*segment // by ordinal
	spilled  uint64     // what lived up to here stands in spill files
	unwanted []string   // other files that hold nothing
	next     uint64     // ordinal
	check    checkpoints
	from     uint64
	progress func(done, total int64)

	cut    int   // chain[cut] holds the last claimed record
	cutEnd int64 // offset behind that record
	tail   int   // records behind it
}

// Recover reads a store's files and gives the journal that goes on from them.
// It changes nothing: the Setup lane does, and must run to its end before the
// other lanes give anything. progress may be nil.
func Recover(cfg Config, files Files, progress func(done, total int64)) (*Journal, *Recovered, error) {
	r, err := examine(cfg, files, progress)
	if err != nil {
		return nil, nil, err
	}
	j, err := r.journal()
	return j, &r.report, err
}

// examine reads everything and decides where the log ends.
func examine(cfg Config, files Files, progress func(done, total int64)) (*recovery, error) {
	r := &recovery{cfg: cfg.WithDefaults(), files: files, next: 1, progress: progress}
	if r.progress == nil {
		r.progress = func(int64, int64) {}
	}
	names, err := files.List()
	if err != nil {
		return nil, err
	}
	r.names = names
	if err := r.readCheckpoints(); err != nil {
		return nil, err
	}
	if err := r.readHeaders(); err != nil {
		return nil, err
	}
	if err := r.readSpills(); err != nil {
		return nil, err
	}
	if err := r.findEnd(); err != nil {
		return nil, err
	}
	r.report.Segments = len(r.chain)
	return r, nil
}

// readCheckpoints keeps the two newest valid ones.
func (r *recovery) readCheckpoints() error {
	var numbers []uint64
	for _, name := range r.names {
		if n, ok := parseName(name, checkpointPrefix); ok {
			numbers = append(numbers, n)
		}
		if name == checkpointSpare {
			r.check.spare = true
		}
	}
	slices.Sort(numbers)
	r.check.next = 1
	var bad error
	for _, n := range slices.Backward(numbers) {
		r.check.next = max(r.check.next, n+1)
		if len(r.check.kept) == 2 {
			r.unwanted = append(r.unwanted, checkpointName(n))
			continue
		}
		c, err := readCheckpoint(r.files, &r.cfg, checkpointName(n))
		var damage *DamageError
		switch {
		case errors.As(err, &damage):
			bad = err
			r.unwanted = append(r.unwanted, checkpointName(n))
			r.report.note("%v; an older checkpoint is used and more of the log replayed", err)
		case err != nil:
			return err
		default:
			r.check.kept = slices.Insert(r.check.kept, 0, c.checkInfo)
		}
	}
	if len(r.check.kept) == 0 {
		if bad != nil {
			return bad // and no older one: the log alone no longer says everything
		}
		return nil
	}
	newest := r.check.kept[len(r.check.kept)-1]
	r.from, r.report.From, r.report.Checkpoint = newest.from, newest.from, newest.name
	r.report.Claimed = newest.highest
	return nil
}

// readHeaders finds the segments that are the log: from the newest valid one
// back, without those in the gap between a segment and its predecessor, which
// an earlier recovery dropped.
func (r *recovery) readHeaders() error {
	var found []*segment
	for _, name := range r.names {
		if n, ok := parseName(name, sparePrefix); ok {
			r.next = max(r.next, n+1)
			r.leftover = append(r.leftover, name)
			if _, _, err := r.readHeader(name); err != nil {
				return err
			}
			continue
		}
		ordinal, ok := parseName(name, segmentPrefix)
		if !ok {
			continue
		}
		r.next = max(r.next, ordinal+1)
		h, state, err := r.readHeader(name)
		switch {
		case err != nil:
			return err
		case state == blockBad:
			return &DamageError{name, 0, "its header is not valid"}
		case state == blockBlank || h.ordinal != ordinal:
			r.leftover = append(r.leftover, name) // named, but never begun
			continue
		}
		found = append(found, &segment{
			ordinal: ordinal, name: name, generation: h.generation, first: h.first, last: h.first - 1, end: record.Block,
			capacity: h.capacity, prev: h.prev, sealed: true, named: true,
		})
	}
	slices.SortFunc(found, func(a, b *segment) int { return int(int64(a.ordinal) - int64(b.ordinal)) })
	limit := noBound // ordinals above it are in a gap
	for _, s := range slices.Backward(found) {
		if s.ordinal > limit {
			r.leftover = append(r.leftover, s.name)
			continue
		}
		limit = s.prev.ordinal
		r.chain = append(r.chain, s)
	}
	slices.Reverse(r.chain)
	return nil
}

// readSpills finds the spill files, and what was not finished of one.
func (r *recovery) readSpills() error {
	for _, name := range r.names {
		if n, ok := parseName(name, spillingPrefix); ok {
			r.next = max(r.next, n+1)
			r.leftover = append(r.leftover, name) // it may have been a spare, on a full disk
			continue
		}
		ordinal, ok := parseName(name, spillPrefix)
		if !ok {
			continue
		}
		r.next = max(r.next, ordinal+1)
		s, err := readSpill(r.files, &r.cfg, name, ordinal)
		if err != nil {
			return err
		}
		if s.spill.covers > r.from {
			return &DamageError{name, 0, fmt.Sprintf("it stands for the log up to record %d, but the checkpoint only up to %d", s.spill.covers, r.from)}
		}
		r.spills = append(r.spills, s)
		r.spilled = max(r.spilled, s.spill.covers)
	}
	slices.SortFunc(r.spills, func(a, b *segment) int { return cmp.Compare(a.ordinal, b.ordinal) })
	r.report.SpillFiles = len(r.spills)
	return nil
}

// replaced says whether what lives of a segment stands in spill files: it was
// to be recycled. No segment is copied in part.
func (r *recovery) replaced(s *segment) bool { return s.first <= r.spilled }

// readHeader reads a header and makes sure that no ordinal in one is used again:
// a file that lost its name in a crash may have kept its content, and must not
// pass for a segment of the new life before that writes to it.
func (r *recovery) readHeader(name string) (header, blockState, error) {
	b := make([]byte, headerBytes)
	n, err := r.files.ReadAt(name, b, 0)
	if err != nil && !isEOF(err) {
		return header{}, blockBad, fmt.Errorf("read header of %s: %w", name, err)
	}
	h, state, err := r.cfg.parseHeader(name, b[:n])
	if state == blockValid {
		r.next = max(r.next, h.ordinal+1)
	}
	return h, state, err
}

// bound is the last position that chain[i] may hold, as its successor says.
func (r *recovery) bound(i int) uint64 {
	if i+1 < len(r.chain) {
		return r.chain[i+1].first - 1
	}
	return noBound
}

func (r *recovery) follows(i int) bool {
	return i+1 < len(r.chain) && r.chain[i+1].prev.ordinal == r.chain[i].ordinal
}

// findEnd reads the log behind the checkpoint and decides what is valid.
func (r *recovery) findEnd() error {
	start := 0
	for start < len(r.chain) && r.bound(start) <= r.from {
		start++ // only its bodies and placements matter: see summaries
	}
	if start == len(r.chain) {
		if r.from > 0 {
			return &DamageError{segmentName(r.next), 0, fmt.Sprintf("the log behind record %d, which the checkpoint %s needs, is missing", r.from, r.report.Checkpoint)}
		}
		return nil
	}
	if first := r.chain[start]; first.first > r.from+1 {
		if begun, err := r.neverBegan(); begun || err != nil {
			return err
		}
		return &DamageError{first.name, 0, fmt.Sprintf("records %d to %d before it are missing", r.from+1, first.first-1)}
	}
	total, done := int64(0), int64(0)
	for _, s := range r.chain[start:] {
		total += s.capacity
	}
	broken := -1
	claimed, claimAt, claimName := r.report.Claimed, int64(0), r.report.Checkpoint
	for i := start; i < len(r.chain); i++ {
		s := r.chain[i]
		from := int64(record.Block)
		if broken < 0 {
			got, err := scan(r.files, s, r.bound(i), nil)
			if err != nil {
				return err
			}
			s.last, s.end, from = got.last, got.end, got.end
			if got.claim > claimed {
				claimed, claimName, claimAt = got.claim, s.name, got.end
			}
			r.report.Last = s.last
			if i+1 < len(r.chain) && (s.last != r.bound(i) || !r.follows(i)) || i+1 == len(r.chain) {
				broken = i
			}
		}
		if broken >= 0 {
			claim, at, err := claims(r.files, s, from)
			if err != nil {
				return err
			}
			if claim > claimed {
				claimed, claimName, claimAt = claim, s.name, at
			}
		}
		done += s.capacity
		r.progress(done, total)
	}
	b := r.chain[broken]
	if claimed > b.last {
		return &DamageError{b.name, b.end, fmt.Sprintf("no valid record %d, but %s says at %d that all up to %d were durable", b.last+1, claimName, claimAt, claimed)}
	}
	r.report.Claimed = claimed
	for _, s := range r.chain[broken+1:] {
		r.report.note("%s is dropped: %s before it ends torn at %d, behind record %d, and nothing says that more was durable", s.name, b.name, b.end, b.last)
		r.leftover = append(r.leftover, s.name)
	}
	if n := len(r.chain); broken == n-1 {
		r.torn(b)
	}
	r.chain = r.chain[:broken+1]
	return r.findCut(start)
}

// neverBegan drops a log whose first segment is missing where nothing says that
// anything was durable: the power failed before the first flush was done.
func (r *recovery) neverBegan() (bool, error) {
	if r.from > 0 || r.report.Claimed > 0 {
		return false, nil
	}
	for _, s := range r.chain {
		if claim, _, err := claims(r.files, s, record.Block); claim > 0 || err != nil {
			return false, err
		}
	}
	for _, s := range r.chain {
		r.report.note("%s is dropped: the segments before it are missing, and nothing says that any of it was durable", s.name)
		r.leftover = append(r.leftover, s.name)
	}
	r.chain = nil
	return true, nil
}

// torn says so if something stands behind the last valid record: a group that
// was being written, or remains of an earlier use, which look the same but for
// their generation.
func (r *recovery) torn(s *segment) {
	b := make([]byte, record.HeaderBytes)
	if n, _ := r.files.ReadAt(s.name, b, s.end); n == len(b) && record.FrameLength(b) > 0 && le32(b[8:]) == s.generation {
		r.report.note("%s ends torn at %d: the bytes behind record %d are dropped, nothing says that they were durable", s.name, s.end, s.last)
	}
}

// findCut finds where the last claimed record ends. What is behind it may exist
// only in the page cache and is written again.
func (r *recovery) findCut(start int) error {
	claimed := r.report.Claimed
	r.cut = len(r.chain) - 1
	for r.cut > start && r.chain[r.cut].first > claimed {
		r.cut--
	}
	s := r.chain[r.cut]
	r.tail = int(r.report.Last - min(max(claimed, s.first-1), r.report.Last))
	if s.first > claimed {
		r.cutEnd = record.Block
		return nil
	}
	if s.last == claimed {
		r.cutEnd = s.end
		return nil
	}
	got, err := scan(r.files, s, claimed, nil)
	r.cutEnd = got.end
	return err
}

// journal makes the journal that goes on, with the tail in its Setup lane.
func (r *recovery) journal() (*Journal, error) {
	j := newJournal(r.cfg)
	j.nextOrdinal = r.next
	j.unwanted = r.unwanted
	j.check = r.check
	if len(r.chain) == 0 {
		j.retained = true // an empty store
		j.setup = &setup{j: j}
		j.setup.clear(r.leftover)
		j.setup.end()
		return j, nil
	}
	j.segs.spills = r.spills
	for i, s := range r.chain {
		if r.replaced(s) && i < r.cut {
			r.leftover = append(r.leftover, s.name)
			continue
		}
		j.segs.add(s)
		if r.bound(i) > r.from {
			// Every start adds a segment, however short: many of them make a
			// checkpoint due as much as full ones do.
			j.check.bytes += s.capacity
		}
	}
	for i, s := range r.chain[:r.cut] {
		if s.last < s.first || s.last == 0 {
			s.last = r.bound(i)
		}
		if next := r.chain[i+1]; next.prev.ordinal == s.ordinal && s.end == record.Block {
			s.end = next.prev.end
		}
	}
	cut := r.chain[r.cut]
	last := r.report.Last
	firstTail := last - uint64(r.tail) + 1
	if cut.last >= firstTail {
		cut.last = firstTail - 1
	}
	cut.end = r.cutEnd
	j.last, j.written, j.synced = last, last, last
	// The newest group claims what was claimed before; the first tick says more.
	j.claimed = firstTail - 1
	return j, r.prepareTail(j, cut, firstTail)
}
