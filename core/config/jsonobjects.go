package config

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/core/property"
)

// jsonObjects is a list of objects of one class.
type jsonObjects struct {
	index[*jsonObject]
	t     *jsonText
	root  *jnode
	class Class
}

type jsonObject struct {
	Object
	node *jnode
}

func readJSONObjects(t *jsonText, root, list *jnode, class Class, r *report) *jsonObjects {
	f := &jsonObjects{t: t, root: root, class: class, index: newIndex[*jsonObject]()}
	for _, n := range list.list() {
		o, ok := f.decode(n, r)
		if !ok {
			continue
		}
		o.Class = class
		if first := f.find(o.Key()); first != nil {
			twice(&o, first, r)
			continue
		}
		f.hold(&jsonObject{o, n})
	}
	return f
}

// at makes an attribute of a value.
func (f *jsonObjects) at(name string, n *jnode) Attr {
	return Attr{Name: name, Value: n.scalar(), At: f.t.of(n)}
}

// decode reads one object.
func (f *jsonObjects) decode(n *jnode, r *report) (Object, bool) {
	switch f.class {
	case ACLs:
		return f.decodeACL(n, r)
	case Bridges:
		return f.decodeBridge(n, r)
	case Listeners:
		if n.kind != '{' || n.get("listener").scalar() == "" || n.get("subject").scalar() == "" {
			r.error(f.t.of(n), "listener-line", "a listener has no listener or no subject", `write { "listener": "NAME", "subject": "NAME", "transport": "NAME" }`)
			return Object{}, false
		}
		o := Object{Name: n.get("listener").scalar(), At: f.t.of(n.get("listener"))}
		if tr := n.get("transport"); tr.scalar() != "" {
			o.Attrs = append(o.Attrs, f.at("transport", tr))
		}
		o.Attrs = append(o.Attrs, f.at("subject", n.get("subject")))
		return o, true
	}
	name, at, ok := jsonName(f.t, n, f.class, r)
	if !ok {
		return Object{}, false
	}
	o := Object{Name: name, At: f.t.of(at)}
	for i := range n.items {
		f.decodeMember(&o, &n.items[i])
	}
	if f.class == Durables && o.Get("topic") == "" {
		r.error(o.At, "durable-line", "a durable subscription has no topic", `add "topic": "NAME"`)
		return o, false
	}
	return o, true
}

func (f *jsonObjects) decodeMember(o *Object, it *jitem) {
	had := len(o.Attrs)
	defer func() {
		for i := had; i < len(o.Attrs); i++ {
			if o.Attrs[i].NameAt.Line == 0 {
				o.Attrs[i].NameAt = f.t.place(it.at, len(it.raw))
			}
		}
	}()
	switch {
	case it.key == "name", it.key == "jndinames", it.val.kind == 'z':
	case it.val.kind == '{': // ssl
		for i := range it.val.items {
			f.decodeMember(o, &it.val.items[i])
		}
	case it.val.kind == '[':
		name := singular(it.key)
		for _, e := range it.val.list() {
			a := f.at(name, e)
			if e.kind == '{' {
				a = f.at(name, cmp.Or(e.get("name"), e))
				a.Selector = e.get("selector").scalar()
				if s := e.get("selector"); s != nil {
					a.SelectorAt = f.t.of(s)
				}
			}
			o.Attrs = append(o.Attrs, a)
		}
	case f.class == Durables && (it.key == "nolocal" || it.key == "route"):
		if on, _ := property.ParseFlag(it.val.scalar()); on {
			o.Attrs = append(o.Attrs, Attr{Name: it.key, Bare: true, At: f.t.of(it.val)})
		}
	default:
		a := f.at(KeyName(f.class, it.key), it.val)
		if a.Value != "" || f.class == Users || f.class == Groups {
			o.Attrs = append(o.Attrs, a)
		}
	}
}

