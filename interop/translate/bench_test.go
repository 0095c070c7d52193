package translate

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/amqp/message"
)

// kibibytes are messages of 1 KiB: with all headers, and as Qpid JMS sends them.
func kibibytes() map[string]*Message {
	full, bytes := sample(), typical()
	full.Body.Text = strings.Repeat("x", 1024)
	bytes.Kind, bytes.Body = message.KindBytes, Body{Form: Bytes, Bytes: []byte(full.Body.Text)}
	text := typical()
	text.Body.Text = full.Body.Text
	return map[string]*Message{"full": full, "text": text, "bytes": bytes}
}

func typical() *Message {
	return &Message{
		Kind: message.KindText, MessageID: "ID:0d3fb3c5-4e7b-4c0e-9f0e-0b4d5f9f6d0f:1:1:1-1", Destination: Destination{"orders", Queue},
		Priority: 4, Persistent: true, Timestamp: 1_700_000_000_000,
		Properties: []Property{{"color", "red"}, {"price", 1.5}, {"count", int32(3)}},
		Body:       Body{Form: Text},
	}
}

// TestAllocations: the translation of the messages that are sent most makes garbage in
// proportion to their fields, and copies a body once at most.
func TestAllocations(t *testing.T) {
	m, o, into, room := kibibytes()["bytes"], DefaultOptions(), &Message{}, &message.Builder{}
	from := m.Build(nil)
	headers, body, err := Headers.Out(m, o)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		most float64
		run  func() error
	}{
		"Read":  {11, func() error { return Read(from, into) }},
		"Build": {6, func() error { m.Build(room); return nil }},
		"Out":   {11, func() error { _, _, err := Headers.Out(m, o); return err }},
		"In":    {5, func() error { return Headers.In(headers, body, o, into) }},
	} {
		if n := testing.AllocsPerRun(100, func() {
			if err := c.run(); err != nil {
				t.Fatal(err)
			}
		}); n > c.most {
			t.Errorf("%s: %v allocations, more than %v", name, n, c.most)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for name, m := range kibibytes() {
		b.Run(name, func(b *testing.B) {
			from, into := m.Build(nil), &Message{}
			b.ReportAllocs()
			for b.Loop() {
				if err := Read(from, into); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	for name, m := range kibibytes() {
		b.Run(name, func(b *testing.B) {
			room := &message.Builder{}
			b.ReportAllocs()
			for b.Loop() {
				m.Build(room)
			}
		})
	}
}

func BenchmarkOut(b *testing.B) {
	for _, e := range []Encoding{Headers, JSON, Raw} {
		for name, m := range kibibytes() {
			b.Run(e.String()+"/"+name, func(b *testing.B) {
				o := DefaultOptions()
				b.ReportAllocs()
				for b.Loop() {
					if _, _, err := e.Out(m, o); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkIn(b *testing.B) {
	for _, e := range []Encoding{Headers, JSON, Raw} {
		for name, m := range kibibytes() {
			b.Run(e.String()+"/"+name, func(b *testing.B) {
				o, into := DefaultOptions(), &Message{}
				headers, body, err := e.Out(m, o)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					if err := e.In(headers, body, o, into); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
