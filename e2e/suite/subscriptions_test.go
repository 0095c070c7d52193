package suite

import (
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// topic and kept are a topic and a durable subscription to it, one a client and
// scenario.
type subscription struct {
	s     *harness.Server
	c     *harness.Client
	topic string
	of    harness.Fields // the subscription, for receive and unsubscribe
}

func subscriptionOf(s *harness.Server, c *harness.Client, scenario string, more ...harness.Fields) *subscription {
	of := harness.Fields{"kind": "topic", "subscription": "sub-" + c.Name, "container": scenario + "-" + c.Name}
	return &subscription{s, c, scenario + "." + c.Name, with(append([]harness.Fields{of}, more...)...)}
}

// publish sends numbers first ... to the topic, over another library.
func (u *subscription) publish(t *testing.T, first, count int, more ...harness.Fields) {
	t.Helper()
	f := []harness.Fields{{"kind": "topic", "producer": u.c.Name, "first": first, "count": count}}
	send(t, next(t, u.c), u.s, u.topic, append(f, more...)...)
}

// attach begins to receive count messages.
func (u *subscription) attach(t *testing.T, count int, more ...harness.Fields) *harness.Call {
	t.Helper()
	f := []harness.Fields{u.of, {"count": count, "idle_ms": 20_000}}
	return receiving(t, u.c, u.s, u.topic, append(f, more...)...)
}

// begin subscribes, and leaves.
func (u *subscription) begin(t *testing.T, more ...harness.Fields) {
	t.Helper()
	call := u.attach(t, 1, more...)
	u.publish(t, 0, 1, harness.Fields{"properties": map[string]any{"keep": true}})
	inOrder(t, messages(t, call), u.c.Name, 0, 64)
}

// gets wants exactly the numbers first ... up to a last message that is sent now.
func (u *subscription) gets(t *testing.T, first, count int, more ...harness.Fields) {
	t.Helper()
	u.publish(t, first+count, 1, harness.Fields{"properties": map[string]any{"keep": true}})
	inOrder(t, messages(t, u.attach(t, count+1, more...)), u.c.Name, int64(first), 64)
}

func (u *subscription) unsubscribe(t *testing.T) {
	t.Helper()
	u.c.Do(t, with(u.of, harness.Fields{"cmd": "unsubscribe", "url": u.s.URL, "address": u.topic})).Done(t)
}

// TestNoLocal: a subscriber may leave out what its own connection sent.
func TestNoLocal(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"no-local"}, func(t *testing.T, c *harness.Client) {
		topic, kind := "local."+c.Name, harness.Fields{"kind": "topic"}
		call := receiving(t, c, s, topic, kind, harness.Fields{"no_local": true, "publish": 3, "producer": "own", "count": 2, "idle_ms": 20_000})
		call.Until(t, "published")
		send(t, c, s, topic, kind, harness.Fields{"count": 2, "producer": "other"})
		inOrder(t, messages(t, call), "other", 1, 64)
		// And without it they come.
		call = receiving(t, c, s, topic, kind, harness.Fields{"publish": 3, "producer": "own", "count": 3, "idle_ms": 20_000})
		inOrder(t, messages(t, call), "own", 1, 64)
	})
}

// TestDurableNoLocal: a durable subscription may leave out what its client sent.
func TestDurableNoLocal(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"durable", "no-local"}, func(t *testing.T, c *harness.Client) {
		u := subscriptionOf(s, c, "durable-local", harness.Fields{"no_local": true})
		u.begin(t)
		call := u.attach(t, 2, harness.Fields{"publish": 3, "producer": "own"})
		call.Until(t, "published")
		u.publish(t, 1, 2)
		inOrder(t, messages(t, call), c.Name, 1, 64)
		u.gets(t, 3, 0) // and nothing else was kept
	})
}

// TestDurableSelector: a durable subscription keeps only what its selector lets through.
func TestDurableSelector(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"durable", "selector"}, func(t *testing.T, c *harness.Client) {
		u := subscriptionOf(s, c, "durable-selector", harness.Fields{"selector": "keep = TRUE"})
		u.begin(t)
		u.publish(t, 100, 5)
		u.publish(t, 1, 5, harness.Fields{"properties": map[string]any{"keep": true}})
		u.gets(t, 1, 5)
	})
}

// TestDurableChanged: another selector or topic makes a durable subscription anew,
// without what it held.
func TestDurableChanged(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"durable", "selector"}, func(t *testing.T, c *harness.Client) {
		u := subscriptionOf(s, c, "durable-changed")
		u.begin(t)
		u.publish(t, 1, 5)
		call := u.attach(t, 1, harness.Fields{"selector": "seq > 5"})
		u.publish(t, 6, 1)
		inOrder(t, messages(t, call), c.Name, 6, 64)
		u.publish(t, 7, 5)
		u.topic += ".other"
		call = u.attach(t, 1)
		u.publish(t, 20, 1)
		inOrder(t, messages(t, call), c.Name, 20, 64)
	})
}

