package admin

import (
	"context"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/command"
	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/config"
)

var factoryOperations = append(append(
	sections("factory", "factories", config.Factories, "change-factory", "view-factory", true),
	sections("route", "routes", config.Routes, "change-route", "view-route", true)...),
	append(
		sections("channel", "channels", config.Channels, "change-channel", "view-channel", false),
		Operation{Usage: "create factory NAME TYPE [PROPERTIES...]", Help: "Define a connection factory: generic, topic, queue, xageneric, xatopic or xaqueue.", Right: Right{Global: "change-factory"}, Writes: true, Run: createFactory},
		Operation{Usage: "create route NAME PROPERTIES...", Help: "Define a route to another server; url= is needed.", Right: Right{Global: "change-route"}, Writes: true, Run: createRoute},
		Operation{Usage: "create jndiname NEW {topic|queue|jndiname} NAME", Help: "Give a destination another name to look it up by.", Right: Right{Global: "change-factory"}, Writes: true, Run: createJNDIName},
		Operation{Usage: "delete jndiname NAME", Help: "Take a name for looking up away.", Right: Right{Global: "change-factory"}, Writes: true, Run: deleteJNDIName},
		Operation{Usage: "show jndinames [topic|queue|jndiname]", Help: "Names for looking destinations up.", Right: Right{Global: "view-factory"}, Run: showJNDINames},
		Operation{Usage: "show jndiname NAME", Help: "What a name stands for.", Right: Right{Global: "view-factory"}, Run: showJNDIName},
	)...)

// sections are the operations of things that are a section of a file: a name and
// key=value lines.
func sections(one, many string, class config.Class, change, view string, changeable bool) []Operation {
	ops := []Operation{
		{Usage: "show " + many, Help: "All " + many + ".", Right: Right{Global: view}, Run: func(_ context.Context, c *Call) (*screen.Result, error) { return showSections(c, class, many) }},
		{Usage: "show " + one + " NAME", Help: "Everything about one " + one + ".", Right: Right{Global: view}, Run: func(_ context.Context, c *Call) (*screen.Result, error) { return showSection(c, class, one) }},
	}
	if !changeable {
		return ops
	}
	return append(ops, edits(one, class, change)...)
}

// edits are the operations that change what is a section of a file.
func edits(one string, class config.Class, change string) []Operation {
	edit := func(usage, help string, f func(c *Call, o config.Object) (config.Object, error)) Operation {
		return Operation{Usage: usage, Help: help, Right: Right{Global: change}, Writes: true, Run: func(_ context.Context, c *Call) (*screen.Result, error) {
			o, ok := c.o.Definitions.object(class, c.Get("name"))
			if !ok {
				return nil, missing(one, c.Get("name"))
			}
			o, err := f(c, o)
			if err != nil {
				return nil, err
			}
			warned, err := c.noting(class, func() error { return c.o.Definitions.put(o) })
			if err != nil {
				return nil, err
			}
			return screen.Said("%s '%s' has been updated%s", capital(one), o.Name, warned), nil
		}}
	}
	return []Operation{
		{Usage: "delete " + one + " NAME", Help: "Delete a " + one + ".", Right: Right{Global: change}, Writes: true, Asks: true, Run: func(_ context.Context, c *Call) (*screen.Result, error) {
			o, ok := c.o.Definitions.object(class, c.Get("name"))
			if !ok {
				return nil, missing(one, c.Get("name"))
			}
			if err := c.o.Definitions.remove(class, o.Key(), o.Name); err != nil {
				return nil, err
			}
			if err := c.dropNames(one, o.Name); err != nil {
				return nil, err
			}
			return screen.Said("%s '%s' has been deleted%s", capital(one), o.Name, c.leftWaiting(o)), nil
		}},
		edit("addprop "+one+" NAME PROPERTIES...", "Set keys and keep the others.", addKeys),
		edit("setprop "+one+" NAME PROPERTIES...", "Set keys in place of all there were but type and url.", setKeys),
		edit("removeprop "+one+" NAME PROPERTIES...", "Take keys away.", removeKeys),
	}
}

