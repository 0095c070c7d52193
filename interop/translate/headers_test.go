package translate

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

// TestHeadersOnTheWire is the contract with programs outside: what they read.
func TestHeadersOnTheWire(t *testing.T) {
	m := sample()
	m.Properties = append(m.Properties, Property{"naïve name", " 50%\r\n"}, Property{"none", nil})
	headers, body, err := Headers.Out(m, DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	want := []Header{
		{"JMS-Body", "text"},
		{"JMS-Message-Id", "ID:EMS.1:1"},
		{"JMS-Correlation-Id", "order 7"},
		{"JMS-Type", "new"},
		{"JMS-Destination", "topic://orders"},
		{"JMS-Reply-To", "temp-queue://answers"},
		{"JMS-Delivery-Mode", "PERSISTENT"},
		{"JMS-Priority", "7"},
		{"JMS-Timestamp", "1700000000000"},
		{"JMS-Expiration", "1700000060000"},
		{"JMS-Delivery-Time", "1700000000500"},
		{"JMS-Delivery-Count", "1"},
		{"JMS-Group-Id", "g"},
		{"JMS-Group-Sequence", "3"},
		{"JMS-User-Id", "alice"},
		{"JMSP-color", "s:red"},
		{"JMSP-price", "d:1.5"},
		{"JMSP-count", "i:3"},
		{"JMSP-paid", "b:true"},
		{"JMSP-na%C3%AFve%20name", "s:%2050%25%0D%0A"},
		{"JMSP-none", "n:"},
	}
	if !slices.Equal(headers, want) {
		t.Errorf("got  %q\nwant %q", headers, want)
	}
	if string(body) != "hé" {
		t.Errorf("body %q", body)
	}
}

// TestTags has a property of each type as it stands in a header.
func TestTags(t *testing.T) {
	for _, c := range []struct {
		value any
		text  string
	}{
		{true, "b:true"},
		{false, "b:false"},
		{int8(math.MinInt8), "y:-128"},
		{int16(math.MaxInt16), "h:32767"},
		{int32(math.MinInt32), "i:-2147483648"},
		{int64(math.MaxInt64), "l:9223372036854775807"},
		{float32(0.1), "f:0.1"},
		{0.1, "d:0.1"},
		{math.Copysign(0, -1), "d:-0"},
		{math.Inf(-1), "d:-Infinity"},
		{math.Float64frombits(0x7ff8000000000000), "d:NaN"},
		{math.Float64frombits(0x7ff8000000000001), "d:NaN:7ff8000000000001"},
		{math.Float32frombits(0x7f800001), "f:NaN:7f800001"},
		{"", "s:"},
		{"i:3", "s:i:3"},
		{[]byte{0, 255}, "x:AP8="},
		{nil, "n:"},
		{uint8(255), "Y:255"},
		{uint16(65535), "H:65535"},
		{uint32(math.MaxUint32), "I:4294967295"},
		{uint64(math.MaxUint64), "L:18446744073709551615"},
		{wire.Char('é'), "c:%C3%A9"},
		{wire.Timestamp(-1), "t:-1"},
		{wire.UUID{1}, "u:01000000-0000-0000-0000-000000000000"},
		{wire.Symbol("a b"), "S:a b"},
		{wire.Decimal32{1, 2, 3, 4}, "a:dAECAwQ="},
		{wire.List{int32(1)}, "a:wAMBVAE="},
	} {
		if got := tagged(c.value); got != c.text {
			t.Errorf("%v is %q, want %q", c.value, got, c.text)
		}
		m := read(t, Headers, []Header{{"JMSP-p", c.text}, {"JMS-Body", "message"}}, "")
		mustSame(t, m, &Message{Priority: 4, Properties: []Property{{"p", c.value}}})
	}
}

func tagged(v any) string {
	var w headerWriter
	return w.tagged(v)
}

func read(t *testing.T, e Encoding, headers []Header, body string) *Message {
	t.Helper()
	m := &Message{}
	if err := e.In(headers, []byte(body), DefaultOptions(), m); err != nil {
		t.Fatalf("%q, %q: %v", headers, body, err)
	}
	return m
}

// TestForeignMessages: what programs that know nothing of JMS send becomes a message
// (decision 98).
func TestForeignMessages(t *testing.T) {
	text := func(s string) Body { return Body{Form: Text, Text: s} }
	data := func(s string) Body { return Body{Form: Bytes, Bytes: []byte(s)} }
	for _, c := range []struct {
		name    string
		headers []Header
		body    string
		kind    message.Kind
		want    Body
	}{
		{"text", nil, "hé", message.KindText, text("hé")},
		{"nothing", nil, "", message.KindText, text("")},
		{"bytes", nil, "\xff\x00", message.KindBytes, data("\xff\x00")},
		{"json", []Header{{"Content-Type", "application/json; charset=utf-8"}}, `{"a":1}`, message.KindText, text(`{"a":1}`)},
		{"octets that are characters", []Header{{"content-type", "application/octet-stream"}}, "x", message.KindBytes, data("x")},
		{"picture", []Header{{"Content-Type", "image/png"}}, "x", message.KindBytes, data("x")},
		{"other charset", []Header{{"Content-Type", `text/plain; charset="ISO-8859-1"`}}, "x", message.KindBytes, data("x")},
		{"JMS-Body in another case", []Header{{"Jms-Body", "Bytes"}}, "x", message.KindBytes, data("x")},
		{"text that is none", []Header{{"JMS-Body", "text"}}, "\xff", message.KindBytes, data("\xff")},
	} {
		m := read(t, Headers, c.headers, c.body)
		if m.Kind != c.kind || m.Body.Form != c.want.Form || m.Body.Text != c.want.Text || string(m.Body.Bytes) != string(c.want.Bytes) {
			t.Errorf("%s: %s %+v, want %s %+v", c.name, m.Kind, m.Body, c.kind, c.want)
		}
		if m.Persistent || m.Priority != message.DefaultPriority {
			t.Errorf("%s: persistent %v, priority %d", c.name, m.Persistent, m.Priority)
		}
	}
}

// TestForeignHeaders: they become string properties under names that JMS allows; those of
// transports do not.
func TestForeignHeaders(t *testing.T) {
	m := read(t, Headers, []Header{
		{"X-Request-Id", "a%20b"},
		{"traceparent", "00-1-2-01"},
		{"JMSP-untagged", "plain text: d"},
		{"jmsp-Case", "i:1"},
		{"JMS-Unknown", "u"},
		{"Ems-Origin", "A;T"},
		{"nats-msg-id", "7"},
		{"Content-Encoding", "gzip"},
		{"bad", "\xff"},
		{"jms-message-id", "7"},
		{"JMS-Delivery-Mode", "2"},
	}, "x")
	want := []Property{
		{"X_HYPHEN_Request_HYPHEN_Id", "a%20b"},
		{"traceparent", "00-1-2-01"},
		{"untagged", "plain text: d"},
		{"Case", int32(1)},
		{"_x4a_MS_HYPHEN_Unknown", "u"},
		{"bad", "\uFFFD"},
	}
	if !slices.Equal(m.Properties, want) {
		t.Errorf("got  %q\nwant %q", m.Properties, want)
	}
	if m.ContentEncoding != "gzip" || m.MessageID != "7" || !m.Persistent {
		t.Errorf("%+v", m)
	}
}

// TestNamesStandOnce: what stands twice would be no map of AMQP; the last counts.
func TestNamesStandOnce(t *testing.T) {
	for _, n := range []int{2, 3 * few} { // by comparison, by a set
		headers, body, want := []Header{{"JMS-Body", "map"}}, "{", &Message{Kind: message.KindMap, Priority: 4, Body: Body{Form: Fields}}
		for i := range 2 * n {
			name := string(rune('a' + i%n))
			headers = append(headers, Header{"JMSP-" + name, tagged(int32(i))})
			body += `"` + name + `":` + tagged(int32(i))[2:] + ","
			if i >= n {
				want.Set(name, int32(i))
				want.Body.Map = append(want.Body.Map, wire.Entry{Key: name, Value: int32(i)})
			}
		}
		mustSame(t, read(t, Headers, headers, strings.TrimSuffix(body, ",")+"}"), want)
	}
	twice := wire.Map{{Key: uint8(1), Value: "a"}, {Key: int8(1), Value: "b"}, {Key: uint8(1), Value: "c"}}
	m := read(t, Headers, []Header{{"JMS-Body", "object;value"}}, string(appendTyped(nil, twice)))
	mustSame(t, m, &Message{Kind: message.KindObject, Priority: 4, Body: Body{Form: Foreign, Value: twice[1:]}})
}

// TestBadHeaders: each error names the header and says how to mend it.
func TestBadHeaders(t *testing.T) {
	for _, c := range []struct {
		headers []Header
		body    string
		want    []string
	}{
		{[]Header{{"JMSP-n", "i:three"}}, "", []string{"JMSP-n", `"three"`, "type i", "s:"}},
		{[]Header{{"JMSP-n", "y:200"}}, "", []string{"JMSP-n", "out of range"}},
		{[]Header{{"JMSP-n", "z:1"}}, "", []string{"JMSP-n", "type z", tags}},
		{[]Header{{"JMSP-n", "n:x"}}, "", []string{"JMSP-n"}},
		{[]Header{{"JMSP-n", "c:ab"}}, "", []string{"one character"}},
		{[]Header{{"JMSP-n", "u:ab"}}, "", []string{"no uuid"}},
		{[]Header{{"JMSP-n", "a:8AAAAAX/////QA=="}}, "", []string{"JMSP-n"}}, // an array of 2^32-1 nulls
		{[]Header{{"JMSP-n", "d:NaN:3ff0000000000000"}}, "", []string{"NaN"}},
		{[]Header{{"JMS-Priority", "256"}}, "", []string{"JMS-Priority", "0 to 255"}},
		{[]Header{{"JMS-Timestamp", "today"}}, "", []string{"JMS-Timestamp", "milliseconds since 1970"}},
		{[]Header{{"JMS-Delivery-Mode", "maybe"}}, "", []string{"JMS-Delivery-Mode", "NON_PERSISTENT"}},
		{[]Header{{"JMS-Body", "telegram"}}, "", []string{"JMS-Body", "telegram", bodyWords}},
		{[]Header{{"JMS-Body", "message"}}, "x", []string{"JMS-Body", "1 bytes"}},
		{[]Header{{"JMS-Body", "map"}}, "[]", []string{"body", "object", "a list"}},
		{[]Header{{"JMS-Body", "stream"}}, "{}", []string{"body", "list", "an object"}},
		{[]Header{{"JMS-Body", "map"}}, `{"a":`, []string{"body", "at byte 5"}},
		{make([]Header, MaxHeaders+1), "", []string{"4097 headers", "limit is 4096"}},
		{[]Header{{"a", strings.Repeat("x", MaxHeaderBytes)}}, "", []string{"limit is 1048576"}},
	} {
		err := Headers.In(c.headers, []byte(c.body), DefaultOptions(), &Message{})
		if err == nil {
			t.Errorf("%.100q is taken", c.headers)
			continue
		}
		for _, want := range append(c.want, "import as headers") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q has no %q", err, want)
			}
		}
	}
}

