package translate

import (
	"bytes"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

// texts are strings of every kind that has gone wrong somewhere.
var texts = rapid.OneOf(
	rapid.StringN(0, 12, -1),
	rapid.SampledFrom([]string{
		"", " ", "  both ends  ", "two\r\nlines", "\ttab\x00nul\x7f", "50%", "%41", "%%", "%4", "naïve 日本 🙂", "\u2028", `"quotes" \back`, "s:tagged", "x:YQ==",
		"queue://q", "temp-topic://t", "address://a", "ID:AMQP_BINARY:00", "ID:AMQP_UUID:no", "ID:AMQP_STRING:ID:x", "AMQP_NO_PREFIX:x", "ID:", "null", "true", "\xff", "bad\xc3\x28utf\xed\xa0\x80",
	}),
)

// blobs are bytes, many of which are characters too.
var blobs = rapid.OneOf(rapid.SliceOfN(rapid.Byte(), 0, 12), rapid.Custom(func(t *rapid.T) []byte { return []byte(texts.Draw(t, "text")) }))

var doubles = rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{
	0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), math.Float64frombits(javaNaN64), math.Float64frombits(0xfff0000000000001),
	math.MaxFloat64, math.SmallestNonzeroFloat64, 1e21, 0.1,
}))

var floats = rapid.OneOf(rapid.Float32(), rapid.SampledFrom([]float32{
	0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), math.Float32frombits(javaNaN32), math.Float32frombits(0xff800001),
	math.MaxFloat32, math.SmallestNonzeroFloat32, 16777217, 0.1,
}))

func boxed[T any](g *rapid.Generator[T]) *rapid.Generator[any] {
	return rapid.Map(g, func(v T) any { return v })
}

// bounds are integers of which the ends of the range are likely.
func bounds[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](all *rapid.Generator[T], ends ...T) *rapid.Generator[any] {
	return boxed(rapid.OneOf(all, rapid.SampledFrom(append(ends, 0, 1))))
}

// scalars are the simple types by kind: each element of an array is drawn from one.
var scalars = []*rapid.Generator[any]{
	boxed(rapid.Bool()),
	bounds(rapid.Int8(), math.MinInt8, math.MaxInt8), bounds(rapid.Int16(), math.MinInt16, math.MaxInt16),
	bounds(rapid.Int32(), math.MinInt32, math.MaxInt32), bounds(rapid.Int64(), math.MinInt64, math.MaxInt64, 1<<53+1),
	boxed(floats), boxed(doubles), boxed(texts), boxed(blobs),
	bounds(rapid.Uint8(), math.MaxUint8), bounds(rapid.Uint16(), math.MaxUint16),
	bounds(rapid.Uint32(), math.MaxUint32), bounds(rapid.Uint64(), math.MaxUint64, 1<<63),
	boxed(rapid.Custom(func(t *rapid.T) wire.Symbol { return wire.Symbol(texts.Draw(t, "symbol")) })),
	boxed(rapid.Map(rapid.SampledFrom([]rune{'a', ' ', '%', 0, 0xfffd, 0x10ffff, 'é', '\n'}), func(c rune) wire.Char { return wire.Char(c) })),
	boxed(rapid.Map(rapid.Int64(), func(n int64) wire.Timestamp { return wire.Timestamp(n) })),
	boxed(rapid.Map(rapid.SliceOfN(rapid.Byte(), 16, 16), func(b []byte) wire.UUID { return wire.UUID(b) })),
	boxed(rapid.Just(wire.Decimal32{1, 2, 3, 4})), boxed(rapid.Just(wire.Decimal64{1})), boxed(rapid.Just(wire.Decimal128{0xff})),
}

// simple are the values that a property may have.
var simple = rapid.OneOf(append(scalars[:len(scalars):len(scalars)], boxed(rapid.Just(struct{}{})).Filter(func(any) bool { return true }))...)

func drawSimple(t *rapid.T) any {
	v := simple.Draw(t, "value")
	if _, null := v.(struct{}); null {
		return nil
	}
	return v
}

// drawValue gives any value of AMQP.
func drawValue(t *rapid.T, depth int) any {
	choice := rapid.IntRange(0, 13).Draw(t, "type")
	if depth == 0 || choice > 5 {
		return drawSimple(t)
	}
	n := rapid.IntRange(0, 3).Draw(t, "length")
	switch choice {
	case 0, 1:
		return drawMap(t, n, depth-1)
	case 2:
		return drawList(t, n, depth-1)
	case 3:
		m := wire.Map{}
		for range n {
			m = append(m, wire.Entry{Key: drawSimple(t), Value: drawValue(t, depth-1)})
		}
		return m
	case 4:
		return wire.Described{Descriptor: uint64(n), Value: drawValue(t, depth-1)}
	}
	return drawArray(t, n, depth)
}

