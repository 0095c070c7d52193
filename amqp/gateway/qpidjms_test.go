package gateway_test

import (
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

// connectedAs is a client that says what it is.
func (w *world) connectedAs(product string) *peer {
	w.t.Helper()
	o := open("a")
	o.Properties = wire.Map{{Key: wire.Symbol("product"), Value: product}}
	p := w.opens(o, "open")
	p.send(0, begin())
	p.want("begin")
	return p
}

// TestReleasedByAListenerThatThrew: the frames are those of a trace of Qpid JMS, of
// both generations (docs/decisions/0034-a-listener-that-throws.md).
func TestReleasedByAListenerThatThrew(t *testing.T) {
	const failed, returned = "first=false count=1", "first=false count=0"
	released := func(id uint32) *frame.Disposition { return settle(id, id, frame.Released{}) }
	accepted := func(id uint32) *frame.Disposition { return settle(id, id, frame.Accepted{}) }
	for name, c := range map[string]struct { // order: irrelevant
		product     string
		coordinator bool
		says        []frame.Performative
		left        []string // what another consumer gets then
	}{
		"the listener threw": {"QpidJMS", false, []frame.Performative{
			accepted(0), released(1), accepted(2), accepted(3),
		}, []string{"transfer text=1 " + failed}},
		"it threw at each": {"QpidJMS", false, []frame.Performative{
			released(0), released(1), accepted(2), released(3),
		}, []string{"transfer text=0 " + failed, "transfer text=1 " + failed, "transfer text=3 " + failed}},
		"answers in one range": {"QpidJMS", false, []frame.Performative{
			settle(0, 1, frame.Released{}), settle(2, 3, frame.Accepted{}),
		}, []string{"transfer text=0 " + failed, "transfer text=1 " + failed}},
		"it closed its consumer, and what was buffered is released": {"QpidJMS", false, []frame.Performative{
			draining(flow(0, 4, 6)), released(1), released(2), released(3), accepted(0), &frame.Detach{Closed: true},
		}, []string{"transfer text=1 " + returned, "transfer text=2 " + returned, "transfer text=3 " + returned}},
		"it closed its consumer, and threw": {"QpidJMS", false, []frame.Performative{
			draining(flow(0, 4, 6)), released(1), released(2), released(3), released(0), &frame.Detach{Closed: true},
		}, []string{"transfer text=0 " + failed, "transfer text=1 " + returned, "transfer text=2 " + returned, "transfer text=3 " + returned}},
		"a consumer of CLIENT_ACKNOWLEDGE closes, with two received": {"QpidJMS", false, []frame.Performative{
			draining(flow(0, 4, 6)), released(2), released(3), accepted(0), accepted(1), &frame.Detach{Closed: true},
		}, []string{"transfer text=2 " + returned, "transfer text=3 " + returned}},
		"a session with transactions": {"QpidJMS", true, []frame.Performative{
			released(0), released(1), released(2), released(3),
		}, []string{"transfer text=0 " + returned, "transfer text=1 " + returned, "transfer text=2 " + returned, "transfer text=3 " + returned}},
		"it says that it failed": {"QpidJMS", false, []frame.Performative{
			settle(0, 0, &frame.Modified{}), settle(1, 1, &frame.Modified{DeliveryFailed: true}), accepted(2), accepted(3),
		}, []string{"transfer text=0 " + returned, "transfer text=1 " + failed}},
		"another library": {"rhea", false, []frame.Performative{
			released(0), accepted(1), released(2), accepted(3),
		}, []string{"transfer text=0 " + returned, "transfer text=2 " + returned}},
	} {
		t.Run(name, func(t *testing.T) {
			conform(t, func(w *world) {
				w.put("q", text("0"), text("1"), text("2"), text("3"))
				p := w.connectedAs(c.product)
				if c.coordinator {
					p.attach(coordinator(1))
				}
				p.attach(receiver(0, "q"))
				p.send(0, flow(0, 0, 4))
				p.want("transfer text=0 count=0", "transfer text=1", "transfer text=2", "transfer text=3")
				other := w.connected("b")
				other.attach(receiver(0, "q"))
				for _, f := range c.says {
					p.send(0, f)
				}
				p.lines()
				other.send(0, flow(0, 0, 10))
				other.want(c.left...)
			})
		})
	}
}

// TestCommitToldToQpidJMS: a commit that cannot be is answered with the reason's
// own condition, because the library takes the right one for doubt.
func TestCommitToldToQpidJMS(t *testing.T) {
	for product, condition := range map[string]string{"QpidJMS": "amqp:resource-deleted", "rhea": "amqp:transaction:rollback"} { // order: irrelevant
		t.Run(product, func(t *testing.T) {
			conform(t, func(w *world) {
				p := w.connectedAs(product)
				p.attach(sender(0, "q"))
				p.attach(coordinator(1))
				txn := p.declare(1, 0)
				p.send(0, within(txn, transfer(0, 1)), text("x"))
				p.want("disposition transactional-state accepted")
				w.delete("q")
				p.want("detach handle=0 closed=true resource-deleted")
				p.discharge(2, txn, false)
				p.want("disposition first=2 settled=true rejected " + condition)
				p.discharge(3, txn, false) // what was not a rollback stays what it is
				p.want("disposition first=3 settled=true rejected amqp:transaction:unknown-id")
			})
		})
	}
}
