package config

import (
	"cmp"
	"slices"
	"strings"
)

// encode brings an object's members to the attributes. What it had before is
// unset where it is not wanted any more.
func (f *jsonObjects) encode(n *jnode, attrs, before []Attr) {
	switch f.class {
	case ACLs:
		f.encodeACL(n, attrs, before)
		return
	case Bridges:
		f.encodeTargets(n, attrs)
		return
	}
	var names []string
	for _, a := range append(slices.Clone(before), attrs...) {
		if !slices.Contains(names, a.Name) {
			names = append(names, a.Name)
		}
	}
	o := Object{Attrs: attrs}
	for _, name := range names {
		at, tabs := n, jsonMembers
		if strings.HasPrefix(name, "ssl_") {
			if at.get("ssl") == nil || at.get("ssl").kind != '{' {
				f.t.put(at, "ssl", &jnode{kind: '{', at: -1}, tabs)
			}
			at, tabs = at.get("ssl"), tabs+1
		}
		switch a, has := o.Attr(name); {
		case repeats(f.class, name):
			f.encodeList(at, name, attrs, tabs)
		case name == "nolocal" || name == "route":
			if has != (at.get(name).scalar() == "true") {
				f.t.put(at, name, newBool(has), tabs)
			}
		default:
			f.t.text(at, name, a.Value, false, tabs)
		}
	}
}

// encodeList brings a list to the attributes of a name: texts for certificates,
// objects for members and topics.
func (f *jsonObjects) encodeList(n *jnode, name string, attrs []Attr, tabs int) {
	texts := strings.HasPrefix(name, "ssl_") || name == "export_constant"
	var want []*jnode
	for _, a := range attrs {
		if a.Name != name {
			continue
		}
		if texts {
			want = append(want, newString(a.Value))
			continue
		}
		e := &jnode{kind: '{', at: -1}
		e.member("name", newString(a.Value))
		if f.class == Routes {
			e.member("selector", selectorNode(a.Selector))
		}
		want = append(want, e)
	}
	f.t.lists(n, plural(name), want, func(have, want *jnode) bool {
		if texts {
			return have.scalar() == want.scalar()
		}
		return have.get("name").scalar() == want.get("name").scalar()
	}, f.updateSelector(tabs+2), tabs)
}

func selectorNode(s string) *jnode {
	if s == "" {
		return newNull()
	}
	return newString(s)
}

func (f *jsonObjects) updateSelector(tabs int) func(have, want *jnode) {
	return func(have, want *jnode) {
		if have.kind == '{' && want.get("selector") != nil {
			f.t.text(have, "selector", want.get("selector").scalar(), false, tabs)
		}
	}
}

func (f *jsonObjects) encodeTargets(n *jnode, attrs []Attr) {
	var want []*jnode
	for _, a := range attrs {
		e := &jnode{kind: '{', at: -1}
		e.member("name", newString(a.Value))
		e.member("selector", selectorNode(a.Selector))
		e.member("type", newString(a.Name))
		want = append(want, e)
	}
	f.t.lists(n, "targets", want, func(have, want *jnode) bool {
		return have.get("name").scalar() == want.get("name").scalar() && have.get("type").scalar() == want.get("type").scalar()
	}, f.updateSelector(jsonMembers+2), jsonMembers)
}

func (f *jsonObjects) encodeACL(n *jnode, attrs, before []Attr) {
	o := Object{Attrs: attrs}
	for _, who := range []string{"user", "group"} {
		if v := o.Get(who); v != "" {
			f.t.text(n, who, v, false, jsonMembers)
		}
	}
	want := o.All("perm")
	for _, p := range (&Object{Attrs: before}).All("perm") {
		for i := range n.items {
			if strings.EqualFold(n.items[i].key, p) && !slices.Contains(want, p) {
				f.t.cut(n, i)
				break
			}
		}
	}
	for _, p := range want {
		if v := n.get(p); v == nil || !sameText(v, "true") {
			f.t.put(n, p, newBool(true), jsonMembers)
		}
	}
}

// jsonNames is the JNDI aliases, which stand with what they name: in jndinames of
// factories, queues and topics (decision 0051).
type jsonNames struct {
	jsonObjects
	owners map[string]*jnode // by alias
}

func readJSONNames(t *jsonText, root *jnode, r *report) *jsonNames {
	f := &jsonNames{owners: map[string]*jnode{}}
	f.t, f.root, f.class, f.index = t, root, JNDINames, newIndex[*jsonObject]()
	for _, list := range []string{"queues", "topics", "factories"} {
		for _, n := range root.get(list).list() {
			for _, e := range n.get("jndinames").list() {
				at := e
				if e.kind == '{' {
					at = cmp.Or(e.get("name"), e)
				}
				name := at.scalar()
				if name == "" || n.get("name").scalar() == "" {
					continue
				}
				o := Object{Class: JNDINames, Name: name, At: t.of(at), Attrs: []Attr{
					{Name: "type", Value: jndiWord[list], At: t.of(at)},
					{Name: "target", Value: n.get("name").scalar(), At: t.of(at)},
				}}
				if first := f.find(o.Key()); first != nil {
					twice(&o, first, r)
					continue
				}
				f.keep(o, e, n)
			}
		}
	}
	return f
}

var (
	jndiWord = map[string]string{"queues": "queue", "topics": "topic", "factories": "factory"}
	jndiList = map[string]string{"queue": "queues", "topic": "topics", "factory": "factories"}
)

func (f *jsonNames) keep(o Object, e, owner *jnode) {
	f.hold(&jsonObject{o, e})
	f.owners[o.Key()] = owner
}

func (f *jsonNames) drop(key string) {
	f.t.dropElement(f.owners[key], "jndinames", f.take(key).node)
	delete(f.owners, key)
}

// add puts an alias to its target. An alias of an alias is one of what that names.
func (f *jsonNames) add(o Object) {
	kind, target := o.Get("type"), o.Get("target")
	if first := f.find(target); kind == "jndiname" && first != nil {
		kind, target = first.Get("type"), first.Get("target")
		o.Attrs = []Attr{{Name: "type", Value: kind}, {Name: "target", Value: target}}
	}
	for _, n := range f.root.get(jndiList[kind]).list() {
		if n.get("name").scalar() != target {
			continue
		}
		e := &jnode{kind: '{', at: -1}
		e.member("name", newString(o.Name))
		if list := n.get("jndinames"); list == nil || list.kind != '[' {
			f.t.put(n, "jndinames", newList(e), jsonMembers)
		} else {
			f.t.push(list, e, f.t.depth(n, jsonMembers))
		}
		f.keep(o, e, n)
		return
	}
}

func (f *jsonNames) set(key string, attrs []Attr) {
	o := *f.find(key)
	f.drop(key)
	o.Attrs = attrs
	f.add(o)
}
