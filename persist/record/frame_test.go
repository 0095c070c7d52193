package record

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sample() []Record {
	return []Record{
		{},
		{Kind: 3, Head: []byte("removal")},
		{Kind: BodyBit | PlaceBit | 1, IDs: []uint64{7}, Group: 9, Head: []byte("h"), Body: [][]byte{[]byte("one "), []byte("two")}},
		{Kind: PlaceBit | 2, IDs: []uint64{1, 1 << 62, 3}, Head: bytes.Repeat([]byte("x"), 100)},
		{Kind: BodyBit, IDs: []uint64{8}, Body: [][]byte{bytes.Repeat([]byte("b"), 5000)}},
	}
}

func flat(r Record) Record {
	if len(r.Body) > 0 {
		r.Body = [][]byte{bytes.Join(r.Body, nil)}
	}
	if len(r.Head) == 0 {
		r.Head = []byte{}
	}
	return r
}

func TestFramesComeBackAsTheyWent(t *testing.T) {
	var log []byte
	for i, r := range sample() {
		before := len(log)
		log = Append(log, Data, 42, uint64(i+1), &r)
		if got := int64(len(log) - before); got != Size(&r) {
			t.Errorf("frame %d takes %d bytes, Size says %d", i, got, Size(&r))
		}
	}
	log = AppendCommit(log, 42, 5, 3)
	for i, want := range sample() {
		f, n, err := Decode(log, 42)
		if err != nil || f.Type != Data || f.Position != uint64(i+1) {
			t.Fatalf("frame %d: %v %+v", i, err, f)
		}
		if d := cmp.Diff(flat(want), f.Record()); d != "" {
			t.Errorf("frame %d: %s", i, d)
		}
		log = log[n:]
	}
	f, n, err := Decode(log, 42)
	if err != nil || f.Type != Commit || f.Position != 5 || f.Group != 3 || n != len(log) {
		t.Errorf("commit frame: %v %+v", err, f)
	}
}

func TestDecodeOfEveryPrefixIsShort(t *testing.T) {
	for _, r := range sample() {
		frame := Append(nil, Data, 1, 1, &r)
		for n := range frame {
			if _, _, err := Decode(frame[:n], 1); !errors.Is(err, ErrShort) {
				t.Fatalf("%d of %d bytes: %v, want ErrShort", n, len(frame), err)
			}
		}
	}
}

func TestEveryFlippedBitIsSeenOrHarmless(t *testing.T) {
	for _, r := range sample()[:4] {
		frame := Append(nil, Data, 1, 1, &r)
		want, _, _ := Decode(slices.Clone(frame), 1)
		for bit := range 8 * len(frame) {
			bad := slices.Clone(frame)
			bad[bit/8] ^= 1 << (bit % 8)
			got, _, err := Decode(bad, 1)
			if err == nil && !cmp.Equal(got, want, cmp.AllowUnexported(Frame{})) {
				t.Fatalf("bit %d flipped: decoded as %+v", bit, got)
			}
		}
	}
}

func TestAnotherGenerationIsNoFrame(t *testing.T) {
	frame := AppendCommit(nil, 1, 1, 1)
	if _, _, err := Decode(frame, 2); !errors.Is(err, ErrInvalid) {
		t.Errorf("stale frame: %v, want ErrInvalid", err)
	}
}

func TestUnknownTypeIsNamed(t *testing.T) {
	frame := Append(nil, Type(65), 1, 1, &Record{})
	var unknown *UnknownTypeError
	if _, _, err := Decode(frame, 1); !errors.As(err, &unknown) || unknown.Type != 65 {
		t.Errorf("got %v, want UnknownTypeError", err)
	}
}

func TestARestampedFrameIsTheSameOfAnotherGeneration(t *testing.T) {
	for i, r := range sample() {
		frame := Append(nil, Data, 1, uint64(i+1), &r)
		want := Append([]byte("before"), Data, 2, uint64(i+1), &r)
		if i == 0 {
			want = Append(nil, Data, 2, 1, &r)
		}
		got := Restamp(want[:len(want)-len(frame):len(want)-len(frame)], frame, 2)
		if !bytes.Equal(got[len(got)-len(frame):], Append(nil, Data, 2, uint64(i+1), &r)) {
			t.Errorf("frame %d came out otherwise", i)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for i, r := range sample() {
		f.Add(Append(nil, Type(i+1), 7, uint64(i), &r))
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, src []byte) {
		frame, n, err := Decode(src, 7)
		if err != nil {
			return
		}
		r := frame.Record()
		again := Append(nil, frame.Type, 7, frame.Position, &r)
		length := len(again)
		if n != length {
			t.Fatalf("decoded %d bytes, encoded %d", n, length)
		}
		g, _, err := Decode(again, 7)
		if err != nil || !cmp.Equal(frame, g, cmp.AllowUnexported(Frame{})) {
			t.Fatalf("did not come back: %v\n%+v\n%+v", err, frame, g)
		}
	})
}

func BenchmarkAppend1KiB(b *testing.B) {
	r := Record{Kind: BodyBit | PlaceBit, IDs: []uint64{1}, Head: make([]byte, 40), Body: [][]byte{make([]byte, 1024)}}
	buf := make([]byte, 0, 4096)
	b.SetBytes(Size(&r))
	b.ReportAllocs()
	for b.Loop() {
		buf = Append(buf[:0], Data, 1, 1, &r)
	}
}
