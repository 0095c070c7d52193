package gateway_test

import (
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

// limited sets what transactions may hold.
func limited(l core.TransactionLimits) func(*world) {
	return func(w *world) { w.core.Transactions = l }
}

func TestTransactionLimitOpen(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		p.attach(coordinator(0))
		first := p.declare(0, 0)
		p.declare(0, 1)
		p.send(0, transfer(0, 2), control(&frame.Declare{}))
		p.want("disposition first=2 settled=true rejected amqp:resource-limit-exceeded max-transactions")
		p.send(0, transfer(0, 3), control(&frame.Discharge{TxnID: first}))
		p.want("disposition first=3 settled=true accepted")
		p.declare(0, 4)
	}, limited(core.TransactionLimits{Open: 2}))
}

// Discharge and declare come in one write, as Qpid JMS sends them: the one that ends
// makes room for the next.
func TestTransactionLimitOpenPipelined(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		p.attach(coordinator(0))
		txn := p.declare(0, 0)
		p.send(0, transfer(0, 1), control(&frame.Discharge{TxnID: txn}))
		p.send(0, transfer(0, 2), control(&frame.Declare{}))
		p.want("disposition first=1 settled=true accepted", "disposition first=2 settled=true declared")
	}, limited(core.TransactionLimits{Open: 1}))
}

func TestTransactionLimitSends(t *testing.T) {
	for name, c := range map[string]struct { // order: irrelevant
		limits core.TransactionLimits
		option string
	}{
		"work":  {core.TransactionLimits{Work: 2}, "max-transaction-work"},
		"bytes": {core.TransactionLimits{Bytes: 2 * int64(len(text("x")))}, "max-transaction-bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			conform(t, func(w *world) {
				p, txn := w.transacted(sender(0, "q"), coordinator(1))
				for id := uint32(1); id <= 2; id++ {
					p.send(0, within(txn, transfer(0, id)), text("x"))
					p.want("disposition transactional-state accepted")
				}
				p.send(0, within(txn, transfer(0, 3)), text("x"))
				p.want("disposition first=3 settled=true transactional-state rejected amqp:resource-limit-exceeded " + c.option)
				p.discharge(4, txn, false)
				p.want("disposition first=4 settled=true rejected amqp:transaction:rollback " + c.option)
				w.wantDepth("q", 0)
				next := p.declare(1, 5)
				p.send(0, within(next, transfer(0, 6)), text("x"))
				p.want("disposition first=6 transactional-state accepted")
				p.discharge(7, next, false)
				p.want("disposition first=7 settled=true accepted")
				w.wantDepth("q", 1)
			}, limited(c.limits))
		})
	}
}

// What is settled cannot be refused: the receiver's link is closed, and the commit
// fails.
func TestTransactionLimitAcknowledgements(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("1"), text("2"), text("3"))
		p := w.connected("a")
		p.attach(coordinator(1))
		txn := p.declare(1, 0)
		p.attach(receiver(0, "q"))
		p.send(0, flow(0, 0, 3))
		p.want("transfer text=1", "transfer text=2", "transfer text=3")
		p.send(0, settle(0, 1, in(txn, frame.Accepted{})))
		p.want()
		p.send(0, settle(2, 2, in(txn, frame.Accepted{})))
		p.want("detach closed=true amqp:resource-limit-exceeded max-transaction-work")
		p.discharge(1, txn, false)
		p.want("disposition first=1 settled=true rejected amqp:transaction:rollback max-transaction-work")
		w.wantNext("q", "transfer text=1 count=1", "transfer text=2 count=1", "transfer text=3 count=0")
	}, limited(core.TransactionLimits{Work: 2}))
}

func TestTransactionTimeOut(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("1"), text("2"))
		p := w.connected("a")
		p.attach(coordinator(1))
		txn := p.declare(1, 0)
		p.attach(sender(2, "out"))
		p.attach(receiver(0, "q"))
		idle := func(d time.Duration) { // in which the peer says that it is there
			for ; d > 0; d -= 20 * time.Second {
				<-time.After(min(d, 20*time.Second))
				p.send(0, &frame.Flow{NextIncomingID: wire.Some(uint32(0)), IncomingWindow: 1000, OutgoingWindow: 1000})
			}
			p.lines()
		}
		idle(5 * time.Minute) // nothing is in it yet
		p.send(0, flow(0, 0, 1))
		p.want("transfer text=1 count=0")
		p.send(0, settle(0, 0, in(txn, frame.Accepted{})))
		p.send(0, within(txn, transfer(2, 1)), durable("x"))
		p.want("disposition first=1 transactional-state accepted")
		idle(59 * time.Second)
		w.wantNext("q", "transfer text=2")
		idle(time.Second)
		w.wantNext("q", "transfer text=1 count=1", "transfer text=2")
		p.send(0, within(txn, transfer(2, 2)), text("x"))
		p.want("disposition first=2 settled=true transactional-state rejected amqp:transaction:timeout")
		p.discharge(3, txn, false)
		p.want("disposition first=3 settled=true rejected amqp:transaction:timeout transaction-timeout")
		w.wantDepth("out", 0)
		late := p.declare(1, 4) // a rollback of what is rolled back is one
		p.send(0, within(late, transfer(2, 5)), text("x"))
		p.want("disposition first=5 transactional-state accepted")
		idle(2 * time.Minute)
		p.discharge(6, late, true)
		p.want("disposition first=6 settled=true accepted")
	}, limited(core.TransactionLimits{TimeOut: time.Minute}))
}
