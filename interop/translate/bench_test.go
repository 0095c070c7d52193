package translate

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/amqp/message"
)

// kibibytes are messages as exporters and importers see them most: 1 KiB and a few
// properties.
func kibibytes() map[string]*Message {
	text := sample()
	text.Body.Text = strings.Repeat("x", 1024)
	bytes := sample()
	bytes.Kind, bytes.Body = message.KindBytes, Body{Form: Bytes, Bytes: []byte(text.Body.Text)}
	return map[string]*Message{"text": text, "bytes": bytes}
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
