package admin

import (
	"context"
	"strings"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/command"
	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/property"
)

// defineOperations are the same for queues and topics.
var defineOperations = append(defining(property.Queue), defining(property.Topic)...)

func defining(k property.Kind) []Operation {
	kind, on := k.String(), brokerKind(k)
	run := func(f func(ctx context.Context, c *Call, k property.Kind) (*screen.Result, error)) func(context.Context, *Call) (*screen.Result, error) {
		return func(ctx context.Context, c *Call) (*screen.Result, error) { return f(ctx, c, k) }
	}
	modify := Right{Global: "modify-destination", On: core.MayModify, Kind: on}
	return []Operation{
		{
			Usage: "create " + kind + " NAME [PROPERTIES...]", Help: "Define a static " + kind + ", or a wildcard.",
			Right: Right{Global: "create-destination", On: core.MayCreate, Kind: on}, Writes: true, Run: run(createDestination),
		},
		{
			Usage: "delete " + kind + " NAME", Help: "Delete a " + kind + " with its messages.",
			Right: Right{Global: "delete-destination", On: core.MayDelete, Kind: on}, Writes: true, Asks: true, Run: run(deleteDestination),
		},
		{
			Usage: "delete all " + kind + "s [PATTERN]", Help: "Delete all " + kind + "s that match, with their messages.",
			Right: Right{Global: "delete-destination"}, Writes: true, Asks: true, Run: run(deleteAllDestinations),
		},
		{Usage: "addprop " + kind + " NAME PROPERTIES...", Help: "Set properties and keep the others.", Right: modify, Writes: true, Run: run(addProperties)},
		{Usage: "setprop " + kind + " NAME [PROPERTIES...]", Help: "Set properties in place of all there were.", Right: modify, Writes: true, Run: run(setProperties)},
		{Usage: "removeprop " + kind + " NAME PROPERTIES...", Help: "Take properties away.", Right: modify, Writes: true, Run: run(removeProperties)},
	}
}

// capital is a word as a sentence begins with it.
func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// properties reads the list of a command; blanks behind commas are allowed.
func (c *Call) properties(k property.Kind) (property.Set, error) {
	text := joinList(c.Get("properties"))
	items, wrong := property.ParseList(k, text)
	if len(wrong) > 0 {
		return nil, refuse(core.Invalid, "%s", withFix(wrong[0].Message, wrong[0].Fix))
	}
	set := make(property.Set, 0, len(items))
	for _, i := range items {
		set = append(set, i.Value)
	}
	return set, nil
}

