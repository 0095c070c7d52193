package journal

import (
	"cmp"
	"slices"
)

// segment is one file of the log, or a spill file.
type segment struct {
	ordinal    uint64
	name       string
	generation uint32
	first      uint64 // position of its first record
	last       uint64 // position of its last
	end        int64  // where the next group goes
	capacity   int64
	prev       link
	live       int  // stored ids that have a record here
	sealed     bool // never written again
	unsynced   bool // written since the last sync
	named      bool // header and directory entry are durable
	footer     bool // has one, or needs none
	pinned     bool // is being copied
	stuck      bool // could not be copied: it is damaged, and stays as it is
	spill      *spillInfo
}

// segments are found by ordinal. Most of the list is dense: one slot for each
// ordinal since the oldest.
type segments struct {
	base   uint64
	list   []*segment
	spills []*segment // by ordinal
}

func (l *segments) get(ordinal uint64) *segment {
	if ordinal >= l.base && ordinal-l.base < uint64(len(l.list)) {
		if s := l.list[ordinal-l.base]; s != nil {
			return s
		}
	}
	if i, ok := l.findSpill(ordinal); ok {
		return l.spills[i]
	}
	return nil
}

func (l *segments) findSpill(ordinal uint64) (int, bool) {
	return slices.BinarySearchFunc(l.spills, ordinal, func(s *segment, o uint64) int { return cmp.Compare(s.ordinal, o) })
}

func (l *segments) addSpill(s *segment) {
	i, _ := l.findSpill(s.ordinal)
	l.spills = slices.Insert(l.spills, i, s)
}

func (l *segments) removeSpill(s *segment) {
	if i, ok := l.findSpill(s.ordinal); ok {
		l.spills = slices.Delete(l.spills, i, i+1)
	}
}

func (l *segments) add(s *segment) {
	if len(l.list) == 0 {
		l.base = s.ordinal
	}
	for uint64(len(l.list)) <= s.ordinal-l.base {
		l.list = append(l.list, nil)
	}
	l.list[s.ordinal-l.base] = s
}

func (l *segments) remove(s *segment) {
	l.list[s.ordinal-l.base] = nil
	for len(l.list) > 0 && l.list[0] == nil {
		l.list = l.list[1:]
		l.base++
	}
}

// after is the segment that follows s in the log, or nil. A spill file between
// their ordinals is not of the log.
func (l *segments) after(s *segment) *segment {
	for n := s.ordinal + 1; n-l.base < uint64(len(l.list)); n++ {
		if next := l.list[n-l.base]; next != nil {
			return next
		}
	}
	return nil
}

func (l *segments) dirty() bool {
	for _, s := range l.list {
		if s != nil && s.unsynced {
			return true
		}
	}
	return false
}
