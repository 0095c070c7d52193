package translate

import (
	"reflect"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

// TestReadDestinations has what clients say of a destination's kind (reference 3.2).
func TestReadDestinations(t *testing.T) {
	for _, c := range []struct {
		key  string
		says any
		want DestinationKind
	}{
		{"x-opt-jms-dest", int8(0), Queue},
		{"x-opt-jms-dest", int8(1), Topic},
		{"x-opt-jms-dest", uint32(2), TemporaryQueue},
		{"x-opt-jms-dest", int8(3), TemporaryTopic},
		{"x-opt-jms-dest", int8(4), Unknown},
		{"x-opt-jms-dest", int8(-1), Unknown},
		{"x-opt-to-type", "queue", Queue},
		{"x-opt-to-type", "topic", Topic},
		{"x-opt-to-type", "temporary,queue", TemporaryQueue},
		{"x-opt-to-type", wire.Symbol("topic,temporary"), TemporaryTopic},
		{"x-opt-to-type", "", Unknown},
		{"x-opt-jms-reply-to", int8(1), Unknown}, // of another address
	} {
		b := message.NewBuilder()
		b.Properties.To = "a"
		b.Annotations = wire.Map{{Key: wire.Symbol(c.key), Value: c.says}}
		m := &Message{}
		if err := Read(b.Message(), m); err != nil {
			t.Fatal(err)
		}
		if m.Destination != (Destination{"a", c.want}) || m.ReplyTo != (Destination{}) {
			t.Errorf("%s %v: %v, %v; want %v", c.key, c.says, m.Destination, m.ReplyTo, c.want)
		}
		mustSame(t, reread(t, m), m)
	}
	b := message.NewBuilder()
	b.Properties.ReplyTo = "a"
	b.Annotations = wire.Map{{Key: wire.Symbol("x-opt-jms-reply-to"), Value: int8(1)}, {Key: wire.Symbol("x-opt-reply-type"), Value: "queue"}}
	m := &Message{}
	if err := Read(b.Message(), m); err != nil || m.ReplyTo != (Destination{"a", Topic}) {
		t.Errorf("%v, %v", m.ReplyTo, err)
	}
}

// TestReadBodies has the forms of body that clients send, by kind.
func TestReadBodies(t *testing.T) {
	array := wire.Array{Constructor: 0x54, Values: []any{int32(1), int32(1000)}}
	for _, c := range []struct {
		name        string
		kind        message.Kind
		contentType wire.Symbol
		set         func(b *message.Builder)
		want        Body
	}{
		{"none", message.KindMessage, "", func(*message.Builder) {}, Body{}},
		{"null", message.KindText, "", func(b *message.Builder) { b.SetValue(nil) }, Body{Form: Null}},
		{"text", message.KindText, "", func(b *message.Builder) { b.SetValue("a") }, Body{Form: Text, Text: "a"}},
		{"text in data", message.KindText, "text/plain; charset=UTF-8", func(b *message.Builder) { b.SetData([]byte("é")) }, Body{Form: Text, Text: "é"}},
		{"text of another charset", message.KindText, "text/plain; charset=iso-8859-1", func(b *message.Builder) { b.SetData([]byte("a")) }, Body{Form: Bytes, Bytes: []byte("a")}},
		{"text that is none", message.KindText, "", func(b *message.Builder) { b.SetData([]byte{255}) }, Body{Form: Bytes, Bytes: []byte{255}}},
		{"bytes", message.KindBytes, "", func(b *message.Builder) { b.SetData([]byte("a"), []byte("b")) }, Body{Form: Bytes, Bytes: []byte("ab")}},
		{"binary value", message.KindBytes, "", func(b *message.Builder) { b.SetValue([]byte("a")) }, Body{Form: Bytes, Bytes: []byte("a")}},
		{"map", message.KindMap, "", func(b *message.Builder) { b.SetValue(wire.Map{{Key: "a", Value: array}}) }, Body{Form: Fields, Map: wire.Map{{Key: "a", Value: wire.Array{Constructor: 0x71, Values: array.Values}}}}},
		{"empty map", message.KindMap, "", func(b *message.Builder) { b.SetValue(wire.Map{}) }, Body{Form: Fields, Map: wire.Map{}}},
		{"map by numbers", message.KindMap, "", func(b *message.Builder) { b.SetValue(wire.Map{{Key: int32(1), Value: "a"}}) }, Body{Form: Foreign, Value: wire.Map{{Key: int32(1), Value: "a"}}}},
		{"map in an object", message.KindObject, "", func(b *message.Builder) { b.SetValue(wire.Map{}) }, Body{Form: Foreign, Value: wire.Map{}}},
		{"stream", message.KindStream, "", func(b *message.Builder) { b.SetSequence(wire.List{"a"}, wire.List{nil}) }, Body{Form: Items, List: wire.List{"a", nil}}},
		{"stream in a value", message.KindStream, "", func(b *message.Builder) { b.SetValue(wire.List{"a"}) }, Body{Form: Items, List: wire.List{"a"}}},
		{"symbol", message.KindText, "", func(b *message.Builder) { b.SetValue(wire.Symbol("a")) }, Body{Form: Foreign, Value: wire.Symbol("a")}},
	} {
		b := message.NewBuilder()
		b.Properties.ContentType = c.contentType
		c.set(b)
		b.SetKind(c.kind)
		m := &Message{Properties: []Property{{"old", 1}}}
		if err := Read(b.Message(), m); err != nil {
			t.Fatal(err)
		}
		if m.Kind != c.kind || !reflect.DeepEqual(m.Body, c.want) || len(m.Properties) != 0 {
			t.Errorf("%s: %s %+v, want %+v", c.name, m.Kind, m.Body, c.want)
		}
		if again := reread(t, m); !reflect.DeepEqual(again.Body, c.want) {
			t.Errorf("%s: built and read again it is %+v, want %+v", c.name, again.Body, c.want)
		}
	}
	bare := reread(t, &Message{Kind: message.KindMap, Body: Body{Form: Fields}})
	if bare.Body.Form != Fields {
		t.Errorf("a map message without a map is %+v", bare.Body)
	}
}

// TestExpirationBeforeTTL: where both are said, the absolute time counts.
func TestExpirationBeforeTTL(t *testing.T) {
	b := message.NewBuilder()
	b.Header.TTL = wire.Some(uint32(5))
	m := &Message{}
	if err := Read(b.Message(), m); err != nil || m.TTL != 5 {
		t.Errorf("%d, %v", m.TTL, err)
	}
	b.Properties.AbsoluteExpiryTime = wire.Some(wire.Timestamp(9))
	if err := Read(b.Message(), m); err != nil || m.TTL != 0 || m.Expiration != 9 {
		t.Errorf("%d, %d, %v", m.TTL, m.Expiration, err)
	}
	m = read(t, Headers, []Header{{"JMS-Ttl", "5"}, {"JMS-Expiration", "9"}}, "")
	if m.TTL != 0 || m.Expiration != 9 {
		t.Errorf("%d, %d", m.TTL, m.Expiration)
	}
}

// TestReadBomb: a body that claims more than it has is an error that says so.
func TestReadBomb(t *testing.T) {
	m, err := message.Index([]byte{0x00, 0x53, 0x77, 0xf0, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x40}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := Read(&m, &Message{}); err == nil || !strings.Contains(err.Error(), "read a message: body") {
		t.Error(err)
	}
}
