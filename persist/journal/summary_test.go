package journal

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/tidegate/tidegate/persist/record"
)

// oneFile is a file in memory, as Files.
type oneFile struct{ b []byte }

func (f oneFile) List() ([]string, error)    { return []string{"f"}, nil }
func (f oneFile) Size(string) (int64, error) { return int64(len(f.b)), nil }
func (f oneFile) ReadAt(_ string, p []byte, off int64) (int, error) {
	return bytes.NewReader(f.b).ReadAt(p, off)
}

// footerFile is a spill file that has a footer, and room where bodies would be.
func footerFile(footer []byte) (oneFile, *segment) {
	const at = 64 << 10
	return oneFile{append(make([]byte, at), footer...)}, &segment{
		name: "f", generation: 7, first: 1, last: noBound - 1,
		spill: &spillInfo{footAt: at, footLength: int64(len(footer))},
	}
}

// TestSummariesComeBackAsTheyWent: of bodies and placements, with one id and
// many, over several frames.
func TestSummariesComeBackAsTheyWent(t *testing.T) {
	w := summaryWriter{generation: 7}
	var want []record.Record
	for i := range uint64(5000) {
		r := record.Record{Kind: record.BodyBit | record.PlaceBit | 1, IDs: []uint64{1000 - i%7 + i*3}, Group: i % 5, Head: bytes.Repeat([]byte{byte(i)}, int(i%90))}
		switch i % 3 {
		case 1:
			r.Kind, r.Head = record.BodyBit|2, nil
		case 2:
			r.Kind, r.IDs = record.PlaceBit|3, []uint64{i, i + 1, 1<<62 + i, 0}
		}
		f, _, err := record.Decode(record.Append(nil, record.Data, 7, i+1, &r), 7)
		if err != nil {
			t.Fatal(err)
		}
		w.add(10*i+1, record.Block+int64(i)*8, 48+int64(i%9)*8, appendMeta(nil, &f))
		want = append(want, r)
	}
	files, s := footerFile(w.end())
	if w.frames < 3 {
		t.Fatalf("only %d frames", w.frames)
	}
	n := 0
	if err := eachSpilled(files, []*segment{s}, func(_ *segment, e *summary) error {
		i, r := uint64(n), want[n]
		if e.pos != 10*i+1 || e.off != record.Block+int64(i)*8 || e.size != 48+int64(i%9)*8 || e.kind != r.Kind || e.group != r.Group || !slices.Equal(e.ids, r.IDs) || !bytes.Equal(e.head, r.Head) {
			t.Fatalf("summary %d came back as %+v, was %+v", n, e, r)
		}
		n++
		return nil
	}); err != nil || n != len(want) {
		t.Errorf("%d of %d: %v", n, len(want), err)
	}
}

// FuzzSummary: whatever a footer's frame holds, reading it ends with damage or
// with summaries that lie inside the file.
func FuzzSummary(f *testing.F) {
	w := summaryWriter{generation: 7}
	for i := range uint64(3) {
		w.add(i+1, record.Block+int64(i)*64, 64, []byte{0xc1, 2, 1, 14, 3, 'a', 'b', 'c'})
	}
	f.Add(slices.Clone(w.run), uint64(3), uint64(1))
	f.Add([]byte{0, 0xff, 0xff, 0xff, 0xff, 0x0f}, uint64(1), uint64(1))
	f.Fuzz(func(t *testing.T, run []byte, count, first uint64) {
		footer := record.Append(nil, record.Summary, 7, first, &record.Record{Group: count, Body: [][]byte{run}})
		files, s := footerFile(record.AppendEnd(footer, 7, 1))
		err := eachSpilled(files, []*segment{s}, func(_ *segment, e *summary) error {
			if e.off < record.Block || e.off+e.size > s.spill.footAt || e.off%record.Align != 0 || len(e.ids) > len(run) {
				t.Fatalf("%+v", e)
			}
			return nil
		})
		if err != nil && !isDamage(err) && !errors.Is(err, io.EOF) {
			t.Fatalf("%v is no damage", err)
		}
	})
}
