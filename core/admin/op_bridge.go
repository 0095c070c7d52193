package admin

import (
	"context"
	"strings"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/name"
)

var bridgeOperations = []Operation{
	{
		Usage: "create bridge source=SOURCE target=TARGET [selector=SELECTOR]", Help: "Copy what is sent to SOURCE (queue:NAME or topic:NAME) to TARGET.",
		Right: Right{Global: "change-bridge"}, Writes: true, Run: createBridge,
	},
	{Usage: "delete bridge source=SOURCE target=TARGET", Help: "End a bridge.", Right: Right{Global: "change-bridge"}, Writes: true, Run: deleteBridge},
	{Usage: "show bridges [type=queue|topic] [PATTERN]", Help: "Sources of bridges and how many targets they have.", Right: Right{Global: "view-bridge"}, Run: showBridges},
	{Usage: "show bridge SOURCE", Help: "The targets of one source, queue:NAME or topic:NAME.", Right: Right{Global: "view-bridge"}, Run: showBridge},
}

// ends reads source and target.
func (c *Call) ends() (source, kind, target string, err error) {
	k, n, ok := splitEnd(c.Get("source"))
	if !ok {
		return "", "", "", refuse(core.Invalid, "source=%s: write queue:NAME or topic:NAME", c.Get("source"))
	}
	tk, target, ok := splitEnd(c.Get("target"))
	switch {
	case !ok:
		return "", "", "", refuse(core.Invalid, "target=%s: write queue:NAME or topic:NAME", c.Get("target"))
	case name.IsWildcard(target):
		return "", "", "", refuse(core.Invalid, "target=%s: the target of a bridge cannot be a wildcard", c.Get("target"))
	}
	return k.String() + ":" + n, tk.String(), target, nil
}

func createBridge(_ context.Context, c *Call) (*screen.Result, error) {
	source, kind, target, err := c.ends()
	if err != nil {
		return nil, err
	}
	o, _ := c.o.Definitions.object(config.Bridges, source)
	o.Class, o.Name = config.Bridges, source
	for _, a := range o.Attrs {
		if a.Name == kind && a.Value == target {
			return nil, refuse(core.Exists, "there is a bridge from %s to %s:%s already", source, kind, target)
		}
	}
	o.Attrs = append(o.Attrs[:len(o.Attrs):len(o.Attrs)], config.Attr{Name: kind, Value: target, Selector: c.Get("selector")})
	if err := c.o.Definitions.put(o); err != nil {
		return nil, err
	}
	return screen.Said("Bridge has been created"), nil
}

func deleteBridge(_ context.Context, c *Call) (*screen.Result, error) {
	source, kind, target, err := c.ends()
	if err != nil {
		return nil, err
	}
	o, _ := c.o.Definitions.object(config.Bridges, source)
	var rest []config.Attr
	for _, a := range o.Attrs {
		if a.Name != kind || a.Value != target {
			rest = append(rest, a)
		}
	}
	switch {
	case len(rest) == len(o.Attrs):
		return nil, refuse(core.NotFound, "there is no bridge from %s to %s:%s", source, kind, target)
	case len(rest) == 0:
		err = c.o.Definitions.remove(config.Bridges, o.Key(), source)
	default:
		o.Attrs = rest
		err = c.o.Definitions.put(o)
	}
	if err != nil {
		return nil, err
	}
	return screen.Said("Bridge has been deleted"), nil
}

func showBridges(_ context.Context, c *Call) (*screen.Result, error) {
	t := newTable("bridges", "type text;name text;queue_targets count;topic_targets count")
	t.Empty = "No bridges."
	for _, o := range c.o.Definitions.objects(config.Bridges) {
		k, n, _ := splitEnd(o.Name)
		if !matches(c.Get("pattern"), n) || c.Has("type") && c.Get("type") != k.String() {
			continue
		}
		t.Add(capital(k.String())[:1], n, len(o.All("queue")), len(o.All("topic")))
	}
	return shown(t), nil
}

func showBridge(_ context.Context, c *Call) (*screen.Result, error) {
	k, n, ok := splitEnd(c.Get("source"))
	o, found := c.o.Definitions.object(config.Bridges, k.String()+":"+n)
	if !ok || !found {
		return nil, missing("bridge from", c.Get("source"))
	}
	t := newTable("bridge", "type text T;target text Target Name;selector text Selector")
	for _, a := range o.Attrs {
		t.Add(strings.ToUpper(a.Name[:1]), a.Value, a.Selector)
	}
	return shown(t), nil
}