// TestDurableInUse: a durable subscription has one consumer at a time, and cannot
// be unsubscribed meanwhile.
func TestDurableInUse(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"durable"}, func(t *testing.T, c *harness.Client) {
		u := subscriptionOf(s, c, "durable-in-use")
		call := u.attach(t, 3)
		for _, cmd := range []string{"receive", "unsubscribe"} {
			e := c.Do(t, with(u.of, harness.Fields{"cmd": cmd, "url": s.URL, "address": u.topic, "count": 1})).Error(t)
			// Qpid JMS's connections are their client's only ones: refused before.
			if c.Name != "java" && e.Condition != "amqp:resource-locked" {
				t.Errorf("%s: %q (%s), want amqp:resource-locked", cmd, e.Condition, e.Error)
			}
		}
		u.publish(t, 1, 3)
		inOrder(t, messages(t, call), c.Name, 1, 64)
	})
}

// TestDurableOfItsClient: a durable subscription is known by its client and its name.
func TestDurableOfItsClient(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"durable"}, func(t *testing.T, c *harness.Client) {
		one := subscriptionOf(s, c, "durable-client")
		two := subscriptionOf(s, c, "durable-client", harness.Fields{"container": "durable-client-two-" + c.Name})
		third := subscriptionOf(s, c, "durable-client", harness.Fields{"subscription": "third-" + c.Name})
		one.begin(t)
		one.publish(t, 1, 2)
		two.begin(t)
		inOrder(t, messages(t, one.attach(t, 3))[:2], c.Name, 1, 64)
		one.publish(t, 1, 2)
		third.begin(t)
		inOrder(t, messages(t, two.attach(t, 3))[:2], c.Name, 1, 64)
		inOrder(t, messages(t, one.attach(t, 2)), c.Name, 1, 64)
		third.unsubscribe(t)
		two.unsubscribe(t)
		one.publish(t, 1, 2) // behind the message of third.begin
		got := messages(t, one.attach(t, 3))
		inOrder(t, got[1:], c.Name, 1, 64)
	})
}

// TestUnsubscribe: unsubscribing ends a subscription and what it held.
func TestUnsubscribe(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"durable"}, func(t *testing.T, c *harness.Client) {
		u := subscriptionOf(s, c, "unsubscribe")
		u.begin(t)
		u.publish(t, 1, 5)
		u.unsubscribe(t)
		call := u.attach(t, 2)
		u.publish(t, 6, 2)
		inOrder(t, messages(t, call), c.Name, 6, 64)
	})
}

// global and volatile are shared subscriptions without a client, as JMS names the
// links of their consumers (amqp-jms 3.8).
func global(c *harness.Client) harness.Fields {
	return harness.Fields{"container": nil, "shared": true, "global": true, "link": "sub-" + c.Name + "|global"}
}

func volatile(c *harness.Client) harness.Fields {
	return harness.Fields{"container": nil, "shared": true, "global": true, "volatile": true, "link": "sub-" + c.Name + "|global-volatile1"}
}

// TestShared: the consumers of a shared subscription share its messages, over
// connections; it ends with the last of them.
func TestShared(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"shared"}, func(t *testing.T, c *harness.Client) {
		u := subscriptionOf(s, c, "shared", volatile(c))
		shares(t, u)
		u.publish(t, 100, 5) // to nobody
		call := u.attach(t, 2)
		u.publish(t, 1, 2)
		inOrder(t, messages(t, call), c.Name, 1, 64)
	})
}

// shares wants 40 messages to come to two consumers, each to one of them.
func shares(t *testing.T, u *subscription) {
	t.Helper()
	few := harness.Fields{"credit": 5}
	one, two := u.attach(t, 20, few), u.attach(t, 20, few)
	u.publish(t, 1, 40)
	seen := map[int64]bool{}
	for _, e := range append(messages(t, one), messages(t, two)...) {
		seen[e.Seq] = true
	}
	if len(seen) != 40 {
		t.Errorf("%d different messages of 40 came", len(seen))
	}
}

// TestSharedDurable: a shared durable subscription without a client is shared, kept
// while nobody is there, and unsubscribed.
func TestSharedDurable(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"shared"}, func(t *testing.T, c *harness.Client) {
		u := subscriptionOf(s, c, "shared-durable", global(c))
		shares(t, u)
		u.publish(t, 1, 5)
		u.gets(t, 1, 5)
		u.publish(t, 1, 5)
		u.unsubscribe(t)
		call := u.attach(t, 2)
		u.publish(t, 7, 2)
		inOrder(t, messages(t, call), c.Name, 7, 64)
	})
}

// TestSharedDurableOfAClient: with a client it is that client's, another than the
// one of the same name without.
func TestSharedDurableOfAClient(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"shared"}, func(t *testing.T, c *harness.Client) {
		u := subscriptionOf(s, c, "shared-client", harness.Fields{"shared": true})
		without := subscriptionOf(s, c, "shared-client", global(c))
		u.begin(t)
		u.publish(t, 1, 5)
		call := without.attach(t, 1)
		u.publish(t, 6, 1)
		inOrder(t, messages(t, call), c.Name, 6, 64)
		without.unsubscribe(t)
		u.gets(t, 1, 6)
	})
}

