package gateway_test

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

var onClose = wire.Map{{Key: wire.Symbol("lifetime-policy"), Value: wire.Described{Descriptor: frame.CodeDeleteOnClose, Value: wire.List{}}}}

// dynamic makes an attach ask for a node of its own.
func dynamic(a *frame.Attach, capabilities ...string) *frame.Attach {
	if a.Role == frame.RoleReceiver {
		a.Source.Address, a.Source.Dynamic, a.Source.DynamicNodeProperties, a.Source.Capabilities = "", true, onClose, symbols(capabilities...)
	} else {
		a.Target = &frame.Target{Dynamic: true, DynamicNodeProperties: onClose, Capabilities: symbols(capabilities...)}
	}
	return a
}

// make attaches a link with a dynamic terminus, and gives the node's address.
func (p *peer) make(a *frame.Attach) string {
	p.t.Helper()
	p.send(0, a)
	lines := p.lines()
	if len(lines) == 0 || !matches(lines[0], "attach dynamic=true dynamic-node-properties={lifetime-policy=@43") {
		p.t.Fatal(lines)
	}
	_, rest, _ := strings.Cut(lines[0], `address="$`)
	address, _, _ := strings.Cut(rest, `"`)
	return "$" + address
}

func TestConformanceDynamicSource(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		address := p.make(dynamic(receiver(0, "")))
		other := w.connected("b")
		other.attach(receiver(0, address)) // not asked for as JMS's: others may
		other.attach(sender(1, address))
		other.send(0, &frame.Detach{Handle: 0, Closed: true})
		other.want("detach closed=true !error")
		p.send(0, &frame.Detach{Handle: 0, Closed: true})
		p.want("detach closed=true !error")
		other.want("detach handle=1 closed=true resource-deleted")
		other.refused(receiver(2, address), "not-found")
	})
}

func TestConformanceDynamicTarget(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		address := p.make(dynamic(sender(0, "")))
		p.send(0, transfer(0, 0), text("x"))
		p.want("disposition accepted")
		p.attach(receiver(1, address))
		p.send(0, flow(1, 0, 1))
		p.want("transfer text=x")
		p.send(0, &frame.Detach{Handle: 1, Closed: true})
		p.want("detach closed=true")
		p.send(0, &frame.Detach{Handle: 0, Closed: true})
		p.want("detach closed=true !error")
		p.refused(receiver(1, address), "not-found")
	})
}

func TestConformanceDynamicDetachKeeps(t *testing.T) {
	conform(t, func(w *world) {
		for _, again := range []string{"by its address", "by asking again"} {
			p := w.connected("a")
			a := dynamic(receiver(0, ""))
			address := p.make(a)
			p.send(0, &frame.Detach{Handle: 0})
			p.want("detach !closed=true !error")
			p.attach(sender(1, address))
			p.send(0, &frame.Detach{Handle: 1, Closed: true})
			p.want("detach")
			if again == "by its address" {
				a = receiver(0, address)
				a.Name = "in-"
				p.attach(a)
			} else if got := p.make(a); got != address {
				t.Errorf("%s instead of %s", got, address)
			}
			p.send(0, &frame.Detach{Handle: 0, Closed: true})
			p.want("detach closed=true !error")
			p.refused(sender(1, address), "not-found")
			p.drop()
		}
	})
}

func TestConformanceDynamicGoesWithItsConnection(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		address := p.make(dynamic(receiver(0, "")))
		p.send(0, &frame.Close{})
		p.want("close", "EOF")
		w.connected("b").refused(sender(0, address), "not-found")
	})
}

func TestConformanceDynamicSurvivesRestart(t *testing.T) {
	conform(t, func(w *world) {
		keep := func() *frame.Attach {
			a := dynamic(receiver(0, ""))
			a.Source.Durable, a.Source.ExpiryPolicy = frame.TerminusDurabilityConfiguration, frame.TerminusExpiryPolicyNever
			return a
		}
		p := w.connected("a")
		address := p.make(keep())
		p.drop()
		w.put(address, durable("x"))
		w.restart()
		w.wantDepth(address, 1)
		other := w.connected("b")
		if got := other.make(keep()); got == address {
			t.Error("another client's link is given the same node")
		}
		p = w.connected("a")
		if got := p.make(keep()); got != address {
			t.Errorf("%s instead of %s", got, address)
		}
		p.send(0, &frame.Detach{Handle: 0, Closed: true})
		p.want("detach closed=true !error")
		w.wantDepth(address, -1)
		w.restart()
		w.wantDepth(address, -1)
	})
}

// Other lifetimes than delete-on-close are answered with what is in force.
func TestConformanceDynamicOtherLifetimes(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		for i, code := range []uint64{frame.CodeDeleteOnNoLinks, frame.CodeDeleteOnNoMessages, frame.CodeDeleteOnNoLinksOrMessages} {
			a := dynamic(receiver(uint32(i), ""))
			a.Name = string(rune('a' + i))
			a.Source.DynamicNodeProperties = wire.Map{{Key: wire.Symbol("lifetime-policy"), Value: wire.Described{Descriptor: code, Value: wire.List{}}}}
			p.make(a)
		}
	})
}

func TestConformanceTemporaryQueue(t *testing.T) {
	conform(t, func(w *world) {
		temporary(w, "temporary-queue")
	})
}

func TestConformanceTemporaryTopic(t *testing.T) {
	conform(t, func(w *world) {
		temporary(w, "temporary-topic")
	})
}

// temporary: only its own connection consumes from it, everybody sends to it,
// and it ends with the connection.
func temporary(w *world, capability string) {
	p := w.connected("a")
	address := p.make(dynamic(sender(0, ""), capability))
	own := receiver(1, address)
	own.Source.Capabilities = symbols(capability)
	p.attach(own)
	other := w.connected("b")
	for _, capabilities := range [][]wire.Symbol{symbols(capability), nil, symbols("queue")} {
		theirs := receiver(0, address)
		theirs.Source.Capabilities = capabilities
		other.refused(theirs, "resource-locked")
	}
	out := sender(1, address)
	other.attach(out)
	other.send(0, presettled(1, 0), text("x"))
	p.send(0, flow(1, 0, 1))
	p.want("transfer text=x")
	p.send(0, &frame.Close{})
	p.want("close", "EOF")
	other.want("detach handle=0 closed=true resource-deleted")
	other.refused(sender(2, address), "not-found")
}

// A node that was made for a link which is then refused goes again.
func TestConformanceDynamicRefused(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		p.refused(selecting(dynamic(receiver(0, "")), wire.Entry{
			Key: wire.Symbol("sel"), Value: wire.Described{Descriptor: uint64(0x0000468C00000004), Value: "="},
		}), "invalid-field")
		if queues := w.broker.Queues(); len(queues) > 0 {
			t.Error(queues)
		}
	})
}
