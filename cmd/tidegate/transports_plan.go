package main

import (
	"slices"
	"strings"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/property"
	"github.com/tidegate/tidegate/interop"
)

// definedAs names a definition.
type definedAs struct {
	class config.Class
	name  string
}

// planTransports is what a configuration has transports do, and which destinations
// have to do with them.
func planTransports(c *config.Config, rendezvous string) ([]interop.Spec, map[definedAs]bool) {
	opened, _ := c.OpenTransports(config.TransportOptions{RendezvousURL: rendezvous})
	specs := make([]interop.Spec, len(opened))
	by := map[string]*interop.Spec{}
	for i := range opened {
		t := &opened[i]
		specs[i] = interop.Spec{Name: t.Name, Type: t.Kind, Keys: map[string]string{}}
		for _, k := range t.Keys() {
			sep := "\n" // of keys that stand several times
			if k == "url" {
				sep = ","
			}
			specs[i].Keys[k] = strings.Join(t.List(k), sep)
		}
		for _, k := range []string{"topic_import_dm", "queue_import_dm"} {
			if !keepsMode(t.Kind) && !written(c, t.Name, k) {
				delete(specs[i].Keys, k)
			}
		}
		by[t.Name] = &specs[i]
	}
	planned := map[definedAs]bool{}
	for _, kind := range []property.Kind{property.Queue, property.Topic} {
		class, as := config.Queues, core.Queue
		if kind == property.Topic {
			class, as = config.Topics, core.Topic
		}
		tree := c.Tree(kind)
		for d := range tree.All() {
			if !moves(d) {
				continue
			}
			planned[definedAs{class, d.Name}] = true
			to := core.Destination{Kind: as, Name: d.Name}
			for _, n := range words(d, property.Import) {
				if s := by[n]; s != nil {
					s.Imports = append(s.Imports, to)
				}
			}
			for _, n := range words(d, property.Export) {
				switch s := by[n]; {
				case s == nil:
				case kind == property.Topic:
					s.Exports = append(s.Exports, to)
				case !name.IsWildcard(d.Name):
					s.QueueExports = append(s.QueueExports, d.Name)
				}
			}
		}
		for d := range tree.All() { // an own list takes the place of what a wildcard says
			own := words(d, property.Import)
			if len(own) == 0 {
				continue
			}
			for i := range specs {
				s := &specs[i]
				if !slices.Contains(own, s.Name) && covered(s.Imports, as, d.Name) {
					s.Except = append(s.Except, core.Destination{Kind: as, Name: d.Name})
				}
			}
		}
	}
	return specs, planned
}

// keepsMode says whether what a kind of transport brings in has EMS's default delivery
// mode; else it has the one that it came with, which outside systems of AMQP say.
func keepsMode(kind string) bool { return kind == config.KindNATS || kind == config.KindNATSJS }

// written says whether a transport's section has a key.
func written(c *config.Config, transport, key string) bool {
	o, ok := c.Object(config.Transports, transport)
	if !ok {
		return false
	}
	_, ok = o.Attr(key)
	return ok
}

func words(d *property.Definition, id property.ID) []string {
	v, ok := d.Set.Get(id)
	if !ok {
		return nil
	}
	return v.Words()
}

func covered(all []core.Destination, kind core.DestinationKind, n string) bool {
	return slices.ContainsFunc(all, func(d core.Destination) bool {
		return d.Kind == kind && d.Name != n && name.IsWildcard(d.Name) && name.Covers(d.Name, n)
	})
}
