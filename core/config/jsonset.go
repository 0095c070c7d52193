package config

import (
	"path"
	"strings"

	"github.com/tidegate/tidegate/core/property"
)

// topKnown are members of tibemsd.json that are no class and no parameter: what
// tools note there. They stay as they are.
var topKnown = []string{"tibemsd", "model_version", "displayName", "emsca", "locally_modified", "monitor_listen"}

func (c *Config) loadJSON(b []byte, o Options, r *report) {
	name := path.Base(c.Main)
	t := readJSON(name, b, r)
	c.files = append(c.files, &file{name: name, path: c.Main, text: t, changed: &t.changed})
	root := t.root
	if root == nil {
		root = &jnode{kind: '{', at: -1} // a set without anything: reported already
	}
	known := append([]string{}, topKnown...)
	for _, class := range AllClasses() {
		known = append(known, classTable[class].member)
	}
	for i := range root.items {
		if it := &root.items[i]; !oneOf(it.key, known) {
			r.warn(t.place(it.at, len(it.raw)), "json-member", "nothing here is called "+clip(it.key)+": it is ignored", didYouMean(it.key, known))
		}
	}
	p := &jsonParams{t: t, node: root.get("tibemsd"), secondary: o.Secondary}
	if p.node == nil || p.node.kind != '{' {
		switch {
		case p.node != nil:
			r.error(t.of(p.node), "json-form", "tibemsd is no object", `write "tibemsd": { "server": "NAME" }`)
		case t.root != nil:
			r.error(t.place(root.at, 1), "json-member", "the file has no tibemsd", `write "tibemsd": { "server": "NAME" }`)
		}
		p.node, p.detached = &jnode{kind: '{', at: -1}, root
	}
	p.read(r)
	c.params = p
	for _, class := range AllClasses() {
		list := root.get(classTable[class].member)
		if list != nil && list.kind != '[' && list.kind != 'z' {
			r.error(t.of(list), "json-form", classTable[class].member+" is no list", "write [ ... ]")
			list = nil
		}
		switch class {
		case Queues, Topics:
			i := treeIndex(class)
			c.dests[i] = readJSONDestinations(t, root, list, c.trees[i], r)
		case JNDINames:
			c.docs[class] = readJSONNames(t, root, r)
		default:
			c.docs[class] = readJSONObjects(t, root, list, class, r)
		}
	}
}

// jsonName is the name of an element of a list; ok is false after it has reported
// that there is none.
func jsonName(t *jsonText, n *jnode, class Class, r *report) (string, *jnode, bool) {
	if n.kind != '{' {
		r.error(t.of(n), "json-form", "a "+class.Word()+" is an object", `write { "name": "NAME" }`)
		return "", nil, false
	}
	name := n.get("name")
	if name == nil || name.kind != 's' || name.text == "" {
		r.error(t.of(n), "json-form", "a "+class.Word()+" has no name", `add "name": "NAME"`)
		return "", nil, false
	}
	return name.text, name, true
}

// jsonDests is the list of queues or topics.
type jsonDests struct {
	t     *jsonText
	root  *jnode
	kind  property.Kind
	nodes map[string]*jnode
}

func readJSONDestinations(t *jsonText, root, list *jnode, tree *property.Tree, r *report) *jsonDests {
	f := &jsonDests{t: t, root: root, kind: tree.Kind(), nodes: map[string]*jnode{}}
	for _, n := range list.list() {
		full, at, ok := jsonName(t, n, classOf(f.kind), r)
		if !ok {
			continue
		}
		if err := property.CheckName(f.kind, full); err != nil {
			r.error(t.of(at), "destination-name", err.Message, err.Fix)
			continue
		}
		var d definition
		d.Name, d.Server = property.SplitRoute(f.kind, full)
		if first := f.nodes[d.Name]; first != nil {
			r.error(t.of(at), "destination-twice", f.kind.String()+" "+d.Name+" stands in line "+number(t.of(first).Line)+" already", "remove one of the two; this one does not count")
			continue
		}
		f.nodes[d.Name] = n
		for i := range n.items {
			if it := &n.items[i]; it.key != "name" && it.key != "jndinames" {
				if v, ok := f.property(it, r); ok {
					d.Set = d.Set.With(v)
				}
			}
		}
		checkDefinition(f.kind, &d, f, r)
		putDefinition(tree, d, f, r)
	}
	return f
}

