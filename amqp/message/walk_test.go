package message

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/amqp/wire"
	core "github.com/tidegate/tidegate/core/message"
)

// walked goes over b as a large message of which the first bytes came at once
// and the others in pieces of step bytes.
func walked(b []byte, first, step int) (Message, error) {
	m, w, err := Front(b[:first], nil, nil)
	if err != nil {
		return m, err
	}
	rest := b[m.Size():]
	for len(rest) > 0 {
		n := min(step, len(rest))
		if err := w.Take(rest[:n]); err != nil {
			return m, err
		}
		rest = rest[n:]
	}
	return m, w.End()
}

func TestWalkTakesWhatIndexTakes(t *testing.T) {
	for name, body := range bodies() {
		whole := body.Append(nil)
		want := mustIndex(t, whole)
		for _, step := range []int{1, 2, 3, 7, 63, 64, 65, len(whole) + 1} {
			m, err := walked(whole, len(whole), step)
			if err != nil {
				t.Errorf("%s in steps of %d: %v", name, step, err)
				continue
			}
			if int64(want.at[bodySection]) != m.Size() || m.Header() != want.Header() || m.To() != want.To() {
				t.Errorf("%s: the front has %d bytes, %+v", name, m.Size(), m.Header())
			}
		}
		for cut := 1; cut < len(whole); cut++ {
			_, _, indexed := SkipHeader(whole[:cut], nil)
			_, asWhole := Index(whole[:cut], nil, nil)
			if _, err := walked(whole[:cut], cut, 5); (err == nil) != (asWhole == nil) {
				t.Errorf("%s cut at %d: walked: %v, indexed: %v (%v)", name, cut, err, asWhole, indexed)
			}
		}
	}
}

func TestWalkRefuses(t *testing.T) {
	data := NewBuilder()
	data.SetData([]byte("abc"))
	value := NewBuilder()
	value.SetValue("x")
	footed := NewBuilder()
	footed.SetData([]byte("abc"))
	footed.Footer = wire.Map{{Key: wire.Symbol("k"), Value: bytes.Repeat([]byte{1}, MaxFooter)}}
	d, v := string(data.Append(nil)), string(value.Append(nil))
	for name, b := range map[string]string{
		"data behind a value":     v + d,
		"two values":              v + v,
		"a header behind a body":  d + "\x00\x53\x70\x45",
		"bytes behind the body":   d + "\x01",
		"an unknown section":      d + "\x00\x53\x66\x45",
		"a footer that is a list": d + "\x00\x53\x78\x45",
		"data that is a string":   "\x00\x53\x75\xa1\x01a",
		"a footer too large":      string(footed.Append(nil)),
		"a footer of nonsense":    d + "\x00\x53\x78\xc1\x03\x02\xa1\x05",
	} {
		_, err := walked([]byte(b), len(b), 11)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v, want an *Error", name, err)
		}
	}
}

// TestFrontMustBeThere: sections before the body that go on behind the first
// piece make a message nobody can select by.
func TestFrontMustBeThere(t *testing.T) {
	whole := fullMessage().Append(nil)
	front := int(mustIndex(t, whole).at[bodySection])
	_, _, err := Front(whole[:front-1], nil, nil)
	if err == nil || !strings.Contains(err.Error(), "application-properties") || !strings.Contains(err.Error(), "first MiB") {
		t.Errorf("error %v", err)
	}
	m, _, err := Front(whole[:front], nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := Large{Message: m, Spooled: core.File{Number: 7, Size: int64(len(whole))}}
	if v, ok := l.Property("color"); !ok || v.Str != "red" {
		t.Errorf("color is %+v", v)
	}
	if l.Size() != int64(len(whole)) || l.Format() != core.FormatLarge || l.File().Number != 7 {
		t.Errorf("%d bytes, format %d, file %+v", l.Size(), l.Format(), l.File())
	}
	if got := bytes.Join(l.Pieces(nil), nil); !bytes.Equal(got, whole[:front]) {
		t.Error("the pieces are not the front")
	}
}

func FuzzWalk(f *testing.F) {
	for _, b := range bodies() { // order: irrelevant
		f.Add(b.Append(nil), uint8(5))
	}
	f.Fuzz(func(t *testing.T, b []byte, step uint8) {
		_, indexed := Index(b, nil, nil)
		if _, err := walked(b, len(b), int(step)+1); (err == nil) != (indexed == nil) {
			t.Fatalf("walked: %v, indexed: %v", err, indexed)
		}
	})
}
