package gateway_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

// saying puts properties on a link.
func saying(a *frame.Attach, properties ...wire.Entry) *frame.Attach {
	a.Properties = properties
	return a
}

// forbid takes the right to send to a queue from everybody.
func (w *world) forbid(queue string) {
	w.do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		b.Authorize(now, false, func(_ string, p core.Permission, d core.Destination, _ bool) bool {
			return d.Name != queue || p != core.MaySend
		}, fx)
	})
}

func (w *world) wantDrops(want core.Drops) {
	w.t.Helper()
	var got core.Drops
	w.do(func(_ time.Time, b *core.Broker, _ *core.Effects) { got = b.Drops() })
	if got != want {
		w.t.Errorf("dropped %+v, want %+v", got, want)
	}
}

// TestReliableDelivery: RELIABLE_DELIVERY is never confirmed and never an error
// (ems 7.1). Sent settled it is that by itself; who must send unsettled says it by a
// property or a capability, and is told accepted.
func TestReliableDelivery(t *testing.T) {
	capable := sender(0, "q")
	capable.Target.(*frame.Target).Capabilities = symbols("queue", "ems-reliable")
	for name, a := range map[string]*frame.Attach{ // order: irrelevant
		"number": saying(sender(0, "q"), symbolic("ems-delivery-mode", int32(22))), "name": saying(sender(0, "q"), symbolic("ems-delivery-mode", wire.Symbol("RELIABLE"))),
		"capability": capable,
	} {
		t.Run(name, func(t *testing.T) {
			conform(t, func(w *world) {
				p := w.connected("a")
				p.send(0, a)
				p.want("attach properties={ems-delivery-mode=22}", "flow")
				p.send(0, transfer(0, 0), durable("x"))
				p.want("disposition settled=true accepted")
				w.wantDepth("q", 1)
				w.restart()
				w.wantDepth("q", -1) // it is not stored, whatever its header says

				p = w.attached(a)
				w.forbid("q")
				p.send(0, transfer(0, 0), text("x"))
				p.want("disposition settled=true accepted")
				w.wantDrops(core.Drops{Denied: 1})
			})
		})
	}
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		w.forbid("q")
		p.send(0, presettled(0, 0), text("x"))
		p.want()
		p.attach(sender(1, ""))
		p.send(0, presettled(1, 1), text("x", "q"))
		p.send(0, presettled(1, 2), text("x", "$TMP$.gate.1.1"))
		p.want()
		p.send(0, transfer(1, 3), text("x", "other")) // the link lives
		p.want("disposition first=3 accepted")
		w.wantDrops(core.Drops{Denied: 2, Gone: 1})
	})
}

// TestNonPersistentCheck: npsend_check_mode decides what an answer means, and a
// link's own mode before it (ems 7.2).
func TestNonPersistentCheck(t *testing.T) {
	for _, c := range []struct {
		server core.Check
		link   string
		denied bool // is told
		gone   bool
	}{
		{core.CheckAlways, "", true, true},
		{core.CheckNever, "", false, false},
		{core.CheckTempDest, "", false, true},
		{core.CheckAuth, "", false, false}, // nobody logs in here
		{core.CheckTempAuth, "", false, true},
		{core.CheckNever, "always", true, true},
		{core.CheckAlways, "never", false, false},
		{core.CheckNever, "default", false, false},
	} {
		conform(t, func(w *world) {
			a := sender(0, "")
			if c.link != "" {
				a = saying(a, symbolic("ems-npsend-check-mode", c.link))
			}
			p := w.attached(a)
			w.forbid("q")
			said := map[bool]string{true: "rejected", false: "accepted"}
			p.send(0, transfer(0, 0), text("x", "q"))
			p.want("disposition settled=true " + said[c.denied])
			p.send(0, transfer(0, 1), text("x", "$TMP$.gate.1.1"))
			p.want("disposition settled=true " + said[c.gone])
			p.send(0, transfer(0, 2), durable("x", "q"))
			p.want("disposition settled=true rejected unauthorized-access") // persistent: always
		}, func(w *world) { w.core.SendCheck = c.server })
	}
}

// TestDeliveryModeOfALink: it stands for what headers say.
func TestDeliveryModeOfALink(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(saying(sender(0, "persistent"), symbolic("ems-delivery-mode", uint8(2))))
		p.attach(saying(sender(1, "non"), symbolic("ems-delivery-mode", "NON_PERSISTENT")))
		p.send(0, transfer(0, 0), text("x"))
		p.want("disposition accepted")
		p.send(0, transfer(1, 1), durable("x"))
		p.want("disposition accepted")
		w.restart()
		w.wantDepth("persistent", 1)
		w.wantDepth("non", -1)
	})
	conform(t, func(w *world) {
		p := w.connected("a")
		p.refused(saying(sender(0, "q"), symbolic("ems-delivery-mode", int32(3))), "invalid-field reliable")
		p.refused(saying(sender(1, "q"), symbolic("ems-npsend-check-mode", "sometimes")), "invalid-field temp_dest")
		p.refused(saying(receiver(2, "q"), symbolic("ems-ack-mode", "auto")), "invalid-field no_acknowledge")
	})
}

// TestAcknowledgeModeOfALink: NO_ACKNOWLEDGE is deliveries that go settled and are
// forgotten; EXPLICIT_CLIENT and its DUPS_OK are what AMQP does anyway.
func TestAcknowledgeModeOfALink(t *testing.T) {
	capable := receiver(0, "q")
	capable.Source.Capabilities = symbols("ems-no-acknowledge")
	settled := receiver(0, "q")
	settled.SndSettleMode = frame.SenderSettleModeSettled
	for name, c := range map[string]struct { // order: irrelevant
		a    *frame.Attach
		said string
	}{
		"settle mode": {settled, "snd-settle-mode=settled !properties"},
		"number":      {saying(receiver(0, "q"), symbolic("ems-ack-mode", int64(22))), "snd-settle-mode=settled properties={ems-ack-mode=22}"},
		"name":        {saying(receiver(0, "q"), symbolic("ems-ack-mode", "no-acknowledge")), "snd-settle-mode=settled properties={ems-ack-mode=22}"},
		"capability":  {capable, "snd-settle-mode=settled properties={ems-ack-mode=22}"},
	} {
		t.Run(name, func(t *testing.T) {
			conform(t, func(w *world) {
				w.put("q", durable("1"), durable("2"))
				p := w.connected("a")
				p.send(0, c.a)
				p.want("attach role=sender " + c.said)
				p.send(0, flow(0, 0, 1))
				p.want("transfer settled=true text=1")
				w.wantDepth("q", 1)
				p.drop()
				w.restart()
				w.wantDepth("q", 1)
			})
		})
	}
	conform(t, func(w *world) {
		w.put("q", text("1"), text("2"), text("3"))
		p := w.connected("a")
		for mode := range int64(2) {
			p.send(0, saying(receiver(uint32(mode), "q"), symbolic("ems-ack-mode", 23+mode)))
			p.want("attach role=sender !settled ems-ack-mode=" + strconv.FormatInt(23+mode, 10))
		}
		p.send(0, flow(0, 0, 3))
		p.want("transfer settled=false text=1", "transfer settled=false text=2", "transfer settled=false text=3")
		p.send(0, settle(1, 1, frame.Accepted{}))
		p.want()
		w.wantDepth("q", 2)
	})
}
