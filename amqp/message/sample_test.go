package message

import (
	"bytes"
	"testing"

	"github.com/tidegate/tidegate/amqp/wire"
)

// fullMessage has every section and every field.
func fullMessage() *Builder {
	b := NewBuilder()
	b.Header = Header{Durable: true, Priority: 7, TTL: wire.Some(uint32(60000)), FirstAcquirer: true, DeliveryCount: 2}
	b.DeliveryAnnotations = wire.Map{{Key: wire.Symbol("hop"), Value: uint8(1)}}
	b.Annotations = wire.Map{
		{Key: wire.Symbol(KindAnnotation), Value: int8(KindText)},
		{Key: uint64(9), Value: nil},
		{Key: wire.Symbol("x-opt-delivery-time"), Value: int64(1_700_000_000_500)},
	}
	b.Properties = Properties{
		MessageID: "ID:abc", UserID: []byte("alice"), To: "orders", Subject: "new", ReplyTo: "answers",
		CorrelationID: uint64(42), ContentType: "text/plain", ContentEncoding: "gzip",
		AbsoluteExpiryTime: wire.Some(wire.Timestamp(1_700_000_060_000)),
		CreationTime:       wire.Some(wire.Timestamp(1_700_000_000_000)),
		GroupID:            "g", GroupSequence: wire.Some(^uint32(0)), ReplyToGroupID: "rg",
	}
	b.ApplicationProperties = wire.Map{
		{Key: "color", Value: "red"},
		{Key: "count", Value: int32(3)},
		{Key: "ratio", Value: 0.5},
		{Key: "small", Value: float32(1.5)},
		{Key: "yes", Value: true},
		{Key: "nothing", Value: nil},
		{Key: "ubyte", Value: uint8(200)},
		{Key: "ushort", Value: uint16(60000)},
		{Key: "uint", Value: uint32(4_000_000_000)},
		{Key: "ulong", Value: uint64(7)},
		{Key: "huge", Value: uint64(1 << 63)},
		{Key: "byte", Value: int8(-1)},
		{Key: "short", Value: int16(-2)},
		{Key: "long", Value: int64(-3)},
		{Key: "char", Value: wire.Char('ü')},
		{Key: "symbol", Value: wire.Symbol("sym")},
		{Key: "when", Value: wire.Timestamp(5)},
		{Key: "binary", Value: []byte{1}},
		{Key: "uuid", Value: wire.UUID{1}},
		{Key: "list", Value: wire.List{int32(1)}},
		{Key: "decimal", Value: wire.Decimal64{1}},
		{Key: "JMS_TIBCO_COMPRESS", Value: true},
	}
	b.SetValue("hello")
	b.Footer = wire.Map{{Key: wire.Symbol("sum"), Value: []byte{9}}}
	return b
}

// bodies are messages of every form of body.
func bodies() map[string]*Builder {
	all := map[string]*Builder{}
	add := func(name string) *Builder {
		all[name] = NewBuilder()
		return all[name]
	}
	add("none")
	add("data").SetData([]byte("abc"))
	add("wide data").SetData(bytes.Repeat([]byte{'x'}, 300))
	add("several data").SetData([]byte("ab"), nil, []byte("cd"))
	add("sequence").SetSequence(wire.List{int32(1), "two"})
	add("several sequences").SetSequence(wire.List{int32(1)}, wire.List{}, wire.List{nil})
	add("value").SetValue("text")
	add("null").SetValue(nil)
	add("map").SetValue(wire.Map{{Key: "k", Value: []byte{1}}})
	add("described").SetValue(wire.Described{Descriptor: wire.Symbol("some:descriptor:of:a:rather:great:length:so:that:no:window:holds:it:whole"), Value: uint64(1)})
	all["full"] = fullMessage()
	return all
}

// cut gives the pieces of b cut at these places.
func cut(b []byte, at ...int) (first []byte, rest [][]byte) {
	for i, end := range append(at, len(b)) {
		start := 0
		if i > 0 {
			start = at[i-1]
		}
		if i == 0 {
			first = b[:end:end]
		} else {
			rest = append(rest, b[start:end:end])
		}
	}
	return first, rest
}

func mustIndex(t testing.TB, b []byte) *Message {
	t.Helper()
	m, err := Index(b, nil, nil)
	if err != nil {
		t.Fatalf("%x: %v", b, err)
	}
	return &m
}
