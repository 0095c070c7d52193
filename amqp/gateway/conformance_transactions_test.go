package gateway_test

import (
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
)

// Several transactions of one coordinator link do not touch each other, nor what is
// sent and settled outside of them (amqp:multi-txns-per-ssn).
func TestConformanceTransactionsOnASession(t *testing.T) {
	conform(t, func(w *world) {
		w.put("in", text("a"), text("b"), text("c"))
		p := w.connected("a")
		p.attach(sender(0, "out"))
		p.attach(coordinator(1))
		p.attach(receiver(2, "in"))
		one, two := p.declare(1, 0), p.declare(1, 1)
		p.send(0, flow(2, 0, 3))
		p.want("transfer text=a", "transfer text=b", "transfer text=c")
		p.send(0, within(one, transfer(0, 2)), text("1"))
		p.send(0, within(two, transfer(0, 3)), text("2"))
		p.send(0, transfer(0, 4), text("none"))
		p.send(0, settle(0, 0, in(one, frame.Accepted{})))
		p.send(0, settle(1, 1, in(two, frame.Accepted{})))
		p.want("disposition first=2 transactional-state accepted", "disposition first=3 transactional-state accepted",
			"disposition first=4 accepted !transactional-state")
		w.wantDepth("out", 1)
		p.discharge(5, two, false)
		p.want("disposition first=5 settled=true accepted")
		w.wantDepth("out", 2)
		w.wantDepth("in", 2)
		p.discharge(6, one, true)
		p.want("disposition first=6 settled=true accepted")
		p.send(0, &frame.Close{})
		p.want("close", "EOF")
		w.wantNext("out", "transfer text=none", "transfer text=2")
		w.wantNext("in", "transfer text=a first=false", "transfer text=c")
	})
}

// over opens sessions 1 and 2 of a connection whose session 0 has a transaction, with a
// sender to out on the one and a receiver of in, which has been given two messages, on
// the other.
func (w *world) over() (p *peer, txn []byte) {
	w.t.Helper()
	w.put("in", text("a"), text("b"))
	p = w.connected("a")
	p.attach(coordinator(1))
	txn = p.declare(1, 0)
	for channel := uint16(1); channel <= 2; channel++ {
		p.send(channel, begin())
		p.want("begin")
	}
	p.send(1, sender(0, "out"))
	p.want("attach", "flow")
	p.send(2, receiver(0, "in"))
	p.want("attach")
	p.send(2, flow(0, 0, 2))
	p.want("transfer text=a", "transfer text=b")
	p.send(1, within(txn, transfer(0, 0)), text("x"))
	p.send(2, settle(0, 0, in(txn, frame.Accepted{})))
	p.want("disposition first=0 transactional-state accepted")
	w.wantDepth("out", 0)
	w.wantDepth("in", 2)
	return p, txn
}

// A transaction is the connection's: links of any of its sessions take part
// (amqp:multi-ssns-per-txn).
func TestConformanceTransactionOverSessions(t *testing.T) {
	for name, c := range map[string]struct { // order: irrelevant
		fail    bool
		out, in int
	}{"commit": {false, 1, 1}, "rollback": {true, 0, 2}} {
		t.Run(name, func(t *testing.T) {
			conform(t, func(w *world) {
				p, txn := w.over()
				p.discharge(1, txn, c.fail)
				p.want("disposition first=1 settled=true accepted")
				w.wantDepth("out", c.out)
				w.wantDepth("in", c.in)
			})
		})
	}
}

// What sessions did in it stays in it when they end; it ends with the session of its
// coordinator.
func TestConformanceTransactionOverSessionsThatEnd(t *testing.T) {
	conform(t, func(w *world) {
		p, txn := w.over()
		p.send(1, &frame.End{})
		p.send(2, &frame.End{})
		p.want("end", "end")
		p.discharge(1, txn, false)
		p.want("disposition first=1 settled=true accepted")
		w.wantDepth("out", 1)
		w.wantNext("in", "transfer text=b count=0")
	})
	t.Run("its own", func(t *testing.T) {
		conform(t, func(w *world) {
			p, txn := w.over()
			p.send(0, &frame.End{})
			p.want("end")
			w.wantDepth("out", 0)
			w.wantNext("in", "transfer text=a count=1 first=false")
			p.send(1, within(txn, transfer(0, 1)), text("x"))
			p.want("disposition first=1 rejected amqp:transaction:unknown-id")
		})
	})
}

// Qpid JMS sends the next declare behind each discharge, in one write; the commit waits
// for the disk, and the declare's answer for it.
func TestConformanceTransactionDeclareBehindDischarge(t *testing.T) {
	conform(t, func(w *world) {
		p, txn := w.transacted(sender(0, "q"), coordinator(1))
		for round := range uint32(3) {
			id := 1 + 3*round
			p.send(0, within(txn, transfer(0, id)), durable("x"))
			p.discharge(id+1, txn, false)
			p.send(0, transfer(1, id+2), control(&frame.Declare{}))
			p.want("disposition transactional-state accepted", "disposition settled=true accepted", "disposition settled=true declared")
			txn = []byte{0, 0, 0, 0, 0, 0, 0, byte(round + 2)}
		}
		p.drop()
		w.restart()
		w.wantDepth("q", 3)
	})
}
