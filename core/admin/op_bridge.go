package admin

import (
	"context"
	"slices"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/config"
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

// bridge reads what a command says of a bridge.
func (c *Call) bridge() (source string, br core.Bridge, target config.Attr, err error) {
	k, n, ok := splitEnd(c.Get("source"))
	if !ok {
		return "", br, target, refuse(core.Invalid, "source=%s: write queue:NAME or topic:NAME", c.Get("source"))
	}
	tk, to, ok := splitEnd(c.Get("target"))
	if !ok {
		return "", br, target, refuse(core.Invalid, "target=%s: write queue:NAME or topic:NAME", c.Get("target"))
	}
	target = config.Attr{Name: tk.String(), Value: to, Selector: c.Get("selector")}
	return k.String() + ":" + n, bridgeOf(k, n, target), target, nil
}

func createBridge(_ context.Context, c *Call) (*screen.Result, error) {
	source, br, target, err := c.bridge()
	if err != nil {
		return nil, err
	}
	if err := core.CheckBridge(br); err != nil {
		return nil, refuse(core.Invalid, "%v", err)
	}
	o, _ := c.o.Definitions.object(config.Bridges, source)
	o.Class, o.Name = config.Bridges, source
	for _, a := range o.Attrs {
		if a.Name == target.Name && a.Value == target.Value {
			return nil, refuse(core.Exists, "there is a bridge from %s to %s:%s already", source, target.Name, target.Value)
		}
	}
	o.Attrs = append(slices.Clip(o.Attrs), target)
	if err := c.o.Definitions.put(o); err != nil {
		return nil, err
	}
	return screen.Said("Bridge has been created%s", c.loopsBy(func(cfg *config.Config) []string { return cfg.LoopsOver(source, target) })), nil
}

func deleteBridge(_ context.Context, c *Call) (*screen.Result, error) {
	source, _, target, err := c.bridge()
	if err != nil {
		return nil, err
	}
	o, _ := c.o.Definitions.object(config.Bridges, source)
	var rest []config.Attr
	for _, a := range o.Attrs {
		if a.Name != target.Name || a.Value != target.Value {
			rest = append(rest, a)
		}
	}
	switch {
	case len(rest) == len(o.Attrs):
		return nil, refuse(core.NotFound, "there is no bridge from %s to %s:%s", source, target.Name, target.Value)
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
		t.Add(kindLetter(brokerKind(k)), n, len(o.All("queue")), len(o.All("topic")))
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
		if !a.Ignored {
			t.Add(kindLetter(bridgeOf(k, n, a).Target.Kind), a.Value, a.Selector)
		}
	}
	return shown(t), nil
}
