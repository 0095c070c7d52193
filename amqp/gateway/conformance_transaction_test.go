package gateway_test

import (
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

func TestConformanceTransactionSend(t *testing.T) {
	for name, fail := range map[string]bool{"commit": false, "rollback": true} { // order: irrelevant
		t.Run(name, func(t *testing.T) {
			conform(t, func(w *world) {
				p, txn := w.transacted(sender(0, "q"), coordinator(1))
				p.send(0, within(txn, transfer(0, 1)), durable("x"))
				p.want("disposition first=1 settled=true transactional-state accepted")
				w.wantDepth("q", 0)
				p.discharge(2, txn, fail)
				p.want("disposition first=2 settled=true accepted !transactional-state")
				p.drop()
				w.restart()
				if fail {
					w.wantDepth("q", -1)
				} else {
					w.wantDepth("q", 1)
				}
			})
		})
	}
}

func TestConformanceTransactionSendSettledSecond(t *testing.T) {
	conform(t, func(w *world) {
		p, txn := w.transacted(second(sender(0, "q")), coordinator(1))
		p.send(0, within(txn, transfer(0, 1)), text("x"))
		p.want("disposition first=1 transactional-state accepted !settled=true")
		p.send(0, &frame.Disposition{Role: frame.RoleSender, First: 1, Settled: true, State: in(txn, frame.Accepted{})})
		p.discharge(2, txn, false)
		p.want("disposition first=2 settled=true accepted")
		w.wantDepth("q", 1)
	})
}

func TestConformanceTransactionSendUnknown(t *testing.T) {
	conform(t, func(w *world) {
		for _, a := range []*frame.Attach{sender(0, "q"), acceptedOnly(sender(0, "q"))} {
			p := w.attached(a)
			p.send(0, within([]byte("nonsense"), transfer(0, 0)), text("x"))
			if len(a.Source.Outcomes) > 1 {
				p.want("disposition first=0 settled=true rejected amqp:transaction:unknown-id !transactional-state")
			} else {
				p.want("detach closed=true amqp:transaction:unknown-id")
			}
			p.drop()
		}
		p := w.attached(sender(0, "q"))
		p.send(0, within([]byte{9}, presettled(0, 0)), text("x"))
		p.want("detach closed=true amqp:transaction:unknown-id")
		w.wantDepth("q", -1)
	})
}

// retiring is a client that was given q's one message, with a transaction.
func (w *world) retiring(a *frame.Attach) (p *peer, txn []byte) {
	w.t.Helper()
	w.put("q", durable("x"))
	p = w.connected("a")
	p.attach(coordinator(1))
	txn = p.declare(1, 0)
	p.attach(a)
	p.send(0, flow(0, 0, 1))
	p.want("transfer text=x")
	return p, txn
}

func TestConformanceTransactionRetireCommit(t *testing.T) {
	conform(t, func(w *world) {
		p, txn := w.retiring(receiver(0, "q"))
		p.send(0, settle(0, 0, in(txn, frame.Accepted{})))
		p.want()
		w.wantDepth("q", 1)
		p.discharge(1, txn, false)
		p.want("disposition first=1 settled=true accepted")
		w.wantDepth("q", 0)
	})
}

func TestConformanceTransactionRetireRollback(t *testing.T) {
	conform(t, func(w *world) {
		p, txn := w.retiring(receiver(0, "q"))
		p.send(0, settle(0, 0, in(txn, frame.Accepted{})))
		p.discharge(1, txn, true)
		p.want("disposition first=1 settled=true accepted")
		p.send(0, flow(0, 1, 1))
		p.want("transfer delivery-id=1 text=x count=1 first=false")
	})
}

func TestConformanceTransactionRetireUnknown(t *testing.T) {
	conform(t, func(w *world) {
		p, _ := w.retiring(receiver(0, "q"))
		p.send(0, settle(0, 0, in([]byte("nonsense"), frame.Accepted{})))
		p.want("detach closed=true amqp:transaction:unknown-id")
		w.wantNext("q", "transfer text=x")
		p.send(0, &frame.Detach{Handle: 0, Closed: true})
		p.attach(receiver(0, "q")) // nothing of the old link is left
		p.send(0, flow(0, 0, 1))
		p.want("transfer text=x")
	})
}

func TestConformanceTransactionOfAnotherConnection(t *testing.T) {
	conform(t, func(w *world) {
		_, txn := w.transacted(sender(0, "q"), coordinator(1))
		p := w.connected("b")
		p.attach(sender(0, "q"))
		p.send(0, within(txn, transfer(0, 0)), text("x"))
		p.want("disposition rejected amqp:transaction:unknown-id")
		p.attach(coordinator(1))
		p.discharge(1, txn, false)
		p.want("disposition rejected amqp:transaction:unknown-id")
	})
}

func TestConformanceTransactionRetireSecond(t *testing.T) {
	conform(t, func(w *world) {
		p, txn := w.retiring(second(receiver(0, "q")))
		p.send(0, unsettled(0, in(txn, frame.Accepted{})))
		p.want("disposition role=sender first=0 settled=true transactional-state accepted")
		p.discharge(1, txn, false)
		p.want("disposition first=1 settled=true accepted")
		w.wantDepth("q", 0)
	})
}

func acquiring(handle, count, credit uint32, txn []byte) *frame.Flow {
	f := flow(handle, count, credit)
	f.Properties = wire.Map{{Key: wire.Symbol("txn-id"), Value: txn}}
	return f
}

func TestConformanceTransactionAcquireCommit(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("one"), text("two"))
		p := w.attached(coordinator(1))
		txn := p.declare(1, 0)
		p.attach(receiver(0, "q"))
		p.send(0, acquiring(0, 0, 2, txn))
		p.want("transfer text=one transactional-state", "transfer text=two transactional-state")
		p.send(0, settle(0, 0, in(txn, frame.Accepted{})))
		p.discharge(1, txn, false)
		p.want("disposition first=1 settled=true accepted")
		w.wantDepth("q", 1) // the other is the client's to settle
		p.send(0, settle(1, 1, frame.Accepted{}))
		w.wantDepth("q", 0)
	})
}

