package journal

import (
	"errors"
	"fmt"

	"github.com/tidegate/tidegate/persist/record"
)

// SegmentInfo is a segment as a tool shows it.
type SegmentInfo struct {
	Name     string `json:"name"`
	First    uint64 `json:"first"` // position of its first record
	Last     uint64 `json:"last"`  // of its last; First-1 if it has none
	Used     int64  `json:"used"`  // bytes
	Capacity int64  `json:"capacity"`
	Footer   bool   `json:"footer"`
}

// SpillInfo is a spill file as a tool shows it.
type SpillInfo struct {
	Name    string `json:"name"`
	First   uint64 `json:"first"`  // lowest position in it
	Last    uint64 `json:"last"`   // highest
	Covers  uint64 `json:"covers"` // the log up to here is not needed any more
	Records uint64 `json:"records"`
	Bytes   int64  `json:"bytes"`
}

// CheckpointInfo is a checkpoint as a tool shows it.
type CheckpointInfo struct {
	Name    string `json:"name"`
	From    uint64 `json:"from"`    // replay starts behind it
	Highest uint64 `json:"highest"` // position of a key
	Keys    uint64 `json:"keys"`
	Bytes   int64  `json:"bytes"`
}

// Contents is what a directory holds, found without changing it.
type Contents struct {
	Recovered
	SegmentList []SegmentInfo    `json:"segmentList"`
	Spills      []SpillInfo      `json:"spills"`
	Checkpoints []CheckpointInfo `json:"checkpoints"` // those that count, the newest last
	Spares      int              `json:"spares"`      // files ready to become segments

	recovery *recovery
}

// Examine reads a directory as Recover does and keeps what it found for tools.
// It reads the whole log, whatever checkpoints and footers would spare it.
func Examine(cfg Config, files Files, progress func(done, total int64)) (*Contents, error) {
	r, err := examine(cfg, files, progress)
	if err != nil {
		return nil, err
	}
	c := &Contents{recovery: r, Spares: len(r.leftover)}
	for i, s := range r.chain {
		info := SegmentInfo{Name: s.name, First: s.first, Capacity: s.capacity}
		got, err := scan(r.files, s, r.bound(i), nil)
		if err != nil {
			return nil, err
		}
		foot, err := readFooter(r.files, &r.cfg, s)
		if err != nil {
			return nil, err
		}
		info.Last, info.Used, info.Footer = got.last, got.end, foot != nil
		c.SegmentList = append(c.SegmentList, info)
	}
	for _, s := range r.spills {
		c.Spills = append(c.Spills, SpillInfo{s.name, s.first, s.last, s.spill.covers, s.spill.records, s.capacity})
	}
	for _, k := range r.check.kept {
		c.Checkpoints = append(c.Checkpoints, CheckpointInfo{k.name, k.from, k.highest, k.keys, k.length})
	}
	c.Recovered = r.report
	return c, nil
}

// Records gives every valid record with its body and where it stands, in the
// order of positions: first those in spill files, then the log. Its slices are
// valid during the call.
func (c *Contents) Records(each func(pos uint64, file string, off int64, r record.Record) error) error {
	r := c.recovery
	if err := eachSpilled(r.files, r.spills, func(s *segment, e *summary) error {
		f, err := readSpilled(r.files, s, e)
		if err != nil {
			return err
		}
		return each(e.pos, s.name, e.off, f.Record())
	}); err != nil {
		return err
	}
	for i, s := range r.chain {
		if r.replaced(s) {
			continue
		}
		if _, err := scan(r.files, s, r.bound(i), func(off int64, f *record.Frame) error {
			return each(f.Position, s.name, off, f.Record())
		}); err != nil {
			return err
		}
	}
	return nil
}

// Problems reads everything once more and names what is not as it should be,
// also where a start would not notice or mind.
func (c *Contents) Problems(problem func(string)) error {
	r := c.recovery
	for _, note := range c.Notes {
		problem(note)
	}
	for _, s := range r.spills {
		if err := checkSpill(r.files, s); isDamage(err) {
			problem(err.Error())
		} else if err != nil {
			return err
		}
	}
	for i, s := range r.chain {
		bodies := uint64(0)
		got, err := scan(r.files, s, r.bound(i), func(off int64, f *record.Frame) error {
			if err := checkIDs(s, off, f); err != nil {
				problem(err.Error())
			}
			if f.Kind&record.BodyBit != 0 && f.IDs() > 0 {
				bodies++
			}
			return nil
		})
		if err != nil {
			return err
		}
		if r.follows(i) && got.last != r.bound(i) {
			problem(fmt.Sprintf("%s is damaged at offset %d: record %d is not valid, and the next segment begins behind %d",
				s.name, got.end, got.last+1, r.bound(i)))
			continue
		}
		if got.broken && i+1 < len(r.chain) {
			claim, at, err := claims(r.files, s, got.end)
			if err != nil {
				return err
			}
			if claim > got.last {
				problem(fmt.Sprintf("%s is damaged at offset %d: record %d is not valid, but the group at %d says that all up to %d were durable",
					s.name, got.end, got.last+1, at, claim))
				continue
			}
		}
		if err := c.checkFooter(s, got, bodies, problem); err != nil {
			return err
		}
	}
	return nil
}

// checkFooter compares a footer with the records it stands for.
func (c *Contents) checkFooter(s *segment, got scanned, bodies uint64, problem func(string)) error {
	r := c.recovery
	foot, err := readFooter(r.files, &r.cfg, s)
	if err != nil || foot == nil || foot.last > got.last {
		return err // none, or from before a recovery cut the segment
	}
	if foot.last != got.last || uint64(foot.bodies) != bodies {
		problem(fmt.Sprintf("%s: the footer tells of %d bodies up to record %d, the records of %d up to %d",
			s.name, foot.bodies, foot.last, bodies, got.last))
		return nil
	}
	var bad error
	err = foot.each(func(id uint64, off int64) error {
		b := make([]byte, record.HeaderBytes+8)
		n, err := r.files.ReadAt(s.name, b, off)
		if n < len(b) || le32(b[8:]) != s.generation {
			bad = errors.Join(fmt.Errorf("%s: the footer places id %d at %d, where no record is", s.name, id, off), err)
		}
		return checkID(s, off, id)
	}, func(*record.Frame) error { return nil })
	if err != nil {
		problem(err.Error())
	}
	if bad != nil {
		problem(bad.Error())
	}
	return nil
}
