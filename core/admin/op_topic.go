package admin

import (
	"context"
	"slices"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/property"
)

var topicOperations = []Operation{
	{
		Usage: "show topics [PATTERN] [notemp|static|dynamic] [first=N|next=N|last=N]",
		Help:  "Topics that match, or N of them at a time.", Right: Right{Global: "view-destination"}, Run: showTopics,
	},
	{Usage: "show topic NAME", Help: "Everything about one topic.", Right: Right{Global: "view-destination", On: core.MayView, Kind: core.Topic}, Run: showTopic},
	{Usage: "show parents TOPIC", Help: "The wildcard topics that a topic inherits from.", Right: Right{Global: "view-destination"}, Run: showParents},
}

func showTopics(ctx context.Context, c *Call) (*screen.Result, error) {
	t := newTable("topics", "name text;dynamic bool;flags text;subscribers count;durables count;msgs count;bytes bytes;persistent_msgs count;persistent_bytes bytes")
	return list(ctx, c, property.Topic, t, (*core.Broker).TopicView, func(n named, v *core.TopicView, p properties) {
		t.Add(n.Name, n.Temporary || !n.Static, p.flags, v.Subscribers, v.Durables, v.Msgs, v.Bytes, v.Persistent, v.PersistentBytes)
	})
}

func showTopic(_ context.Context, c *Call) (*screen.Result, error) {
	n := c.Get("name")
	var v core.TopicView
	var there bool
	c.step(func(_ time.Time, b *core.Broker, _ *core.Effects) { v, there = b.TopicView(n) })
	if !there && !c.o.Definitions.has(property.Topic, n) {
		return nil, missing("topic", n)
	}
	p := c.o.Definitions.properties(property.Topic, n, c.o.Definitions.bridgeSources())
	t := newTable("topic", "name text;type text;properties list;jndi_names list;bridges list;subscribers count;durables count;msgs count;persistent_msgs count;bytes bytes;persistent_bytes bytes;"+trafficColumns+";"+lossColumns)
	t.Single = true
	static := v.Static || name.IsWildcard(n)
	t.Add(slices.Concat([]any{
		n, typeOf(static, v.Temporary), p.list, c.o.Definitions.jndiNames("topic", n, static), c.o.Definitions.bridgesFrom("topic", n),
		v.Subscribers, v.Durables, v.Msgs, v.Persistent, v.Bytes, v.PersistentBytes,
	}, traffic(v.In, v.Out), losses(v.Losses))...)
	return shown(t), nil
}

func showParents(_ context.Context, c *Call) (*screen.Result, error) {
	t := newTable("parents", "name text Topic Name;properties text Properties")
	t.Empty = "No parents."
	for _, d := range c.o.Definitions.parents(property.Topic, c.Get("topic")) {
		t.Add(d.Name, d.Set.String())
	}
	return shown(t), nil
}
