package gateway_test

import (
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

// subscriber is the attach of a link on which the client receives from topic t.
func subscriber(handle uint32, name string, durability frame.TerminusDurability, expiry frame.TerminusExpiryPolicy, capabilities ...string) *frame.Attach {
	a := receiver(handle, "t")
	a.Name = name
	a.Source.Durable, a.Source.ExpiryPolicy = durability, expiry
	a.Source.Capabilities = symbols(append([]string{"topic"}, capabilities...)...)
	return a
}

const (
	none        = frame.TerminusDurabilityNone
	configured  = frame.TerminusDurabilityConfiguration
	withState   = frame.TerminusDurabilityUnsettledState
	linkDetach  = frame.TerminusExpiryPolicyLinkDetach
	never       = frame.TerminusExpiryPolicyNever
	sharedKey   = "shared"
	globallyKey = "global"
)

func TestConformanceTopicReceiver(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(subscriber(0, "plain", none, linkDetach))
		p.send(0, &frame.Detach{Handle: 0, Closed: true})
		p.want("detach closed=true !error")
	})
}

func TestConformanceTopicDurableReceiver(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		p.send(0, subscriber(0, "sub", withState, never))
		p.want("attach role=sender durable=unsettled-state expiry-policy=never")
		p.send(0, &frame.Detach{Handle: 0, Closed: true})
		p.want("detach closed=true !error")
		if topics := w.broker.Topics(); len(topics) > 0 {
			t.Error("the subscription is still there: ", topics)
		}
	})
}

func TestConformanceTopicSharedVolatile(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		for i, name := range []string{"foo|global-volatile", "foo|global-volatile2"} {
			p.attach(subscriber(uint32(i), name, none, linkDetach, sharedKey, globallyKey))
		}
		for i := range uint32(2) {
			p.send(0, &frame.Detach{Handle: i})
			p.want("detach !closed=true !error")
		}
	})
}

func TestConformanceTopicSharedDurable(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		for i, name := range []string{"foo|global", "foo|global2"} {
			p.attach(subscriber(uint32(i), name, configured, never, sharedKey, globallyKey))
		}
		for i := range uint32(2) {
			p.send(0, &frame.Detach{Handle: i})
			p.want("detach !closed=true !error")
		}
		p.send(0, &frame.Attach{Name: "foo|global", Handle: 3, Role: frame.RoleReceiver, Target: &frame.Target{}, DesiredCapabilities: symbols("shared", "global")})
		p.want("attach role=sender source address=\"t\" durable=unsettled-state expiry-policy=never topic shared global")
		p.send(0, &frame.Detach{Handle: 3, Closed: true})
		p.want("detach closed=true !error")
		p.refused(&frame.Attach{Name: "foo|global", Handle: 4, Role: frame.RoleReceiver, Target: &frame.Target{}}, "not-found")
	})
}

func TestConformanceTopicSharedDurableInUse(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		for i, name := range []string{"foo|global", "foo|global2"} {
			p.attach(subscriber(uint32(i), name, configured, never, sharedKey, globallyKey))
		}
		p.send(0, &frame.Detach{Handle: 0, Closed: true})
		p.want("detach closed=true resource-locked")
		w.wantSubscriptions(t, 1)
	})
}

