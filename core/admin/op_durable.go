package admin

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/property"
)

var durableOperations = []Operation{
	{Usage: "show durables [PATTERN]", Help: "Durable subscriptions of topics that match.", Right: Right{Global: "view-durable"}, Run: showDurables},
	{
		Usage: "create durable TOPIC NAME [PROPERTIES...]", Help: "Make a durable subscription: clientid=ID, nolocal, selector=\"...\".",
		Right: Right{Global: "change-durable"}, Writes: true, Run: createDurable,
	},
	{Usage: "delete durable NAME [CLIENTID]", Help: "Delete a durable subscription with its messages.", Right: Right{Global: "change-durable"}, Writes: true, Asks: true, Run: deleteDurable},
	{Usage: "delete all durables [PATTERN]", Help: "Delete all durables of topics that match and are not in use.", Right: Right{Global: "change-durable"}, Writes: true, Asks: true, Run: deleteAllDurables},
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
		_, static := c.o.Definitions.durable(v.Name, v.ClientID)
		t.Add(v.Topic, !static, v.Name, yesNo(v.Shared), user, v.Consumers > 0, v.Messages, v.Bytes, v.ClientID, v.Selector)
	}
	return shown(t), nil
}

func showDurable(_ context.Context, c *Call) (*screen.Result, error) {
	v, err := c.subscription()
	if err != nil {
		return nil, err
	}
	t := newTable("durable", "name text Durable Subscriber;topic text Topic;type text Type;client_id text Client ID;status text Status;user text User;shared bool Shared;selector text Selector;nolocal bool No Local;msgs count Pending Msgs;persistent_msgs count Persistent Msgs;delivered_msgs count Delivered Msgs;bytes bytes Pending Msgs Size;"+lossColumns)
	t.Single = true
	status, user := "offline", ""
	if v.Consumers > 0 {
		status, user = "online", userOrAnonymous(v.User)
	}
	_, static := c.o.Definitions.durable(v.Name, v.ClientID)
	t.Add(append([]any{
		v.Name, v.Topic, typeOf(static, false), v.ClientID, status, user, v.Shared, v.Selector, v.NoLocal,
		v.Messages, v.Persistent, v.Delivered, v.Bytes,
	}, losses(v.Losses)...)...)
	return shown(t), nil
}

// durableOf reads the properties of create durable: a comma list as in
// durables.conf (ems 1.1).
func (c *Call) durableOf() (config.Object, error) {
	o := config.Object{Class: config.Durables, Name: c.Get("name"), Attrs: []config.Attr{{Name: "topic", Value: c.Get("topic")}}}
	list := joinList(c.Get("properties"))
	for _, s := range property.SplitList(list) {
		key, value, has := strings.Cut(list[s.Offset:s.Offset+s.Length], "=")
		key = strings.ToLower(strings.TrimSpace(key))
		value = strings.Trim(value, `"`)
		switch key {
		case "clientid", "selector":
			if value == "" {
				return o, refuse(core.Invalid, "%s has no value: write %s=...", key, key)
			}
			o.Attrs = append(o.Attrs, config.Attr{Name: key, Value: value})
		case "nolocal":
			if has {
				return o, refuse(core.Invalid, "nolocal has no value")
			}
			o.Attrs = append(o.Attrs, config.Attr{Name: key, Bare: true})
		case "route":
			return o, refuse(core.Invalid, "durables of routes come with routes, which this version does not connect")
		default:
			return o, refuse(core.Invalid, "%q is no property of a durable: clientid, nolocal, selector", key)
		}
	}
	return o, nil
}

func createDurable(_ context.Context, c *Call) (*screen.Result, error) {
	o, err := c.durableOf()
	if err != nil {
		return nil, err
	}
	if _, static := c.o.Definitions.durable(o.Name, o.Get("clientid")); static {
		return nil, exists("durable", o.Name)
	}
	if err := subscribe(c.o.Broker, &o); err != nil {
		if isKind(err, core.Exists) {
			return nil, exists("durable", o.Name)
		}
		return nil, err
	}
	if err := c.o.Definitions.put(o); err != nil {
		return nil, errors.Join(err, c.unsubscribe(&core.SubscriptionView{SubscriptionInfo: core.SubscriptionInfo{
			Name: o.Name, ClientID: o.Get("clientid"), Global: !o.Has("clientid"),
		}}))
	}
	return screen.Said("Durable '%s' has been created", o.Name), nil
}

func (c *Call) unsubscribe(v *core.SubscriptionView) (err error) {
	c.step(func(now time.Time, b *core.Broker, fx *core.Effects) {
		err = b.Unsubscribe(now, v.ClientID, v.Name, v.Global, fx)
	})
	return err
}

func (c *Call) deleteSubscription(v *core.SubscriptionView) error {
	if err := c.unsubscribe(v); err != nil {
		if isKind(err, core.Conflict) {
			return refuse(core.Conflict, "durable '%s' has an active consumer: close it, or delete its connection (show consumers durable)", v.Name)
		}
		return err
	}
	if o, static := c.o.Definitions.durable(v.Name, v.ClientID); static {
		return c.o.Definitions.remove(config.Durables, o.Key(), o.Name)
	}
	return nil
}

func deleteDurable(_ context.Context, c *Call) (*screen.Result, error) {
	v, err := c.subscription()
	if err != nil {
		return nil, err
	}
	if err := c.deleteSubscription(v); err != nil {
		return nil, err
	}
	return screen.Said("Durable '%s' has been deleted", v.Name), nil
}

func deleteAllDurables(ctx context.Context, c *Call) (*screen.Result, error) {
	count := 0
	views := c.subscriptions()
	for i := range views {
		v := &views[i]
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !matches(c.Get("pattern"), v.Topic) {
			continue
		}
		switch err := c.deleteSubscription(v); {
		case err == nil:
			count++
		case !isKind(err, core.Conflict) && !isKind(err, core.NotFound):
			return nil, err
		}
	}
	return screen.Said("%d durables have been deleted", count), nil
}
