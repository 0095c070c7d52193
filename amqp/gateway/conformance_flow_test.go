package gateway_test

import (
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

func TestConformanceFlowWithoutFields(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		p.bytes(raw(0, frame.CodeFlow))
		p.want("close decode-error")
	})
}

func TestConformanceFlowEchoOfSession(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		p.send(0, &frame.Flow{NextIncomingID: wire.Some(uint32(0)), IncomingWindow: 10, OutgoingWindow: 10, Echo: true})
		p.want("flow next-incoming-id=0 incoming-window next-outgoing-id=0 outgoing-window !handle !echo")
	})
}

func TestConformanceFlowEchoOfLink(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(receiver(7, "q"))
		f := flow(7, 0, 3)
		f.Echo = true
		p.send(0, f)
		p.want("flow handle=0 delivery-count=0 link-credit=3 !echo")
		p.attach(sender(8, "q"))
		f = &frame.Flow{NextIncomingID: wire.Some(uint32(0)), IncomingWindow: 10, OutgoingWindow: 10, Echo: true, Handle: wire.Some(uint32(8))}
		p.send(0, f)
		p.want("flow handle=1 delivery-count=0 link-credit=2048 !echo")
	})
}

func TestConformanceFlowUnknownHandle(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		p.send(0, flow(9, 0, 1))
		p.want("end unattached-handle")
	})
}

func TestConformanceFlowRewound(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		p.send(0, transfer(0, 0), text("x"))
		p.want("disposition accepted")
		p.bytes(encode(0, &frame.Flow{NextIncomingID: wire.Some(uint32(0)), IncomingWindow: 10, OutgoingWindow: 10}))
		p.want("end window-violation")
	})
}

func TestConformanceFlowSynchronousGet(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("one"), text("two"))
		p := w.attached(receiver(0, "q"))
		p.send(0, flow(0, 0, 1))
		p.want("transfer delivery-id=0 text=one")
	})
}

func TestConformanceFlowDrainOfNothing(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(receiver(0, "q"))
		p.send(0, draining(flow(0, 0, 1)))
		p.want("flow handle=0 delivery-count=1 link-credit=0 drain=true")
		p.send(0, draining(flow(0, 1, 0))) // no credit to use up: answered all the same
		p.want("flow handle=0 delivery-count=1 link-credit=0 drain=true")
	})
}

// A drain that says no credit drains what there is.
func TestConformanceFlowDrainWithoutCredit(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(receiver(0, "q"))
		p.send(0, flow(0, 0, 3))
		f := draining(flow(0, 0, 0))
		f.LinkCredit, f.DeliveryCount = wire.Optional[uint32]{}, wire.Optional[uint32]{}
		p.send(0, f)
		p.want("flow handle=0 delivery-count=3 link-credit=0 drain=true")
	})
}

func TestConformanceFlowEchoThenDrain(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(receiver(0, "q"))
		f := flow(0, 0, 1)
		f.Echo = true
		p.send(0, f)
		p.want("flow handle=0 link-credit=1 !drain")
		p.send(0, draining(flow(0, 0, 1)))
		p.want("flow handle=0 delivery-count=1 link-credit=0 drain=true")
	})
}

func TestConformanceFlowDrainAfterAMessage(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("one"))
		p := w.attached(receiver(0, "q"))
		p.send(0, flow(0, 0, 1))
		p.want("transfer text=one")
		p.send(0, settle(0, 0, frame.Accepted{}))
		p.send(0, draining(flow(0, 1, 1)))
		p.want("flow handle=0 delivery-count=2 link-credit=0 drain=true")
	})
}

func TestConformanceFlowDrainBehindMessages(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("one"))
		p := w.attached(receiver(0, "q"))
		p.send(0, draining(flow(0, 0, 2)))
		p.want("transfer text=one", "flow handle=0 delivery-count=2 link-credit=0 drain=true")
		w.put("q", text("two")) // what comes later stays
		p.want()
	})
}

func TestConformanceFlowCreditCountsOn(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("one"), text("two"), text("three"))
		p := w.attached(receiver(0, "q"))
		p.send(0, flow(0, 0, 1))
		p.want("transfer delivery-id=0 text=one")
		p.send(0, flow(0, 1, 1))
		p.want("transfer delivery-id=1 text=two")
		p.send(0, settle(0, 1, frame.Accepted{}))
		p.want()
		w.wantDepth("q", 1)
	})
}

func TestConformanceFlowCreditTakenBack(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("one"))
		p := w.attached(receiver(0, "q"))
		p.send(0, flow(0, 0, 2))
		p.want("transfer text=one")
		f := flow(0, 1, 0)
		f.Echo = true
		p.send(0, f)
		p.want("flow handle=0 delivery-count=1 link-credit=0")
		w.put("q", text("two"))
		p.want()
		other := w.connected("b")
		other.attach(receiver(0, "q"))
		other.send(0, flow(0, 0, 1))
		other.want("transfer text=two")
	})
}

// There is no management node yet; a temporary one stands for it.
func TestConformanceFlowDrainOfDynamicSource(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		r := receiver(0, "")
		r.Source.Dynamic = true
		p.attach(r)
		p.send(0, draining(flow(0, 0, 5)))
		p.want("flow handle=0 link-credit=0 drain=true")
	})
}
