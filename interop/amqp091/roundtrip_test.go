package amqp091

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	amqp "github.com/rabbitmq/amqp091-go"
	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/translate"
)

// losses are what the encoding headers does not keep on this way: the list of
// docs/transport-amqp091.md, by the words that stand there. What it becomes is done to
// the message that is wanted.
var losses = []struct {
	what  string
	apply func(w *way)
}{
	{"no JMSMessageID", func(w *way) {
		if w.want.MessageID == nil {
			w.want.MessageID = message.ParseID(w.out.ID)
		}
	}},
	{"A temporary JMSReplyTo", func(w *way) {
		if k := w.want.ReplyTo.Kind; k == translate.TemporaryQueue || k == translate.TemporaryTopic {
			w.want.ReplyTo = translate.Destination{Name: w.out.ReplyTo, Kind: translate.Queue}
		}
	}},
	{"not UTF-8", func(w *way) { cleanTexts(w.want) }},
	{"The order of properties", func(w *way) {
		byName := func(x, y translate.Property) int { return strings.Compare(x.Name, y.Name) }
		slices.SortStableFunc(w.want.Properties, byName)
		slices.SortStableFunc(w.got.Properties, byName)
	}},
}

// way is a message's out and back in.
type way struct {
	out       *interop.Outbound
	want, got *translate.Message
}

func cleanTexts(m *translate.Message) {
	if m.Body.Form == translate.Text && !utf8.ValidString(m.Body.Text) {
		m.Kind, m.Body = message.KindBytes, translate.Body{Form: translate.Bytes, Bytes: []byte(m.Body.Text)}
	}
	for _, s := range []*string{&m.Type, &m.GroupID, &m.ReplyTo.Name, &m.Destination.Name, &m.ContentType} {
		*s = clean(*s)
	}
	for i := range m.Properties {
		p := &m.Properties[i]
		p.Name = clean(p.Name)
		switch v := p.Value.(type) {
		case string:
			p.Value = clean(v)
		case wire.Symbol:
			p.Value = wire.Symbol(clean(string(v)))
		}
	}
	for _, id := range []*any{&m.MessageID, &m.CorrelationID} {
		if s, ok := (*id).(string); ok {
			*id = clean(s)
		}
	}
}

// TestLossesAreDocumented holds the page for users to the list.
func TestLossesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/transport-amqp091.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range losses {
		if !bytes.Contains(page, []byte(l.what)) {
			t.Errorf("docs/transport-amqp091.md does not say what becomes of: %s", l.what)
		}
	}
}

// TestRoundTrip is acceptance 3 of issue 7 for this transport: what goes out and comes
// back in is equal, or the loss is in the list.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, refused := draw(t)
		if refused != nil {
			return // it does not go out, and says why
		}
		w.check(t)
	})
}

// TestRoundTripByRabbitMQ sends such messages through the broker itself, which reads and
// writes all that is not the body.
func TestRoundTripByRabbitMQ(t *testing.T) {
	r := openRabbit(t)
	ch := r.channel(t)
	q, err := ch.QueueDeclare("", false, false, true, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	from, err := ch.Consume(q.Name, "", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		w, refused := draw(t)
		if refused != nil {
			return
		}
		p := w.published
		p.Expiration = "" // it would be gone
		if err := ch.Publish("", q.Name, false, false, p); err != nil {
			t.Fatal(err)
		}
		select {
		case d, ok := <-from:
			if !ok {
				t.Fatalf("the broker closed the channel at %+v", p)
			}
			w.read(t, &d)
			w.check(t)
		case <-time.After(30 * time.Second):
			t.Fatal("no message came back")
		}
	})
}

// drawn is a way, with what goes over the wire.
type drawn struct {
	way
	published amqp.Publishing
}

var roundTrip = &settings{prefix: "p.", exchange: defaultExchange, options: translate.DefaultOptions()}

