package config

import "strings"

// jsonParams is the object tibemsd of tibemsd.json: most parameters are members of
// their name; those of TLS stand in objects, lists in lists, and listeners are
// objects that also say which of them the peer of a pair is reached at (ems 1.1).
type jsonParams struct {
	t         *jsonText
	node      *jnode
	secondary bool
	detached  *jnode // the root that node is to be a member of, if it is not yet
	items     []jsonParam
}

type jsonParam struct {
	paramValue
	bad bool
}

// jsonSlot is where a parameter stands.
type jsonSlot struct {
	object string // ssl, ft_ssl, or none
	key    string
	list   bool
	url    bool // the list's elements are objects with a url
}

func (p *jsonParams) slot(name string) jsonSlot {
	switch name {
	case "listen":
		return jsonSlot{key: p.listens(p.secondary), list: true, url: true}
	case "jre_option":
		return jsonSlot{key: "jre_options", list: true}
	case "ssl_server_issuer":
		return jsonSlot{object: "ssl", key: "ssl_issuer_list", list: true}
	case "ssl_server_trusted":
		return jsonSlot{object: "ssl", key: "ssl_trusted_list", list: true}
	case "ft_ssl_issuer":
		return jsonSlot{object: "ft_ssl", key: "ssl_issuer_list", list: true}
	case "ft_ssl_trusted":
		return jsonSlot{object: "ft_ssl", key: "ssl_trusted_list", list: true}
	case "logfile", "health_check_listen":
		if p.secondary {
			return jsonSlot{key: "secondary_" + name}
		}
	}
	if rest, ok := strings.CutPrefix(name, "ft_ssl_"); ok {
		return jsonSlot{object: "ft_ssl", key: "ssl_" + rest}
	}
	if strings.HasPrefix(name, "ssl_") {
		return jsonSlot{object: "ssl", key: name}
	}
	return jsonSlot{key: name}
}

func (p *jsonParams) listens(secondary bool) string {
	if secondary {
		return "secondary_listens"
	}
	return "primary_listens"
}

// read lists what stands there, parameter by parameter in the file's order.
func (p *jsonParams) read(r *report) {
	for i := range p.node.items {
		it := &p.node.items[i]
		object := canonical(it.key + "_") // ssl_ and ft_ssl_; EMS 10 says tls
		if _, known := LookupParameter(it.key); known && it.val.kind == '{' {
			r.error(p.t.of(it.val), "json-form", clip(it.key)+" is no object", "write a text, a number, true or false")
			continue
		}
		if object == "ssl_" || object == "ft_ssl_" {
			for j := range it.val.items {
				p.member(paramOf(object, it.val.items[j].key), &it.val.items[j])
			}
			continue
		}
		switch it.key {
		case "locally_modified":
		case p.listens(p.secondary):
			p.urls("listen", it)
		case p.listens(!p.secondary):
			p.peer(it, r)
		case "secondary_logfile", "secondary_health_check_listen":
			if p.secondary {
				p.member(strings.TrimPrefix(it.key, "secondary_"), it)
			}
		case "logfile", "health_check_listen":
			if !p.secondary {
				p.member(it.key, it)
			}
		case "jre_options":
			p.member("jre_option", it)
		default:
			p.member(it.key, it)
		}
	}
}

// paramOf is the parameter that a member of ssl or ft_ssl is.
func paramOf(object, key string) string {
	prefix := ""
	if object == "ft_ssl_" {
		prefix = "ft_"
	}
	key = canonical(key)
	switch key {
	case "ssl_issuer_list":
		key = "ssl_issuer"
	case "ssl_trusted_list":
		key = "ssl_trusted"
	default:
		return prefix + key
	}
	if prefix == "" {
		return strings.Replace(key, "ssl_", "ssl_server_", 1)
	}
	return prefix + key
}

func (p *jsonParams) member(name string, it *jitem) {
	key := p.t.place(it.at, len(it.raw))
	if it.val.kind == '[' {
		for _, e := range it.val.list() {
			p.add(name, e.scalar(), p.t.of(e), key)
		}
		return
	}
	p.add(name, it.val.scalar(), p.t.of(it.val), key)
}

func (p *jsonParams) add(name, value string, at, key Place) {
	p.items = append(p.items, jsonParam{paramValue: paramValue{
		Name: strings.ToLower(name), Value: value, At: at, NameAt: key, index: len(p.items),
	}})
}

