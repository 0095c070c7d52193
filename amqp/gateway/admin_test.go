package gateway_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
)

func administered(w *world) { w.administered = true }

// office is a peer with a queue for answers and a sender to $sys.admin.
func (w *world) office() *asker {
	p := w.connected("tool")
	address := p.make(dynamic(receiver(1, "")))
	p.attach(sender(0, "$sys.admin"))
	p.send(0, flow(1, 0, 1000))
	return &asker{peer: p, replyTo: address}
}

func (a *asker) command(text string) string {
	a.t.Helper()
	b := message.NewBuilder()
	b.SetText(text)
	m := a.ask(b)
	got, _ := m.Text()
	return got
}

// TestAdminNode: requests to $sys.admin are answered at their reply-to (ems 10.7,
// docs/admin-protocol.md), and go through while storage is full.
func TestAdminNode(t *testing.T) {
	conform(t, func(w *world) {
		a := w.office()
		a.says(a.command(`{"version":1,"command":"show server"}`), `"part":0`, `"name":"server"`, `"gate"`)
		a.says(a.command(`{"version":1,"command":"show queue none"}`), `"kind":"not found"`, "queue 'none' does not exist")
		a.says(a.command(`{"version":1,"command":"shwo"}`), `"kind":"invalid"`)
		w.put("q", text("1"), text("2"))
		w.broker.Full(true)
		a.says(a.command(`{"version":1,"command":"show queues q"}`), `["q",true,"---------","5",true,0,2,`)
		a.says(a.command(`{"version":1,"command":"purge queue q"}`), "has been purged")
		w.broker.Full(false)
	}, administered)
}

// TestAdminRefusals: what can never be answered is rejected, and where that is not
// possible the link is closed.
func TestAdminRefusals(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("tool")
		address := p.make(dynamic(receiver(1, "")))
		p.attach(sender(0, "$sys.admin"))
		request := func(id uint32, body, replyTo string) {
			b := message.NewBuilder()
			b.SetText(body)
			b.Properties.ReplyTo = replyTo
			p.send(0, transfer(0, id), b.Append(nil))
		}
		const ask = `{"version":1,"command":"show state"}`
		request(0, ask, address)
		p.want("disposition first=0 accepted")
		request(1, "show state", address)
		p.want("disposition first=1 rejected amqp:invalid-field")
		request(2, ask, "$TMP$.gone")
		p.want("disposition first=2 rejected amqp:not-found")
		request(3, ask, "")
		p.want("disposition first=3 rejected amqp:invalid-field")
		request(4, ask, p.make(dynamic(receiver(2, ""), "temporary-topic")))
		p.want("disposition first=4 rejected amqp:invalid-field must be a queue")
		answers := make([][]byte, 340) // that nobody reads
		for i := range answers {
			answers[i] = text(strings.Repeat("x", 100<<10))
		}
		w.put(address, answers...)
		request(5, ask, address)
		p.want("disposition first=5 rejected amqp:resource-limit-exceeded read them first")
	}, administered)
	conform(t, func(w *world) {
		p := w.connected("tool")
		p.attach(sender(0, "$sys.admin"))
		p.send(0, transfer(0, 0), text("x"))
		p.want("disposition first=0 rejected amqp:not-found")
	})
}

// TestAdminSeesConnections: what a client said of itself, its sessions and links.
func TestAdminSeesConnections(t *testing.T) {
	conform(t, func(w *world) {
		a := w.office()
		b := w.connected("worker")
		b.attach(sender(0, "q"))
		var views []core.ConnView
		w.do(func(_ time.Time, b *core.Broker, _ *core.Effects) { views, _ = b.ConnViews(nil, 0, 10) })
		for _, v := range views {
			admin := v.ClientID == "tool"
			if v.Sessions != 1 || v.Producers != 1 || v.Admin != admin || v.Peer.Address == "" {
				t.Errorf("%+v", v)
			}
		}
		if len(views) != 2 {
			t.Errorf("%d connections", len(views))
		}
		a.says(a.command(`{"version":1,"command":"delete connection 2"}`), "has been deleted")
		b.want("close amqp:connection:forced closed by an administrator")
	}, administered)
}
