package admin

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/property"
)

// transportOperations are about the ways to other systems (ems 9). A change takes effect
// at once: what runs the transports watches the definitions.
var transportOperations = append([]Operation{
	{Usage: "show transports", Help: "All transports: what they do, what they carry, and what waits.", Right: Right{Global: "view-server"}, Run: showTransports},
	{Usage: "show transport NAME", Help: "Everything about one transport.", Right: Right{Global: "view-server"}, Run: showTransport},
	{
		Usage: "create transport NAME PROPERTIES...", Help: "Define a transport; type= is needed: nats, natsjs, amqp091, amqp10 or azure.",
		Right: Right{Global: "change-server"}, Writes: true, Run: createTransport,
	},
	{Usage: "suspend transport NAME", Help: "Disconnect a transport until it is resumed.", Right: Right{Global: "change-server"}, Run: suspendTransport},
	{Usage: "resume transport NAME", Help: "Connect a transport that was suspended, or that stopped.", Right: Right{Global: "change-server"}, Run: resumeTransport},
}, edits("transport", config.Transports, "change-server")...)

func createTransport(_ context.Context, c *Call) (*screen.Result, error) {
	keys, err := c.attributes(config.Transports)
	if err != nil {
		return nil, err
	}
	o := config.Object{Name: c.Get("name")}
	for _, a := range keys {
		o = putKey(o, a)
	}
	return c.createSection(config.Transports, o)
}

func suspendTransport(ctx context.Context, c *Call) (*screen.Result, error) {
	return c.toTransport(ctx, Transports.Suspend, "suspended")
}

func resumeTransport(ctx context.Context, c *Call) (*screen.Result, error) {
	return c.toTransport(ctx, Transports.Resume, "resumed")
}

// toTransport does something with one that runs.
func (c *Call) toTransport(ctx context.Context, do func(t Transports, ctx context.Context, name string) error, done string) (*screen.Result, error) {
	n := c.Get("name")
	if _, ok := c.o.Definitions.object(config.Transports, n); !ok {
		return nil, missing("transport", n)
	}
	all, err := c.settled(ctx)
	if err != nil {
		return nil, err
	}
	if err := do(all, ctx, n); err != nil {
		return nil, transportFault(n, err)
	}
	return screen.Said("Transport '%s' has been %s", n, done), nil
}

// noting makes a change, and says what is to be said of transports since, a line each.
func (c *Call) noting(class config.Class, change func() error) (warned string, err error) {
	if class != config.Transports {
		return "", change()
	}
	before := c.o.Definitions.transportNotes(c.o.RendezvousURL)
	if err := change(); err != nil {
		return "", err
	}
	after := c.o.Definitions.transportNotes(c.o.RendezvousURL)
	return warnings(slices.DeleteFunc(after, func(n string) bool { return slices.Contains(before, n) })), nil
}

// loops says which loops over other systems a destination with these properties is part
// of, a line each.
func (c *Call) loops(k property.Kind, n string, set property.Set) string {
	for _, id := range []property.ID{property.Import, property.Export} {
		if set.Has(id) {
			return c.loopsBy(func(cfg *config.Config) []string { return cfg.LoopsAt(k, n) })
		}
	}
	return ""
}

func (c *Call) loopsBy(find func(*config.Config) []string) string {
	var all []string
	c.o.Definitions.View(func(cfg *config.Config) { all = find(cfg) })
	return warnings(all)
}

// warnings are lines behind what was done.
func warnings(all []string) string {
	var b strings.Builder
	for _, w := range all {
		b.WriteString("\nWarning: " + w)
	}
	return b.String()
}

// leftWaiting says what a transport that is deleted leaves behind.
func (c *Call) leftWaiting(o config.Object) string {
	if o.Class != config.Transports {
		return ""
	}
	if n, _ := c.waiting(o.Name); n > 0 {
		q := core.ExportQueuePrefix + o.Name
		return warnings([]string{decimal(n) + " messages that waited for it stay in queue " + q + ": purge queue " + q + " takes them away, another transport of this name sends them"})
	}
	return ""
}

// waiting is what waits to go out by a transport.
func (c *Call) waiting(transport string) (msgs int, bytes int64) {
	var v core.QueueView
	c.step(func(_ time.Time, b *core.Broker, _ *core.Effects) {
		v, _ = b.QueueView(core.ExportQueuePrefix + transport)
	})
	return v.Msgs, v.Bytes
}
