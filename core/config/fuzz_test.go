package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tidegate/tidegate/core/property"
)

// seeds adds every file of testdata.
func seeds(f *testing.F) {
	f.Helper()
	files, _ := filepath.Glob("testdata/*/*/*")
	for _, name := range files {
		if b, err := os.ReadFile(name); err == nil {
			f.Add(b)
		}
	}
}

// FuzzFiles reads any bytes as every kind of file: nothing panics, findings lie in
// the file, and it prints byte for byte as it was.
func FuzzFiles(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		m := mem{"d/tibemsd.conf": string(b), "d/jaas.conf": string(b)}
		for _, class := range AllClasses() {
			m["d/"+classTable[class].file] = string(b)
		}
		c, err := Load(m, "d", Options{})
		if err != nil {
			t.Fatal(err)
		}
		c.Modules = readJAAS(newText("jaas.conf", b, &report{}), &report{})
		same(t, c, m)
		touch(t, c)
	})
}

// FuzzJSON is the same for tibemsd.json.
func FuzzJSON(f *testing.F) {
	seeds(f)
	f.Add([]byte(asServer))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := mem{"d/tibemsd.json": string(b)}
		c, err := Load(m, "d", Options{})
		if err != nil {
			t.Fatal(err)
		}
		same(t, c, m)
		touch(t, c)
	})
}

func same(t *testing.T, c *Config, m mem) {
	t.Helper()
	for _, name := range c.FileNames() {
		want, ok := m["d/"+name]
		if got, _ := c.Text(name); ok && string(got) != want {
			t.Fatalf("%s: %q became %q", name, want, got)
		}
	}
	for _, f := range c.Findings {
		if f.Line < 1 || f.Column < 1 || f.Message == "" {
			t.Fatalf("%+v", f)
		}
	}
	if len(c.Changed()) > 0 {
		t.Fatal("reading changes the set")
	}
}

// touch makes changes: what was written must read as the same set.
func touch(t *testing.T, c *Config) {
	t.Helper()
	if err := c.SetParam("max_connections", "17"); err != nil {
		return // a JSON file that could not be read
	}
	for _, k := range []property.Kind{property.Queue, property.Topic} {
		for d := range c.Tree(k).All() {
			_ = c.PutDestination(k, definition{Name: d.Name, Server: d.Server, Set: d.Set.With(property.Value{ID: property.MaxMsgs, Number: 7})})
		}
		_ = c.PutDestination(k, definition{Name: "fuzz.new"})
	}
	for _, class := range AllClasses() {
		for _, o := range c.Objects(class) {
			_ = c.Put(*o) // may be refused: what stands there may be odd
		}
	}
	m := mem{}
	for _, name := range c.FileNames() {
		b, _ := c.Text(name)
		m["d/"+name] = string(b)
	}
	for _, f := range c.Changed() {
		m[f.Path] = string(f.Bytes)
	}
	again, err := Load(m, "d", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if again.Param("max_connections") != "17" {
		t.Fatalf("the parameter was lost: %q", m[c.Main])
	}
	for _, k := range []property.Kind{property.Queue, property.Topic} {
		for d := range c.Tree(k).All() {
			now, ok := again.Tree(k).Get(d.Name)
			if !ok || now.Set.String() != d.Set.String() && !c.JSON {
				t.Fatalf("%s %s %s is now %+v, %v", k, d.Name, d.Set, now, ok)
			}
		}
	}
}
