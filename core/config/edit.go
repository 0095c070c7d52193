package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tidegate/tidegate/core/property"
)

// EditError says why a change is refused. Nothing was changed.
type EditError struct {
	What    string // the thing: `queue a.b`
	Message string
	Fix     string
}

func (e *EditError) Error() string {
	s := e.What + ": " + e.Message
	if e.Fix != "" {
		s += ": " + e.Fix
	}
	return s
}

// editable refuses changes to a tibemsd.json that could not be read: there is
// nothing to write them into.
func (c *Config) editable() error {
	if t, ok := c.files[0].text.(*jsonText); ok && t.root == nil {
		return &EditError{c.Main, "the file cannot be read, so nothing can be changed in it", "mend it (tidegate config check) and start again"}
	}
	return nil
}

// SetParam makes a parameter of tibemsd.conf have the values: one, or several of
// those that may be repeated, or none to take the setting away. It changes the
// parameter's own lines and no others.
func (c *Config) SetParam(name string, values ...string) error {
	if err := c.editable(); err != nil {
		return err
	}
	p, ok := LookupParameter(name)
	if !ok {
		return &EditError{"parameter " + clip(name), "there is no such parameter", didYouMean(name, parameterNames())}
	}
	if len(values) > 1 && !p.Repeat {
		return &EditError{"parameter " + p.Name, fmt.Sprintf("it has one value, not %d", len(values)), ""}
	}
	for _, v := range values {
		message, fix := checkValue(p.Type, v, bounds{p.Min, p.Max, p.Zero, p.Words})
		if message == "" && v != "" {
			message = unwritable(v, `"`)
		}
		if message != "" {
			return &EditError{"parameter " + p.Name, message, fix}
		}
	}
	c.params.set(p.Name, slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" }), p.Repeat)
	return nil
}

// PutDestination defines a static queue or topic, or a wildcard, or gives the one
// of its name other properties: `create` and `setprop` give a new Set, `addprop`
// and `removeprop` one made from the old by Merge and Without. It refuses what
// CheckName, CheckSet and Tree.Put refuse, stores, channels and transports that there
// are none of, and transports that cannot be named there. One line of the file changes.
func (c *Config) PutDestination(k property.Kind, d property.Definition) error {
	links := &checker{Config: c, report: &report{}, named: map[Class][]string{}}
	what := k.String() + " " + d.String()
	for f := range links.faults(k, &d) {
		return &EditError{what, f.message, f.fix}
	}
	if message, fix := links.importedElsewhere(k, &d); message != "" {
		return &EditError{what, message, fix}
	}
	return c.putDestination(k, d)
}

// putDestination is PutDestination for who puts a whole set together.
func (c *Config) putDestination(k property.Kind, d property.Definition) error {
	what := k.String() + " " + d.String()
	if err := c.editable(); err != nil {
		return err
	}
	if err := property.CheckName(k, d.String()); err != nil {
		return &EditError{what, err.Message, err.Fix}
	}
	if message := unwritable(d.String(), "\" \t#"); message != "" {
		return &EditError{what, message, ""}
	}
	for _, v := range d.Set {
		if !v.ID.Row().Allows(k) {
			return &EditError{what, v.ID.String() + " is no property of a " + k.String(), "take it out"}
		}
	}
	if wrong, _ := property.CheckSet(k, d.String(), d.Set); len(wrong) > 0 {
		return &EditError{what, wrong[0].Message, wrong[0].Fix}
	}
	if err := c.Tree(k).Put(d); err != nil {
		e := asPropertyError(err)
		return &EditError{what, e.Message, e.Fix}
	}
	c.dests[treeIndex(classOf(k))].put(d)
	return nil
}

// DeleteDestination takes a definition away, by the name that clients use. It does
// not look for bridges and others that speak of it.
func (c *Config) DeleteDestination(k property.Kind, n string) error {
	if err := c.editable(); err != nil {
		return err
	}
	if _, ok := c.Tree(k).Get(n); !ok {
		return &EditError{k.String() + " " + n, "there is none of this name", ""}
	}
	c.Tree(k).Delete(n)
	c.dests[treeIndex(classOf(k))].drop(n)
	return nil
}

// Put adds an object, or gives the one of its key other attributes. It refuses
// what could not be read again: unknown keys, values of the wrong form, selectors
// with a mistake, names that the file cannot hold, and what Load would find an
// error in: users, groups and targets that there are none of. Bridges, durables and
// members of groups are the caller's business.
func (c *Config) Put(o Object) error {
	if err := c.linked(o); err != nil {
		return err
	}
	return c.put(o)
}

// put is Put for who puts a whole set together, in an order of its own.
func (c *Config) put(o Object) error {
	if err := c.editable(); err != nil {
		return err
	}
	if err := c.validate(&o); err != nil {
		return err
	}
	typeFirst(&o)
	d := c.docs[o.Class]
	old := d.find(o.Key())
	if old == nil {
		d.add(o)
		return nil
	}
	old.Ignored = false
	d.set(o.Key(), o.Attrs)
	return nil
}

// Delete takes an object away; a transport only when nothing names it any more.
func (c *Config) Delete(class Class, key string) error {
	if err := c.editable(); err != nil {
		return err
	}
	d := c.docs[class]
	if d.find(key) == nil {
		return &EditError{class.Word() + " " + strings.ReplaceAll(key, "\x00", " "), "there is none of this name", ""}
	}
	if class == Transports {
		k := &checker{Config: c, report: &report{}, named: map[Class][]string{}}
		if uses := k.usesOf(key); len(uses) > 0 {
			return &EditError{"transport " + key, whoNames(uses), "take it out there first"}
		}
	}
	d.drop(key)
	return nil
}

// whoNames lists who names a transport, the first few of them.
func whoNames(uses []use) string {
	const most = 3
	var all []string
	for _, u := range uses[:min(len(uses), most)] {
		all = append(all, u.String())
	}
	if more := len(uses) - most; more > 0 {
		all = append(all, number(more)+" more")
	}
	verb := " names it"
	if len(uses) > 1 {
		verb = " name it"
	}
	return strings.Join(all, ", ") + verb
}

// forbidden is what a name or value of a class cannot contain.
var forbidden = map[Class]string{
	Users: ":\"#", Groups: ":\"#", Durables: "\"#", Listeners: "\"# \t[]", JNDINames: "\"#", ACLs: "\"#",
}

func (c *Config) validate(o *Object) error {
	fail := func(message, fix string) error { return &EditError{o.Title(), message, fix} }
	bad, ok := forbidden[o.Class]
	if !ok {
		bad = "\"[]"
	}
	if message := unwritable(o.Name, bad); message != "" {
		return fail(message, "choose another name")
	}
	if o.Class == ACLs && !o.Has("perm") {
		return fail("there is no permission", "name one of "+strings.Join(Permissions(o.Name), ", "))
	}
	r := &report{}
	k := &checker{Config: c, report: r, named: map[Class][]string{}}
	copied := *o
	copied.Attrs = slices.Clone(o.Attrs)
	k.keys(&copied)
	for i := range copied.Attrs {
		a := &copied.Attrs[i]
		quotes := `"`
		switch {
		case o.Class == Users && a.Name == "password":
			quotes = ":"
		case o.Class == Groups && a.Name == "member":
			quotes = ":\"#"
		}
		if message := unwritable(a.Value+a.Selector, quotes); message != "" && a.Value+a.Selector != "" {
			return fail(a.Name+" "+message, "")
		}
		if o.Class == ACLs && a.Name == "perm" && !slices.Contains(Permissions(o.Name), a.Value) {
			return fail("there is no permission "+a.Value+" on "+aclKind(o.Name), didYouMean(a.Value, Permissions(o.Name)))
		}
		k.selector(a.Selector, a.SelectorAt)
		if a.Name == "selector" {
			k.selector(a.Value, a.At)
		}
	}
	return firstError(o.Title(), r)
}

// firstError is the first error that was found in a thing.
func firstError(title string, r *report) error {
	for _, f := range r.list {
		if f.Severity == Error {
			return &EditError{title, f.Message, f.Fix}
		}
	}
	return nil
}

// linked refuses what the next Load would not let count, by the checks that it makes:
// a server that stops at CONFIG_ERRORS would not start with what it wrote itself.
func (c *Config) linked(o Object) error {
	r := &report{}
	k := &checker{Config: c, report: r, named: map[Class][]string{}}
	title := o.Title()
	o.Attrs = slices.Clone(o.Attrs) // the checks mark what does not count
	switch o.Class {
	case Users, Groups:
		k.tooLong(&o, "")
	case ACLs:
		k.acl(&o)
	case JNDINames:
		k.jndiName(&o)
	case Routes:
		zones := map[string]*Object{}
		for _, other := range c.Objects(Routes) {
			if zone, _ := zoneOf(other); other.Key() != o.Key() && zones[zone] == nil {
				zones[zone] = other
			}
		}
		k.route(&o, zones)
	case Listeners:
		k.listener(&o)
	case Transports:
		typeFirst(&o)
		return k.linkedTransport(&o)
	}
	return firstError(title, r)
}

// typeFirst puts the type of a transport before its other keys, as EMS wants it.
func typeFirst(o *Object) {
	if o.Class == Transports {
		o.Attrs = slices.Clone(o.Attrs)
		slices.SortStableFunc(o.Attrs, func(a, b Attr) int { return cmp.Compare(rankOfType(a), rankOfType(b)) })
	}
}

func rankOfType(a Attr) int {
	if a.Name == "type" {
		return 0
	}
	return 1
}

// unwritable says why a text cannot stand in a file.
func unwritable(s, bad string) string {
	switch {
	case s == "":
		return "is empty"
	case s != strings.TrimSpace(s):
		return "begins or ends with a blank"
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return "has a control character, or is not UTF-8"
	case strings.ContainsAny(s, bad):
		return fmt.Sprintf("has one of the characters %q", bad)
	case len(s) > MaxLine/2:
		return fmt.Sprintf("has more than %d bytes", MaxLine/2)
	}
	return ""
}

// Output is a file to write.
type Output struct {
	Name  string // as the main file says it
	Path  string
	Bytes []byte
}

// Changed lists the files that differ from what is on disk since Load or Saved.
func (c *Config) Changed() []Output {
	var all []Output
	for _, f := range c.files {
		if *f.changed {
			all = append(all, Output{f.name, f.path, f.text.bytes()})
		}
	}
	return all
}

// Saved says that a file was written as Changed gave it.
func (c *Config) Saved(name string) {
	for _, f := range c.files {
		if f.name == name {
			*f.changed, f.missing = false, false
		}
	}
}

// FileNames lists the set's files that are there, the main one first.
func (c *Config) FileNames() []string {
	var all []string
	for _, f := range c.files {
		if !f.missing {
			all = append(all, f.name)
		}
	}
	return all
}

// Text is a file as it would be written now.
func (c *Config) Text(name string) ([]byte, bool) {
	for _, f := range c.files {
		if f.name == name && !f.missing {
			return f.text.bytes(), true
		}
	}
	return nil, false
}
