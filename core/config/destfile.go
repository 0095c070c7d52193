package config

import (
	"strings"

	"github.com/tidegate/tidegate/core/property"
)

// definition is a property.Definition for a document.
type definition = property.Definition

// destFile is queues.conf or topics.conf: a line `NAME [PROPERTY,PROPERTY=VALUE,...]`
// for each destination (ems 1.1).
type destFile struct {
	*text
	kind  property.Kind
	lines map[string]*line
}

// readDestinations fills tree from a file.
func readDestinations(t *text, tree *property.Tree, r *report) *destFile {
	f := &destFile{text: t, kind: tree.Kind(), lines: map[string]*line{}}
	for l := t.first; l != nil; l = l.next {
		if body := l.body(); l.readable() && !blank(body, "#") {
			f.read(l, body, tree, r)
		}
	}
	return f
}

func (f *destFile) read(l *line, body string, tree *property.Tree, r *report) {
	parts := destWords(body)
	at := f.place2(l, parts[0])
	full := unquote(at.Text)
	if err := property.CheckName(f.kind, full); err != nil {
		r.error(at, "destination-name", err.Message, err.Fix)
		return
	}
	var d definition
	d.Name, d.Server = property.SplitRoute(f.kind, full)
	if first := f.lines[d.Name]; first != nil {
		r.error(at, "destination-twice", f.kind.String()+" "+d.Name+" stands in line "+number(first.number)+" already", "remove one of the two; this one does not count")
		return
	}
	if len(parts) > 2 {
		extra := span{parts[2].from, parts[len(parts)-1].to}
		r.error(f.place2(l, extra), "property-list", "a blank ends the list of properties; what follows does not count", "write the list without blanks: secure,maxbytes=1MB")
	}
	if len(parts) > 1 {
		items, wrong := property.ParseList(f.kind, parts[1].of(body))
		for _, e := range wrong {
			s := span{parts[1].from + e.Offset, parts[1].from + e.Offset + e.Length}
			r.error(f.place2(l, s), e.Rule, e.Message, e.Fix)
		}
		for _, i := range items {
			d.Set = append(d.Set, i.Value)
		}
	}
	f.lines[d.Name] = l
	checkDefinition(f.kind, &d, f, r)
	putDefinition(tree, d, f, r)
}

// checkDefinition reports what contradicts itself and takes it out.
func checkDefinition(k property.Kind, d *definition, f destinations, r *report) {
	wrong, warnings := property.CheckSet(k, d.String(), d.Set)
	for _, w := range wrong {
		r.error(f.place(d.Name, w.ID.String()), w.Rule, w.Message, w.Fix)
		d.Set = d.Set.Without(w.ID)
	}
	for _, w := range warnings {
		r.warn(f.place(d.Name, w.ID.String()), w.Rule, w.Message, w.Fix)
	}
	for _, v := range d.Set {
		if row := v.ID.Row(); row.Obsolete != "" && v.ID != property.Failsafe {
			r.warn(f.place(d.Name, row.Name), "property-obsolete", row.Name+" is obsolete: "+lower(row.Meaning), "write "+row.Obsolete)
		}
	}
}

// putDefinition adds to the tree; what is refused for its store is added without.
func putDefinition(tree *property.Tree, d definition, f destinations, r *report) {
	err := tree.Put(d)
	if err == nil {
		return
	}
	word := property.Store
	if !d.Set.Has(word) {
		word = property.Failsafe
	}
	e := asPropertyError(err)
	if strings.HasPrefix(e.Message, "channel") {
		word = property.Channel
	}
	r.error(f.place(d.Name, word.String()), e.Rule, e.Message, e.Fix)
	d.Set = d.Set.Without(property.Store).Without(property.Channel).Without(property.Failsafe)
	_ = tree.Put(d) // without them it cannot be refused
}

// destWords are a line's words up to a comment behind them, which stays where it is.
func destWords(body string) []span {
	all := words(body)
	for i, w := range all {
		if i > 0 && body[w.from] == '#' {
			return all[:i]
		}
	}
	return all
}

func (t *text) place2(l *line, s span) Place { return t.place(l, s.from, s.to) }

func (f *destFile) place(n, part string) Place {
	l := f.lines[n]
	body := l.body()
	parts := destWords(body)
	if part == "" || len(parts) < 2 {
		return f.place2(l, parts[0])
	}
	list := parts[1].of(body)
	for _, s := range property.SplitList(list) {
		word, _, _ := strings.Cut(list[s.Offset:s.Offset+s.Length], "=")
		if strings.EqualFold(word, part) {
			from := parts[1].from + s.Offset
			return f.place2(l, span{from, from + s.Length})
		}
	}
	return f.place2(l, parts[0])
}

func (f *destFile) put(d definition) {
	list := d.Set.String()
	l := f.lines[d.Name]
	if l == nil {
		body := d.String()
		if list != "" {
			body += gap(f.last, body) + list
		}
		f.lines[d.Name] = f.insert(f.last, body)
		return
	}
	body := l.body()
	parts := destWords(body)
	f.keep(l, parts, body, list)
	if now := unquote(parts[0].of(body)); now != d.String() {
		f.splice(l, parts[0].from, parts[0].to, d.String())
	}
}

// keep replaces the list of a line and nothing else. Properties that did not change
// keep their spelling.
func (f *destFile) keep(l *line, parts []span, body, list string) {
	switch {
	case len(parts) > 1 && list == "":
		f.splice(l, parts[0].to, parts[len(parts)-1].to, "")
	case len(parts) > 1:
		f.splice(l, parts[1].from, parts[len(parts)-1].to, respell(f.kind, parts[1].of(body), list))
	case list != "":
		before := l.prev
		for before != nil && len(words(before.body())) != 2 {
			before = before.prev
		}
		end := len(body)
		if strings.TrimSpace(body[parts[0].to:]) != "" {
			end = parts[0].to // a comment stands behind
		}
		f.splice(l, parts[0].to, end, gap(before, body[:parts[0].to])+list)
	}
}

// respell gives list with what stood in old in old's spelling: `maxbytes=1024KB`
// is not turned into 1MB because somebody adds `secure`.
func respell(k property.Kind, old, list string) string {
	spelling := map[property.Value]string{}
	items, _ := property.ParseList(k, old)
	for _, i := range items {
		spelling[i.Value] = old[i.Offset : i.Offset+i.Length]
	}
	items, _ = property.ParseList(k, list)
	all := make([]string, len(items))
	for j, i := range items {
		all[j] = list[i.Offset : i.Offset+i.Length]
		if s, ok := spelling[i.Value]; ok {
			all[j] = s
		}
	}
	return strings.Join(all, ",")
}

// gap is the blanks between a name and its list: what brings the list below that of
// another line, or one blank.
func gap(like *line, name string) string {
	if like != nil {
		body := like.body()
		if parts := destWords(body); len(parts) == 2 && !blank(body, "#") {
			between := body[parts[0].to:parts[1].from]
			if strings.Contains(between, "\t") {
				return between
			}
			return strings.Repeat(" ", max(1, parts[1].from-len(name)))
		}
	}
	return " "
}

func (f *destFile) drop(n string) {
	f.remove(f.lines[n])
	delete(f.lines, n)
}