func (p *jsonParams) urls(name string, it *jitem) {
	for _, e := range it.val.list() {
		url := e
		if e.kind == '{' {
			url = e.get("url")
		}
		if url != nil {
			p.add(name, url.scalar(), p.t.of(url), p.t.place(it.at, len(it.raw)))
		}
	}
}

// peer finds the listener of the other server that this one is to connect to: the
// one with ft_active. A list of which none has it is an error (ems 8.1).
func (p *jsonParams) peer(it *jitem, r *report) {
	for _, e := range it.val.list() {
		if e.get("ft_active").scalar() == "true" && e.get("url") != nil {
			p.add("ft_active", e.get("url").scalar(), p.t.of(e.get("url")), p.t.place(it.at, len(it.raw)))
			return
		}
	}
	if len(it.val.list()) > 0 {
		r.error(p.t.place(it.at, len(it.raw)), "ft-active", "none of the other server's listeners has ft_active", `write "ft_active": true into one of them`)
	}
}

func (p *jsonParams) values(name string) []paramValue {
	var all []paramValue
	for i := range p.items {
		if v := &p.items[i]; canonical(v.Name) == name && v.Value != "" && !v.bad {
			all = append(all, v.paramValue)
		}
	}
	return all
}

func (p *jsonParams) names() []paramValue {
	all := make([]paramValue, len(p.items))
	for i := range p.items {
		all[i] = p.items[i].paramValue
	}
	return all
}

func (p *jsonParams) reject(index int) { p.items[index].bad = true }

func (p *jsonParams) set(name string, values []string, _ bool) {
	const tabs = 2 // in front of tibemsd's members
	if p.detached != nil {
		p.t.put(p.detached, "tibemsd", p.node, 1)
		p.detached = nil
	}
	if name == "ft_active" {
		p.setPeer(values)
		p.replace(name, values)
		return
	}
	s := p.slot(name)
	n, depth := p.node, tabs
	if s.object != "" {
		if n.get(s.object) == nil || n.get(s.object).kind != '{' {
			if len(values) == 0 {
				return
			}
			p.t.put(n, s.object, &jnode{kind: '{', at: -1}, tabs)
		}
		n, depth = n.get(s.object), tabs+1
	}
	if s.list {
		var want []*jnode
		for _, v := range values {
			e := newString(v)
			if s.url {
				e = &jnode{kind: '{', at: -1}
				e.member("ft_active", newBool(false))
				e.member("url", newString(v))
			}
			want = append(want, e)
		}
		p.t.lists(n, s.key, want, func(have, want *jnode) bool {
			if s.url {
				return have.get("url").scalar() == want.get("url").scalar()
			}
			return have.scalar() == want.scalar()
		}, nil, depth)
	} else {
		value := ""
		if len(values) > 0 {
			value = values[len(values)-1]
		}
		row, _ := LookupParameter(name)
		p.t.text(n, s.key, value, row.Type == Bool, depth)
	}
	p.replace(name, values)
}

// replace makes the model have the values.
func (p *jsonParams) replace(name string, values []string) {
	kept := p.items[:0]
	for _, it := range p.items {
		if canonical(it.Name) != name {
			kept = append(kept, it)
		}
	}
	p.items = kept
	for _, v := range values {
		p.add(name, v, Place{File: p.t.file}, Place{File: p.t.file})
	}
}

// setPeer says at which of the other server's listeners it is reached. Without one
// there is no other server: a list of which none is active would be an error.
func (p *jsonParams) setPeer(values []string) {
	const tabs = 2
	key := p.listens(!p.secondary)
	list := p.node.get(key)
	if len(values) == 0 {
		for list != nil && list.kind == '[' && len(list.items) > 0 {
			p.t.cut(list, len(list.items)-1)
		}
		p.t.text(p.node, "ft_active", "", false, tabs)
		return
	}
	url := values[len(values)-1]
	found := false
	for _, e := range list.list() {
		if e.kind == '{' {
			active := e.get("url").scalar() == url
			found = found || active
			if active != (e.get("ft_active").scalar() == "true") {
				p.t.put(e, "ft_active", newBool(active), tabs+2)
			}
		}
	}
	if found {
		return
	}
	e := &jnode{kind: '{', at: -1}
	e.member("ft_active", newBool(true))
	e.member("url", newString(url))
	if list == nil || list.kind != '[' {
		p.t.put(p.node, key, newList(e), tabs)
	} else {
		p.t.push(list, e, tabs)
	}
}
