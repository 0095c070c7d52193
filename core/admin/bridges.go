package admin

import (
	"strings"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/property"
)

// applyBridges gives the broker the bridges as they are defined now. The lock is
// held. Errors: Invalid for those that cannot be; the others are at work.
func (d *Definitions) applyBridges() error {
	var all []core.Bridge
	for _, o := range d.c.Objects(config.Bridges) {
		k, n, ok := splitEnd(o.Name)
		if !ok || o.Ignored {
			continue
		}
		for _, a := range o.Attrs {
			if !a.Ignored {
				all = append(all, bridgeOf(k, n, a))
			}
		}
	}
	return d.broker.SetBridges(all)
}

// bridgeOf is a bridge from a source to one of its targets, as bridges.conf has it.
func bridgeOf(k property.Kind, source string, target config.Attr) core.Bridge {
	to := core.Destination{Kind: core.Queue, Name: target.Value}
	if strings.EqualFold(target.Name, "topic") {
		to.Kind = core.Topic
	}
	return core.Bridge{Source: core.Destination{Kind: brokerKind(k), Name: source}, Target: to, Selector: target.Selector}
}

// bridgeSource is where a bridge begins.
type bridgeSource struct {
	kind property.Kind
	name string
}

func splitEnd(end string) (k property.Kind, n string, ok bool) {
	kind, n, ok := strings.Cut(end, ":")
	switch {
	case ok && strings.EqualFold(kind, "queue"):
		return property.Queue, n, n != ""
	case ok && strings.EqualFold(kind, "topic"):
		return property.Topic, n, n != ""
	}
	return 0, "", false
}

func (d *Definitions) bridgeSources() (all []bridgeSource) {
	for _, o := range d.objects(config.Bridges) {
		if k, n, ok := splitEnd(o.Name); ok {
			all = append(all, bridgeSource{k, n})
		}
	}
	return all
}

// bridgesFrom lists where messages of a destination are bridged to.
func (d *Definitions) bridgesFrom(kind, n string) (all []string) {
	for _, o := range d.objects(config.Bridges) {
		k, source, _ := splitEnd(o.Name)
		if k.String() != kind || source != n && !name.Match(source, n) {
			continue
		}
		for _, a := range o.Attrs {
			if !a.Ignored {
				all = append(all, a.Name+":"+a.Value)
			}
		}
	}
	return all
}
