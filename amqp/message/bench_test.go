package message

import (
	"bytes"
	"testing"

	"github.com/tidegate/tidegate/amqp/wire"
)

// kibibyte is a persistent message of 1 KiB as Qpid JMS writes it.
func kibibyte() []byte {
	b := NewBuilder()
	b.Header.Durable = true
	b.Annotations = wire.Map{
		{Key: wire.Symbol("x-opt-jms-dest"), Value: int8(0)},
		{Key: wire.Symbol(KindAnnotation), Value: int8(KindBytes)},
	}
	b.Properties = Properties{
		MessageID: "ID:0d3fb3c5-4e7b-4c0e-9f0e-0b4d5f9f6d0f:1:1:1-1", To: "orders",
		ContentType: octetStream, CreationTime: wire.Some(wire.Timestamp(1_700_000_000_000)),
	}
	b.SetProperty("color", "red")
	b.SetProperty("count", int32(3))
	b.SetData(bytes.Repeat([]byte{'x'}, 1024))
	return b.Append(nil)
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	whole := kibibyte()
	out := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := Index(whole, nil, nil); err != nil {
			t.Fatal(err)
		}
		h, _, err := SkipHeader(whole, nil)
		if err != nil {
			t.Fatal(err)
		}
		out = AppendHeader(out[:0], h.Durable, h.Priority, h.TTL, h.FirstAcquirer, h.DeliveryCount+1)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkIndex1KiB(b *testing.B) {
	whole := kibibyte()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Index(whole, nil, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSkipHeader(b *testing.B) {
	whole := kibibyte()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := SkipHeader(whole, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkProperty(b *testing.B) {
	m, _ := Index(kibibyte(), nil, nil)
	b.ReportAllocs()
	for b.Loop() {
		m.Property("count")
	}
}
