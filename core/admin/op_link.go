package admin

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/screen"
)

var linkOperations = []Operation{
	{
		Usage: "show consumers [topic=NAME] [queue=NAME] [durable] [user=USER] [connection=ID] [sort=conn|user|dest|msgs] [full]",
		Help:  "Consumers of queues and topics.", Right: Right{Global: "view-connection"}, Run: showConsumers,
	},
	{Usage: "show consumer ID", Help: "Everything about one consumer.", Right: Right{Global: "view-connection"}, Run: showConsumer},
	{
		Usage: "show subscriptions [TOPIC] [name=NAME] [client=ID] [sort=topic|name|msgs]",
		Help:  "Subscriptions of topics with a name.", Right: Right{Global: "view-durable"}, Run: showSubscriptions,
	},
}

func kindLetter(k core.DestinationKind) string {
	if k == core.Topic {
		return "T"
	}
	return "Q"
}

// wantsLink applies the filters that consumers and producers have in common.
func (c *Call) wantsLink(v *core.LinkView) bool {
	switch {
	case c.Has("topic") && (v.Destination.Kind != core.Topic || !matches(c.Get("topic"), v.Destination.Name)),
		c.Has("queue") && (v.Destination.Kind != core.Queue || !matches(c.Get("queue"), v.Destination.Name)),
		c.Has("durable") && (v.Subscription == nil || !v.Subscription.Durable),
		c.Has("user") && c.Get("user") != userOrAnonymous(v.User),
		c.Has("connection") && c.Get("connection") != strconv.FormatUint(v.Conn, 10):
		return false
	}
	return true
}

func showConsumers(ctx context.Context, c *Call) (*screen.Result, error) {
	all, err := links(ctx, c.Service, (*core.Broker).ConsumerViews)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(x, y core.LinkView) int {
		switch c.Get("sort") {
		case "conn":
			return cmp.Compare(x.Conn, y.Conn)
		case "user":
			return cmp.Compare(x.User, y.User)
		case "dest":
			return compareNames(x.Destination.Name, y.Destination.Name)
		case "msgs":
			return cmp.Compare(y.Pending, x.Pending)
		}
		return 0
	})
	columns := "id text Id;connection count Conn;sub text;user text User;type text T;destination text Destination;subscription text Sub.Name;pre text SAS;unsettled count Sent;msgs count Msgs;bytes bytes Size"
	if c.Has("full") {
		columns += ";total_msgs count Total;credit count Credit;selector text Selector"
	}
	t := newTable("consumers", columns)
	t.Empty = "No consumers."
	for i := range all {
		v := &all[i]
		if !c.wantsLink(v) {
			continue
		}
		name, sub := "", "-"
		if v.Subscription != nil {
			name, sub = v.Subscription.Name, "N"
			if v.Subscription.Durable {
				sub = "D"
			}
		}
		row := []any{
			strconv.FormatUint(v.Number, 10), v.Conn, sub, userOrAnonymous(v.User), kindLetter(v.Destination.Kind), v.Destination.Name, name,
			consumerFlags(v), v.Unsettled, v.Pending, v.PendingBytes,
		}
		if c.Has("full") {
			row = append(row, v.Traffic.Msgs, v.Credit, v.Selector)
		}
		t.Add(row...)
	}
	return shown(t), nil
}

// consumerFlags are the letters under SAS: has a selector, is a browser, has credit.
func consumerFlags(v *core.LinkView) string {
	flags := []byte("---")
	if v.Selector != "" {
		flags[0] = 'S'
	}
	if v.Browse {
		flags[1] = 'B'
	}
	if v.Credit > 0 {
		flags[2] = '+'
	}
	return string(flags)
}

func showConsumer(ctx context.Context, c *Call) (*screen.Result, error) {
	all, err := links(ctx, c.Service, (*core.Broker).ConsumerViews)
	if err != nil {
		return nil, err
	}
	for i := range all {
		v := &all[i]
		if strconv.FormatUint(v.Number, 10) != c.Get("id") {
			continue
		}
		t := newTable("consumer", "id text Consumer;connection count Connection;user text User;client_id text Client ID;type text Type;destination text Destination;subscription text Subscription;selector text Selector;nolocal bool No Local;browser bool Browser;unsettled count Sent Msgs;msgs count Pending Msgs;bytes bytes Pending Msgs Size;total_msgs count Total Msgs;total_bytes bytes Total Size;msg_rate count Msgs per Second;byte_rate bytes Size per Second;credit count Credit")
		t.Single = true
		name := ""
		if v.Subscription != nil {
			name = v.Subscription.Name
		}
		kind := "queue"
		if v.Destination.Kind == core.Topic {
			kind = "topic"
		}
		t.Add(c.Get("id"), v.Conn, userOrAnonymous(v.User), v.ClientID, kind, v.Destination.Name, name, v.Selector, v.NoLocal, v.Browse,
			v.Unsettled, v.Pending, v.PendingBytes, v.Traffic.Msgs, v.Traffic.Bytes, v.Traffic.MsgRate, v.Traffic.ByteRate, v.Credit)
		return shown(t), nil
	}
	return nil, missing("consumer", c.Get("id"))
}

func showSubscriptions(_ context.Context, c *Call) (*screen.Result, error) {
	t := newTable("subscriptions", "topic text Topic Name;name text Subscription;client_id text ClientID;shared text Shared;consumers count Cons;msgs count Msgs;bytes bytes Size;selector text Selector")
	t.Empty = "No subscriptions."
	views := c.subscriptions()
	slices.SortStableFunc(views, func(x, y core.SubscriptionView) int {
		switch c.Get("sort") {
		case "name":
			return cmp.Compare(x.Name, y.Name)
		case "msgs":
			return cmp.Compare(y.Messages, x.Messages)
		}
		return 0
	})
	for i := range views {
		v := &views[i]
		if matches(c.Get("topic"), v.Topic) && (!c.Has("name") || c.Get("name") == v.Name) && (!c.Has("client") || c.Get("client") == v.ClientID) {
			t.Add(v.Topic, v.Name, v.ClientID, yesNo(v.Shared), v.Consumers, v.Messages, v.Bytes, v.Selector)
		}
	}
	return shown(t), nil
}

func yesNo(b bool) string {
	if b {
		return "Y"
	}
	return "N"
}