// TestOutHasLimits: what could not come back does not go out.
func TestOutHasLimits(t *testing.T) {
	deep := any(int32(1))
	for range 5 {
		deep = wire.List{deep}
	}
	many := &Message{Body: Body{Form: Items, List: make(wire.List, 11)}}
	for want, c := range map[string]struct {
		m *Message
		l Limits
	}{
		"12 values":  {&Message{Body: Body{Form: Items, List: make(wire.List, 12)}}, Limits{Values: 11}},
		"5 levels":   {&Message{Body: Body{Form: Foreign, Value: deep}}, Limits{Depth: 4}},
		"9 bytes":    {&Message{Body: Body{Form: Bytes, Bytes: make([]byte, 9)}}, Limits{Body: 8}},
		"3 headers":  {many, Limits{Headers: 2}},
		"headers of": {many, Limits{HeaderBytes: 2}},
	} {
		o := DefaultOptions()
		o.Limits = c.l
		if _, _, err := Headers.Out(c.m, o); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "export as headers") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, _, err := Headers.Out(many, Options{Limits: Limits{Values: 11}}); err != nil {
		t.Error(err)
	}
}

func TestEncodingWords(t *testing.T) {
	for word, want := range map[string]Encoding{"": Headers, "headers": Headers, "ems-json": JSON, "raw": Raw} {
		if got, err := ParseEncoding(word); err != nil || got != want {
			t.Errorf("%q is %v, %v", word, got, err)
		}
	}
	if _, err := ParseEncoding("xml"); err == nil || !strings.Contains(err.Error(), "headers, ems-json or raw") {
		t.Error(err)
	}
}

// TestMarkImported: what comes in gets EMS's marks, the second only where it has what
// plain JMS has not.
func TestMarkImported(t *testing.T) {
	plain := &Message{Body: Body{Form: Fields, Map: wire.Map{{Key: "a", Value: int32(1)}}}}
	extended := []*Message{
		{Body: Body{Form: Fields, Map: wire.Map{{Key: "a", Value: wire.Map{}}}}},
		{Body: Body{Form: Items, List: wire.List{wire.Array{Constructor: 0x71}}}},
	}
	plain.MarkImported()
	if v, ok := plain.Get(ImportedProperty); v != true || !ok || len(plain.Properties) != 1 {
		t.Errorf("%v", plain.Properties)
	}
	for _, m := range extended {
		m.Set(ImportedProperty, false)
		m.MarkImported()
		if v, _ := m.Get(ImportedProperty); v != true {
			t.Errorf("%v", m.Properties)
		}
		if v, _ := m.Get(ExtendedProperty); v != true {
			t.Errorf("%v", m.Properties)
		}
	}
}