// A client's own shared subscriptions: sub, sub|2, ... are one durable subscription, and
// sub|volatile1, sub|volatile2, ... one that is not. Each ends as its kind does.
func TestConformanceTopicSharedOfAClient(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		for i, name := range []string{"sub", "sub|2", "sub|3"} {
			p.attach(subscriber(uint32(i), name, withState, never, sharedKey))
		}
		for i, name := range []string{"sub|volatile1", "sub|volatile2"} {
			p.attach(subscriber(uint32(3+i), name, none, linkDetach, sharedKey))
		}
		w.wantSubscriptions(t, 2)
		p.refused(subscriber(5, "sub", withState, never), "resource-locked") // unshared, of the same name
		p.send(0, &frame.Detach{Handle: 3, Closed: true})
		p.want("detach closed=true !error")
		w.wantSubscriptions(t, 2)
		p.send(0, &frame.Detach{Handle: 4, Closed: true})
		p.want("detach closed=true !error")
		w.wantSubscriptions(t, 1)
		p.send(0, &frame.Detach{Handle: 0, Closed: true}) // others are there
		p.want("detach closed=true resource-locked")
		p.send(0, &frame.Detach{Handle: 1})
		p.want("detach !closed=true !error")
		lookup := func(handle uint32) *frame.Attach {
			return &frame.Attach{Name: "sub", Handle: handle, Role: frame.RoleReceiver, Target: &frame.Target{}}
		}
		p.send(0, lookup(6))
		p.want("attach source address=\"t\" topic shared !global")
		p.send(0, &frame.Detach{Handle: 6, Closed: true})
		p.want("detach closed=true resource-locked") // sub|3 is there
		p.send(0, &frame.Detach{Handle: 2})
		p.want("detach !closed=true !error")
		w.wantSubscriptions(t, 1)
		p.send(0, lookup(7))
		p.want("attach source")
		p.send(0, &frame.Detach{Handle: 7, Closed: true})
		p.want("detach closed=true !error")
		w.wantSubscriptions(t, 0)
		p.refused(lookup(8), "not-found")
	})
}

// wantSubscriptions checks how many subscriptions topic t has.
func (w *world) wantSubscriptions(t *testing.T, n int) {
	t.Helper()
	got := 0
	for _, topic := range w.broker.Topics() {
		got += len(topic.Subscriptions)
	}
	if got != n {
		t.Errorf("%d subscriptions, want %d", got, n)
	}
}

// A receiver without source asks for a subscription by its name; the client's
// own and global ones are apart.
func TestConformanceTopicLookup(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(subscriber(0, "mine", withState, never))
		lookup := func(name string) *frame.Attach {
			return &frame.Attach{Name: name, Handle: 9, Role: frame.RoleReceiver, Target: &frame.Target{}}
		}
		p.refused(lookup("other"), "not-found")
		p.refused(lookup("mine|global"), "not-found")
		w.connected("b").refused(lookup("mine"), "not-found")
		p.send(0, lookup("mine"))
		p.want("attach source address=\"t\"")
		p.send(0, &frame.Detach{Handle: 9, Closed: true})
		p.want("detach closed=true resource-locked") // it has a consumer
		p.send(0, &frame.Detach{Handle: 0})
		p.want("detach !closed=true")
		p.send(0, lookup("mine"))
		p.want("attach source")
		p.send(0, &frame.Detach{Handle: 9, Closed: true})
		p.want("detach closed=true !error")
		w.wantSubscriptions(t, 0)
	})
}

// Who hears that a durable subscription is there finds it after a power loss:
// the answer waits for the disk.
func TestConformanceTopicDurableIsDurableWhenAnswered(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		disk := make(chan struct{})
		w.slow = func(op string) {
			if op == "sync" {
				<-disk
			}
		}
		p.send(0, subscriber(0, "sub", withState, never))
		p.want()
		close(disk)
		p.want("attach role=sender")
		after := w.disk.PowerLoss(1)
		w.stop()
		w.disk = after
		w.start()
		w.wantSubscriptions(t, 1)
	})
}

func indexed(n int32) []byte {
	b := message.NewBuilder()
	b.SetText("x")
	b.SetProperty("index", n)
	return b.Append(nil)
}

func selecting(a *frame.Attach, filters ...wire.Entry) *frame.Attach {
	a.Source.Filter = filters
	return a
}

