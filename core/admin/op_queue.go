package admin

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/property"
)

var queueOperations = []Operation{
	{
		Usage: "show queues [PATTERN] [notemp|static|dynamic] [first=N|next=N|last=N]",
		Help:  "Queues that match, or N of them at a time.", Right: Right{Global: "view-destination"}, Run: showQueues,
	},
	{Usage: "show queue NAME", Help: "Everything about one queue.", Right: Right{Global: "view-destination", On: core.MayView, Kind: core.Queue}, Run: showQueue},
}

func decimal(n int) string { return strconv.Itoa(n) }

// named is a destination in a list: in the broker, in the files (a wildcard), or
// the server's own.
type named struct {
	core.Named
	defined bool // not in the broker
}

// destinations lists those that match a command's pattern and words, sorted.
func destinations(ctx context.Context, c *Call, kind property.Kind) ([]named, error) {
	list := (*core.Broker).QueueNames
	if kind == property.Topic {
		list = (*core.Broker).TopicNames
	}
	all, err := parts(ctx, c.Service, list)
	if err != nil {
		return nil, err
	}
	pattern := c.Get("pattern")
	wants := func(n core.Named) bool {
		switch {
		case !matches(pattern, n.Name),
			c.Has("notemp") && n.Temporary,
			c.Has("static") && !isStatic(n),
			c.Has("dynamic") && (isStatic(n) || n.Temporary):
			return false
		}
		return true
	}
	rows := make([]named, 0, len(all))
	for _, n := range all {
		if wants(n) {
			rows = append(rows, named{Named: n})
		}
	}
	for _, n := range c.o.Definitions.beside(kind) {
		if d := (core.Named{Name: n, Static: true}); wants(d) {
			rows = append(rows, named{d, true})
		}
	}
	// Of what was seen twice, or is defined and in the broker, the broker's stays.
	slices.SortStableFunc(rows, func(x, y named) int { return compareNames(x.Name, y.Name) })
	return slices.CompactFunc(rows, func(x, y named) bool { return x.Name == y.Name }), nil
}

// isStatic: the server's own queues count as defined.
func isStatic(n core.Named) bool { return n.Static || property.IsSystem(property.Queue, n.Name) }

// list makes the screen of queues or topics: look finds one in the broker, add
// makes its row of what it is there, the zero view for one that is only defined.
func list[V any](ctx context.Context, c *Call, k property.Kind, t *screen.Table, look func(b *core.Broker, name string) (V, bool), add func(n named, v *V, p properties)) (*screen.Result, error) {
	rows, err := destinations(ctx, c, k)
	if err != nil {
		return nil, err
	}
	rows, last, more := page(c, rows, func(n named) string { return n.Name })
	t.Empty = "No " + t.Name + " matched."
	bridges := c.o.Definitions.bridgeSources()
	for chunk := range slices.Chunk(rows, sliceOf) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		views := make([]V, len(chunk))
		there := make([]bool, len(chunk))
		c.step(func(_ time.Time, b *core.Broker, _ *core.Effects) {
			for i, n := range chunk {
				views[i], there[i] = look(b, n.Name)
			}
		})
		for i, n := range chunk {
			if there[i] || n.defined { // else it is gone meanwhile
				add(n, &views[i], c.o.Definitions.properties(k, n.Name, bridges))
			}
		}
	}
	return &screen.Result{Tables: []*screen.Table{t}, Last: last, More: more}, nil
}

func showQueues(ctx context.Context, c *Call) (*screen.Result, error) {
	t := newTable("queues", "name text;dynamic bool;flags text;prefetch text;prefetch_inherited bool;receivers count;msgs count;bytes bytes;persistent_msgs count;persistent_bytes bytes")
	return list(ctx, c, property.Queue, t, (*core.Broker).QueueView, func(n named, v *core.QueueView, p properties) {
		t.Add(n.Name, n.Temporary || !isStatic(n.Named), p.flags, p.prefetch, p.prefetchInherited && !n.Temporary,
			v.Receivers, v.Msgs, v.Bytes, v.Persistent, v.PersistentBytes)
	})
}

func typeOf(static, temporary bool) string {
	switch {
	case temporary:
		return "temporary"
	case static:
		return "static"
	}
	return "dynamic"
}

func showQueue(_ context.Context, c *Call) (*screen.Result, error) {
	n := c.Get("name")
	var v core.QueueView
	var there bool
	c.step(func(_ time.Time, b *core.Broker, _ *core.Effects) { v, there = b.QueueView(n) })
	if !there && !c.o.Definitions.has(property.Queue, n) {
		return nil, missing("queue", n)
	}
	p := c.o.Definitions.properties(property.Queue, n, c.o.Definitions.bridgeSources())
	t := newTable("queue", "name text;type text;properties list;jndi_names list;bridges list;receivers count;msgs count;persistent_msgs count;delivered_msgs count;bytes bytes;persistent_bytes bytes;"+trafficColumns+";"+lossColumns)
	t.Single = true
	static := v.Static || property.IsSystem(property.Queue, n) || name.IsWildcard(n)
	t.Add(slices.Concat([]any{
		n, typeOf(static, v.Temporary), p.list, c.o.Definitions.jndiNames("queue", n, static), c.o.Definitions.bridgesFrom("queue", n),
		v.Receivers, v.Msgs, v.Persistent, v.Delivered, v.Bytes, v.PersistentBytes,
	}, traffic(v.In, v.Out), losses(v.Losses))...)
	return shown(t), nil
}

// lossColumns are what losses gives.
const lossColumns = "refused_msgs count;discarded_msgs count;expired_msgs count;max_redelivery_msgs count;undelivered_msgs count"

func losses(l core.Losses) []any {
	return []any{l.Refused, l.Discarded, l.Expired, l.MaxRedelivery, l.Undelivered}
}

// trafficColumns are what traffic gives.
const trafficColumns = "in_msgs count;in_bytes bytes;in_msg_rate count;in_byte_rate bytes;out_msgs count;out_bytes bytes;out_msg_rate count;out_byte_rate bytes"

func traffic(in, out core.Traffic) []any {
	return []any{in.Msgs, in.Bytes, in.MsgRate, in.ByteRate, out.Msgs, out.Bytes, out.MsgRate, out.ByteRate}
}
