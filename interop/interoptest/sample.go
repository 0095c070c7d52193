package interoptest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/translate"
)

// samples are a message of each JMS type, with typed properties and all headers.
func samples(prefix string) []*translate.Message {
	bodies := []struct {
		kind message.Kind
		body translate.Body
	}{
		{message.KindText, translate.Body{Form: translate.Text, Text: "héllo\nworld"}},
		{message.KindText, translate.Body{Form: translate.Null}},
		{message.KindBytes, translate.Body{Form: translate.Bytes, Bytes: []byte{0, 1, 0xff, 0xfe, '\r', '\n'}}},
		{message.KindMap, translate.Body{Form: translate.Fields, Map: wire.Map{{Key: "flag", Value: true}, {Key: "count", Value: int64(1) << 60}, {Key: "name", Value: "x"}, {Key: "blob", Value: []byte{1, 2}}}}},
		{message.KindStream, translate.Body{Form: translate.Items, List: wire.List{int32(7), "seven", float64(7.5), int8(-7)}}},
		{message.KindObject, translate.Body{Form: translate.Bytes, Bytes: []byte{0xac, 0xed, 0, 5, 0x70}}},
		{message.KindMessage, translate.Body{}},
	}
	all := make([]*translate.Message, 0, len(bodies))
	for i, b := range bodies {
		m := plain(fmt.Sprintf("%s-%d", prefix, i), "")
		m.Kind, m.Body = b.kind, b.body
		m.CorrelationID, m.Type, m.Priority = fmt.Sprintf("order %d", i), "new order", 7
		m.GroupID, m.GroupSequence = "group", wire.Some(uint32(i))
		m.Properties = []translate.Property{
			{Name: "boolean", Value: true},
			{Name: "byte", Value: int8(-3)},
			{Name: "short", Value: int16(-300)},
			{Name: "int", Value: int32(70000)},
			{Name: "long", Value: int64(1)<<53 + 1},
			{Name: "float", Value: float32(1.5)},
			{Name: "double", Value: -0.1},
			{Name: "text", Value: "grün: a=b"},
			{Name: "Mixed_Case", Value: ""},
		}
		all = append(all, m)
	}
	return all
}

// plain is a persistent text message.
func plain(id, text string) *translate.Message {
	return &translate.Message{
		Kind: message.KindText, MessageID: "ID:" + id, Priority: message.DefaultPriority, Persistent: true,
		Timestamp: time.Now().UnixMilli(), Body: translate.Body{Form: translate.Text, Text: text},
	}
}

// numbered are plain messages whose property n counts them.
func numbered(prefix string, n int) []*translate.Message {
	all := make([]*translate.Message, n)
	for i := range all {
		all[i] = plain(fmt.Sprintf("%s-%d", prefix, i), strings.Repeat("x", i%64))
		all[i].Properties = []translate.Property{{Name: "n", Value: int32(i)}}
	}
	return all
}

// addressed builds a message as a client sends it to a destination.
func addressed(m *translate.Message, to interop.Destination) *message.Message {
	m.Destination = translate.Destination{Name: to.Name, Kind: translate.KindOf(to.Kind == core.Topic, to.Temporary)}
	return m.Build(nil)
}

func number(t testing.TB, m *translate.Message) int {
	t.Helper()
	v, _ := m.Get("n")
	n, ok := wire.Integer(v)
	if !ok {
		t.Fatalf("message %v has no number", m.MessageID)
	}
	return int(n)
}

// same compares what arrived with what was sent. What belongs to a hop is left out: where
// to, where replies go, and the marks of an import.
func same(t testing.TB, e translate.Encoding, sent, got *translate.Message) {
	t.Helper()
	if e == translate.Raw {
		if !bytes.Equal(bytesOf(sent), bytesOf(got)) {
			t.Errorf("message %v: the body is %q, sent was %q", sent.MessageID, bytesOf(got), bytesOf(sent))
		}
		return
	}
	if d := cmp.Diff(comparable(sent), comparable(got)); d != "" {
		t.Errorf("message %v is not what it was (- sent, + arrived):\n%s", sent.MessageID, d)
	}
}

func bytesOf(m *translate.Message) []byte {
	if m.Body.Form == translate.Text {
		return []byte(m.Body.Text)
	}
	return m.Body.Bytes
}

func comparable(m *translate.Message) translate.Message {
	c := *m
	c.Destination, c.ReplyTo, c.Annotations, c.TTL, c.DeliveryCount = translate.Destination{}, translate.Destination{}, nil, 0, 0
	c.MessageID, c.CorrelationID = message.MessageIDString(c.MessageID), message.CorrelationIDString(c.CorrelationID)
	c.ContentType = ""
	c.Properties = nil
	for _, p := range m.Properties {
		if !strings.HasPrefix(p.Name, "JMS_TIBCO_") {
			c.Properties = append(c.Properties, p)
		}
	}
	slices.SortFunc(c.Properties, func(x, y translate.Property) int { return strings.Compare(x.Name, y.Name) })
	if len(c.Body.Bytes) == 0 {
		c.Body.Bytes = nil
	}
	return c
}

// rawable says whether a message keeps its body with encoding raw.
func rawable(m *translate.Message) bool {
	return m.Body.Form == translate.Text || m.Body.Form == translate.Bytes
}

func counts(c interop.Counts) string {
	return fmt.Sprintf(" (out %d again %d lost %d, in %d again %d known %d lost %d, loops %d, refused %d)",
		c.Exported, c.Resent, c.LostOut, c.Imported, c.Redelivered, c.Duplicates, c.LostIn, c.LoopDropped, c.Refused)
}