// TestSharedOfAClient: a shared subscription of a client that is not durable is that
// client's, another than the one of the same name without; both get every message.
func TestSharedOfAClient(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"shared"}, func(t *testing.T, c *harness.Client) {
		of := subscriptionOf(s, c, "volatile-client", harness.Fields{"shared": true, "volatile": true, "link": "sub-" + c.Name + "|volatile1"})
		without := subscriptionOf(s, c, "volatile-client", volatile(c))
		one, two := of.attach(t, 5), without.attach(t, 5)
		of.publish(t, 1, 5)
		inOrder(t, messages(t, one), c.Name, 1, 64)
		inOrder(t, messages(t, two), c.Name, 1, 64)
	})
}

// TestDurableKinds: shared and unshared durable subscriptions of a client have one
// set of names; those that are not durable have another.
func TestDurableKinds(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"durable", "shared"}, func(t *testing.T, c *harness.Client) {
		u := subscriptionOf(s, c, "kinds")
		u.begin(t)
		e := c.Do(t, with(u.of, harness.Fields{"cmd": "receive", "url": s.URL, "address": u.topic, "shared": true, "count": 1})).Error(t)
		if e.Condition != "amqp:resource-locked" {
			t.Errorf("as shared: %q (%s), want amqp:resource-locked", e.Condition, e.Error)
		}
		volatile := subscriptionOf(s, c, "kinds", harness.Fields{"shared": true, "volatile": true, "link": "sub-" + c.Name + "|volatile1"})
		call := volatile.attach(t, 2)
		u.publish(t, 1, 2)
		inOrder(t, messages(t, call), c.Name, 1, 64)
		u.gets(t, 1, 2)
	})
}

// TestTemporaryTopicNotDurable: a temporary topic has no durable subscription.
func TestTemporaryTopicNotDurable(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"dynamic", "durable"}, func(t *testing.T, c *harness.Client) {
		call := c.Do(t, harness.Fields{"cmd": "receive", "url": s.URL, "dynamic": true, "kind": "temporary-topic", "count": 1, "idle_ms": 20_000})
		attached, _ := call.Until(t, "attached")
		u := subscriptionOf(s, c, "temporary-durable")
		c.Do(t, with(u.of, harness.Fields{"cmd": "receive", "url": s.URL, "address": attached.Address, "count": 1})).Error(t)
		lastTo(t, s, attached.Address, c.Name, 1)
		inOrder(t, messages(t, call), c.Name, 1, 64)
	})
}

// TestSharedDiffers: another selector or topic is refused while a shared
// subscription has consumers.
func TestSharedDiffers(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"shared", "selector"}, func(t *testing.T, c *harness.Client) {
		for name, of := range map[string]harness.Fields{"durable": global(c), "volatile": volatile(c)} {
			u := subscriptionOf(s, c, "differs-"+name, of)
			call := u.attach(t, 2)
			refused := []harness.Fields{{"address": u.topic, "selector": "seq > 0"}, {"address": u.topic + ".other"}}
			for _, other := range refused {
				e := c.Do(t, with(u.of, harness.Fields{"cmd": "receive", "url": s.URL, "count": 1}, other)).Error(t)
				if e.Condition != "amqp:resource-locked" {
					t.Errorf("%s, %v: %q (%s), want amqp:resource-locked", name, other, e.Condition, e.Error)
				}
			}
			u.publish(t, 1, 2)
			inOrder(t, messages(t, call), c.Name, 1, 64)
		}
	})
}

// TestWildcards: * stands for one part of a topic's name and > for the rest, for
// durable subscriptions too.
func TestWildcards(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"durable"}, func(t *testing.T, c *harness.Client) {
		kind, ten := harness.Fields{"kind": "topic"}, harness.Fields{"idle_ms": 20_000}
		base := "wild." + c.Name
		kept := subscriptionOf(s, c, "wild")
		kept.topic = base + ".>"
		durable := kept.attach(t, 1)
		one := receiving(t, c, s, base+".*.c", kind, ten, harness.Fields{"count": 2})
		rest := receiving(t, c, s, base+".>", kind, ten, harness.Fields{"count": 4})
		for i, name := range []string{".a", ".a.c", ".a.d", ".b.c", "x"} {
			send(t, c, s, base+name, kind, harness.Fields{"count": 1, "first": i + 1})
		}
		inOrder(t, messages(t, durable), c.Name, 1, 64)
		if got := messages(t, one); got[0].Seq != 2 || got[1].Seq != 4 {
			t.Errorf("%s.*.c got %d and %d, want 2 and 4", base, got[0].Seq, got[1].Seq)
		}
		inOrder(t, messages(t, rest), c.Name, 1, 64)
		// The first was taken; the others were kept.
		inOrder(t, messages(t, kept.attach(t, 3)), c.Name, 2, 64)
	})
}
