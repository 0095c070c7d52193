package config

import (
	"strings"

	"github.com/tidegate/tidegate/core/property"
)

// durables.conf: TOPIC NAME [clientid=ID,nolocal,selector="..."] or TOPIC SERVER
// route (ems 1.1).
var durableGrammar = lineGrammar{class: Durables, comment: "#", read: readDurable, write: writeDurable}

var durableWords = []string{"clientid", "nolocal", "selector", "route"}

func readDurable(f *lineFile, l *line, body string, r *report) *Object {
	w := words(body)
	if len(w) < 2 {
		r.error(f.place2(l, w[0]), "durable-line", "a line has a topic and the name of a durable subscription", `write TOPIC NAME clientid=ID,nolocal,selector="..."`)
		return nil
	}
	o := &Object{Name: unquote(w[1].of(body)), At: f.place2(l, w[1]), Attrs: []Attr{f.attr(l, "topic", w[0])}}
	if len(w) == 2 {
		return o
	}
	list := span{w[2].from, w[len(w)-1].to}
	for _, part := range property.SplitList(list.of(body)) {
		s := trim(body, span{list.from + part.Offset, list.from + part.Offset + part.Length})
		if a, ok := f.durableWord(l, body, s, r); ok {
			o.Attrs = append(o.Attrs, a)
		}
	}
	if route, ok := o.Attr("route"); ok && len(o.Attrs) > 2 {
		r.error(route.At, "durable-line", "a durable of a route has no other property", "write TOPIC SERVER route")
		return nil
	}
	return o
}

func (f *lineFile) durableWord(l *line, body string, s span, r *report) (Attr, bool) {
	name, value, valued := strings.Cut(s.of(body), "=")
	at := f.place2(l, s)
	word := strings.ToLower(strings.TrimSpace(name))
	switch word {
	case "nolocal", "route":
		if valued {
			if on, ok := property.ParseFlag(unquote(value)); ok && !on {
				return Attr{}, false
			}
		}
		return Attr{Name: word, Bare: true, At: at}, true
	case "clientid", "selector":
		v := trim(body, span{s.from + len(name) + 1, s.to})
		if !valued || v.from >= v.to {
			r.error(at, "durable-line", word+" needs a value", "write "+word+"=...")
			return Attr{}, false
		}
		if raw := v.of(body); strings.Count(raw, `"`)%2 != 0 || word == "selector" && raw[0] != '"' && strings.ContainsAny(raw, " \t") {
			r.error(f.place2(l, v), "quote", "the selector is not in double quotes", `write selector="..."`)
			return Attr{}, false
		}
		return f.attr(l, word, v), true
	}
	fix := didYouMean(word, durableWords)
	if fix == "" {
		fix = "write clientid=ID, nolocal, selector=\"...\" or route"
	}
	r.error(at, "durable-line", "not a property of a durable subscription", fix)
	return Attr{}, false
}

func writeDurable(o *Object, body string) string {
	var list []string
	if o.Has("route") {
		list = append(list, "route")
	}
	if id := o.Get("clientid"); id != "" {
		list = append(list, "clientid="+quoteIf(id))
	}
	if o.Has("nolocal") {
		list = append(list, "nolocal")
	}
	if s := o.Get("selector"); s != "" {
		list = append(list, `selector="`+s+`"`)
	}
	text := strings.Join(list, ",")
	if body == "" {
		return strings.TrimRight(quoteIf(o.Get("topic"))+" "+quoteIf(o.Name)+" "+text, " ")
	}
	w := words(body)
	switch {
	case len(w) == 2 && text != "":
		body = body[:w[1].to] + " " + text
	case len(w) > 2 && text == "":
		body = body[:w[1].to]
	case len(w) > 2:
		list := span{w[2].from, w[len(w)-1].to}
		body = body[:list.from] + text + body[list.to:]
	}
	return replace(body, w[0], unquote(w[0].of(body)), quoteIf(o.Get("topic")))
}
