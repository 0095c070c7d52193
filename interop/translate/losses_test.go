package translate

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

var rewrite = flag.Bool("rewrite", false, "write the tables of docs/translation.md anew")

// losers has for each loss of an encoding a message that suffers it and no other, in the
// first of the encodings that have it.
var losers = map[string]*Message{
	"no-headers":       with(func(m *Message) { m.Type = "t" }),
	"no-properties":    with(func(m *Message) { m.Set("a", int32(1)) }),
	"not-utf8-body":    with(func(m *Message) { m.Kind, m.Body = message.KindText, Body{Form: Text, Text: "\xff"} }),
	"not-utf8":         with(func(m *Message) { m.Set("a", "\xff") }),
	"twice":            with(func(m *Message) { m.Properties = []Property{{"a", int32(1)}, {"b", true}, {"a", int32(2)}} }),
	"rendezvous-types": with(func(m *Message) { m.Set("a", uint8(200)) }),
	"raw-fields":       with(func(m *Message) { m.Kind, m.Body, m.Priority = message.KindText, Body{Form: Text, Text: "x"}, 9 }),
	"raw-empty":        with(func(m *Message) { m.Kind, m.Body = message.KindText, Body{Form: Null} }),
	"raw-json": with(func(m *Message) {
		m.Kind, m.Body = message.KindMap, Body{Form: Fields, Map: wire.Map{{Key: "a", Value: int32(1)}}}
	}),
	"raw-bytes": with(func(m *Message) { m.Kind, m.Body = message.KindBytes, Body{Form: Bytes, Bytes: []byte("x")} }),
	"raw-kind":  with(func(m *Message) { m.Kind, m.Body = message.KindObject, Body{Form: Bytes, Bytes: []byte{0xac, 0xed}} }),
}

func with(change func(m *Message)) *Message {
	m := &Message{Priority: message.DefaultPriority}
	change(m)
	return m
}

// TestLossesAreReal: a message that suffers a loss comes back otherwise than it was, in
// the way that the table says, and for that reason alone.
func TestLossesAreReal(t *testing.T) {
	for _, l := range Losses() {
		if l.Encodings == nil {
			continue // TestReadLoses
		}
		for _, e := range l.Encodings {
			o := DefaultOptions()
			o.ExportHeaders, o.ExportProperties = l.Option != optionHeaders, l.Option != optionProperties
			m := losers[l.ID]
			if m == nil {
				t.Errorf("%s: no message here suffers it", l.ID)
				continue
			}
			got := outAndIn(t, e, o, m)
			if same(got, m) {
				t.Errorf("%s: %s keeps it: strike the loss", l.ID, e)
			}
			want := reread(t, m)
			l.apply(want)
			mustSame(t, got, want)
			if l.Option != "" {
				mustSame(t, outAndIn(t, e, DefaultOptions(), m), m)
			}
		}
	}
}

// unread has for each loss of Read two messages that differ in it and read the same.
var unread = map[string][2]func(b *message.Builder){
	"delivery-annotations": {
		func(b *message.Builder) {},
		func(b *message.Builder) {
			b.DeliveryAnnotations = wire.Map{{Key: wire.Symbol("hop"), Value: uint8(1)}}
			b.Footer = wire.Map{{Key: wire.Symbol("sum"), Value: []byte{9}}}
			b.Header.FirstAcquirer = true
		},
	},
	"message-annotations": {
		func(b *message.Builder) {},
		func(b *message.Builder) { b.Annotations = b.Annotations.Set(wire.Symbol("x-opt-mine"), "kept no more") },
	},
	"ttl": {
		func(b *message.Builder) { b.Properties.AbsoluteExpiryTime = wire.Some(wire.Timestamp(9)) },
		func(b *message.Builder) {
			b.Properties.AbsoluteExpiryTime = wire.Some(wire.Timestamp(9))
			b.Header.TTL = wire.Some(uint32(5))
		},
	},
	"sections": {
		func(b *message.Builder) { b.SetText("ab") },
		func(b *message.Builder) {
			b.SetData([]byte("a"), []byte("b"))
			b.SetKind(message.KindText)
		},
	},
	"empty-fields": {
		func(b *message.Builder) {},
		func(b *message.Builder) {
			b.Properties.CreationTime = wire.Some(wire.Timestamp(0))
			b.Properties.CorrelationID = ""
		},
	},
	"keys": {
		func(b *message.Builder) {},
		func(b *message.Builder) {
			b.ApplicationProperties = append(b.ApplicationProperties, wire.Entry{Key: uint64(7), Value: "x"})
		},
	},
}

// TestReadLoses: what the table says that Read does not take over it does not, and so
// does no encoding.
func TestReadLoses(t *testing.T) {
	for _, l := range Losses() {
		if l.Encodings != nil {
			continue
		}
		pair, ok := unread[l.ID]
		if !ok {
			t.Errorf("%s: no messages here", l.ID)
			continue
		}
		var read [2]Message
		var raw [2]string
		for i, change := range pair {
			b := message.NewBuilder()
			b.SetBytes([]byte("x"))
			change(b)
			raw[i] = string(b.Append(nil))
			if err := Read(b.Message(), &read[i]); err != nil {
				t.Fatal(err)
			}
		}
		mustSame(t, &read[0], &read[1])
		if raw[0] == raw[1] {
			t.Errorf("%s: the messages do not differ", l.ID)
		}
	}
}

const page = "../../docs/translation.md"

// TestPage: the tables of the page for users are the table of losses.
func TestPage(t *testing.T) {
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(have)
	for _, part := range []struct {
		name string
		in   func(l *Loss) bool
	}{
		{"read", func(l *Loss) bool { return l.Encodings == nil }},
		{"headers", func(l *Loss) bool { return len(l.Encodings) > 0 && l.Encodings[0] == Headers }},
		{"ems-json", func(l *Loss) bool { return l.In(JSON, Options{}) }},
		{"raw", func(l *Loss) bool { return l.In(Raw, DefaultOptions()) }},
	} {
		text = replaceTable(t, text, part.name, part.in)
	}
	if text == string(have) {
		return
	}
	if !*rewrite {
		t.Fatalf("%s is not what the table of losses says: run go test ./interop/translate -run TestPage -rewrite", page)
	}
	if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func replaceTable(t *testing.T, text, name string, in func(l *Loss) bool) string {
	begin, end := fmt.Sprintf("<!-- losses: %s -->\n", name), fmt.Sprintf("<!-- end: %s -->", name)
	before, rest, ok := strings.Cut(text, begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the losses of %s", page, name)
	}
	var b strings.Builder
	b.WriteString("| id | what is lost | what it becomes |\n| --- | --- | --- |\n")
	for _, l := range Losses() {
		if !in(&l) {
			continue
		}
		what := l.What
		if l.Option != "" {
			what = "with `" + l.Option + "=false`: " + what
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", l.ID, what, l.Becomes)
	}
	return before + begin + b.String() + end + after
}