// draw draws a message, and sends it out; and back, without a broker.
func draw(t *rapid.T) (*drawn, error) {
	sent := drawMessage(t).Build(nil)
	w := &drawn{way: way{out: &interop.Outbound{Message: sent, To: interop.Destination{Kind: interop.Topic, Name: "t"}, ID: "gw.1.2"}, want: &translate.Message{}}}
	if err := translate.Read(sent, w.want); err != nil {
		t.Fatal(err)
	}
	now := time.Now().UnixMilli()
	w.out.Expires = w.want.Expiration
	if w.want.TTL > 0 && w.want.Expiration == 0 { // the broker makes it so when it arrives
		w.out.Expires = now + int64(w.want.TTL)
		w.want.Expiration, w.want.TTL = w.out.Expires, 0
	}
	if k := w.want.ReplyTo.Kind; k == translate.TemporaryQueue || k == translate.TemporaryTopic {
		w.out.ReplyTo = "tidegate.reply.x.1"
	}
	e := encoder{settings: roundTrip, frame: 131072}
	p, err := e.encode(w.out, now)
	if err != nil {
		return nil, err
	}
	if strings.Contains(p.Expiration, "-") {
		t.Fatalf("expiration is %s", p.Expiration)
	}
	w.published = *p
	d := amqp.Delivery{
		Headers: amqp.Table{}, ContentType: p.ContentType, ContentEncoding: p.ContentEncoding, DeliveryMode: p.DeliveryMode, Priority: p.Priority,
		CorrelationId: p.CorrelationId, ReplyTo: p.ReplyTo, Expiration: p.Expiration, MessageId: p.MessageId, Timestamp: p.Timestamp, Type: p.Type, AppId: p.AppId, Body: p.Body,
	}
	if !p.Timestamp.IsZero() {
		d.Timestamp = time.Unix(p.Timestamp.Unix(), 0)
	}
	for name, v := range p.Headers {
		if len(name) > maxShort {
			t.Fatalf("header %q is too long", name)
		}
		d.Headers[name] = v
	}
	w.read(t, &d)
	return w, nil
}

func (w *drawn) read(t *rapid.T, d *amqp.Delivery) {
	w.got = &translate.Message{}
	if _, err := roundTrip.decode(d, w.got); err != nil {
		t.Fatalf("in: %v\n%+v", err, d)
	}
}

// check compares what came back with what is wanted.
func (w *drawn) check(t *rapid.T) {
	want := *w.want
	want.Properties = last(want.Properties)
	w.want = &want
	for _, l := range losses {
		l.apply(&w.way)
	}
	if !bytes.Equal(w.got.Append(nil, nil), w.want.Append(nil, nil)) {
		t.Fatalf("got  %+v\nwant %+v\nby   %+v", w.got, w.want, w.published)
	}
}

// last leaves one property of each name.
func last(all []translate.Property) (some []translate.Property) {
	for _, p := range all {
		some = slices.DeleteFunc(some, func(o translate.Property) bool { return o.Name == p.Name })
		some = append(some, p)
	}
	return some
}

var words = rapid.OneOf(
	rapid.StringN(0, 10, -1),
	rapid.SampledFrom([]string{"", " a ", "100%", "%41", "日本", "\xff\xfe", "line\r\nline", "\x00", strings.Repeat("w", 255), strings.Repeat("w", 256), strings.Repeat("ü", 128), "topic://t", "ID:x"}),
)

var names = rapid.OneOf(words, rapid.SampledFrom([]string{
	"CC", "bcc", "x-death", "X-Delivery-Count", "x-delivery-count", "JMSXAppID", "JMS-Priority", "JMS-Body", "JMSP-a", "jms-type", "Ems-Origin", "Nats-Msg-Id",
	"Content-Type", "content-encoding", "with-hyphen", "with.dot", "ordinary", "expiration", "message_id",
}))

// drawProperty draws a value of JMS, or one that only other clients of AMQP send.
func drawProperty(t *rapid.T) any {
	switch rapid.IntRange(0, 12).Draw(t, "type") {
	case 0:
		return rapid.Bool().Draw(t, "bool")
	case 1:
		return rapid.Int8().Draw(t, "byte")
	case 2:
		return rapid.Int16().Draw(t, "short")
	case 3:
		return rapid.Int32().Draw(t, "int")
	case 4:
		return rapid.Int64().Draw(t, "long")
	case 5:
		return rapid.OneOf(rapid.Float32(), rapid.SampledFrom([]float32{float32(math.NaN()), float32(math.Inf(-1)), float32(math.Copysign(0, -1)), math.SmallestNonzeroFloat32})).Draw(t, "float")
	case 6:
		return rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Copysign(0, -1), math.SmallestNonzeroFloat64, math.MaxFloat64})).Draw(t, "double")
	case 7:
		return rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "bytes")
	case 8:
		return nil
	case 9:
		return rapid.Uint32().Draw(t, "uint")
	case 10:
		return wire.Timestamp(rapid.Int64().Draw(t, "timestamp"))
	case 11:
		return wire.Symbol(words.Draw(t, "symbol"))
	}
	return words.Draw(t, "string")
}

