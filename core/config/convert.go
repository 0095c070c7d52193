package config

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/tidegate/tidegate/core/property"
)

// Convert gives the same set in the other form: the files of a classic set for a
// tibemsd.json, or the other way round. Paths are beside the main file. Comments
// and what an error stands in are not taken over; notes say what else is not.
func (c *Config) Convert() (files []Output, notes []string, err error) {
	to := c.empty()
	for i := range Parameters {
		p := &Parameters[i]
		values := c.ParamAll(p.Name)
		if values == nil || namesFile(p.Name) {
			continue
		}
		if err := to.SetParam(p.Name, values...); err != nil {
			return nil, nil, err
		}
		if p.Type == File {
			notes = append(notes, p.Name+": the file it names is not copied")
		}
	}
	for _, k := range []property.Kind{property.Queue, property.Topic} {
		for d := range c.Tree(k).All() {
			if err := to.putDestination(k, definition{Name: d.Name, Server: d.Server, Set: d.Set}); err != nil {
				return nil, nil, err
			}
		}
	}
	for _, class := range AllClasses() {
		for _, o := range c.Objects(class) {
			if err := to.put(plain(*o)); err != nil {
				return nil, nil, err
			}
		}
	}
	if c.JSON {
		notes = append(notes, "listeners are those of one server; the other's are not in the files of a classic set")
	}
	return to.outputs(), append(notes, c.left()...), nil
}

func namesFile(name string) bool {
	return slices.ContainsFunc(AllClasses(), func(c Class) bool { return classTable[c].parameter == name })
}

// plain is an object without places, without what does not count.
func plain(o Object) Object {
	next := Object{Class: o.Class, Name: o.Name}
	for _, a := range o.Attrs {
		if !a.Ignored && (a.Value != "" || a.Bare) {
			next.Attrs = append(next.Attrs, Attr{Name: a.Name, Value: a.Value, Bare: a.Bare, Selector: a.Selector})
		}
	}
	rows := sectionKeys(o.Class)
	rank := func(a Attr) int { return slices.IndexFunc(rows, func(k Key) bool { return k.Name == a.Name }) }
	slices.SortStableFunc(next.Attrs, func(a, b Attr) int { return cmp.Compare(rank(a), rank(b)) }) // type is first, as a transport asks
	return next
}

// left says what errors keep from being taken over.
func (c *Config) left() []string {
	var notes []string
	for _, f := range c.Findings {
		if f.Severity == Error {
			notes = append(notes, fmt.Sprintf("%s:%d:%d: not taken over: %s", f.File, f.Line, f.Column, f.Message))
		}
	}
	return notes
}

// empty is a set of the other form with nothing in it.
func (c *Config) empty() *Config {
	dir := path.Dir(c.Main)
	if c.JSON {
		return New(path.Join(dir, MainFile))
	}
	to := &Config{JSON: true, Main: path.Join(dir, MainFileJSON), trees: newTrees()}
	r := &report{}
	t := readJSON(MainFileJSON, []byte("{\n\t\"model_version\":\t\"1.0\",\n\t\"tibemsd\":\t{\n\t}\n}"), r)
	for _, class := range AllClasses() {
		if class != JNDINames {
			t.put(t.root, classTable[class].member, newList(), 1)
		}
	}
	to.loadJSON(t.bytes(), Options{}, r)
	return to
}

// nothing is a directory without files.
type nothing struct{}

func (nothing) Read(string) ([]byte, error) { return nil, fs.ErrNotExist }
func (nothing) Exists(string) bool          { return false }

// outputs lists the files of a new set: the main one, and those that hold anything.
func (c *Config) outputs() []Output {
	var all []Output
	for i, f := range c.files {
		if i == 0 || *f.changed {
			all = append(all, Output{f.name, f.path, f.text.bytes()})
		}
	}
	return all
}
