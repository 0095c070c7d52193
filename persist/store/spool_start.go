package store

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/tidegate/tidegate/persist/journal"
	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// spoolFound gives the files of large messages among names, with their lengths.
func spoolFound(fs vfs.FS, dir string, names []string) (map[uint64]int64, error) {
	found := map[uint64]int64{}
	files := newFiles(fs, dir, true)
	for _, name := range names {
		number, ok := spoolNumber(name)
		if !ok {
			continue
		}
		size, err := files.Size(name)
		if err != nil {
			return nil, err
		}
		found[number] = size
		files.put(name, nil) // there may be more than may be open
	}
	return found, nil
}

// learn notes in a replay which ids have files. Numbers go on above all that
// were found or are named.
func (sp *spool) learn(each func(pos uint64, r record.Record) error) func(pos uint64, r record.Record) error {
	for number := range sp.found { // order: irrelevant
		sp.next = max(sp.next, number+1)
	}
	sp.named = map[uint64]record.FileRef{}
	return func(pos uint64, r record.Record) error {
		if r.Kind&record.FileBit != 0 {
			ref, _, ok := record.File(r.Head)
			if !ok || len(r.IDs) == 0 {
				return fmt.Errorf("record %d: it names no file of a large message", pos)
			}
			sp.named[r.IDs[0]] = ref
			sp.next = max(sp.next, ref.Number+1)
		}
		return each(pos, r)
	}
}

// keep goes along with Retain: the files of ids stay, all others are to be
// removed. Of a file that is missing or too short it tells.
func (sp *spool) keep(ids iter.Seq[uint64], problem func(id uint64, err error)) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for id := range ids {
			if ref, ok := sp.named[id]; ok {
				sp.bind(ref.Number, id)
				if err := fits(sp.found, ref); err != nil {
					problem(id, err)
				}
				delete(sp.found, ref.Number)
			}
			if !yield(id) {
				return
			}
		}
		sp.mu.Lock()
		defer sp.mu.Unlock()
		for number := range sp.found { // order: irrelevant
			sp.dead = append(sp.dead, number)
		}
		sp.doom()
		sp.found, sp.named = nil, nil
	}
}

// fits compares a file as it was found with what a record says of it.
func fits(found map[uint64]int64, ref record.FileRef) error {
	size, ok := found[ref.Number]
	switch {
	case !ok:
		return fmt.Errorf("%s is missing", spoolName(ref.Number))
	case size != ref.Size:
		return fmt.Errorf("%s has %d bytes, its record says %d", spoolName(ref.Number), size, ref.Size)
	}
	return nil
}

// LargeInfo is the file of a large message as a tool shows it.
type LargeInfo struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	// ID is the message's; 0 if no record in the log names the file: the message
	// was not stored, and the next start removes it.
	ID uint64 `json:"id"`
}

// large lists the files of large messages, by name.
func large(f *files, c *journal.Contents) ([]LargeInfo, map[uint64]record.FileRef, error) {
	names, err := f.List()
	if err != nil {
		return nil, nil, err
	}
	found, err := spoolFound(f.fs, f.dir, names)
	if err != nil || len(found) == 0 {
		return nil, nil, err
	}
	ids, refs := map[uint64]uint64{}, map[uint64]record.FileRef{}
	err = c.Records(func(_ uint64, _ string, _ int64, r record.Record) error {
		if ref, _, ok := record.File(r.Head); ok && r.Kind&record.FileBit != 0 && len(r.IDs) > 0 {
			ids[ref.Number], refs[ref.Number] = r.IDs[0], ref
		}
		return nil
	})
	var all []LargeInfo
	for _, name := range names {
		if number, ok := spoolNumber(name); ok {
			all = append(all, LargeInfo{name, found[number], ids[number]})
		}
	}
	return all, refs, err
}

// largeProblems reads the files of large messages that records name. A file that
// is gone is none: its message may have been consumed.
func largeProblems(f *files, c *journal.Contents, problem func(string)) error {
	all, refs, err := large(f, c)
	if err != nil {
		return err
	}
	for _, info := range all {
		number, _ := spoolNumber(info.Name)
		ref, ok := refs[number]
		if !ok {
			continue
		}
		if err := fits(map[uint64]int64{number: info.Bytes}, ref); err != nil {
			problem(fmt.Sprintf("message %d: %v", info.ID, err))
			continue
		}
		crc, err := fileCRC(f, info.Name, info.Bytes)
		if err != nil {
			return err
		}
		if crc != ref.CRC {
			problem(fmt.Sprintf("message %d: %s is damaged: its checksum is %08x, its record says %08x", info.ID, info.Name, crc, ref.CRC))
		}
	}
	return nil
}

func fileCRC(f *files, name string, size int64) (crc uint32, err error) {
	b := make([]byte, readAhead)
	for off := int64(0); off < size; {
		n, err := f.ReadAt(name, b[:min(int64(len(b)), size-off)], off)
		if n == 0 && err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if n == 0 {
			return 0, io.ErrUnexpectedEOF
		}
		crc = record.UpdateCRC(crc, b[:n])
		off += int64(n)
	}
	return crc, nil
}