func drawMap(t *rapid.T, n, depth int) wire.Map {
	m := wire.Map{}
	for range n {
		name := rapid.OneOf(texts, rapid.SampledFrom([]string{"t", "v"})).Draw(t, "name")
		m = append(m, wire.Entry{Key: name, Value: drawValue(t, depth)})
	}
	return m
}

func drawList(t *rapid.T, n, depth int) wire.List {
	l := wire.List{}
	for range n {
		l = append(l, drawValue(t, depth))
	}
	return l
}

func drawArray(t *rapid.T, n, depth int) wire.Array {
	a := wire.Array{}
	if rapid.IntRange(0, 5).Draw(t, "exotic") == 0 {
		a.Descriptors = []any{wire.Symbol("d")}
	}
	element := rapid.SampledFrom(append(scalars[:len(scalars):len(scalars)],
		boxed(rapid.Custom(func(t *rapid.T) wire.List { return drawList(t, 2, depth-1) })),
		boxed(rapid.Custom(func(t *rapid.T) wire.Map { return drawMap(t, 2, depth-1) })),
	)).Draw(t, "element")
	for range n {
		a.Values = append(a.Values, element.Draw(t, "element"))
	}
	if n == 0 {
		a.Constructor = rapid.SampledFrom([]byte{0x40, 0x41, 0x56, 0x54, 0x71, 0x82, 0xa1, 0xb0, 0xc1, 0xe0}).Draw(t, "constructor")
	}
	return a
}

func drawID(t *rapid.T) any {
	switch rapid.IntRange(0, 5).Draw(t, "id") {
	case 0:
		return nil
	case 1:
		return rapid.Uint64().Draw(t, "ulong")
	case 2:
		return wire.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid"))
	case 3:
		return blobs.Draw(t, "binary")
	case 4:
		return "ID:" + texts.Draw(t, "id")
	}
	return texts.Draw(t, "id")
}

func drawDestination(t *rapid.T) Destination {
	return Destination{texts.Draw(t, "destination"), DestinationKind(rapid.IntRange(0, 4).Draw(t, "kind"))}
}

var times = rapid.OneOf(rapid.Just(int64(0)), rapid.Just(int64(1_700_000_000_123)), rapid.Int64())

func drawBody(t *rapid.T) Body {
	n := rapid.IntRange(0, 4).Draw(t, "fields")
	switch form := Form(rapid.IntRange(0, int(Foreign)).Draw(t, "form")); form {
	case Text:
		return Body{Form: Text, Text: texts.Draw(t, "text")}
	case Bytes:
		return Body{Form: Bytes, Bytes: blobs.Draw(t, "bytes")}
	case Fields:
		return Body{Form: Fields, Map: drawMap(t, n, 3)}
	case Items:
		return Body{Form: Items, List: drawList(t, n, 3)}
	case Foreign:
		return Body{Form: Foreign, Value: drawValue(t, 3)}
	default:
		return Body{Form: form}
	}
}

// drawMessage gives a message that some client may have sent, in the form that Read
// gives it.
func drawMessage(t *rapid.T) *Message {
	m := &Message{
		Kind: message.Kind(rapid.IntRange(0, 5).Draw(t, "kind")), MessageID: drawID(t), CorrelationID: drawID(t), Type: texts.Draw(t, "type"),
		Destination: drawDestination(t), ReplyTo: drawDestination(t), Priority: rapid.Uint8().Draw(t, "priority"), Persistent: rapid.Bool().Draw(t, "persistent"),
		Timestamp: times.Draw(t, "timestamp"), Expiration: times.Draw(t, "expiration"), DeliveryTime: times.Draw(t, "delivery time"),
		TTL: rapid.Uint32().Draw(t, "ttl"), DeliveryCount: rapid.Uint32().Draw(t, "count"), GroupID: texts.Draw(t, "group"), ReplyToGroupID: texts.Draw(t, "reply group"),
		ContentType: rapid.SampledFrom([]string{"", "text/plain", "text/plain; charset=iso-8859-1", "application/octet-stream", "application/json", "é\xff"}).Draw(t, "content type"),
		Body:        drawBody(t),
	}
	if rapid.Bool().Draw(t, "sequence") {
		m.GroupSequence = wire.Some(rapid.Uint32().Draw(t, "sequence"))
	}
	if rapid.Bool().Draw(t, "user") {
		m.UserID = blobs.Draw(t, "user")
	}
	for range rapid.IntRange(0, 5).Draw(t, "properties") {
		m.Properties = append(m.Properties, Property{texts.Draw(t, "name"), drawSimple(t)})
	}
	return reread(t, m)
}

// reread builds a message and reads it.
func reread(t interface{ Fatal(...any) }, m *Message) *Message {
	again := &Message{}
	if err := Read(m.Build(nil), again); err != nil {
		t.Fatal(err)
	}
	return again
}

// same compares messages by their bytes, which tell one NaN and one zero from another.
func same(a, b *Message) bool { return bytes.Equal(a.Append(nil, nil), b.Append(nil, nil)) }

func mustSame(t testing.TB, got, want *Message) {
	t.Helper()
	if !same(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
