package suite

import (
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// TestDurableSubscription: what is published while a durable subscriber is away
// waits for it, also over a crash, until it unsubscribes (jms 8.3.3).
func TestDurableSubscription(t *testing.T) {
	s := harness.Start(t)
	topic := harness.Fields{"kind": "topic"}
	away := func(c *harness.Client) harness.Fields {
		return harness.Fields{"kind": "topic", "subscription": "sub-" + c.Name, "container": "client-" + c.Name}
	}
	publish := func(t *testing.T, c *harness.Client, first, count int) {
		t.Helper()
		send(t, next(t, c), s, "durable."+c.Name, topic, harness.Fields{"producer": c.Name, "first": first, "count": count})
	}
	step(t, "before", func(t *testing.T) {
		each(t, []string{"durable"}, func(t *testing.T, c *harness.Client) {
			call := receiving(t, c, s, "durable."+c.Name, away(c), harness.Fields{"count": 3, "idle_ms": 20_000})
			publish(t, c, 1, 3)
			inOrder(t, messages(t, call), c.Name, 1, 64)
			publish(t, c, 4, 10)
		})
	})
	s.Kill(t)
	s.Run(t)
	step(t, "after", func(t *testing.T) {
		each(t, []string{"durable"}, func(t *testing.T, c *harness.Client) {
			publish(t, c, 14, 2)
			inOrder(t, receive(t, c, s, "durable."+c.Name, 12, away(c)), c.Name, 4, 64)
			c.Do(t, with(away(c), harness.Fields{"cmd": "unsubscribe", "url": s.URL, "address": "durable." + c.Name})).Done(t)
			publish(t, c, 16, 1) // to nobody
			late := receiving(t, c, s, "durable."+c.Name, away(c), harness.Fields{"idle_ms": 300})
			if got := messages(t, late); len(got) != 0 {
				t.Errorf("%d messages came to a subscription that was new", len(got))
			}
		})
	})
}

// TestDurableWildcard: a durable subscription to a wildcard keeps its topics over a
// crash, those that it has heard and new ones.
func TestDurableWildcard(t *testing.T) {
	s := harness.Start(t)
	topic := harness.Fields{"kind": "topic"}
	away := func(c *harness.Client) harness.Fields {
		return harness.Fields{"kind": "topic", "subscription": "wild", "container": "wild-" + c.Name}
	}
	publish := func(t *testing.T, c *harness.Client, name string, first, count int) {
		t.Helper()
		send(t, c, s, "wild."+c.Name+"."+name, topic, harness.Fields{"first": first, "count": count})
	}
	step(t, "before", func(t *testing.T) {
		each(t, []string{"durable"}, func(t *testing.T, c *harness.Client) {
			call := receiving(t, c, s, "wild."+c.Name+".*.x", away(c), harness.Fields{"count": 1, "idle_ms": 20_000})
			publish(t, c, "a.x", 1, 1)
			inOrder(t, messages(t, call), c.Name, 1, 64)
			publish(t, c, "a.x", 2, 2)
			publish(t, c, "a.y", 100, 1) // not of its
		})
	})
	s.Kill(t)
	s.Run(t)
	step(t, "after", func(t *testing.T) {
		each(t, []string{"durable"}, func(t *testing.T, c *harness.Client) {
			publish(t, c, "b.x", 4, 2)
			publish(t, c, "b.x.z", 101, 1)
			publish(t, c, "a.x", 6, 1)
			inOrder(t, receive(t, c, s, "wild."+c.Name+".*.x", 5, away(c)), c.Name, 2, 64)
			c.Do(t, with(away(c), harness.Fields{"cmd": "unsubscribe", "url": s.URL, "address": "wild." + c.Name + ".*.x"})).Done(t)
		})
	})
}
