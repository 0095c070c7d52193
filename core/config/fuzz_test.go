package config

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tidegate/tidegate/core/property"
)

// seeds calls add with the kind of each file of testdata, and its bytes.
func seeds(f *testing.F, add func(kind uint8, b []byte)) {
	f.Helper()
	files, _ := filepath.Glob("testdata/*/*/*")
	for _, name := range files {
		b, err := os.ReadFile(name)
		kind := slices.Index(kinds(), filepath.Base(name))
		if err == nil && kind >= 0 {
			add(uint8(kind), b)
		}
	}
}

// kinds lists the files of a classic set.
func kinds() []string {
	all := []string{MainFile, "jaas.conf"}
	for _, class := range AllClasses() {
		all = append(all, classTable[class].file)
	}
	return all
}

// FuzzFiles reads any bytes as a file of each kind: nothing panics, findings lie in
// the file, it prints byte for byte as it was, and what is changed in it reads the
// same when it is written.
func FuzzFiles(f *testing.F) {
	seeds(f, func(kind uint8, b []byte) { f.Add(kind, b) })
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		m := mem{"d/" + MainFile: "server = S\njaas_config_file = jaas.conf\n", "d/jaas.conf": ""}
		m["d/"+kinds()[int(kind)%len(kinds())]] = string(b)
		c, err := Load(m, "d", Options{})
		if err != nil {
			t.Fatal(err)
		}
		same(t, c, m)
		touch(t, c)
	})
}

// FuzzJSON is the same for tibemsd.json.
func FuzzJSON(f *testing.F) {
	files, _ := filepath.Glob("testdata/*/*/*.json")
	for _, name := range files {
		if b, err := os.ReadFile(name); err == nil {
			f.Add(b)
		}
	}
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