func TestConformanceFilterSelector(t *testing.T) {
	for name, descriptor := range map[string]any{ // order: irrelevant
		"code": uint64(0x0000468C00000004), "symbol": wire.Symbol("apache.org:selector-filter:string"),
	} {
		t.Run(name, func(t *testing.T) {
			conform(t, func(w *world) {
				w.put("q", indexed(0), indexed(1), indexed(2))
				p := w.connected("a")
				p.send(0, selecting(receiver(0, "q"), wire.Entry{Key: wire.Symbol("sel"), Value: wire.Described{Descriptor: descriptor, Value: "index=1"}}))
				p.want("attach filter={sel=@")
				p.send(0, draining(flow(0, 0, 10)))
				p.want("transfer", "flow drain=true")
			})
		})
	}
}

func TestConformanceFilterUnknown(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		p.send(0, selecting(receiver(0, "q"),
			wire.Entry{Key: wire.Symbol("sel"), Value: wire.Described{Descriptor: uint64(0x0000468C00000004), Value: "index=1"}},
			wire.Entry{Key: wire.Symbol("other"), Value: wire.Described{Descriptor: wire.Symbol("foo:unknown:string"), Value: "x"}}))
		p.want("attach source sel !other !unknown")
	})
}

func TestConformanceFilterBadSelector(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		for i, value := range []any{"index=", int32(1)} {
			p.refused(selecting(receiver(uint32(i), "q"), wire.Entry{
				Key: wire.Symbol("sel"), Value: wire.Described{Descriptor: uint64(0x0000468C00000004), Value: value},
			}), "invalid-field")
		}
	})
}

// Links of one name on several sessions, or on one, are independent.
func TestConformanceLinkOfTheSameName(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(receiver(0, "q"))
		p.attach(receiver(1, "q"))
		p.send(1, begin())
		p.send(1, receiver(0, "q"))
		p.want("begin remote-channel=1", "attach channel=1")
		p.send(0, flow(0, 0, 1))
		w.put("q", text("x"))
		p.want("transfer handle=0")
	})
}

// Who is attached to a durable subscription keeps it.
func TestConformanceLinkOfADurableSubscriptionInUse(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(subscriber(0, "sub", withState, never))
		p.refused(subscriber(1, "sub", withState, never), "resource-locked")
		w.connected("a").refused(subscriber(0, "sub", withState, never), "resource-locked")
	})
}

// Deliveries are not resumed: a link that comes again is new, and what was
// unsettled has gone back to the queue.
func TestConformanceResumeIsAnsweredEmpty(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("x"))
		p := w.attached(receiver(0, "q"))
		p.send(0, flow(0, 0, 1))
		p.want("transfer delivery-id=0 text=x")
		p.send(0, &frame.Detach{Handle: 0})
		p.want("detach !closed=true")
		a := receiver(0, "q")
		a.Unsettled = wire.Map{{Key: []byte("tag"), Value: nil}}
		p.send(0, a)
		p.want("attach role=sender !unsettled")
		p.send(0, flow(0, 0, 1))
		p.want("transfer delivery-id=1 text=x first=false !resume=true")
		p.send(0, settle(0, 1, frame.Accepted{}))
		p.send(0, &frame.Detach{Handle: 0})
		p.want("detach")
		w.wantDepth("q", -1)
		a.Unsettled = wire.Map{}
		p.send(0, a)
		p.want("attach role=sender !unsettled")
	})
}

// A sender's link that comes again is new as well: what is sent as resumed is
// taken as a message, so that none is lost.
func TestConformanceResumeOfASend(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		p.send(0, more(transfer(0, 0)), text("cut off")[:9])
		p.send(0, &frame.Detach{Handle: 0})
		p.want("detach !closed=true")
		w.wantDepth("q", -1)
		a := sender(0, "q")
		a.Unsettled = wire.Map{{Key: []byte{0, 0, 0, 0}, Value: nil}}
		a.IncompleteUnsettled = true
		p.send(0, a)
		p.want("attach role=receiver !unsettled !incomplete-unsettled=true", "flow")
		f := transfer(0, 1)
		f.DeliveryTag, f.Resume = []byte{0, 0, 0, 0}, true
		p.send(0, f, text("whole"))
		p.want("disposition first=1 settled=true accepted")
		w.wantNext("q", "transfer text=whole")
	})
}
