package gateway_test

import (
	"strconv"
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/core"
)

// onlyKnown lets nothing come into being by use but what is named "known".
func onlyKnown(w *world) {
	w.core.MayCreate = func(d core.Destination) bool { return d.Name == "known" }
}

// acceptedOnly is a client that does not know the outcome rejected.
func acceptedOnly(a *frame.Attach) *frame.Attach {
	a.Source.Outcomes = allOutcomes[:1]
	return a
}

func TestConformanceAttachUnknownAddress(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		p.refused(sender(0, "unknown"), "not-found")
		p.refused(receiver(0, "unknown"), "not-found")
		topic := receiver(0, "unknown")
		topic.Source.Capabilities = symbols("topic")
		p.refused(topic, "not-found")
		p.attach(sender(0, "known"))
	}, onlyKnown)
}

func TestConformanceAnonymousKnown(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, ""))
		p.send(0, transfer(0, 0), text("x", "known"))
		p.want("disposition first=0 settled=true accepted")
		p.send(0, presettled(0, 1), text("y", "known"))
		p.want()
		w.wantDepth("known", 2)
	}, onlyKnown)
}

func TestConformanceAnonymousPresettledUnknown(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, ""))
		p.send(0, presettled(0, 0), text("x", "unknown"))
		p.want("detach closed=true not-found info={delivery-tag=0x00000000}")
	}, onlyKnown)
}

func TestConformanceAnonymousUnsettledUnknown(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, ""))
		for i, to := range []string{"unknown", ""} {
			p.send(0, transfer(0, uint32(i)), text("x", to))
			p.want("disposition settled=true rejected not-found info={delivery-tag=0x0000000" + strconv.Itoa(i))
		}
		p.send(0, transfer(0, 2), text("x", "known")) // the link lives
		p.want("disposition first=2 settled=true accepted")
	}, onlyKnown)
}

func TestConformanceAnonymousUnsettledUnknownWithoutRejected(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(acceptedOnly(sender(0, "")))
		p.send(0, transfer(0, 0), text("x", "unknown"))
		p.want("detach closed=true not-found info={delivery-tag=0x00000000}")
	}, onlyKnown)
}

// transacted is a client with an anonymous sender, a coordinator and a
// transaction.
func (w *world) transacted(out, control *frame.Attach) (p *peer, txn []byte) {
	w.t.Helper()
	p = w.connected("a")
	p.attach(out)
	p.attach(control)
	return p, p.declare(control.Handle, 0)
}

// discharge ends a transaction by the delivery with that id.
func (p *peer) discharge(id uint32, txn []byte, fail bool) {
	p.send(0, transfer(1, id), control(&frame.Discharge{TxnID: txn, Fail: fail}))
}

func TestConformanceAnonymousTransactionPresettledKnown(t *testing.T) {
	conform(t, func(w *world) {
		p, txn := w.transacted(sender(0, ""), coordinator(1))
		p.send(0, within(txn, presettled(0, 1)), text("x", "known"))
		p.want()
		p.discharge(2, txn, false)
		p.want("disposition first=2 settled=true accepted")
		w.wantDepth("known", 1)
	}, onlyKnown)
}

func TestConformanceAnonymousTransactionUnsettledKnown(t *testing.T) {
	conform(t, func(w *world) {
		p, txn := w.transacted(sender(0, ""), coordinator(1))
		p.send(0, within(txn, transfer(0, 1)), text("x", "known"))
		p.want("disposition first=1 settled=true transactional-state accepted")
		p.discharge(2, txn, false)
		p.want("disposition first=2 settled=true accepted")
		w.wantDepth("known", 1)
	}, onlyKnown)
}

func TestConformanceAnonymousTransactionUnsettledUnknown(t *testing.T) {
	conform(t, func(w *world) {
		p, txn := w.transacted(sender(0, ""), coordinator(1))
		p.send(0, within(txn, transfer(0, 1)), text("x", "unknown"))
		p.want("disposition first=1 settled=true transactional-state rejected not-found delivery-tag")
		p.send(0, within(txn, transfer(0, 2)), text("x", "known"))
		p.want("disposition first=2 settled=true transactional-state accepted")
		p.discharge(3, txn, false)
		p.want("disposition first=3 settled=true accepted !rejected")
		w.wantDepth("known", 1)
	}, onlyKnown)
}

func TestConformanceAnonymousTransactionUnsettledUnknownWithoutRejected(t *testing.T) {
	conform(t, func(w *world) {
		p, txn := w.transacted(acceptedOnly(sender(0, "")), coordinator(1))
		p.send(0, within(txn, transfer(0, 1)), text("x", "unknown"))
		p.want("detach closed=true not-found delivery-tag")
		p.discharge(2, txn, false)
		p.want("disposition first=2 settled=true rejected amqp:transaction:rollback")
	}, onlyKnown)
}

func TestConformanceAnonymousTransactionPresettledUnknown(t *testing.T) {
	conform(t, func(w *world) {
		p, txn := w.transacted(sender(0, ""), coordinator(1))
		p.send(0, within(txn, presettled(0, 1)), text("x", "unknown"))
		p.want()
		p.discharge(2, txn, false)
		p.want("disposition first=2 settled=true rejected amqp:transaction:rollback")
	}, onlyKnown)
}

func TestConformanceAnonymousTransactionPresettledUnknownCoordinatorWithoutRejected(t *testing.T) {
	conform(t, func(w *world) {
		p, txn := w.transacted(sender(0, ""), acceptedOnly(coordinator(1)))
		p.send(0, within(txn, presettled(0, 1)), text("x", "unknown"))
		p.want()
		p.discharge(2, txn, false)
		p.want("detach handle=1 closed=true amqp:transaction:rollback")
	}, onlyKnown)
}
