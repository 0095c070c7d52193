package gateway_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
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

// TestAnAdministratorsExpirationOverSmallFrames: what is written anew of a message, longer
// than a header, comes whole where its first frame ends within it.
func TestAnAdministratorsExpirationOverSmallFrames(t *testing.T) {
	conform(t, func(w *world) {
		w.define("q", "expiration=1hour")
		b := message.NewBuilder()
		b.SetText("x")
		soon := wire.Timestamp(time.Now().Add(time.Minute).UnixMilli())
		b.Annotations = wire.Map{symbolic("long", strings.Repeat("annotation ", 100))}
		b.Properties = message.Properties{MessageID: "ID:1", AbsoluteExpiryTime: wire.Some(soon), GroupID: "g"}
		w.put("q", b.Append(nil))
		p := w.dial()
		p.bytes(header(frame.ProtocolAMQP))
		o := open("a")
		o.MaxFrameSize = 512
		p.send(0, o)
		p.send(0, begin())
		p.send(0, receiver(0, "q"))
		p.send(0, flow(0, 0, 1))
		synctest.Wait()
		p.mu.Lock()
		p.got = p.got[8:] // the protocol header
		p.mu.Unlock()
		payload, _ := p.arrived()
		m, err := message.Index(payload[0], nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		long, _ := m.Annotation("long")
		text, _ := m.Text()
		at := m.AbsoluteExpiryTime()
		if long != strings.Repeat("annotation ", 100) || text != "x" || m.GroupID() != "g" || m.MessageID() != "ID:1" || !at.OK || at.V <= soon {
			t.Errorf("%v, %q, group %q, expires at %v", long, text, m.GroupID(), at)
		}
	})
}
