package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/property"
)

// shownDestination is a destination with what holds for it.
type shownDestination struct {
	Kind       string          `json:"kind"`
	Name       string          `json:"name"`
	Server     string          `json:"server,omitempty"` // the home of a routed queue
	Wildcard   bool            `json:"wildcard,omitempty"`
	Defined    bool            `json:"defined"`
	Properties []shownProperty `json:"properties"`
}

type shownProperty struct {
	Name   string   `json:"name"`
	Value  string   `json:"value,omitempty"` // none of a flag
	Origin string   `json:"origin"`          // own, inherited, server, default
	From   []string `json:"from,omitempty"`  // the wildcards, if inherited
	text   string
}

func configShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show PATH [NAME...]",
		Short: "Show the properties of destinations and transports, and where each comes from",
		Long: `Show what holds for each static destination and each transport, and where each
property comes from: its own line, wildcards above it (of a transport: the one that
rv_tport names), the server, or the default. A NAME may have wildcards; one without
that no line defines is shown as a client's use would create it.`,
		Args: cobra.MinimumNArgs(1),
	}
	asJSON := cmd.Flags().Bool("json", false, "print JSON")
	return overSet(cmd, func(cmd *cobra.Command, c *config.Config, names []string) (err error) {
		var all []shownDestination
		for _, k := range []property.Kind{property.Queue, property.Topic} {
			all = append(all, shownDestinations(c.Tree(k), names)...)
		}
		transports := shownTransports(c, names)
		var nothing []string
		for _, n := range names {
			if slices.ContainsFunc(transports, func(t shownTransport) bool { return t.Name == n }) {
				continue
			}
			all = append(all, shownUndefined(c, n)...)
			if !slices.ContainsFunc(all, func(d shownDestination) bool { return d.Name == n || name.Match(n, d.Name) }) {
				nothing = append(nothing, n)
			}
		}
		if *asJSON {
			err = printJSON(cmd.OutOrStdout(), map[string]any{"destinations": orEmpty(all), "transports": orEmpty(transports)})
		} else if err = printTransports(cmd.OutOrStdout(), transports); err == nil {
			err = printDestinations(cmd.OutOrStdout(), c, all)
		}
		if err == nil && nothing != nil {
			return &exit{exitNo, "nothing is defined, and nothing would be created, by the name of " + strings.Join(nothing, ", ")}
		}
		return err
	})
}

// shownDestinations lists those that one of the names means; all without names.
func shownDestinations(t *property.Tree, names []string) []shownDestination {
	var all []shownDestination
	for d := range t.All() {
		wanted := len(names) == 0
		for _, n := range names {
			wanted = wanted || n == d.Name || name.Match(n, d.Name)
		}
		if wanted {
			all = append(all, shownDestination{Kind: t.Kind().String(), Name: d.Name, Server: d.Server, Wildcard: d.Wildcard(), Defined: true, Properties: shownProperties(t, d.Name)})
		}
	}
	return all
}

// shownUndefined is a name that no line defines: what its use would create.
func shownUndefined(c *config.Config, n string) []shownDestination {
	if name.IsWildcard(n) {
		return nil
	}
	var all []shownDestination
	for _, k := range []property.Kind{property.Queue, property.Topic} {
		t := c.Tree(k)
		if _, defined := t.Get(n); defined {
			return nil
		}
		if t.Creatable(n) || property.IsSystem(k, n) {
			all = append(all, shownDestination{Kind: k.String(), Name: n, Properties: shownProperties(t, n)})
		}
	}
	return all
}

func shownProperties(t *property.Tree, n string) []shownProperty {
	all := []shownProperty{}
	stored, prefetched := false, false
	for _, e := range t.Effective(n) {
		p := shownProperty{Name: e.ID.String(), Value: e.Print(), text: e.String(), From: e.From}
		p.Origin = map[property.Origin]string{property.Own: "own", property.Inherited: "inherited", property.Builtin: "server"}[e.Origin]
		all = append(all, p)
		stored = stored || e.ID == property.Store || e.ID == property.Failsafe
		prefetched = prefetched || e.ID == property.Prefetch
	}
	policy := property.DefaultPolicy(t.Kind())
	if !prefetched {
		v := property.Value{ID: property.Prefetch, Number: int64(policy.Prefetch)}
		all = append(all, shownProperty{Name: "prefetch", Value: v.Print(), Origin: "default", text: v.String()})
	}
	if !stored {
		v := property.Value{ID: property.Store, Text: policy.Store}
		all = append(all, shownProperty{Name: "store", Value: v.Print(), Origin: "default", text: v.String()})
	}
	return all
}

func printDestinations(out io.Writer, c *config.Config, all []shownDestination) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, d := range all {
		title := d.Kind + " " + d.Name
		if d.Server != "" {
			title += "@" + d.Server
		}
		if !d.Defined {
			title += " (not defined)"
		}
		fmt.Fprintln(w, title)
		for _, p := range d.Properties {
			from := p.Origin
			if p.From != nil {
				from = "from " + strings.Join(p.From, ", ")
			}
			fmt.Fprintf(w, "  %s\t%s\n", p.text, from)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if n := errorsIn(c.Findings); n > 0 {
		_, err := fmt.Fprintf(out, "%s in the set: tidegate config check %s\n", count(n, "error"), c.Main)
		return err
	}
	return nil
}
