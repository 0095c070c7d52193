package gateway_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/property"
)

// define gives a queue properties, as a line of queues.conf would.
func (w *world) define(name, properties string) {
	w.t.Helper()
	items, wrong := property.ParseList(property.Queue, properties)
	if len(wrong) > 0 {
		w.t.Fatal(wrong[0])
	}
	d := property.Definition{Name: name}
	for _, i := range items {
		d.Set = d.Set.With(i.Value)
	}
	w.do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		if err := b.SetDefinition(now, core.Queue, d, fx); err != nil {
			w.t.Fatal(err)
		}
	})
}

// TestSenderNameOfALargeMessage: its file is written with the name, whatever it claims
// to be, and the rest of it is as it was sent.
func TestSenderNameOfALargeMessage(t *testing.T) {
	conform(t, func(w *world) {
		w.define("q", "sender_name_enforced")
		b := message.NewBuilder()
		body := bytes.Repeat([]byte("0123456789"), justLarge/10)
		b.SetData(body)
		b.Header.Durable = true
		b.SetProperty(message.SenderProperty, "bob")
		b.SetProperty("n", int32(7))
		p := w.connected("a")
		p.attach(sender(0, "q"))
		p.stream(0, 0, nil, b.Append(nil), nil)
		if _, lines := p.arrived(); !strings.Contains(strings.Join(lines, "\n"), "accepted") {
			t.Fatal(lines)
		}
		w.restart()
		p = w.connected("b")
		p.attach(receiver(0, "q"))
		p.send(0, flow(0, 0, 1))
		payload, _ := p.arrived()
		m, err := message.Index(payload[0], nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		name, _ := m.ApplicationProperty(message.SenderProperty)
		n, _ := m.ApplicationProperty("n")
		if got, _ := m.Bytes(); name != core.AnonymousSender || n != int32(7) || !bytes.Equal(got, body) {
			t.Errorf("%v, n %v and %d bytes come", name, n, len(got))
		}
	}, roomy)
}
