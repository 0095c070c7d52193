package main

import (
	"os"
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
		specs[i] = interop.Spec{Name: t.Name, Type: t.Kind, Keys: t.Settings()}
		locate(c, specs[i].Keys)
		by[t.Name] = &specs[i]
	}
	for _, l := range c.CertifiedListeners() {
		if s := by[l.Transport]; s != nil {
			s.Listeners = append(s.Listeners, interop.Registration{Name: l.Name, Subject: l.Subject})
		}
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

// locate has files that a transport names be found from anywhere: they are named as seen
// from the configuration.
func locate(c *config.Config, keys map[string]string) {
	for _, k := range []string{"ssl_identity", "ssl_issuer", "ssl_private_key", "ssl_key", "ssl_trusted"} {
		if keys[k] == "" {
			continue
		}
		files := strings.Split(keys[k], "\n")
		for i := range files {
			files[i] = c.Path(files[i])
		}
		keys[k] = strings.Join(files, "\n")
	}
	if f := keys["credentials"]; f != "" { // or a seed, or a user with a password
		if _, err := os.Stat(c.Path(f)); err == nil {
			keys["credentials"] = c.Path(f)
		}
	}
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
