package gateway_test

import (
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

func TestConformanceTransferWithoutHandle(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		p.bytes(raw(0, frame.CodeTransfer, nil, uint32(0), []byte("tag")))
		p.want("close decode-error")
	})
}

func TestConformanceTransferWithoutDeliveryID(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		f := transfer(0, 0)
		f.DeliveryID = wire.Optional[uint32]{}
		p.send(0, f, text("x"))
		p.want("end invalid-field")
		w.wantDepth("q", -1)
	})
}

func TestConformanceTransferWithoutDeliveryTag(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		f := transfer(0, 0)
		f.DeliveryTag = nil
		p.send(0, f, text("x"))
		p.want("end invalid-field")
		w.wantDepth("q", -1)
	})
}

func TestConformanceTransferUnsettled(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		p.send(0, transfer(0, 0), text("x"))
		p.want("disposition role=receiver first=0 settled=true accepted")
		w.wantDepth("q", 1)
	})
}

func TestConformanceTransferDurable(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		p.send(0, transfer(0, 0), durable("x"))
		p.want("disposition role=receiver first=0 settled=true accepted")
		p.drop()
		w.restart()
		w.wantDepth("q", 1)
	})
}

// A message of no sections is one: proton sends such.
func TestConformanceTransferWithoutPayload(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		p.send(0, transfer(0, 0))
		p.want("disposition role=receiver first=0 settled=true accepted")
		w.wantDepth("q", 1)
		p.attach(receiver(1, "q"))
		p.send(0, flow(1, 0, 1))
		p.want("transfer delivery-id=0")
	})
}

func TestConformanceTransferSameTagOnTwoLinks(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		p.attach(sender(1, "r"))
		for i := range uint32(2) {
			f := transfer(i, i)
			f.DeliveryTag = []byte("same")
			p.send(0, f, text("x"))
			p.want("disposition settled=true accepted")
		}
		w.wantDepth("q", 1)
		w.wantDepth("r", 1)
	})
}

func TestConformanceTransferReceiverSettleMode(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		f := transfer(0, 0)
		f.RcvSettleMode = wire.Some(frame.ReceiverSettleModeFirst)
		p.send(0, f, text("x"))
		p.want("disposition settled=true accepted")
		f = transfer(0, 1)
		f.RcvSettleMode = wire.Some(frame.ReceiverSettleModeSecond)
		p.send(0, f, text("x"))
		p.want("detach closed=true invalid-field")
		w.wantDepth("q", 1)
	})
}

func TestConformanceTransferSettleSecond(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		a := sender(0, "q")
		a.RcvSettleMode = frame.ReceiverSettleModeSecond
		p.attach(a)
		p.send(0, transfer(0, 0), durable("x"))
		p.want("disposition role=receiver first=0 accepted !settled=true")
		p.send(0, &frame.Disposition{Role: frame.RoleSender, First: 0, Settled: true, State: frame.Accepted{}})
		p.want()
		w.wantDepth("q", 1)
	})
}

func TestConformanceTransferPipelined(t *testing.T) {
	conform(t, func(w *world) {
		p := w.dial()
		all := header(frame.ProtocolAMQP)
		for _, f := range []frame.Performative{open("a"), begin(), sender(0, "q")} {
			all = append(all, encode(0, f)...)
		}
		all = append(all, encode(0, presettled(0, 0), text("x"))...)
		all = append(all, encode(0, &frame.Close{})...)
		p.bytes(all)
		p.want("AMQP", "open", "begin", "attach role=receiver", "flow handle=0 delivery-count=1 link-credit", "close !error", "EOF")
		w.wantDepth("q", 1)
	})
}

func TestConformanceTransferTagReuse(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		for i := range uint32(3) {
			f := transfer(0, i)
			f.DeliveryTag = []byte("same")
			p.send(0, f, text("x"))
			p.want("disposition settled=true accepted")
		}
		w.wantDepth("q", 3)
	})
}

func TestConformanceTransferTooLarge(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		p.send(0, sender(0, "q"))
		p.want("attach max-message-size=1048576", "flow")
		part := make([]byte, 100_000)
		p.send(0, more(transfer(0, 0)), part)
		for range 10 {
			p.send(0, &frame.Transfer{Handle: 0, More: true}, part)
		}
		p.want("detach closed=true message-size-exceeded")
		w.wantDepth("q", -1)
	})
}

func TestConformanceTransferThree(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		var all []byte
		for i := range uint32(3) {
			all = append(all, encode(0, transfer(0, i), text("x"))...)
		}
		p.bytes(all)
		p.want("disposition role=receiver first=0 last=2 settled=true accepted")
	})
}

func TestConformanceTransferInAndOutOfTransaction(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		p.attach(coordinator(1))
		txn := p.declare(1, 0)
		p.send(0, within(txn, transfer(0, 1)), text("in"))
		p.want("disposition first=1 settled=true transactional-state accepted")
		p.send(0, transfer(0, 2), text("out"))
		p.want("disposition first=2 settled=true accepted !transactional-state")
		w.wantDepth("q", 1)
		p.send(0, transfer(1, 3), control(&frame.Discharge{TxnID: txn}))
		p.want("disposition first=3 settled=true accepted")
		w.wantDepth("q", 2)
	})
}

func TestConformanceTransferUnknownHandle(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		p.send(0, transfer(5, 0), text("x"))
		p.want("end unattached-handle")
	})
}

func TestConformanceTransferUnknownFormat(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		f := transfer(0, 0)
		f.MessageFormat = wire.Some(uint32(0x80013700))
		p.send(0, f, text("x"))
		p.want("disposition first=0 settled=true rejected not-implemented")
		w.wantDepth("q", 0)
	})
}

