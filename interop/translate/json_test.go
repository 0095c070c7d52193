package translate

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

// TestDocumentOnTheWire is the contract with programs outside: what they read.
func TestDocumentOnTheWire(t *testing.T) {
	m := sample()
	m.Kind, m.Body = message.KindMap, Body{Form: Fields, Map: wire.Map{
		{Key: "id", Value: int64(1 << 60)},
		{Key: "raw", Value: []byte{0, 255}},
		{Key: "inner", Value: wire.Map{{Key: "t", Value: "x"}, {Key: "v", Value: nil}}},
		{Key: "rates", Value: wire.Array{Constructor: 0x82, Values: []any{0.5, math.Inf(1)}}},
	}}
	headers, body, err := JSON.Out(m, DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	if len(headers) != 1 || headers[0] != (Header{"Content-Type", "application/json"}) {
		t.Errorf("%q", headers)
	}
	want := `{"headers":{"JMSDeliveryMode":2,"JMSPriority":7,"JMSTimestamp":"1700000000000","JMSExpiration":"1700000060000",` +
		`"JMSDeliveryTime":"1700000000500","JMSMessageID":"ID:EMS.1:1","JMSCorrelationID":"order 7","JMSType":"new",` +
		`"JMSDestination":"topic://orders","JMSReplyTo":"temp-queue://answers","JMSRedelivered":true,"JMSXDeliveryCount":2},` +
		`"properties":{"JMSXGroupID":"g","JMSXGroupSeq":3,"JMSXUserID":"alice","color":{"t":"string","v":"red"},` +
		`"price":{"t":"f64","v":1.5},"count":{"t":"i32","v":3},"paid":{"t":"bool","v":true}},` +
		`"body":{"type":"map","value":{"id":{"t":"i64","v":"1152921504606846976"},"raw":{"t":"opaque","v":"AP8="},` +
		`"inner":{"t":"msg","v":{"t":{"t":"string","v":"x"},"v":{"t":"null"}}},"rates":{"t":"f64array","v":[0.5,"Infinity"]}}}}`
	if string(body) != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
}

// TestRendezvousTypes is EMS's table (ems 9): what each type of Rendezvous becomes.
func TestRendezvousTypes(t *testing.T) {
	array := func(code byte, v ...any) wire.Array { return wire.Array{Constructor: code, Values: v} }
	for _, c := range []struct {
		text string
		want any
	}{
		{`{"t":"bool","v":true}`, true},
		{`{"t":"i8","v":-128}`, int8(-128)},
		{`{"t":"u8","v":255}`, int16(255)},
		{`{"t":"i16","v":-32768}`, int16(-32768)},
		{`{"t":"u16","v":65535}`, int32(65535)},
		{`{"t":"i32","v":-1}`, int32(-1)},
		{`{"t":"u32","v":4294967295}`, int64(4294967295)},
		{`{"t":"i64","v":"-9223372036854775808"}`, int64(math.MinInt64)},
		{`{"t":"i64","v":5}`, int64(5)},
		{`{"t":"u64","v":"18446744073709551615"}`, int64(-1)},
		{`{"t":"f32","v":0.1}`, float32(0.1)},
		{`{"t":"f64","v":"-Infinity"}`, math.Inf(-1)},
		{`{"t":"f64","v":-0.0}`, math.Copysign(0, -1)},
		{`{"t":"ipport16","v":65535}`, int16(-1)},
		{`{"t":"ipaddr32","v":4294967295}`, int32(-1)},
		{`{"t":"datetime","v":"1700000000000"}`, int64(1700000000000)},
		{`{"t":"datetime","v":"2023-11-14T22:13:20.5Z"}`, int64(1700000000500)},
		{`{"t":"opaque","v":"AP8="}`, []byte{0, 255}},
		{`{"t":"xml","v":"PGEvPg=="}`, []byte("<a/>")},
		{`{"t":"string","v":"\ud83d\ude42 \ud83d \u0000"}`, "🙂 \uFFFD \x00"},
		{`{"v":{"a":1},"t":"msg"}`, wire.Map{{Key: "a", Value: int32(1)}}},
		{`{"t":"list","v":[1,[2]]}`, wire.List{int32(1), wire.List{int32(2)}}},
		{`{"t":"i8array","v":[-1,1]}`, []byte{255, 1}},
		{`{"t":"u8array","v":[255]}`, array(0x61, int16(255))},
		{`{"t":"i16array","v":[1]}`, array(0x61, int16(1))},
		{`{"t":"u16array","v":[65535]}`, array(0x71, int32(65535))},
		{`{"t":"i32array","v":[]}`, array(0x71)},
		{`{"t":"u32array","v":[4294967295]}`, array(0x81, int64(4294967295))},
		{`{"t":"i64array","v":["1",2]}`, array(0x81, int64(1), int64(2))},
		{`{"t":"u64array","v":["18446744073709551615"]}`, array(0x81, int64(-1))},
		{`{"t":"f32array","v":[1.5]}`, array(0x72, float32(1.5))},
		{`{"t":"f64array","v":["NaN"]}`, array(0x82, math.Float64frombits(javaNaN64))},
		{`{"t":"uuid","v":"01000000-0000-0000-0000-000000000000"}`, wire.UUID{1}},
		{`{"t":"char","v":"é"}`, wire.Char('é')},
		{`{"t":"null"}`, nil},
		{`{"t":"null","v":null}`, nil},
		{`{"t":"null","x":1}`, wire.Map{{Key: "t", Value: "null"}, {Key: "x", Value: int32(1)}}},
		// What other programs write: plain JSON.
		{`null`, nil},
		{`true`, true},
		{`"x"`, "x"},
		{`2147483647`, int32(math.MaxInt32)},
		{`2147483648`, int64(math.MaxInt32 + 1)},
		{`9223372036854775808`, float64(1 << 63)},
		{`1.0`, 1.0},
		{`1e400`, math.Inf(1)},
		{`{"a":{"b":[]}}`, wire.Map{{Key: "a", Value: wire.Map{{Key: "b", Value: wire.List{}}}}}},
		{`{"t":"temperature","v":20}`, wire.Map{{Key: "t", Value: "temperature"}, {Key: "v", Value: int32(20)}}},
		{`{"t":"i32","v":1,"unit":"K"}`, wire.Map{{Key: "t", Value: "i32"}, {Key: "v", Value: int32(1)}, {Key: "unit", Value: "K"}}},
		{`{"t":5,"v":20}`, wire.Map{{Key: "t", Value: int32(5)}, {Key: "v", Value: int32(20)}}},
	} {
		m := read(t, JSON, nil, `{"properties":{"p":`+c.text+`},"body":{"type":"map","value":{"f":`+c.text+`}}}`)
		mustSame(t, m, &Message{
			Kind: message.KindMap, Priority: 4, Properties: []Property{{"p", c.want}},
			Body: Body{Form: Fields, Map: wire.Map{{Key: "f", Value: c.want}}},
		})
	}
}

// TestForeignDocuments: what other programs may write, and what it becomes.
func TestForeignDocuments(t *testing.T) {
	for _, c := range []struct {
		text string
		want *Message
	}{
		{
			`{"price": 1.5, "lots": [1, 2]}`, // no field of JMS's: a map message, as in Rendezvous
			&Message{Kind: message.KindMap, Priority: 4, Body: Body{Form: Fields, Map: wire.Map{{Key: "price", Value: 1.5}, {Key: "lots", Value: wire.List{int32(1), int32(2)}}}}},
		},
		{`{"headers":{}}`, &Message{Priority: 4}},
		{
			`{"headers":{"JMSPriority":{"t":"u8","v":9},"JMSDeliveryMode":"persistent","JMSTimestamp":5,"JMSRedelivered":true,"JMSType":null,"x-y":1},"body":{"type":"text","value":"a"}}`,
			&Message{
				Kind: message.KindText, Priority: 9, Persistent: true, Timestamp: 5, DeliveryCount: 1, Body: Body{Form: Text, Text: "a"},
				Properties: []Property{{"x_HYPHEN_y", int32(1)}},
			},
		},
		{
			`{"properties":{"JMSXGroupID":"g","JMSXGroupSeq":-1,"plain":"s"},"body":{"type":"bytes","value":"YQ=="}}`,
			&Message{Kind: message.KindBytes, Priority: 4, GroupID: "g", GroupSequence: wire.Some(uint32(math.MaxUint32)), Body: Body{Form: Bytes, Bytes: []byte("a")}, Properties: []Property{{"plain", "s"}}},
		},
	} {
		mustSame(t, read(t, JSON, nil, c.text), c.want)
	}
}

// TestBadDocuments: each error says where in the document, and how to mend it.
func TestBadDocuments(t *testing.T) {
	for text, want := range map[string]string{
		``:                                      "at byte 0: no JSON value",
		`[]`:                                    "the message is a list: write a JSON object",
		`{"headers":1}`:                         "headers: is a number and must be an object",
		`{"a":1}x`:                              "at byte 7: something stands behind",
		`{"a":1,}`:                              "at byte 7: no name of a member",
		`{"a" 1}`:                               "no colon",
		`{"a":[1 2]}`:                           "neither a comma nor ']'",
		`{"a":01}`:                              "neither a comma nor '}'",
		`{"a":1.}`:                              "no digit behind the point",
		`{"a":"` + "\n" + `"}`:                  `write \u000A`,
		`{"a":"\x"}`:                            "escaped",
		`{"a":"\u12"}`:                          "four digits",
		`{"a":"`:                                "ends within a string",
		`{"a":{"t":"i8","v":128}}`:              `a: "128" is no value of type i8: value out of range`,
		`{"a":{"b":{"t":"opaque","v":"!"}}}`:    "a.b:",
		`{"a":{"t":"msg","v":[]}}`:              "a: of type msg must be an object, and is a list",
		`{"a":{"t":"i32array","v":[1,"x"]}}`:    `"x" is no value of type i32`,
		`{"a":{"t":"i32array","v":1}}`:          "must be a list",
		`{"a":{"t":"i32","v":[]}}`:              "cannot be a list",
		`{"a":{"t":"datetime","v":"noon"}}`:     "2006-01-02T15:04:05Z",
		`{"a":{"t":"amqp","v":"cA=="}}`:         "a:",
		`{"headers":{"JMSPriority":256}}`:       "JMSPriority: is no number from 0 to 255",
		`{"headers":{"JMSType":1}}`:             "JMSType: is a number and must be a string",
		`{"properties":{"JMSXGroupSeq":1.5}}`:   "JMSXGroupSeq",
		`{"body":{}}`:                           "body.type",
		`{"body":{"type":1}}`:                   "body.type: is a number and must be a string",
		`{"body":{"type":"text"}}`:              "body.value: is missing",
		`{"body":{"type":"text","value":1}}`:    "body.value",
		`{"body":{"type":"bytes","value":"?"}}`: "base64",
		`{"body":{"type":"message","value":1}}`: "has none",
		`{"body":{"type":"map","value":[]}}`:    "a map message is a JSON object, and this is a list",
	} {
		err := JSON.In(nil, []byte(text), DefaultOptions(), &Message{})
		if err == nil {
			t.Errorf("%s is taken", text)
		} else if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "import as ems-json") {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// TestLimitsOfJSON: what nests too deep or holds too much is refused before it is made.
func TestLimitsOfJSON(t *testing.T) {
	nested := func(open, close string, n int) string {
		return `{"a":` + strings.Repeat(open, n) + strings.Repeat(close, n) + `}`
	}
	for _, c := range []struct{ text, want string }{
		{nested("[", "]", MaxDepth), "deeper than 32 levels"},
		{nested(`{"t":"list","v":[`, "]}", MaxDepth), "deeper than 32 levels"},
		{nested("[", "]", 100_000), "deeper than the limit"},
		{`{"a":[` + strings.Repeat("1,", MaxValues) + `1]}`, "more than 262144 values"},
		{`{"a":[` + strings.Repeat("1,", 4*MaxValues) + `1]}`, "more values than the limit"},
		{`{"a":{"t":"amqp","v":"` + base64s.EncodeToString(wire.AppendValue(nil, wire.Array{Values: make([]any, MaxValues+1)})) + `"}}`, "a:"},
		{strings.Repeat(" ", MaxBody+1), "limit is 67108864"},
	} {
		err := JSON.In(nil, []byte(c.text), DefaultOptions(), &Message{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40s: %v, want %s", c.text, err, c.want)
		}
	}
	read(t, JSON, nil, nested("[", "]", MaxDepth-1))
}

// TestSharedBody: other encodings carry map and stream bodies with JSONBody.
func TestSharedBody(t *testing.T) {
	for _, m := range []*Message{
		{Kind: message.KindMap, Body: Body{Form: Fields, Map: wire.Map{{Key: "a", Value: uint8(1)}, {Key: "", Value: nil}}}},
		{Kind: message.KindStream, Body: Body{Form: Items, List: wire.List{int64(1), "x", []byte{1}}}},
		{Kind: message.KindObject, Body: Body{Form: Foreign, Value: wire.Symbol("s")}},
	} {
		got := &Message{Kind: m.Kind}
		if err := ParseJSONBody(JSONBody(m), Limits{}, got); err != nil {
			t.Fatal(err)
		}
		mustSame(t, got, m) // of types that JMS does not have too
	}
	if err := ParseJSONBody([]byte("[]"), Limits{}, &Message{Kind: message.KindMap}); err == nil {
		t.Error("a list is taken for a map")
	}
}

// TestJSONIsJSON: what goes out is what Go's own reader of JSON takes.
func TestJSONIsJSON(t *testing.T) {
	for _, s := range []string{"", "\x00\x1f\"\\\r\n\t", "\xff", "日本\u2028", "</script>"} {
		var back string
		if err := json.Unmarshal(appendString(nil, s), &back); err != nil || back != clean(s) {
			t.Errorf("%q comes back as %q, %v", s, back, err)
		}
	}
}