// singular is the attribute that a list's elements are, plural the list.
func singular(key string) string {
	return strings.TrimSuffix(strings.TrimSuffix(canonical(key), "_list"), "s")
}

func plural(name string) string {
	if strings.HasPrefix(name, "ssl_") {
		return name + "_list"
	}
	return name + "s"
}

func (f *jsonObjects) decodeACL(n *jnode, r *report) (Object, bool) {
	const form = `write { "type": "queue", "name": "NAME", "user": "NAME", "send": true }`
	kind := strings.ToLower(n.get("type").scalar())
	o := Object{Name: "admin", At: f.t.of(n)}
	switch kind {
	case "queue", "topic":
		name := n.get("name")
		if name.scalar() == "" {
			r.error(f.t.of(n), "acl-line", "the right names no "+kind, form)
			return o, false
		}
		o.Name, o.At = kind+":"+name.scalar(), f.t.of(name)
	case "admin":
	default:
		r.error(f.t.of(cmp.Or(n.get("type"), n)), "acl-line", "a right is of type queue, topic or admin", form)
		return o, false
	}
	for i := range n.items {
		it := &n.items[i]
		switch it.key {
		case "type", "name":
		case "user", "group":
			if it.val.scalar() != "" {
				o.Attrs = append(o.Attrs, f.at(it.key, it.val))
			}
		default:
			on, _ := property.ParseFlag(it.val.scalar())
			switch word := strings.ToLower(it.key); {
			case !slices.Contains(Permissions(o.Name), word):
				r.error(f.t.place(it.at, len(it.raw)), "permission", "there is no such permission on "+aclKind(o.Name), didYouMean(word, Permissions(o.Name)))
			case on:
				o.Attrs = append(o.Attrs, Attr{Name: "perm", Value: word, At: f.t.place(it.at, len(it.raw))})
			}
		}
	}
	if o.Has("user") == o.Has("group") {
		r.error(o.At, "acl-line", "a right is of one user or one group", form)
		return o, false
	}
	return o, true
}

func (f *jsonObjects) decodeBridge(n *jnode, r *report) (Object, bool) {
	source, at, ok := jsonName(f.t, n, Bridges, r)
	if !ok {
		return Object{}, false
	}
	o := Object{Name: strings.ToLower(n.get("type").scalar()) + ":" + source, At: f.t.of(at)}
	for _, e := range n.get("targets").list() {
		kind := strings.ToLower(e.get("type").scalar())
		if kind != "queue" && kind != "topic" || e.get("name").scalar() == "" {
			r.error(f.t.of(e), "bridge-target", "a target is a queue or topic with a name", `write { "type": "queue", "name": "NAME" }`)
			o.Attrs = append(o.Attrs, Attr{Name: "queue", At: f.t.of(e), Ignored: true})
			continue
		}
		a := f.at(kind, e.get("name"))
		if s := e.get("selector"); s.scalar() != "" {
			a.Selector, a.SelectorAt = s.scalar(), f.t.of(s)
		}
		o.Attrs = append(o.Attrs, a)
	}
	return o, true
}

func (f *jsonObjects) drop(key string) {
	f.t.dropElement(f.root, classTable[f.class].member, f.take(key).node)
}

func (f *jsonObjects) add(o Object) {
	n := &jnode{kind: '{', at: -1}
	f.encode(n, o.Attrs, nil)
	switch f.class {
	case ACLs, Bridges:
		kind, name, _ := strings.Cut(o.Name, ":")
		n.member("type", newString(kind))
		if name != "" {
			n.member("name", newString(name))
		}
	case Listeners:
		n.member("listener", newString(o.Name))
	default:
		n.member("name", newString(o.Name))
	}
	f.t.element(f.root, classTable[f.class].member, n)
	f.hold(&jsonObject{o, n})
}

func (f *jsonObjects) set(key string, attrs []Attr) {
	item := f.byKey[key]
	f.encode(item.node, attrs, item.Attrs)
	item.Attrs = attrs
}