// attributes reads key=value words. A selector belongs to the topic before it.
func (c *Call) attributes(class config.Class) ([]config.Attr, error) {
	pairs, err := command.Pairs(c.Get("properties"))
	if err != nil {
		return nil, err
	}
	var all []config.Attr
	for _, p := range pairs {
		key := config.KeyName(class, p.Key)
		if key == "selector" && len(all) > 0 {
			all[len(all)-1].Selector = p.Value
			continue
		}
		all = append(all, config.Attr{Name: key, Value: p.Value, Bare: p.Value == ""})
	}
	return all, nil
}

func addKeys(c *Call, o config.Object) (config.Object, error) {
	more, err := c.attributes(o.Class)
	if err != nil {
		return o, err
	}
	for _, a := range more {
		o = putKey(o, a)
	}
	return o, nil
}

// putKey sets a key, or adds the topic of a route.
func putKey(o config.Object, a config.Attr) config.Object {
	attrs := slices.Clone(o.Attrs)
	repeats := a.Name == "incoming_topic" || a.Name == "outgoing_topic"
	for i := range attrs {
		if attrs[i].Name == a.Name && (!repeats || attrs[i].Value == a.Value) {
			attrs[i] = a
			o.Attrs = attrs
			return o
		}
	}
	o.Attrs = append(attrs, a)
	return o
}

func setKeys(c *Call, o config.Object) (config.Object, error) {
	all, err := c.attributes(o.Class)
	if err != nil {
		return o, err
	}
	kept := config.Object{Class: o.Class, Name: o.Name, At: o.At}
	for _, a := range o.Attrs {
		if a.Name == "type" || whereabouts(o.Class, a.Name) && !slices.ContainsFunc(all, func(b config.Attr) bool { return whereabouts(o.Class, b.Name) }) {
			kept.Attrs = append(kept.Attrs, a)
		}
	}
	for _, a := range all {
		kept = putKey(kept, a)
	}
	return kept, nil
}

// whereabouts says whether a key is where the thing leads to, which setprop keeps unless
// it names another: nobody could be reached without.
func whereabouts(class config.Class, key string) bool {
	return key == "url" || class == config.Transports && (key == "rv_tport" || key == "daemon")
}

func removeKeys(c *Call, o config.Object) (config.Object, error) {
	words, err := command.Pairs(c.Get("properties"))
	if err != nil {
		return o, err
	}
	for _, w := range words {
		for _, key := range command.Words(w.Key) {
			key = config.KeyName(o.Class, key)
			if !o.Has(key) {
				return o, refuse(core.NotFound, "%s is not among what %s '%s' has", key, o.Class.Word(), o.Name)
			}
			o = o.With(key, "")
		}
	}
	return o, nil
}

func (c *Call) createSection(class config.Class, o config.Object) (*screen.Result, error) {
	if _, ok := c.o.Definitions.object(class, o.Name); ok {
		return nil, exists(class.Word(), o.Name)
	}
	o.Class = class
	warned, err := c.noting(class, func() error { return c.o.Definitions.put(o) })
	if err != nil {
		return nil, err
	}
	return screen.Said("%s '%s' has been created%s", capital(class.Word()), o.Name, warned), nil
}

func createFactory(_ context.Context, c *Call) (*screen.Result, error) {
	keys, err := c.attributes(config.Factories)
	if err != nil {
		return nil, err
	}
	o := config.Object{Name: c.Get("name"), Attrs: []config.Attr{{Name: "type", Value: strings.ToLower(c.Get("type"))}}}
	url := false
	for _, a := range keys {
		url = url || a.Name == "url"
		o = putKey(o, a)
	}
	if !url { // EMS takes its own address where none is given (ems 11)
		o = putKey(o, config.Attr{Name: "url", Value: "tcp://7222"})
	}
	return c.createSection(config.Factories, o)
}

func createRoute(_ context.Context, c *Call) (*screen.Result, error) {
	keys, err := c.attributes(config.Routes)
	if err != nil {
		return nil, err
	}
	o := config.Object{Name: c.Get("name")}
	for _, a := range keys {
		o = putKey(o, a)
	}
	return c.createSection(config.Routes, o)
}

