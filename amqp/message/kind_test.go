package message

import (
	"testing"

	"github.com/tidegate/tidegate/amqp/wire"
)

// TestKind has the tables of reference 3.4: the annotation, and what a client
// infers without it.
func TestKind(t *testing.T) {
	none := func(*Builder) {}
	data := func(b *Builder) { b.SetData([]byte("x")) }
	value := func(v any) func(*Builder) { return func(b *Builder) { b.SetValue(v) } }
	for _, c := range []struct {
		name        string
		body        func(*Builder)
		contentType wire.Symbol
		annotation  any
		want        Kind
	}{
		{"nothing", none, "", nil, KindBytes},
		{"nothing, octets", none, "application/octet-stream", nil, KindBytes},
		{"nothing, java", none, "application/x-java-serialized-object", nil, KindObject},
		{"nothing, text", none, "text/plain", nil, KindText},
		{"nothing, other", none, "image/png", nil, KindMessage},
		{"data", data, "", nil, KindBytes},
		{"data, octets", data, "application/octet-stream", nil, KindBytes},
		{"data, java", data, "application/x-java-serialized-object", nil, KindObject},
		{"data, json with charset", data, "Application/JSON; charset=utf-8", nil, KindText},
		{"data, something in xml", data, "image/svg+xml", nil, KindText},
		{"data, other", data, "image/png", nil, KindBytes},
		{"string", value("x"), "", nil, KindText},
		{"null", value(nil), "", nil, KindText},
		{"binary", value([]byte{1}), "", nil, KindBytes},
		{"map", value(wire.Map{}), "", nil, KindObject},
		{"list", value(wire.List{}), "", nil, KindObject},
		{"int", value(int32(1)), "", nil, KindObject},
		{"sequence", func(b *Builder) { b.SetSequence(wire.List{}) }, "", nil, KindObject},
		{"annotated", value(wire.Map{}), "", int8(2), KindMap},
		{"annotated as plain", none, "", int8(0), KindMessage},
		{"annotated as stream", func(b *Builder) { b.SetSequence(wire.List{}) }, "", int8(4), KindStream},
		{"annotated by another integer", data, "", uint32(5), KindText},
		{"annotated out of range", data, "", int8(6), KindBytes},
		{"annotated by a text", data, "", "5", KindBytes},
	} {
		b := NewBuilder()
		c.body(b)
		b.Properties.ContentType = c.contentType
		if c.annotation != nil {
			b.Annotations = wire.Map{{Key: wire.Symbol(KindAnnotation), Value: c.annotation}}
		}
		if got := b.Message().Kind(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if KindStream.String() != "StreamMessage" || Kind(-1).String() != "Message" {
		t.Error("names of kinds")
	}
}

func TestTextAndBytes(t *testing.T) {
	const no = "(none)"
	for _, c := range []struct {
		name        string
		body        func(*Builder)
		text, bytes string
	}{
		{"nothing", func(*Builder) {}, "", ""},
		{"text", func(b *Builder) { b.SetText("hé") }, "hé", "hé"},
		{"null", func(b *Builder) { b.SetValue(nil) }, "", ""},
		{"symbol", func(b *Builder) { b.SetValue(wire.Symbol("s")) }, "s", "s"},
		{"bytes", func(b *Builder) { b.SetBytes([]byte("ab")) }, no, "ab"},
		{"data", func(b *Builder) { b.SetData([]byte("a"), []byte("b")) }, "ab", "ab"},
		{"data that is no text", func(b *Builder) { b.SetData([]byte{0xff}) }, no, "\xff"},
		{"binary", func(b *Builder) { b.SetValue([]byte("ab")) }, no, "ab"},
		{"number", func(b *Builder) { b.SetValue(int32(5)) }, no, no},
		{"sequence", func(b *Builder) { b.SetSequence(wire.List{"x"}) }, no, no},
	} {
		b := NewBuilder()
		c.body(b)
		m := b.Message()
		text, ok := m.Text()
		if !ok {
			text = no
		}
		bytes, ok := m.Bytes()
		data := string(bytes)
		if !ok {
			data = no
		}
		if text != c.text || data != c.bytes {
			t.Errorf("%s: text %q, bytes %q; want %q, %q", c.name, text, data, c.text, c.bytes)
		}
	}
}

// TestBodyBomb claims four billion elements in ten bytes of body: the message
// is taken, as its body is not looked at, and refused when it is.
func TestBodyBomb(t *testing.T) {
	m := mustIndex(t, []byte{0x00, 0x53, 0x77, 0xf0, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x40})
	if _, err := m.Body(); err == nil {
		t.Error("it decodes")
	}
	if _, ok := m.Text(); ok {
		t.Error("it is a text")
	}
}
