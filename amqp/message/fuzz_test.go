package message

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tidegate/tidegate/amqp/wire"
)

func FuzzIndex(f *testing.F) {
	for _, b := range bodies() { // order: irrelevant
		whole := b.Append(nil)
		f.Add(whole, uint16(0), uint16(len(whole)/2))
	}
	f.Fuzz(func(t *testing.T, b []byte, one, two uint16) {
		m, err := Index(b, nil, nil)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v", err)
			}
		}
		x, y := min(int(one), len(b)), min(int(two), len(b))
		first, rest := cut(b, min(x, y), max(x, y))
		pieces, piecesErr := Index(first, rest, nil)
		if (err == nil) != (piecesErr == nil) {
			t.Fatalf("whole: %v, in pieces: %v", err, piecesErr)
		}
		if err != nil {
			return
		}
		h, offset, err := SkipHeader(first, rest)
		if err != nil || h != m.Header() || offset != m.Offset() {
			t.Fatalf("SkipHeader: %+v, %d, %v", h, offset, err)
		}
		for _, name := range [...]string{"JMSPriority", "JMSMessageID", "JMSCorrelationID", "JMSXGroupSeq", "color", "a"} {
			v, ok := m.Property(name)
			w, also := pieces.Property(name)
			if ok != also || v != w && v.F == v.F {
				t.Fatalf("%s: %+v whole, %+v in pieces", name, v, w)
			}
		}
		if m.Kind() != pieces.Kind() || m.BodyKind() != pieces.BodyKind() {
			t.Fatalf("%s whole, %s in pieces", m.Kind(), pieces.Kind())
		}
		if !bytes.Equal(bytes.Join(m.BodyPieces(nil), nil), bytes.Join(pieces.BodyPieces(nil), nil)) {
			t.Fatal("the body differs in pieces")
		}
		if text, ok := m.Text(); ok {
			if again, _ := pieces.Text(); again != text {
				t.Fatalf("text %q whole, %q in pieces", text, again)
			}
		}
		for range m.ApplicationProperties() {
			continue
		}
		p := m.Properties()
		again := p.append(nil)
		if len(again) > 0 {
			if _, err := wire.Check(again, nil); err != nil {
				t.Fatalf("properties written again: %v", err)
			}
		}
	})
}
