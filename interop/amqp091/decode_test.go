package amqp091

import (
	"math"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/interop/translate"
)

// TestForeign: what a program of RabbitMQ's world publishes, which has never heard of
// us: each header a property with its type, AMQP 0-9-1's own properties the headers of JMS.
func TestForeign(t *testing.T) {
	at := time.Unix(1_790_000_000, 0)
	d := &amqp.Delivery{
		ContentType: "application/json", CorrelationId: "c-1", DeliveryMode: 2, Expiration: "60000", MessageId: "m-1", Priority: 6, ReplyTo: "p.answers",
		Timestamp: at, Type: "order", UserId: "shop", AppId: "till 7", Body: []byte(`{"a":1}`),
		Headers: amqp.Table{
			"bool": true, "byte": int8(-1), "octet": uint8(200), "short": int16(-2), "ushort": uint16(60000), "int": int32(-3), "uint": uint32(4_000_000_000), "long": int64(1) << 60,
			"float": float32(1.5), "double": 2.5, "text": "grün", "broken": "a\xff", "blob": []byte{1}, "nothing": nil, "time": at, "decimal": amqp.Decimal{Scale: 2, Value: 1234},
			"table": amqp.Table{"b": []any{int32(1), "x", at}, "a": math.NaN()}, "x-death": []any{amqp.Table{"count": int64(1)}}, "x-delivery-count": int64(3), "1st": "digit", "Ems-Origin": "other;RABBIT", "Nats-Foo": "x",
		},
	}
	var m translate.Message
	origin, err := roundTrip.decode(d, &m)
	if err != nil {
		t.Fatal(err)
	}
	if origin != "other;RABBIT" {
		t.Errorf("its origin is %q", origin)
	}
	got := map[string]any{}
	for _, p := range m.Properties {
		got[p.Name] = p.Value
	}
	want := map[string]any{
		"bool": true, "byte": int8(-1), "octet": int16(200), "short": int16(-2), "ushort": int32(60000), "int": int32(-3), "uint": int64(4_000_000_000), "long": int64(1) << 60,
		"float": float32(1.5), "double": 2.5, "text": "grün", "broken": "a\uFFFD", "blob": []byte{1}, "nothing": nil, "time": int64(1_790_000_000_000), "decimal": 12.34,
		"table": `{"a":"NaN","b":[1,"x","2026-09-21T14:13:20Z"]}`, "x_HYPHEN_death": `[{"count":1}]`, "_x31_st": "digit", "JMSXAppID": "till 7",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("properties (- want, + got):\n%s", diff)
	}
	m.Properties = nil
	if diff := cmp.Diff(translate.Message{
		Kind: message.KindText, MessageID: "m-1", CorrelationID: "c-1", Type: "order", ReplyTo: translate.Destination{Name: "answers", Kind: translate.Queue}, Priority: 6, Persistent: true,
		Timestamp: 1_790_000_000_000, TTL: 60000, UserID: []byte("shop"), ContentType: "application/json", Body: translate.Body{Form: translate.Text, Text: `{"a":1}`},
	}, m); diff != "" {
		t.Errorf("message (- want, + got):\n%s", diff)
	}
}

// TestBare: a message with nothing but a body.
func TestBare(t *testing.T) {
	for _, c := range []struct {
		body []byte
		kind message.Kind
	}{{nil, message.KindText}, {[]byte("text"), message.KindText}, {[]byte{0xff, 0xfe}, message.KindBytes}} {
		var m translate.Message
		if _, err := roundTrip.decode(&amqp.Delivery{Body: c.body}, &m); err != nil || m.Kind != c.kind || m.Priority != message.DefaultPriority || m.Persistent || m.MessageID != nil {
			t.Errorf("%q becomes %+v, %v", c.body, m, err)
		}
	}
}

// FuzzDecode: whatever stands in headers, a message comes out that can be built, or an
// error.
func FuzzDecode(f *testing.F) {
	f.Add("JMS-Body", "map", []byte(`{}`), "JMSP-a", "i:1")
	f.Add("JMS-Priority", "300", []byte("x"), "x-death", "%zz")
	f.Add("Ems-Origin", "a;b", []byte{0xff}, "CC", "")
	f.Fuzz(func(t *testing.T, name, value string, body []byte, other, text string) {
		for _, v := range []any{value, []byte(value), int64(len(value)), []any{value, amqp.Table{other: text}}, time.Unix(int64(len(value)), 0)} {
			var m translate.Message
			if _, err := roundTrip.decode(&amqp.Delivery{Headers: amqp.Table{name: v, other: text}, Body: body, MessageId: value, Expiration: text, ReplyTo: other}, &m); err != nil {
				continue
			}
			m.Build(nil)
		}
	})
}
