package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/persist/journal"
	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// written makes a store of n records that was closed.
func written(t *testing.T, fs vfs.FS, n int) {
	t.Helper()
	s, err := Open(Options{FS: fs, Dir: "d", SegmentBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		s.Append(numbered(i+1, record.Write, 1000))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestToolsReadAClosedStore(t *testing.T) {
	fs := vfs.NewMem()
	written(t, fs, 200)
	report, err := Inspect(fs, "d")
	if err != nil {
		t.Fatal(err)
	}
	total := uint64(0)
	for _, s := range report.SegmentList {
		total += s.Last + 1 - s.First
	}
	if report.Last != 200 || total != 200 || len(report.SegmentList) < 4 || len(report.ID) != 32 || report.Format != journal.Version {
		t.Errorf("inspect: %+v", report)
	}
	next := uint64(1)
	err = Dump(fs, "d", func(pos uint64, segment string, offset int64, r record.Record) error {
		if pos != next || !strings.HasPrefix(segment, "log-") || string(r.Head) != fmt.Sprintf("record %d", pos) || len(r.Body) != 1 || len(r.Body[0]) != 1000 {
			return fmt.Errorf("record %d at %d of %s: %s", pos, offset, segment, r.Head)
		}
		next++
		return nil
	})
	if err != nil || next != 201 {
		t.Errorf("dump ended before %d: %v", next, err)
	}
	if err := Verify(fs, "d", func(p string) { t.Errorf("problem: %s", p) }); err != nil {
		t.Error(err)
	}
}

func TestVerifyNamesFileAndOffset(t *testing.T) {
	fs := vfs.NewMem()
	written(t, fs, 200)
	report, err := Inspect(fs, "d")
	if err != nil {
		t.Fatal(err)
	}
	name := report.SegmentList[1].Name
	fs.Flip("d/"+name, record.Block+100, 4)
	var problems []string
	if err := Verify(fs, "d", func(p string) { problems = append(problems, p) }); err != nil {
		t.Fatal(err)
	}
	if len(problems) != 1 || !strings.Contains(problems[0], name) || !strings.Contains(problems[0], "offset 4096") {
		t.Errorf("problems: %q", problems)
	}
}

func TestToolsRefuseAStoreInUseAndOneThatIsNone(t *testing.T) {
	fs := vfs.NewMem()
	s, err := Open(Options{FS: fs, Dir: "d"})
	if err != nil {
		t.Fatal(err)
	}
	var inUse *InUseError
	if _, err := Inspect(fs, "d"); !errors.As(err, &inUse) || inUse.PID == 0 {
		t.Errorf("inspect of an open store: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Verify(fs, "elsewhere", nil); err == nil || !strings.Contains(err.Error(), "no store") {
		t.Errorf("verify of nothing: %v", err)
	}
}

// TestToolsKnowSpillFiles: what spilled is listed, dumped in order with its body
// before the log, and verified to the last byte.
func TestToolsKnowSpillFiles(t *testing.T) {
	fs := spilled(t).Kill()
	report, err := Inspect(fs, "d")
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Spills) == 0 || report.Spills[0].Records == 0 || report.Spills[0].Covers < report.Spills[0].Last {
		t.Fatalf("%+v", report)
	}
	last, inSpill := uint64(0), uint64(0)
	if err := Dump(fs, "d", func(pos uint64, file string, _ int64, r record.Record) error {
		if pos <= last {
			return fmt.Errorf("record %d after %d", pos, last)
		}
		last = pos
		if strings.HasPrefix(file, "spill-") {
			inSpill++
		}
		if r.Kind&record.BodyBit != 0 && (len(r.Body) != 1 || len(r.Body[0]) != 900) {
			return fmt.Errorf("record %d has no body", pos)
		}
		return nil
	}); err != nil || last != report.Last || inSpill == 0 {
		t.Errorf("dump: %v, up to %d, %d of spill files", err, last, inSpill)
	}
	if err := Verify(fs, "d", func(p string) { t.Errorf("problem: %s", p) }); err != nil {
		t.Error(err)
	}
	name := report.Spills[0].Name
	fs.Flip("d/"+name, record.Block+200, 4)
	var problems []string
	if err := Verify(fs, "d", func(p string) { problems = append(problems, p) }); err != nil {
		t.Fatal(err)
	}
	if len(problems) != 1 || !strings.Contains(problems[0], name) || !strings.Contains(problems[0], "offset 4096") {
		t.Errorf("problems: %q", problems)
	}
}
