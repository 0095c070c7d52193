package gateway_test

import (
	"sync/atomic"
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/core"
)

// logged is a client that logs in by PLAIN, and has a session.
func (w *world) logged(user, password string) *peer {
	w.t.Helper()
	p := w.dial()
	p.bytes(header(frame.ProtocolSASL), plain(user, password))
	p.want("SASL", "sasl-mechanisms", saslOutcome)
	p.bytes(header(frame.ProtocolAMQP))
	p.send(0, open(user))
	p.send(0, begin())
	p.want("AMQP", "open", "begin")
	return p
}

// TestStrangers: authorization is switched on while clients are connected. Who has
// not shown a password that fits has no right from then on; the others have what
// they are permitted, and new clients log in (ems 6.1).
func TestStrangers(t *testing.T) {
	var on atomic.Bool
	switchable := func(w *world) { w.options.Authorization = on.Load }
	conform(t, func(w *world) {
		ann, wrong, bare := w.logged("ann", "secret"), w.logged("ann", "guessed"), w.connected("bare")
		for _, p := range []*peer{ann, wrong, bare} {
			p.attach(sender(0, "q"))
			p.send(0, transfer(0, 0), text("x"))
			p.want("disposition first=0 accepted")
		}
		wrong.attach(receiver(1, "q"))
		on.Store(true)
		w.broker.Authorize(true, func(_ string, _ core.Permission, d core.Destination, _ bool) bool { return d.Name != "forbidden" })

		ann.send(0, transfer(0, 1), text("x"))
		ann.want("disposition first=1 accepted")
		ann.refused(sender(5, "forbidden"), "unauthorized-access ann")
		for _, p := range []*peer{wrong, bare} {
			p.send(0, transfer(0, 1), text("x"))
			p.want("disposition first=1 rejected amqp:unauthorized-access")
			p.refused(sender(5, "other"), "unauthorized-access connect anew")
			p.refused(receiver(5, "q"), "unauthorized-access")
		}
		wrong.send(0, flow(1, 0, 10)) // its consumer is there, and gets nothing of the four
		wrong.want()
		w.wantDepth("q", 4)

		p := w.dial()
		p.bytes(header(frame.ProtocolAMQP))
		p.want("SASL 1.0.0", "EOF")
		p = w.asked() // SCRAM is offered again
		p.bytes(plain("ann", "secret"))
		p.want(saslOutcome)

		on.Store(false)
		w.broker.Authorize(false, nil)
		wrong.want("transfer", "transfer", "transfer", "transfer")
		bare.attach(sender(5, "other"))
	}, withUsers, switchable)
}
