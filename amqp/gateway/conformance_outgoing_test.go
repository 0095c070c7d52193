package gateway_test

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

// consuming is a client that has been given a queue's messages, unsettled.
func (w *world) consuming(a *frame.Attach, credit uint32) *peer {
	w.t.Helper()
	p := w.connected("consumer")
	p.attach(a)
	p.send(0, flow(a.Handle, 0, credit))
	return p
}

// wantNext checks what a fresh consumer of a queue is given.
func (w *world) wantNext(queue string, want ...string) {
	w.t.Helper()
	p := w.connected("next")
	p.attach(receiver(0, queue))
	p.send(0, flow(0, 0, 100))
	p.want(want...)
	p.drop()
}

func second(a *frame.Attach) *frame.Attach {
	a.RcvSettleMode = frame.ReceiverSettleModeSecond
	return a
}

func TestConformanceOutConnectionDropped(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("one"))
		p := w.consuming(receiver(0, "q"), 1)
		p.want("transfer text=one count=0 first=true !settled=true")
		p.drop()
		w.wantNext("q", "transfer text=one count=1 first=false")
	})
}

func TestConformanceOutSettledFirst(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("one"))
		p := w.consuming(receiver(0, "q"), 1)
		p.want("transfer text=one")
		p.send(0, settle(0, 0, frame.Accepted{}))
		p.want()
		w.wantDepth("q", 0)
	})
}

func TestConformanceOutSettledSecond(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("one"))
		p := w.consuming(second(receiver(0, "q")), 1)
		p.want("transfer text=one")
		p.send(0, unsettled(0, frame.Accepted{}))
		p.want("disposition role=sender first=0 settled=true accepted")
		p.send(0, settle(0, 0, frame.Accepted{}))
		p.want()
		w.wantDepth("q", 0)
	})
}

// Clients on first links say it unsettled as well, and wait for the answer.
func TestConformanceOutUnsettledOutcomeOnFirstLink(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", durable("one"))
		p := w.consuming(receiver(0, "q"), 1)
		p.want("transfer text=one")
		p.send(0, unsettled(0, frame.Accepted{}))
		p.want("disposition role=sender first=0 settled=true accepted")
		w.wantDepth("q", 0)
	})
}

func TestConformanceOutRejectedSecond(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("one"))
		p := w.consuming(second(receiver(0, "q")), 1)
		p.want("transfer text=one")
		p.send(0, unsettled(0, &frame.Rejected{}))
		p.want("disposition role=sender first=0 settled=true rejected")
		w.wantNext("q", "transfer text=one count=1")
	})
}

// Settled without an outcome: the link's default, which is released unless the
// client says another.
func TestConformanceOutSettledWithoutState(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("one"))
		p := w.consuming(second(receiver(0, "q")), 1)
		p.want("transfer text=one")
		p.send(0, settle(0, 0, nil))
		p.want()
		w.wantNext("q", "transfer text=one count=0 first=false")
		for _, c := range []struct {
			outcome frame.Outcome
			depth   int
		}{{&frame.Modified{DeliveryFailed: true}, 1}, {&frame.Rejected{}, 1}, {frame.Accepted{}, 0}} {
			a := receiver(1, "q")
			a.Source.DefaultOutcome = c.outcome
			p := w.consuming(a, 1)
			p.want("transfer text=one")
			p.send(0, settle(0, 0, nil))
			p.want()
			w.wantDepth("q", c.depth)
			p.drop()
		}
	})
}

// A disposition that says nothing changes nothing.
func TestConformanceOutUnsettledWithoutState(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("one"))
		p := w.consuming(second(receiver(0, "q")), 1)
		p.want("transfer text=one")
		p.send(0, unsettled(0, nil))
		p.want()
		p.send(0, unsettled(0, frame.Accepted{}))
		p.want("disposition role=sender settled=true accepted")
	})
}