func TestConformanceTransactionAcquireRollback(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("one"), text("two"))
		p := w.attached(coordinator(1))
		txn := p.declare(1, 0)
		p.attach(receiver(0, "q"))
		p.send(0, acquiring(0, 0, 2, txn))
		p.want("transfer text=one", "transfer text=two")
		p.send(0, settle(0, 0, in(txn, frame.Accepted{})))
		p.discharge(1, txn, true)
		p.want("disposition first=1 settled=true accepted")
		w.wantNext("q", "transfer text=one count=1", "transfer text=two count=0 first=false")
	})
}

func TestConformanceTransactionAcquireUnknown(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("one"))
		p := w.attached(receiver(0, "q"))
		p.send(0, acquiring(0, 0, 1, []byte("nonsense")))
		p.want("detach closed=true amqp:transaction:unknown-id")
		w.wantNext("q", "transfer text=one first=true")
	})
}

func TestConformanceTransactionDischargeUnknown(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(coordinator(1))
		p.discharge(0, []byte("nonsense"), false)
		p.want("disposition first=0 settled=true rejected amqp:transaction:unknown-id")
		p.declare(1, 1) // the link lives
	})
}

func TestConformanceTransactionDischargeUnknownWithoutRejected(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(acceptedOnly(coordinator(1)))
		p.discharge(0, []byte("nonsense"), true)
		p.want("detach closed=true amqp:transaction:unknown-id")
	})
}

func TestConformanceTransactionDischargeTwice(t *testing.T) {
	conform(t, func(w *world) {
		p, txn := w.transacted(sender(0, "q"), coordinator(1))
		p.discharge(1, txn, false)
		p.want("disposition settled=true accepted")
		p.discharge(2, txn, false)
		p.want("disposition settled=true rejected amqp:transaction:unknown-id")
	})
}

// Clients send the next declare behind a discharge: it is answered whatever
// becomes of that.
func TestConformanceTransactionDeclareBehindAFailedDischarge(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(coordinator(1))
		all := encode(0, transfer(1, 0), control(&frame.Discharge{TxnID: []byte("nonsense")}))
		p.bytes(append(all, encode(0, transfer(1, 1), control(&frame.Declare{}))...))
		p.want("disposition first=0 rejected amqp:transaction:unknown-id", "disposition first=1 settled=true declared")
	})
}

