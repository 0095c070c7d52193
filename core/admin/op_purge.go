package admin

import (
	"context"
	"strings"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/property"
)

var purgeOperations = []Operation{
	{Usage: "purge queue NAME", Help: "Remove the messages of a queue, but for those that are with consumers.", Right: Right{Global: "purge-destination", On: core.MayPurge, Kind: core.Queue}, Asks: true, Run: purgeQueue},
	{Usage: "purge topic NAME", Help: "Remove the messages of all subscriptions of a topic.", Right: Right{Global: "purge-destination", On: core.MayPurge, Kind: core.Topic}, Asks: true, Run: purgeTopic},
	{Usage: "purge durable NAME [CLIENTID]", Help: "Remove the messages of a durable subscription.", Right: Right{Global: "purge-durable"}, Asks: true, Run: purgeDurable},
	{Usage: "purge all queues [PATTERN]", Help: "Remove the messages of all queues that match.", Right: Right{Global: "purge-destination"}, Asks: true, Run: purgeAllQueues},
	{Usage: "purge all topics [PATTERN]", Help: "Remove the messages of all topics that match.", Right: Right{Global: "purge-destination"}, Asks: true, Run: purgeAllTopics},
	{Usage: "purge all durables [PATTERN]", Help: "Remove the messages of all durable subscriptions of topics that match.", Right: Right{Global: "purge-durable"}, Asks: true, Run: purgeAllDurables},
}

// purge carries a purge out, a slice a step, so that a million messages hold
// nobody up.
func (c *Call) purge(ctx context.Context, p *core.Purging) error {
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		c.step(func(now time.Time, b *core.Broker, fx *core.Effects) { more = b.Purge(now, p, sliceOf, fx) })
	}
	return nil
}

func purgeQueue(ctx context.Context, c *Call) (*screen.Result, error) {
	n := c.Get("name")
	if err := c.purgeQueueNamed(ctx, n); err != nil {
		return nil, err
	}
	return screen.Said("Queue '%s' has been purged", n), nil
}

func (c *Call) purgeQueueNamed(ctx context.Context, n string) error {
	var p *core.Purging
	var err error
	c.step(func(_ time.Time, b *core.Broker, _ *core.Effects) { p, err = b.PurgeQueue(n) })
	switch {
	case err == nil:
		return c.purge(ctx, p)
	case !isKind(err, core.NotFound):
		return err
	case c.o.Definitions.has(property.Queue, n):
		return nil // nothing has ever been in it
	}
	return missing("queue", n)
}

func purgeTopic(ctx context.Context, c *Call) (*screen.Result, error) {
	n := c.Get("name")
	var all []*core.Purging
	there := c.o.Definitions.has(property.Topic, n)
	c.step(func(_ time.Time, b *core.Broker, _ *core.Effects) {
		all, there = b.PurgeTopic(n), there || b.Exists(core.Destination{Kind: core.Topic, Name: n})
	})
	if !there && len(all) == 0 {
		return nil, missing("topic", n)
	}
	for _, p := range all {
		if err := c.purge(ctx, p); err != nil {
			return nil, err
		}
	}
	return screen.Said("Topic '%s' has been purged", n), nil
}

func purgeDurable(ctx context.Context, c *Call) (*screen.Result, error) {
	v, err := c.subscription()
	if err != nil {
		return nil, err
	}
	if err := c.purgeSubscription(ctx, v); err != nil {
		return nil, err
	}
	return screen.Said("Durable '%s' has been purged", v.Name), nil
}

func (c *Call) purgeSubscription(ctx context.Context, v *core.SubscriptionView) error {
	var p *core.Purging
	var err error
	c.step(func(_ time.Time, b *core.Broker, _ *core.Effects) {
		p, err = b.PurgeSubscription(v.ClientID, v.Name, v.Global)
	})
	if err != nil {
		return err
	}
	return c.purge(ctx, p)
}

func purgeAllQueues(ctx context.Context, c *Call) (*screen.Result, error) {
	rows, err := destinations(ctx, c, property.Queue)
	if err != nil {
		return nil, err
	}
	for _, n := range rows {
		if n.defined || strings.HasPrefix(n.Name, "$") && c.Get("pattern") == "" {
			continue // the server's own are purged by name
		}
		if err := c.purgeQueueNamed(ctx, n.Name); err != nil && !isKind(err, core.NotFound) && !isKind(err, core.Denied) {
			return nil, err
		}
	}
	return screen.Said("All queues matching '%s' have been purged", valueOr(c.Get("pattern"), ">")), nil
}

func purgeAllTopics(ctx context.Context, c *Call) (*screen.Result, error) {
	if err := c.purgeAllSubscriptions(ctx, func(*core.SubscriptionView) bool { return true }); err != nil {
		return nil, err
	}
	rows, err := destinations(ctx, c, property.Topic)
	if err != nil {
		return nil, err
	}
	for _, n := range rows {
		var all []*core.Purging
		c.step(func(_ time.Time, b *core.Broker, _ *core.Effects) { all = b.PurgeTopic(n.Name) })
		for _, p := range all {
			if err := c.purge(ctx, p); err != nil {
				return nil, err
			}
		}
	}
	return screen.Said("All topics matching '%s' have been purged", valueOr(c.Get("pattern"), ">")), nil
}

func purgeAllDurables(ctx context.Context, c *Call) (*screen.Result, error) {
	if err := c.purgeAllSubscriptions(ctx, func(v *core.SubscriptionView) bool { return v.Durable }); err != nil {
		return nil, err
	}
	return screen.Said("All durables matching '%s' have been purged", valueOr(c.Get("pattern"), ">")), nil
}

func (c *Call) purgeAllSubscriptions(ctx context.Context, want func(*core.SubscriptionView) bool) error {
	views := c.subscriptions()
	for i := range views {
		v := &views[i]
		if !want(v) || !matches(c.Get("pattern"), v.Topic) {
			continue
		}
		if err := c.purgeSubscription(ctx, v); err != nil && !isKind(err, core.NotFound) {
			return err
		}
	}
	return nil
}
