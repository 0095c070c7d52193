package admin

import (
	"context"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/screen"
)

var durableOperations = []Operation{
	{Usage: "show durables [PATTERN]", Help: "Durable subscriptions of topics that match.", Right: Right{Global: "view-durable"}, Run: showDurables},
	{Usage: "show durable NAME [CLIENTID]", Help: "Everything about one durable subscription.", Right: Right{Global: "view-durable"}, Run: showDurable},
}

func (s *Service) subscriptions() (views []core.SubscriptionView) {
	s.step(func(_ time.Time, b *core.Broker, _ *core.Effects) { views = b.SubscriptionViews() })
	return views
}

// subscription finds a durable one by its name, and its client id where several
// clients have one of that name.
func (c *Call) subscription() (*core.SubscriptionView, error) {
	var found *core.SubscriptionView
	views := c.subscriptions()
	for i := range views {
		v := &views[i]
		if v.Name != c.Get("name") || c.Has("clientid") && v.ClientID != c.Get("clientid") {
			continue
		}
		if found != nil {
			return nil, refuse(core.Conflict, "several clients have a durable '%s': name the one, for example %s %s", v.Name, v.Name, v.ClientID)
		}
		found = v
	}
	if found == nil {
		return nil, missing("durable", c.Get("name"))
	}
	return found, nil
}

func showDurables(_ context.Context, c *Call) (*screen.Result, error) {
	t := newTable("durables", "topic text;dynamic bool;name text;shared text;user text;online bool;msgs count;bytes bytes;client_id text;selector text")
	t.Empty = "No durables."
	views := c.subscriptions()
	for i := range views {
		v := &views[i]
		if !matches(c.Get("pattern"), v.Topic) {
			continue
		}
		user := ""
		if v.Consumers > 0 {
			user = userOrAnonymous(v.User)
		}
		t.Add(v.Topic, !c.o.Definitions.durable(v.Name, v.ClientID), v.Name, yesNo(v.Shared), user, v.Consumers > 0, v.Messages, v.Bytes, v.ClientID, v.Selector)
	}
	return shown(t), nil
}

func showDurable(_ context.Context, c *Call) (*screen.Result, error) {
	v, err := c.subscription()
	if err != nil {
		return nil, err
	}
	t := newTable("durable", "name text Durable Subscriber;topic text Topic;type text Type;client_id text Client ID;status text Status;user text User;shared bool Shared;selector text Selector;nolocal bool No Local;msgs count Pending Msgs;persistent_msgs count Persistent Msgs;delivered_msgs count Delivered Msgs;bytes bytes Pending Msgs Size")
	t.Single = true
	status, user := "offline", ""
	if v.Consumers > 0 {
		status, user = "online", userOrAnonymous(v.User)
	}
	t.Add(v.Name, v.Topic, typeOf(c.o.Definitions.durable(v.Name, v.ClientID), false), v.ClientID, status, user, v.Shared, v.Selector, v.NoLocal,
		v.Messages, v.Persistent, v.Delivered, v.Bytes)
	return shown(t), nil
}
