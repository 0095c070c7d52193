package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/core/property"
)

// TestRandomChangesReadAsTheyWereMade makes random changes to the same set in both
// forms. After each, the two say the same, and what they would write reads as the
// same again; lines that nobody named stay.
func TestRandomChangesReadAsTheyWereMade(t *testing.T) {
	start := asJSON(t, small())
	rapid.Check(t, func(rt *rapid.T) {
		conf, js := load(t, small()), load(t, start)
		for range rapid.IntRange(1, 12).Draw(rt, "changes") {
			what, change := drawChange(rt, conf)
			first, second := change(conf), change(js)
			if (first == nil) != (second == nil) {
				rt.Fatalf("%s: %v in conf, %v in JSON", what, first, second)
			}
			want := model(conf)
			if d := cmp.Diff(want, model(js)); d != "" {
				rt.Fatalf("after %s the two forms differ: %s", what, d)
			}
			for _, c := range []*Config{conf, js} {
				again := load(t, written(c))
				if d := cmp.Diff(want, unchecked(again)); d != "" {
					rt.Fatalf("after %s: %s", what, d)
				}
			}
		}
		text, _ := conf.Text("tibemsd.conf")
		if !strings.HasPrefix(string(text), "# main\r\n") {
			rt.Fatalf("the comment is gone: %q", text)
		}
	})
}

// written is a set as it would stand on disk.
func written(c *Config) mem {
	m := mem{}
	for _, f := range c.files {
		if !f.missing || *f.changed {
			m[f.path] = string(f.text.bytes())
		}
	}
	return m
}

// unchecked is the model with what refers to something that is gone: the changes
// here do not look for references, and a set that is read does.
func unchecked(c *Config) []string {
	for _, class := range AllClasses() {
		if d := c.docs[class]; d != nil {
			for _, o := range d.objects() {
				o.Ignored = false
				for i := range o.Attrs {
					o.Attrs[i].Ignored = false
				}
			}
		}
	}
	return model(c)
}

// drawChange is a change with its description. It reads the set as it is now.
func drawChange(rt *rapid.T, c *Config) (string, func(*Config) error) {
	word := rapid.SampledFrom([]string{"a.b", "short", "x.y", "new one", "z"})
	switch rapid.IntRange(0, 5).Draw(rt, "kind of change") {
	case 0:
		name := rapid.SampledFrom([]string{"max_connections", "logfile", "store", "server", "password"}).Draw(rt, "parameter")
		value := rapid.SampledFrom([]string{"", "5", "17"}).Draw(rt, "value")
		return "set " + name + "=" + value, func(c *Config) error { return c.SetParam(name, value) }
	case 1:
		urls := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"tcp://7222", "tcp://localhost:7223", "tcp://7224", "tcp://7225"}), 1, 4, rapid.ID).Draw(rt, "listeners")
		slices.Sort(urls) // order among listeners is the file's
		return fmt.Sprint("listen at ", urls), func(c *Config) error { return sortListeners(c, urls) }
	case 2:
		d := definition{Name: word.Draw(rt, "queue"), Set: drawSet(rt)}
		return "put queue " + d.Name + " " + d.Set.String(), func(c *Config) error { return c.PutDestination(property.Queue, d) }
	case 3:
		n := word.Draw(rt, "queue")
		return "delete queue " + n, func(c *Config) error { return c.DeleteDestination(property.Queue, n) }
	case 4:
		o := drawObject(rt, word)
		return fmt.Sprintf("put %s %+v", o.Title(), o.Attrs), func(c *Config) error { return c.put(o) } // whether what it names is there is another test
	}
	class := rapid.SampledFrom([]Class{Users, Groups, ACLs, Bridges, Durables, Stores, Transports}).Draw(rt, "class")
	all := c.Objects(class)
	if len(all) == 0 {
		return "nothing", func(*Config) error { return nil }
	}
	key := all[rapid.IntRange(0, len(all)-1).Draw(rt, "which")].Key()
	return "delete " + class.Word() + " " + key, func(c *Config) error { return c.Delete(class, key) }
}