func drawID(t *rapid.T, what string) any {
	switch rapid.IntRange(0, 4).Draw(t, what) {
	case 0:
		return nil
	case 1:
		return rapid.Uint64().Draw(t, "ulong")
	case 2:
		return rapid.SliceOfN(rapid.Byte(), 1, 9).Draw(t, "binary")
	case 3:
		return "ID:" + words.Draw(t, "id")
	}
	return words.Draw(t, "id")
}

func drawBody(t *rapid.T) (message.Kind, translate.Body) {
	switch rapid.IntRange(0, 6).Draw(t, "body") {
	case 0:
		return message.KindText, translate.Body{Form: translate.Null}
	case 1:
		return message.KindBytes, translate.Body{Form: translate.Bytes, Bytes: rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "bytes")}
	case 2:
		return message.KindObject, translate.Body{Form: translate.Bytes, Bytes: []byte{0xac, 0xed}}
	case 3:
		return message.KindMap, translate.Body{Form: translate.Fields, Map: wire.Map{{Key: "k", Value: rapid.Int64().Draw(t, "long")}, {Key: "b", Value: []byte{1}}}}
	case 4:
		return message.KindStream, translate.Body{Form: translate.Items, List: wire.List{int8(1), "x", rapid.Float64().Draw(t, "double")}}
	case 5:
		return message.KindMessage, translate.Body{}
	}
	return message.KindText, translate.Body{Form: translate.Text, Text: words.Draw(t, "text")}
}

// drawMessage draws one that a client may have sent here. Bodies are translate's
// business: there are a few of each kind.
func drawMessage(t *rapid.T) *translate.Message {
	m := &translate.Message{
		MessageID: drawID(t, "message id"), CorrelationID: drawID(t, "correlation id"), Type: words.Draw(t, "type"),
		Destination: translate.Destination{Name: "t", Kind: translate.Topic},
		ReplyTo:     translate.Destination{Name: words.Draw(t, "reply to"), Kind: translate.DestinationKind(rapid.IntRange(0, 4).Draw(t, "reply kind"))},
		Priority:    rapid.Uint8().Draw(t, "priority"), Persistent: rapid.Bool().Draw(t, "persistent"),
		Timestamp:  rapid.SampledFrom([]int64{0, 1, 999, 1000, -5, 1_700_000_000_000, 1_700_000_000_123, math.MaxInt64}).Draw(t, "timestamp"),
		Expiration: rapid.SampledFrom([]int64{0, 1, 4_000_000_000_123, math.MaxInt64}).Draw(t, "expiration"),
		TTL:        rapid.SampledFrom([]uint32{0, 1, math.MaxUint32}).Draw(t, "ttl"),
		GroupID:    words.Draw(t, "group"), DeliveryTime: rapid.SampledFrom([]int64{0, 1_700_000_000_123}).Draw(t, "due"), DeliveryCount: rapid.Uint32().Draw(t, "count"),
		ContentType: rapid.SampledFrom([]string{"", "text/plain", "text/plain; charset=utf-8", "a%41", "é\xff", strings.Repeat("c", 300)}).Draw(t, "content type"),
	}
	m.Kind, m.Body = drawBody(t)
	if rapid.Bool().Draw(t, "grouped") {
		m.GroupSequence = wire.Some(rapid.Uint32().Draw(t, "sequence"))
	}
	if rapid.Bool().Draw(t, "user") {
		m.UserID = rapid.SliceOfN(rapid.Byte(), 0, 5).Draw(t, "user id")
	}
	for i := range rapid.IntRange(0, 6).Draw(t, "properties") {
		m.Properties = append(m.Properties, translate.Property{Name: names.Draw(t, fmt.Sprint("name ", i)), Value: drawProperty(t)})
	}
	return m
}