func TestConformanceTransactionReceiverDetachedBefore(t *testing.T) {
	conform(t, func(w *world) {
		p, txn := w.retiring(receiver(0, "q"))
		p.send(0, &frame.Detach{Handle: 0})
		p.want("detach !closed=true")
		w.wantNext("q") // it is still the client's
		p.send(0, settle(0, 0, in(txn, frame.Accepted{})))
		p.discharge(1, txn, false)
		p.want("disposition first=1 settled=true accepted")
		w.wantDepth("q", -1)
	})
}

// What a client that detached leaves unsettled returns when the session ends.
func TestConformanceTransactionReceiverDetachedAndSessionEnded(t *testing.T) {
	conform(t, func(w *world) {
		p, _ := w.retiring(receiver(0, "q"))
		p.send(0, &frame.Detach{Handle: 0})
		p.want("detach !closed=true")
		p.send(0, &frame.End{})
		p.want("end")
		w.wantNext("q", "transfer text=x count=0 first=false")
	})
}

// With expiry link-detach, and for a durable subscription, it returns at once:
// the next subscriber is to get it.
func TestConformanceTransactionReceiverDetachedForGood(t *testing.T) {
	conform(t, func(w *world) {
		a := receiver(0, "q")
		a.Source.ExpiryPolicy = linkDetach
		p, _ := w.retiring(a)
		p.send(0, &frame.Detach{Handle: 0})
		p.want("detach !closed=true")
		w.wantNext("q", "transfer text=x count=0 first=false")
		p.send(0, settle(0, 0, frame.Accepted{})) // too late
		w.wantDepth("q", 1)
	})
}

func TestConformanceTransactionSenderGoneBefore(t *testing.T) {
	conform(t, func(w *world) {
		for _, closed := range []bool{false, true} {
			p, txn := w.transacted(sender(0, "q"), coordinator(1))
			p.send(0, within(txn, transfer(0, 1)), text("x"))
			p.want("disposition first=1 settled=true transactional-state accepted")
			p.send(0, &frame.Detach{Handle: 0, Closed: closed})
			p.want("detach")
			p.discharge(2, txn, false)
			p.want("disposition first=2 settled=true accepted")
			w.wantNext("q", "transfer text=x")
			w.do(func(now time.Time, b *core.Broker, fx *core.Effects) {
				_ = b.Delete(now, core.Destination{Kind: core.Queue, Name: "q"}, fx)
			})
			p.drop()
		}
	})
}

func TestConformanceTransactionCoordinatorGone(t *testing.T) {
	conform(t, func(w *world) {
		for _, end := range []frame.Performative{&frame.Detach{Handle: 1, Closed: true}, &frame.Detach{Handle: 1}, &frame.End{}, &frame.Close{}} {
			p, txn := w.transacted(sender(0, "q"), coordinator(1))
			p.send(0, within(txn, transfer(0, 1)), text("x"))
			p.send(0, end)
			p.lines()
			p.drop()
			w.wantDepth("q", -1)
		}
	})
}

func TestConformanceTransactionDeclareSettled(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(coordinator(1))
		p.send(0, presettled(1, 0), control(&frame.Declare{}))
		p.want("detach closed=true not-allowed")
	})
}

func TestConformanceTransactionGlobalID(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(coordinator(1))
		p.send(0, transfer(1, 0), control(&frame.Declare{GlobalID: []byte("xid")}))
		p.want("disposition first=0 settled=true rejected not-implemented")
	})
}

func TestConformanceTransactionDischargeSettled(t *testing.T) {
	conform(t, func(w *world) {
		p, txn := w.transacted(sender(0, "q"), coordinator(1))
		p.send(0, within(txn, transfer(0, 1)), text("x"))
		p.want("disposition first=1 transactional-state accepted")
		p.send(0, presettled(1, 2), control(&frame.Discharge{TxnID: txn}))
		p.want()
		w.wantDepth("q", 1)
	})
}

