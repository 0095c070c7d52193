package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/name"
)

// shownTransport is a section of transports.conf with what holds for it. Passwords are
// left out.
type shownTransport struct {
	Name     string          `json:"name"`
	Type     string          `json:"type"`                // as the section has it
	OpenedAs string          `json:"opened_as,omitempty"` // none: it is not opened
	Keys     []shownProperty `json:"keys"`
}

// shownTransports lists those that one of the names means; all without names.
func shownTransports(c *config.Config, names []string) (all []shownTransport) {
	for _, o := range c.Objects(config.Transports) {
		if len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return n == o.Name || name.Match(n, o.Name) }) {
			continue
		}
		s := shownTransport{Name: o.Name, Type: o.Get("type"), Keys: []shownProperty{}}
		if t, ok := c.OpenTransport(o.Name, config.TransportOptions{}); ok {
			s.OpenedAs = t.Kind
			for _, k := range t.Keys() {
				s.Keys = append(s.Keys, shownProperty{Name: k, Value: t.Shown(k), Origin: t.Origin(k)})
			}
		} else {
			for _, a := range o.Attrs {
				if !a.Ignored && a.Value != "" {
					s.Keys = append(s.Keys, shownProperty{Name: a.Name, Value: config.ShownKey(a.Name, a.Value), Origin: "own"})
				}
			}
		}
		all = append(all, s)
	}
	return all
}

func printTransports(out io.Writer, all []shownTransport) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, t := range all {
		as := ", opened as " + t.OpenedAs
		switch t.OpenedAs {
		case "":
			as = ", not opened"
		case t.Type:
			as = ""
		}
		fmt.Fprintf(w, "transport %s (%s%s)\n", t.Name, t.Type, as)
		for _, k := range t.Keys {
			fmt.Fprintf(w, "  %s=%s\t%s\n", k.Name, k.Value, k.Origin)
		}
	}
	return w.Flush()
}
