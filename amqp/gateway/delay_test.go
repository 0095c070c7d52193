package gateway_test

import (
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

// delayed is a stored message with one annotation that holds it back.
func delayed(body, annotation string, v any) []byte {
	b := message.NewBuilder()
	b.SetText(body)
	b.Header.Durable = true
	b.Annotations = wire.Map{{Key: wire.Symbol(annotation), Value: v}}
	return b.Append(nil)
}

// pass lets time go by.
func pass(d time.Duration) { <-time.After(d) }

// TestDelayedDelivery: by a time and by a delay, in the order of times, never
// early, over a restart; meanwhile in the queue that ems 7.8 names.
func TestDelayedDelivery(t *testing.T) {
	conform(t, func(w *world) {
		p := w.dial()
		p.bytes(header(frame.ProtocolAMQP))
		p.send(0, open("a"))
		p.send(0, begin())
		p.want("AMQP", "open DELAYED_DELIVERY", "begin")
		to := sender(0, "q")
		to.DesiredCapabilities = symbols("DELAYED_DELIVERY")
		p.send(0, to)
		p.want("attach role=receiver DELAYED_DELIVERY", "flow")
		now := time.Now().UnixMilli()
		for i, m := range [][]byte{
			delayed("third", "x-opt-delivery-time", now+3000),
			delayed("first", "x-opt-delivery-delay", int64(1000)),
			delayed("second", "x-opt-delivery-time", wire.Timestamp(now+2000)),
		} {
			p.send(0, transfer(0, uint32(i)), m)
			p.want("disposition accepted")
		}
		w.wantDepth("q", 0)
		w.wantDepth(core.DelayedQueuePrefix+"q", 3)
		p.attach(receiver(1, "q"))
		p.send(0, flow(1, 0, 10))
		pass(999 * time.Millisecond)
		p.want()
		pass(2 * time.Millisecond)
		p.want("transfer text=first count=0 first=true")
		p.send(0, &frame.Close{})
		p.want("close", "EOF")
		w.restart()
		q := w.attached(receiver(0, "q"))
		q.send(0, flow(0, 0, 10))
		q.want("transfer text=first count=1")
		pass(time.Second)
		q.want("transfer text=second count=0 first=true")
		pass(time.Second)
		q.want("transfer text=third count=0 first=true")
		w.wantDepth(core.DelayedQueuePrefix+"q", -1)
	})
}

// TestDelayedQueueIsBrowsed: and neither received from nor sent to.
func TestDelayedQueueIsBrowsed(t *testing.T) {
	conform(t, func(w *world) {
		held := core.DelayedQueuePrefix + "q"
		w.put("q", delayed("a", "x-opt-delivery-delay", int64(1000)), delayed("b", "x-opt-delivery-delay", int64(500)))
		p := w.connected("a")
		p.refused(receiver(0, held), "unauthorized-access")
		p.refused(sender(0, held), "unauthorized-access")
		browser := receiver(0, held)
		browser.Source.DistributionMode = "copy"
		p.attach(browser)
		p.send(0, draining(flow(0, 0, 10)))
		p.want("transfer text=a", "transfer text=b", "flow")
		w.wantDepth(held, 2)
	})
}

func TestDelayThatIsNoNumberIsRefused(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		p.send(0, transfer(0, 0), delayed("a", "x-opt-delivery-delay", "soon"))
		p.want("disposition rejected decode-error x-opt-delivery-delay")
		w.wantDepth("q", 0)
	})
}

// TestDelayedLargeMessage: its file waits with it, over a restart, and goes when
// the message does.
func TestDelayedLargeMessage(t *testing.T) {
	conform(t, func(w *world) {
		b := message.NewBuilder()
		b.Header.Durable = true
		b.Annotations = wire.Map{{Key: wire.Symbol("x-opt-delivery-delay"), Value: int64(60_000)}}
		b.SetData(make([]byte, justLarge))
		sent := b.Append(nil)
		p := w.attached(sender(0, "q"))
		p.stream(0, 0, nil, sent, nil)
		p.wantAccepted(0)
		w.wantDepth(core.DelayedQueuePrefix+"q", 1)
		p.send(0, &frame.Close{})
		p.want("close", "EOF")
		w.restart()
		w.wantFiles(1)
		p = w.attached(receiver(0, "q"))
		p.send(0, flow(0, 0, 1))
		pass(50 * time.Second)
		p.want()
		pass(9 * time.Second)
		payload, _ := p.arrived()
		if got := payload[0]; string(bare(t, got)) != string(bare(t, sent)) {
			t.Errorf("%d bytes came, %d were sent, or others", len(got), len(sent))
		}
		p.send(0, settle(0, 0, frame.Accepted{}))
		w.wantFiles(0)
	}, roomy)
}