// sortListeners sets listeners and compares them as a set: the two forms keep what
// is there in its place, and the places differ.
func sortListeners(c *Config, urls []string) error {
	if err := c.SetParam("listen"); err != nil {
		return err
	}
	return c.SetParam("listen", urls...)
}

func drawSet(rt *rapid.T) property.Set {
	var s property.Set
	if rapid.Bool().Draw(rt, "secure") {
		s = append(s, property.Value{ID: property.Secure, Bare: true, Number: 1})
	}
	if n := rapid.IntRange(0, 3).Draw(rt, "maxbytes"); n > 0 {
		s = append(s, property.Value{ID: property.MaxBytes, Number: int64(n) << 20})
	}
	if rapid.Bool().Draw(rt, "trace") {
		s = append(s, property.Value{ID: property.Trace, Text: "body"})
	}
	if rapid.Bool().Draw(rt, "prefetch") {
		s = append(s, property.Value{ID: property.Prefetch, Number: property.PrefetchNone})
	}
	return s
}

func drawObject(rt *rapid.T, word *rapid.Generator[string]) Object {
	many := func(name string, selector bool) []Attr {
		var all []Attr
		for _, v := range rapid.SliceOfNDistinct(word, 1, 3, rapid.ID).Draw(rt, name) {
			a := Attr{Name: name, Value: v}
			if selector && rapid.Bool().Draw(rt, "selector") {
				a.Selector = "n = " + number(rapid.IntRange(1, 3).Draw(rt, "n"))
			}
			all = append(all, a)
		}
		return all
	}
	switch rapid.IntRange(0, 6).Draw(rt, "object") {
	case 0:
		return Object{Class: Users, Name: word.Draw(rt, "user"), Attrs: []Attr{{Name: "password", Value: "$tg1$x"}, {Name: "description", Value: word.Draw(rt, "description")}}}
	case 1:
		return Object{Class: Groups, Name: word.Draw(rt, "group"), Attrs: append([]Attr{{Name: "description", Value: "D"}}, many("member", false)...)}
	case 2:
		perms := rapid.SliceOfNDistinct(rapid.SampledFrom(Permissions("queue")), 1, 4, rapid.ID).Draw(rt, "perms")
		o := Object{Class: ACLs, Name: "queue:" + word.Draw(rt, "queue"), Attrs: []Attr{{Name: rapid.SampledFrom([]string{"user", "group"}).Draw(rt, "who"), Value: "joe"}}}
		for _, p := range perms {
			o.Attrs = append(o.Attrs, Attr{Name: "perm", Value: p})
		}
		return o
	case 3:
		return Object{Class: Bridges, Name: "queue:" + word.Draw(rt, "source"), Attrs: many(rapid.SampledFrom([]string{"queue", "topic"}).Draw(rt, "target"), true)}
	case 4:
		o := Object{Class: Durables, Name: word.Draw(rt, "durable"), Attrs: []Attr{{Name: "topic", Value: "t1"}}}
		if rapid.Bool().Draw(rt, "nolocal") {
			o.Attrs = append(o.Attrs, Attr{Name: "nolocal", Bare: true})
		}
		return o
	case 5:
		o := Object{Class: Transports, Name: word.Draw(rt, "transport"), Attrs: []Attr{{Name: "type", Value: rapid.SampledFrom([]string{"nats", "amqp10"}).Draw(rt, "type")}, {Name: "url", Value: "tls://h, tls://i"}}}
		if rapid.Bool().Draw(rt, "flag") {
			o.Attrs = append(o.Attrs, Attr{Name: "export_headers", Value: rapid.SampledFrom([]string{"true", "disabled"}).Draw(rt, "value")})
		}
		if rapid.Bool().Draw(rt, "number") {
			o.Attrs = append(o.Attrs, Attr{Name: "prefetch", Value: "7"})
		}
		return Object{Class: o.Class, Name: o.Name, Attrs: append(o.Attrs, many("ssl_trusted", false)...)}
	}
	return Object{Class: Stores, Name: word.Draw(rt, "store"), Attrs: []Attr{{Name: "type", Value: "file"}, {Name: "file", Value: word.Draw(rt, "file")}, {Name: "mode", Value: rapid.SampledFrom([]string{"sync", "async"}).Draw(rt, "mode")}}}
}