// property reads a member of a destination; what says no or null is not there.
func (f *jsonDests) property(it *jitem, r *report) (property.Value, bool) {
	p, ok := property.Lookup(it.key)
	if !ok {
		r.warn(f.t.place(it.at, len(it.raw)), "property-name", "there is no property "+clip(it.key)+": it is ignored", "")
		return property.Value{}, false
	}
	v, set, err := jsonProperty(p, f.kind, it.val)
	if err != nil {
		e := asPropertyError(err)
		r.error(f.t.of(it.val), e.Rule, e.Message, e.Fix)
	}
	return v, set && err == nil
}

func jsonProperty(p *property.Property, k property.Kind, n *jnode) (v property.Value, set bool, err error) {
	text := n.scalar()
	switch {
	case n.kind == 'z', n.kind == 'b' && n.raw == "false", n.kind == 's' && text == "":
		return v, false, nil
	case n.kind == 'b' && p.Form != property.Flag:
		v, err = property.ParseValue(p, k, "", true) // flowControl: true
		return v, err == nil, err
	case n.kind == '[': // import and export as lists
		var words []string
		for _, w := range n.list() {
			words = append(words, w.scalar())
		}
		text = strings.Join(words, ",")
	}
	v, err = property.ParseValue(p, k, text, false)
	return v, err == nil && (p.Form != property.Flag || v.Number != 0), err
}

func (f *jsonDests) place(n, part string) Place {
	node := f.nodes[n]
	if part != "" {
		for i := range node.items {
			if strings.EqualFold(node.items[i].key, part) {
				return f.t.of(node.items[i].val)
			}
		}
	}
	return f.t.of(node.get("name"))
}

func (f *jsonDests) put(d definition) {
	n := f.nodes[d.Name]
	if n == nil {
		n = &jnode{kind: '{', at: -1}
		n.member("name", newString(d.String()))
		for _, v := range d.Set {
			n.member(v.ID.String(), propertyNode(v))
		}
		f.t.element(f.root, classTable[classOf(f.kind)].member, n)
		f.nodes[d.Name] = n
		return
	}
	f.t.text(n, "name", d.String(), false, jsonMembers)
	for i := range property.Table {
		p := &property.Table[i]
		want, has := d.Set.Get(p.ID)
		at := -1
		for j := range n.items {
			if strings.EqualFold(n.items[j].key, p.Name) {
				at = j
			}
		}
		if at < 0 {
			if has {
				f.t.put(n, p.Name, propertyNode(want), jsonMembers)
			}
			continue
		}
		is, set, err := jsonProperty(p, f.kind, n.items[at].val)
		switch {
		case has && set && err == nil && is == want:
		case has && n.items[at].val.kind == 'n' && p.Form == property.Count && want.Number >= 0:
			f.t.put(n, n.items[at].key, &jnode{kind: 'n', raw: want.Print(), at: -1}, jsonMembers)
		case has:
			f.t.put(n, n.items[at].key, propertyNode(want), jsonMembers)
		case set || err != nil:
			f.t.cut(n, at)
		}
	}
}

// propertyNode is a property as the server writes it.
func propertyNode(v property.Value) *jnode {
	if v.Bare {
		return newBool(true)
	}
	return newString(v.Print())
}

func (f *jsonDests) drop(n string) {
	f.t.dropElement(f.root, classTable[classOf(f.kind)].member, f.nodes[n])
	delete(f.nodes, n)
}

// jsonMembers is how many tabs stand in front of the members of an element of a
// list of the root, as the server writes them.
const jsonMembers = 3

// element adds an element to a list of the root, which may not be there yet.
func (t *jsonText) element(root *jnode, member string, n *jnode) {
	list := root.get(member)
	if list == nil || list.kind != '[' {
		t.put(root, member, newList(n), 1)
		return
	}
	t.push(list, n, 1)
}

func (t *jsonText) dropElement(root *jnode, member string, n *jnode) {
	list := root.get(member)
	for i := range list.items {
		if list.items[i].val == n {
			t.cut(list, i)
			return
		}
	}
}
