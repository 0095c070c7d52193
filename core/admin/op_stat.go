package admin

import (
	"context"
	"slices"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/property"
)

var statOperations = []Operation{
	{
		Usage: "show stat consumers [topic=NAME] [queue=NAME] [user=USER] [connection=ID] [total]",
		Help:  "What consumers were sent, in all and a second.", Right: Right{Global: "view-server"}, Run: statConsumers,
	},
	{
		Usage: "show stat producers [topic=NAME] [queue=NAME] [user=USER] [connection=ID] [total]",
		Help:  "What producers sent, in all and a second.", Right: Right{Global: "view-server"}, Run: statProducers,
	},
	{Usage: "show stat queues [PATTERN] [total]", Help: "What went into queues and out of them.", Right: Right{Global: "view-server"}, Run: statQueues},
	{Usage: "show stat topics [PATTERN] [total]", Help: "What went into topics and out of them.", Right: Right{Global: "view-server"}, Run: statTopics},
	{Usage: "show stat queue NAME [total]", Help: "What went into a queue and out of it.", Right: Right{Global: "view-server"}, Run: statQueues},
	{Usage: "show stat topic NAME [total]", Help: "What went into a topic and out of it.", Right: Right{Global: "view-server"}, Run: statTopics},
}

func statLinks(ctx context.Context, c *Call, name string, list func(b *core.Broker, all []core.LinkView, cursor, n int) ([]core.LinkView, int)) (*screen.Result, error) {
	if err := c.statistics(); err != nil {
		return nil, err
	}
	all, err := links(ctx, c.Service, list)
	if err != nil {
		return nil, err
	}
	columns := "user text;connection count;type text;destination text;msgs count;bytes bytes"
	if !c.Has("total") {
		columns += ";msg_rate count;byte_rate bytes"
	}
	t := newTable(name, columns)
	for i := range all {
		v := &all[i]
		if !c.wantsLink(v) {
			continue
		}
		to := v.Destination.Name
		if to == "" {
			to = "<any>"
		}
		add := func(kind, to string, traffic core.Traffic) {
			row := []any{userOrAnonymous(v.User), v.Conn, kind, to, traffic.Msgs, traffic.Bytes}
			if !c.Has("total") {
				row = append(row, traffic.MsgRate, traffic.ByteRate)
			}
			t.Add(row...)
		}
		add(kindLetter(v.Destination.Kind), to, v.Traffic)
		for _, d := range v.Details { // detailed_statistics: by destination, behind the whole
			add(kindLetter(d.Destination.Kind), d.Destination.Name, d.Traffic)
		}
	}
	return shown(t), nil
}

func statConsumers(ctx context.Context, c *Call) (*screen.Result, error) {
	return statLinks(ctx, c, "stat consumers", (*core.Broker).ConsumerViews)
}

func statProducers(ctx context.Context, c *Call) (*screen.Result, error) {
	return statLinks(ctx, c, "stat producers", (*core.Broker).ProducerViews)
}

// statistics says why there are none.
func (c *Call) statistics() error {
	if c.o.Definitions.param("statistics", "enabled") != "enabled" {
		return refuse(core.Invalid, "statistics are disabled: set server statistics=enabled")
	}
	return nil
}

func statQueues(ctx context.Context, c *Call) (*screen.Result, error) {
	return statDestinations(ctx, c, property.Queue, "stat queues", func(b *core.Broker, n string) (in, out core.Traffic, lost core.Losses, ok bool) {
		v, ok := b.QueueView(n)
		return v.In, v.Out, v.Losses, ok
	})
}

func statTopics(ctx context.Context, c *Call) (*screen.Result, error) {
	return statDestinations(ctx, c, property.Topic, "stat topics", func(b *core.Broker, n string) (in, out core.Traffic, lost core.Losses, ok bool) {
		v, ok := b.TopicView(n)
		return v.In, v.Out, v.Losses, ok
	})
}

func statDestinations(ctx context.Context, c *Call, kind property.Kind, name string, look func(b *core.Broker, n string) (in, out core.Traffic, lost core.Losses, ok bool)) (*screen.Result, error) {
	if err := c.statistics(); err != nil {
		return nil, err
	}
	rows, err := destinations(ctx, c, kind)
	if err != nil {
		return nil, err
	}
	columns := "name text;" + trafficColumns + ";lost_msgs count"
	if c.Has("total") {
		columns = "name text;in_msgs count;in_bytes bytes;out_msgs count;out_bytes bytes;lost_msgs count"
	}
	t := newTable(name, columns)
	for chunk := range slices.Chunk(rows, sliceOf) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c.step(func(_ time.Time, b *core.Broker, _ *core.Effects) {
			for _, n := range chunk {
				in, out, lost, ok := look(b, n.Name)
				switch {
				case !ok, c.Has("name") && c.Get("name") != n.Name:
				case c.Has("total"):
					t.Add(n.Name, in.Msgs, in.Bytes, out.Msgs, out.Bytes, lost.Lost())
				default:
					t.Add(slices.Concat([]any{n.Name}, traffic(in, out), []any{lost.Lost()})...)
				}
			}
		})
	}
	if c.Has("name") && len(t.Rows) == 0 {
		return nil, missing(kind.String(), c.Get("name"))
	}
	return shown(t), nil
}