// The body's descriptors may have any form that the type system allows.
func TestConformanceTransactionDescriptorForms(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(coordinator(1))
		p.send(0, transfer(1, 0), []byte("\x00\xa3\x11amqp:amqp-value:*\x00\xa3\x11amqp:declare:list\x45"))
		p.want("disposition first=0 settled=true declared")
		p.send(0, transfer(1, 1), []byte("\x00\x80\x00\x00\x00\x00\x00\x00\x00\x77\x00\x80\x00\x00\x00\x00\x00\x00\x00\x31\x45"))
		p.want("disposition first=1 settled=true declared")
		b := message.NewBuilder()
		b.SetText("neither")
		p.send(0, transfer(1, 2), b.Append(nil))
		p.want("detach closed=true decode-error")
	})
}

func TestConformanceQueueDeletedSender(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		w.delete("q")
		p.want("detach handle=0 closed=true resource-deleted")
		p.send(0, transfer(0, 0), text("x")) // under way: passed over
		p.send(0, &frame.Detach{Handle: 0, Closed: true})
		p.want()
		p.attach(sender(0, "q"))
	})
}

func TestConformanceQueueDeletedReceiver(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("x"))
		p := w.attached(receiver(0, "q"))
		p.send(0, flow(0, 0, 1))
		p.want("transfer")
		w.delete("q")
		p.want("detach handle=0 closed=true resource-deleted")
		p.send(0, settle(0, 0, frame.Accepted{}))
		p.want()
	})
}

func (w *world) delete(queue string) {
	w.t.Helper()
	w.do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		if err := b.Delete(now, core.Destination{Kind: core.Queue, Name: queue}, fx); err != nil {
			w.t.Error(err)
		}
	})
}

func TestConformanceQueueDeletedUnderASendingTransaction(t *testing.T) {
	conform(t, func(w *world) {
		p, txn := w.transacted(sender(0, "q"), coordinator(1))
		p.send(0, within(txn, transfer(0, 1)), text("x"))
		p.want("disposition transactional-state accepted")
		w.delete("q")
		p.want("detach handle=0 closed=true resource-deleted")
		p.discharge(2, txn, false)
		p.want("disposition first=2 settled=true rejected amqp:transaction:rollback")
		w.wantDepth("q", -1)
	})
}

func TestConformanceQueueDeletedUnderARetiringTransaction(t *testing.T) {
	conform(t, func(w *world) {
		p, txn := w.retiring(receiver(0, "q"))
		p.send(0, settle(0, 0, in(txn, frame.Accepted{})))
		w.delete("q")
		p.want("detach closed=true resource-deleted")
		p.discharge(1, txn, false)
		p.want("disposition first=1 settled=true rejected amqp:transaction:rollback")
	})
}

// Other outcomes than accepted wait for the commit as well.
func TestConformanceTransactionRetireOtherwise(t *testing.T) {
	for name, c := range map[string]struct { // order: irrelevant
		outcome frame.Outcome
		fail    bool
		count   string
	}{
		"released, commit":   {frame.Released{}, false, "count=0"},
		"rejected, commit":   {&frame.Rejected{}, false, "count=1"},
		"modified, commit":   {&frame.Modified{DeliveryFailed: true, UndeliverableHere: true}, false, "count=1"},
		"rejected, rollback": {&frame.Rejected{}, true, "count=0"},
	} {
		t.Run(name, func(t *testing.T) {
			conform(t, func(w *world) {
				p, txn := w.retiring(receiver(0, "q"))
				p.send(0, settle(0, 0, in(txn, c.outcome)))
				p.want()
				w.wantNext("q") // still the transaction's
				p.discharge(1, txn, c.fail)
				p.want("disposition first=1 settled=true accepted")
				w.wantNext("q", "transfer text=x first=false "+c.count)
			})
		})
	}
}

func TestConformanceTransactionRetireOtherwiseReceiverClosed(t *testing.T) {
	conform(t, func(w *world) {
		p, txn := w.retiring(receiver(0, "q"))
		p.send(0, settle(0, 0, in(txn, &frame.Modified{DeliveryFailed: true, UndeliverableHere: true})))
		p.send(0, &frame.Detach{Handle: 0, Closed: true})
		p.want("detach closed=true")
		p.discharge(1, txn, false)
		p.want("disposition first=1 settled=true accepted")
		w.wantNext("q", "transfer text=x count=1 first=false")
	})
}
