package gateway_test

import (
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

const (
	refuse uint32 = 0
	evict  uint32 = 1
)

// sole is an open that asks for no other connection with its container-id.
func sole(container string, policy ...any) *frame.Open {
	o := open(container)
	o.DesiredCapabilities = symbols("sole-connection-for-container")
	for _, v := range policy {
		o.Properties = wire.Map{{Key: wire.Symbol("sole-connection-enforcement-policy"), Value: v}}
	}
	return o
}

func (w *world) opens(o *frame.Open, want ...string) *peer {
	w.t.Helper()
	p := w.greeted()
	p.send(0, o)
	p.want(want...)
	return p
}

var inUse = []string{"open amqp:connection-establishment-failed=true", "close invalid-field info={invalid-field=container-id}"}

func TestConformanceSoleRefuse(t *testing.T) {
	conform(t, func(w *world) {
		w.opens(sole("a"), "open sole-connection-enforcement-policy=0 sole-connection-detection-policy=0 sole-connection-for-container")
		w.opens(sole("a", refuse), inUse...)
		w.opens(sole("b", refuse), "open")
	})
}

func TestConformanceSoleCloseExisting(t *testing.T) {
	conform(t, func(w *world) {
		first := w.opens(sole("a", evict), "open sole-connection-enforcement-policy=1")
		next := w.opens(sole("a", evict)) // waits
		first.want("close resource-locked info={sole-connection-enforcement=true}")
		next.want()
		first.send(0, &frame.Close{})
		first.want("EOF")
		next.want("open sole-connection-enforcement-policy=1 !amqp:connection-establishment-failed")
	})
}

// One that does not answer its close is cut, and the other let in.
func TestConformanceSoleCloseExistingWithoutAnswer(t *testing.T) {
	conform(t, func(w *world) {
		first := w.opens(sole("a", evict), "open")
		next := w.opens(sole("a", evict))
		first.want("close resource-locked")
		<-time.After(6 * time.Second)
		first.want("EOF")
		next.want("open")
	})
}

func TestConformanceSoleOnlyOneAsks(t *testing.T) {
	conform(t, func(w *world) {
		w.opens(sole("a"), "open")
		w.opens(open("a"), inUse...) // the first asked
		w.opens(open("b"), "open !sole-connection-enforcement-policy")
		w.opens(sole("b", refuse), inUse...) // the newcomer asks
		w.opens(open("b"), "open")           // nobody asks
	})
}

func TestConformanceSoleNewcomerEvictsWhoDidNotAsk(t *testing.T) {
	conform(t, func(w *world) {
		first := w.opens(open("a"), "open")
		second := w.opens(open("a"), "open")
		next := w.opens(sole("a", evict))
		for _, p := range []*peer{first, second} {
			p.want("close resource-locked")
			next.want()
			p.send(0, &frame.Close{})
			p.want("EOF")
		}
		next.want("open")
	})
}

func TestConformanceSoleMixedPolicies(t *testing.T) {
	conform(t, func(w *world) {
		w.opens(sole("a", refuse), "open")
		w.opens(sole("a", evict), inUse...) // who is there decides
		first := w.opens(sole("b", evict), "open")
		next := w.opens(sole("b", refuse))
		first.want("close resource-locked")
		first.send(0, &frame.Close{})
		next.want("open sole-connection-enforcement-policy=0")
		w.opens(sole("b", evict), inUse...) // now a refusing one is there
	})
}

func TestConformanceSoleUnknownPolicy(t *testing.T) {
	conform(t, func(w *world) {
		for _, v := range []any{uint32(2), "refuse"} {
			w.opens(sole("a", v), "open amqp:connection-establishment-failed=true", "close invalid-field")
		}
	})
}

// The client id and what it holds are free when close is answered, not only when
// the socket is gone.
func TestConformanceSoleFreeAfterClose(t *testing.T) {
	conform(t, func(w *world) {
		first := w.opens(sole("a"), "open")
		first.send(0, begin())
		first.want("begin")
		first.attach(subscriber(0, "sub", withState, never))
		under := first.pause()
		first.send(0, &frame.Close{})
		next := w.opens(sole("a"), "open")
		next.send(0, begin())
		next.want("begin")
		next.attach(subscriber(0, "sub", withState, never))
		close(under)
		first.want("close", "EOF")
	})
}

// A newcomer that hangs up while it waits leaves nothing behind.
func TestConformanceSoleNewcomerGone(t *testing.T) {
	conform(t, func(w *world) {
		first := w.opens(sole("a", evict), "open")
		next := w.opens(sole("a", refuse))
		first.want("close resource-locked")
		next.drop()
		first.send(0, &frame.Close{})
		first.want("EOF")
		w.opens(sole("a", refuse), "open")
	})
}

// A client that lost its network finds its id taken by its own old connection: that is
// asked whether it is there (reference 3.1).
func TestConformanceSoleProbe(t *testing.T) {
	conform(t, func(w *world) {
		old := w.opens(sole("a"), "open idle-time-out=30000")
		<-time.After(29 * time.Second)
		old.want()
		w.opens(sole("a"), inUse...)
		old.want("empty") // which its network answers, if it is gone
		<-time.After(time.Second)
		w.opens(sole("a"), inUse...)
		old.want("close resource-limit-exceeded")
		<-time.After(6 * time.Second) // in which it may answer
		w.opens(sole("a"), "open")
	})
	t.Run("one that is there", func(t *testing.T) {
		conform(t, func(w *world) {
			old := w.opens(sole("a"), "open")
			old.send(0, begin())
			old.want("begin")
			for range 10 {
				<-time.After(20 * time.Second)
				old.send(0, &frame.Flow{NextIncomingID: wire.Some(uint32(0)), IncomingWindow: 1000, OutgoingWindow: 1000})
				w.opens(sole("a"), inUse...)
			}
		})
	})
}