func TestConformanceOutReceivedInTheMiddle(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text(strings.Repeat("x", 6000)))
		p := w.dial()
		p.bytes(header(frame.ProtocolAMQP))
		o, b := open("a"), begin()
		o.MaxFrameSize, b.IncomingWindow = 4096, 1
		p.send(0, o)
		p.send(0, b)
		p.send(0, receiver(0, "q"))
		p.want("AMQP", "open", "begin", "attach")
		f := flow(0, 0, 1)
		f.IncomingWindow = 1
		p.send(0, f)
		p.want("transfer delivery-id=0 more=true")
		p.send(0, unsettled(0, &frame.Received{SectionNumber: 1, SectionOffset: 100}))
		p.want()
		p.send(0, &frame.Flow{NextIncomingID: wire.Some(uint32(1)), IncomingWindow: 1, OutgoingWindow: 1000})
		p.want("transfer !more=true")
		p.send(0, settle(0, 0, frame.Accepted{}))
		p.want()
		w.wantDepth("q", 0)
	})
}

func TestConformanceOutPresettled(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("one"))
		a := receiver(0, "q")
		a.SndSettleMode = frame.SenderSettleModeSettled
		p := w.consuming(a, 1)
		p.want("transfer text=one settled=true")
		w.wantDepth("q", 0)
		p.drop()
		w.wantDepth("q", -1)
	})
}

func TestConformanceOutRangedDisposition(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("1"), text("2"), text("3"), text("4"))
		p := w.consuming(receiver(0, "q"), 4)
		p.want("transfer", "transfer", "transfer", "transfer")
		p.send(0, settle(0, 3, frame.Accepted{}))
		p.want()
		w.wantDepth("q", 0)
		p.send(0, settle(0, 1<<31-1, frame.Accepted{})) // what is not there any more is passed over
		p.want()
	})
}

// One range may hold deliveries of several links, settled ones between them.
func TestConformanceOutRangeOverLinks(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("1"))
		w.put("r", text("2"))
		w.put("s", text("3"))
		p := w.connected("a")
		for i, q := range []string{"q", "r", "s"} {
			a := second(receiver(uint32(i), q))
			if q == "r" {
				a.SndSettleMode = frame.SenderSettleModeSettled
			}
			p.attach(a)
			p.send(0, flow(uint32(i), 0, 1))
			p.want("transfer")
		}
		d := unsettled(0, frame.Accepted{})
		d.Last = wire.Some(uint32(2))
		p.send(0, d)
		p.want("disposition role=sender first=0 settled=true accepted", "disposition role=sender first=2 settled=true accepted")
		for _, q := range []string{"q", "r", "s"} {
			w.wantDepth(q, 0)
		}
	})
}

func TestConformanceOutInAndOutOfTransaction(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("in"), text("out"))
		p := w.attached(coordinator(1))
		txn := p.declare(1, 0)
		p.attach(receiver(0, "q"))
		p.send(0, flow(0, 0, 2))
		p.want("transfer text=in", "transfer text=out")
		p.send(0, settle(0, 0, in(txn, frame.Accepted{})))
		p.send(0, settle(1, 1, frame.Accepted{}))
		p.want()
		w.wantDepth("q", 1)
		p.send(0, transfer(1, 1), control(&frame.Discharge{TxnID: txn}))
		p.want("disposition role=receiver settled=true accepted")
		w.wantDepth("q", 0)
	})
}

func TestConformanceOutUndeliverableHere(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("first"), text("second"))
		p := w.consuming(receiver(0, "q"), 1)
		p.want("transfer text=first")
		p.send(0, settle(0, 0, &frame.Modified{UndeliverableHere: true}))
		p.send(0, flow(0, 1, 1))
		p.want("transfer text=second")
		p.send(0, &frame.Detach{Handle: 0, Closed: true})
		p.want("detach closed=true")
		w.wantNext("q", "transfer text=first", "transfer text=second")
	})
}

// A detach that closes, and an end, give back what was given: not counted.
func TestConformanceOutPrefetchedIsNotCounted(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("one"))
		for _, end := range []frame.Performative{&frame.Detach{Closed: true}, &frame.End{}} {
			a := receiver(0, "q")
			a.Source.DefaultOutcome = &frame.Modified{DeliveryFailed: true}
			p := w.consuming(a, 1)
			p.want("transfer text=one count=0")
			p.send(0, end)
			p.lines()
			p.drop()
		}
		w.wantNext("q", "transfer text=one count=0 first=false")
	})
}

// A client that closes its connection may have shown what it did not settle: it
// comes again flagged.
func TestConformanceOutConnectionClosed(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("one"))
		p := w.consuming(receiver(0, "q"), 1)
		p.want("transfer text=one count=0")
		p.send(0, &frame.Close{})
		p.want("close", "EOF")
		w.wantNext("q", "transfer text=one count=1 first=false")
	})
}