func TestConformanceMultiFrame(t *testing.T) {
	for name, next := range map[string]func(id uint32) *frame.Transfer{ // order: irrelevant
		"omitted":  func(uint32) *frame.Transfer { return &frame.Transfer{Handle: 0} },
		"repeated": func(id uint32) *frame.Transfer { return transfer(0, id) },
	} {
		t.Run(name, func(t *testing.T) {
			conform(t, func(w *world) {
				p := w.attached(sender(0, "q"))
				body := text("in two parts")
				p.send(0, more(transfer(0, 0)), body[:7])
				p.want()
				p.send(0, next(0), body[7:])
				p.want("disposition first=0 settled=true accepted")
				p.attach(receiver(1, "q"))
				p.send(0, flow(1, 0, 1))
				p.want("transfer in two parts")
			})
		})
	}
}

func TestConformanceMultiFrameEmptyOnes(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		body := text("whole")
		p.send(0, more(transfer(0, 0)), body[:3])
		p.send(0, &frame.Transfer{Handle: 0, More: true})
		p.send(0, &frame.Transfer{Handle: 0, More: true}, body[3:])
		p.send(0, &frame.Transfer{Handle: 0})
		p.want("disposition first=0 settled=true accepted")
		p.attach(receiver(1, "q"))
		p.send(0, flow(1, 0, 1))
		p.want("transfer text=whole")
	})
}

func TestConformanceMultiFrameAborted(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		for _, first := range []*frame.Transfer{presettled(0, 0), transfer(0, 1)} {
			first.More = true
			p.send(0, first, text("x"))
			p.send(0, &frame.Transfer{Handle: 0, Aborted: true})
			p.want()
			w.wantDepth("q", 0)
		}
		p.send(0, transfer(0, 2), text("x"))
		p.want("disposition first=2 settled=true accepted")
		w.wantDepth("q", 1)
	})
}

func TestConformanceMultiFrameInterleavedOnTwoLinks(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		p.attach(sender(1, "r"))
		body := text("both")
		for i := range uint32(2) {
			p.send(0, more(transfer(i, i)), body[:3])
		}
		p.send(0, &frame.Transfer{Handle: 0}, body[3:])
		p.want("disposition first=0 settled=true accepted")
		p.send(0, &frame.Transfer{Handle: 1}, body[3:])
		p.want("disposition first=1 settled=true accepted")
		w.wantDepth("q", 1)
		w.wantDepth("r", 1)
	})
}

func TestConformanceMultiFrameInterleavedOnOneLink(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		p.send(0, more(transfer(0, 0)), text("x"))
		p.send(0, transfer(0, 1), text("y"))
		p.want("detach closed=true not-allowed")
		w.wantDepth("q", -1)
		w.connected("b")
	})
}

func TestConformanceMultiFrameFormatChanged(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		p.send(0, more(transfer(0, 0)), text("x"))
		p.send(0, &frame.Transfer{Handle: 0, MessageFormat: wire.Some(uint32(1))}, text("y"))
		p.want("detach closed=true not-allowed")
		w.wantDepth("q", -1)
		w.connected("b")
	})
}

// What is no message is rejected where the client knows the outcome; who does
// not, or sent it settled, loses the link.
func TestConformanceMultiFrameNoMessage(t *testing.T) {
	for name, payload := range map[string][]byte{ // order: irrelevant
		"a value without section": append(text("x"), 0xa1, 1, 'y'),
		"garbage":                 []byte("garbage"),
		"truncated":               text("truncated")[:6],
	} {
		t.Run(name, func(t *testing.T) {
			conform(t, func(w *world) {
				p := w.attached(sender(0, "q"))
				p.send(0, transfer(0, 0), payload)
				p.want("disposition first=0 settled=true rejected decode-error")
				p.send(0, transfer(0, 1), text("x")) // the link lives
				p.want("disposition first=1 settled=true accepted")
				p.send(0, presettled(0, 2), payload)
				p.want("detach closed=true decode-error")
				a := sender(1, "q")
				a.Source.Outcomes = allOutcomes[:1]
				p.attach(a)
				p.send(0, transfer(1, 3), payload)
				p.want("detach closed=true decode-error")
				w.wantDepth("q", 1)
			})
		})
	}
}

func TestConformanceMultiFrameTooManyEmptyOnes(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		p.send(0, more(transfer(0, 0)))
		for range 1000 {
			p.send(0, &frame.Transfer{Handle: 0, More: true})
		}
		p.want("detach closed=true transfer-limit-exceeded")
	})
}

func TestConformanceTransferOnlyAcceptedListed(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		a := sender(0, "q")
		a.Source.Outcomes = allOutcomes[:1]
		p.attach(a)
		p.send(0, transfer(0, 0), text("x"))
		p.want("disposition first=0 settled=true accepted")
	})
}

// A link that is closed for a fault does not mix up what comes behind it in the
// same read.
func TestConformanceTransferBehindAFault(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(acceptedOnly(sender(0, "")))
		p.attach(sender(1, "q"))
		var all []byte
		for i, f := range []struct {
			handle uint32
			body   []byte
		}{{0, text("lost", "")}, {0, text("late", "r")}, {1, text("right")}} {
			all = append(all, encode(0, transfer(f.handle, uint32(i)), f.body)...)
		}
		p.bytes(all)
		p.want("detach handle=0 closed=true not-found", "disposition first=2 settled=true accepted")
		w.wantNext("q", "transfer text=right")
		w.wantDepth("r", -1)
	})
}

func TestConformanceTransferDuplicateUnsettledTag(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(second(sender(0, "q")))
		for i := range uint32(2) {
			f := transfer(0, i)
			f.DeliveryTag = []byte("same")
			p.send(0, f, text("x"))
			p.want("disposition accepted !settled=true")
		}
		w.wantDepth("q", 2)
	})
}