// joinList takes blanks around commas out, but for those in quotes.
func joinList(list string) string {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(list); i++ {
		c := list[i]
		if c == '"' {
			quoted = !quoted
		}
		if (c == ' ' || c == '\t') && !quoted {
			rest := strings.TrimLeft(list[i:], " \t")
			if strings.HasPrefix(rest, ",") || strings.HasSuffix(b.String(), ",") {
				continue
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}

func classOf(k property.Kind) config.Class {
	if k == property.Topic {
		return config.Topics
	}
	return config.Queues
}

func createDestination(_ context.Context, c *Call, k property.Kind) (*screen.Result, error) {
	full := c.Get("name")
	n, server := property.SplitRoute(k, full)
	if c.o.Definitions.has(k, n) {
		return nil, exists(k.String(), n)
	}
	set, err := c.properties(k)
	if err != nil {
		return nil, err
	}
	if err := c.o.Definitions.change(func(cfg *config.Config) (Change, error) {
		return Change{Class: classOf(k), Name: n}, cfg.PutDestination(k, property.Definition{Name: n, Server: server, Set: set})
	}); err != nil {
		return nil, err
	}
	return screen.Said("%s '%s' has been created%s", capital(k.String()), n, c.loops(k, n, set)), nil
}

// deleteNamed deletes one; it is refused where a bridge begins there (ems 4.11).
func (c *Call) deleteNamed(k property.Kind, n string) error {
	if property.IsSystem(k, n) {
		return refuse(core.Denied, "%s '%s' is the server's own and cannot be deleted", k, n)
	}
	for _, b := range c.o.Definitions.bridgeSources() {
		if b.kind == k && b.name == n {
			return refuse(core.Conflict, "%s '%s' is the source of a bridge: delete bridge source=%s:%s target=... first", k, n, k, n)
		}
	}
	defined := c.o.Definitions.has(k, n)
	if defined {
		if err := c.o.Definitions.change(func(cfg *config.Config) (Change, error) {
			return Change{Class: classOf(k), Name: n, Gone: true}, cfg.DeleteDestination(k, n)
		}); err != nil {
			return err
		}
		if err := c.dropNames(k.String(), n); err != nil {
			return err
		}
		if k == property.Topic && !name.IsWildcard(n) {
			if err := c.dropDurables(n); err != nil {
				return err
			}
		}
	}
	var err error
	c.step(func(now time.Time, b *core.Broker, fx *core.Effects) {
		err = b.Delete(now, core.Destination{Kind: brokerKind(k), Name: n}, fx)
	})
	if isKind(err, core.NotFound) {
		err = nil
		if !defined {
			err = missing(k.String(), n)
		}
	}
	return err
}

// dropDurables takes the durables of a topic that goes out of durables.conf: their
// subscriptions go with it.
func (c *Call) dropDurables(topic string) error {
	for _, o := range c.o.Definitions.objects(config.Durables) {
		if o.Get("topic") == topic && !o.Has("route") {
			if err := c.o.Definitions.remove(config.Durables, o.Key(), o.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

func deleteDestination(_ context.Context, c *Call, k property.Kind) (*screen.Result, error) {
	n := c.Get("name")
	if err := c.deleteNamed(k, n); err != nil {
		return nil, err
	}
	return screen.Said("%s '%s' has been deleted", capital(k.String()), n), nil
}

func deleteAllDestinations(ctx context.Context, c *Call, k property.Kind) (*screen.Result, error) {
	rows, err := destinations(ctx, c, k)
	if err != nil {
		return nil, err
	}
	count := 0
	for _, n := range rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if n.Temporary || strings.HasPrefix(n.Name, "$") {
			continue
		}
		switch err := c.deleteNamed(k, n.Name); {
		case err == nil:
			count++
		case !isKind(err, core.NotFound) && !isKind(err, core.Conflict):
			return nil, err
		}
	}
	return screen.Said("%d %ss have been deleted", count, k), nil
}

// redefine gives a static destination other properties.
func (c *Call) redefine(k property.Kind, with func(old property.Set) (property.Set, error)) (*screen.Result, error) {
	n := c.Get("name")
	def, ok := c.o.Definitions.get(k, n)
	if !ok {
		return nil, c.noProperties(k, n)
	}
	set, err := with(def.Set)
	if err != nil {
		return nil, err
	}
	def.Set = set
	if err := c.o.Definitions.change(func(cfg *config.Config) (Change, error) {
		return Change{Class: classOf(k), Name: n}, cfg.PutDestination(k, def)
	}); err != nil {
		return nil, err
	}
	return screen.Said("%s '%s' has been updated%s", capital(k.String()), n, c.loops(k, n, set)), nil
}

// noProperties says why a destination's properties cannot be changed.
func (c *Call) noProperties(k property.Kind, n string) error {
	there := false
	c.step(func(_ time.Time, b *core.Broker, _ *core.Effects) {
		there = b.Exists(core.Destination{Kind: brokerKind(k), Name: n})
	})
	switch {
	case property.IsSystem(k, n):
		return refuse(core.Denied, "%s '%s' is the server's own: its properties cannot be changed", k, n)
	case there:
		return refuse(core.Denied, "%s '%s' is dynamic or temporary, and has only what it inherits: create %s %s makes it static", k, n, k, n)
	}
	return missing(k.String(), n)
}

func addProperties(_ context.Context, c *Call, k property.Kind) (*screen.Result, error) {
	more, err := c.properties(k)
	if err != nil {
		return nil, err
	}
	return c.redefine(k, func(old property.Set) (property.Set, error) { return old.Merge(more), nil })
}

func setProperties(_ context.Context, c *Call, k property.Kind) (*screen.Result, error) {
	all, err := c.properties(k)
	if err != nil {
		return nil, err
	}
	return c.redefine(k, func(property.Set) (property.Set, error) { return all, nil })
}

func removeProperties(_ context.Context, c *Call, k property.Kind) (*screen.Result, error) {
	return c.redefine(k, func(set property.Set) (property.Set, error) {
		for _, word := range command.Words(c.Get("properties")) {
			word, _, _ = strings.Cut(word, "=")
			row, ok := property.Lookup(word)
			switch {
			case !ok:
				return nil, refuse(core.Invalid, "there is no property %q", word)
			case !set.Has(row.ID):
				return nil, refuse(core.NotFound, "%s is not among the properties of its own: %s", row.Name, valueOr(set.String(), "it has none"))
			}
			set = set.Without(row.ID)
		}
		return set, nil
	})
}