func createJNDIName(_ context.Context, c *Call) (*screen.Result, error) {
	kind := "jndiname"
	for _, k := range []string{"topic", "queue"} {
		if c.Has(k) {
			kind = k
		}
	}
	return c.createSection(config.JNDINames, config.Object{Name: c.Get("new"), Attrs: []config.Attr{{Name: "type", Value: kind}, {Name: "target", Value: c.Get("name")}}})
}

func deleteJNDIName(_ context.Context, c *Call) (*screen.Result, error) {
	o, ok := c.o.Definitions.object(config.JNDINames, c.Get("name"))
	if !ok {
		return nil, missing("JNDI name", c.Get("name"))
	}
	if err := c.o.Definitions.remove(config.JNDINames, o.Key(), o.Name); err != nil {
		return nil, err
	}
	if err := c.dropNames("jndiname", o.Name); err != nil {
		return nil, err
	}
	return screen.Said("JNDI name '%s' has been deleted", o.Name), nil
}

// dropNames takes away the JNDI names of what is gone, and those of these names: a
// name without a target is an error at the next start.
func (c *Call) dropNames(kind, target string) error {
	for _, o := range c.o.Definitions.objects(config.JNDINames) {
		if !strings.EqualFold(o.Get("type"), kind) || o.Get("target") != target {
			continue
		}
		if err := c.o.Definitions.remove(config.JNDINames, o.Key(), o.Name); err != nil {
			return err
		}
		if err := c.dropNames("jndiname", o.Name); err != nil {
			return err
		}
	}
	return nil
}

func showJNDINames(_ context.Context, c *Call) (*screen.Result, error) {
	t := newTable("jndinames", "name text JNDI Name;type text Type;target text Name")
	t.Empty = "No JNDI names."
	some := c.Has("topic") || c.Has("queue") || c.Has("jndiname")
	for _, o := range sortedByName(c.o.Definitions.objects(config.JNDINames)) {
		if !some || c.Has(o.Get("type")) {
			t.Add(o.Name, o.Get("type"), o.Get("target"))
		}
	}
	return shown(t), nil
}

func showJNDIName(_ context.Context, c *Call) (*screen.Result, error) {
	o, ok := c.o.Definitions.object(config.JNDINames, c.Get("name"))
	if !ok {
		return nil, missing("JNDI name", c.Get("name"))
	}
	t := newTable("jndiname", "name text JNDI Name;type text Type;target text Name")
	t.Single = true
	t.Add(o.Name, o.Get("type"), o.Get("target"))
	return shown(t), nil
}

func showSections(c *Call, class config.Class, many string) (*screen.Result, error) {
	t := newTable(many, "name text "+capital(class.Word())+" Name;type text Type;url text URL")
	if class == config.Routes {
		t = newTable(many, "name text Route;connected text T;url text URL;zone text Zone;zone_type text Type")
	}
	t.Empty = "No " + many + "."
	for _, o := range c.o.Definitions.objects(class) {
		if class == config.Routes {
			t.Add(o.Name, "-", o.Get("url"), o.Get("zone_name"), o.Get("zone_type"))
			continue
		}
		t.Add(o.Name, o.Get("type"), valueOr(o.Get("url"), o.Get("address")))
	}
	return shown(t), nil
}

// shownValue is a value, but for passwords.
func shownValue(key, value string) string {
	if strings.Contains(key, "password") && value != "" {
		return "********"
	}
	return value
}

func showSection(c *Call, class config.Class, one string) (*screen.Result, error) {
	o, ok := c.o.Definitions.object(class, c.Get("name"))
	if !ok {
		return nil, missing(one, c.Get("name"))
	}
	t := newTable(one, "key text Key;value text Value;selector text Selector")
	t.Add(one, o.Name, "")
	for _, a := range o.Attrs {
		t.Add(a.Name, shownValue(a.Name, a.Value), a.Selector)
	}
	return shown(t), nil
}
