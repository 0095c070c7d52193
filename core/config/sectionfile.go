package config

import (
	"slices"
	"strconv"
	"strings"
)

// sectionFile is a file of headed sections: [NAME] and lines KEY = VALUE below it
// (ems 1.1), or a group and its members.
type sectionFile struct {
	*text
	index[*section]
	class Class
}

// section is an object with the lines of its attributes; a line is nil where the
// attribute stands in the header.
type section struct {
	Object
	header *line
	lines  []*line
}

func number(n int) string { return strconv.Itoa(n) }

// readSections reads bridges, routes, factories, transports, stores and channels.
func readSections(t *text, c Class, r *report) *sectionFile {
	f := &sectionFile{text: t, class: c, index: newIndex[*section]()}
	var at *section
	skip := false // below a header that does not count
	for l := t.first; l != nil; l = l.next {
		body := l.body()
		if !l.readable() || blank(body, "#;") {
			continue
		}
		s := trim(body, span{0, len(body)})
		if body[s.from] == '[' {
			at = f.header(l, body, s, r)
			skip = at == nil
			continue
		}
		if at == nil && !skip {
			r.error(f.place2(l, s), "section", "a line in front of the first [section]", "write the name of the "+c.Word()+" in brackets above it")
			skip = true
		}
		if a, ok := f.readPair(l, body, s, r); ok && at != nil {
			at.Attrs = append(at.Attrs, a)
			at.lines = append(at.lines, l)
		}
	}
	return f
}

func (f *sectionFile) header(l *line, body string, s span, r *report) *section {
	end := strings.IndexByte(body[s.from:], ']')
	if end < 0 {
		r.error(f.place2(l, s), "section", "the bracket is not closed", "write ["+strings.TrimSpace(body[s.from+1:s.to])+"]")
		return nil
	}
	end += s.from
	name := trim(body, span{s.from + 1, end})
	switch {
	case name.from == name.to:
		r.error(f.place2(l, s), "section", "there is no name between the brackets", "write the name of the "+f.class.Word())
		return nil
	case end+1 < s.to:
		r.error(f.place2(l, trim(body, span{end + 1, s.to})), "section", "words behind the bracket", "write them in lines of their own")
	}
	at := f.place2(l, name)
	full := unquote(name.of(body))
	if f.class == Bridges {
		kind, source, _ := strings.Cut(full, ":")
		kind = strings.ToLower(strings.TrimSpace(kind))
		full = kind + ":" + strings.TrimSpace(source)
	}
	return f.begin(&section{Object: Object{Class: f.class, Name: full, At: at}, header: l}, r)
}

// begin adds a section, unless there is one of its name: sections of one bridge
// source are one, all others may stand once.
func (f *sectionFile) begin(s *section, r *report) *section {
	if first := f.byKey[s.Key()]; first != nil {
		if f.class == Bridges {
			return first
		}
		twice(&s.Object, &first.Object, r)
		return nil
	}
	f.hold(s)
	return s
}

// pairParts cuts KEY = VALUE selector="...". The key's span is empty if there is no
// equals sign.
func (f *sectionFile) pairParts(body string, s span) (key, value, selector span) {
	eq := strings.IndexByte(body[s.from:s.to], '=')
	if eq < 0 {
		return span{s.from, s.from}, s, span{}
	}
	eq += s.from
	key, value = trim(body, span{s.from, eq}), trim(body, span{eq + 1, s.to})
	if !f.selectors(key.of(body)) {
		return key, value, span{}
	}
	w := words(value.of(body))
	if len(w) < 2 {
		return key, value, span{}
	}
	rest := trim(body, span{value.from + w[0].to, value.to})
	value.to = value.from + w[0].to
	after, ok := strings.CutPrefix(rest.of(body), "selector")
	if trimmed := strings.TrimLeft(after, " \t"); ok && strings.HasPrefix(trimmed, "=") {
		rest.from = rest.to - len(trimmed) + 1
		return key, value, trim(body, rest)
	}
	return key, value, span{rest.from, -rest.to} // words that do not belong there
}

// selectors says whether a key's value may be followed by a selector.
func (f *sectionFile) selectors(key string) bool {
	switch strings.ToLower(key) {
	case "queue", "topic":
		return f.class == Bridges
	case "incoming_topic", "outgoing_topic":
		return f.class == Routes
	}
	return false
}

func (f *sectionFile) readPair(l *line, body string, s span, r *report) (Attr, bool) {
	key, value, selector := f.pairParts(body, s)
	if key.from == key.to {
		r.error(f.place2(l, s), "section-line", "the line is no key = value", "write key = value")
		return Attr{}, false
	}
	a := Attr{Name: KeyName(f.class, key.of(body)), Value: unquote(value.of(body)), At: f.place2(l, value), NameAt: f.place2(l, key)}
	if value.from == value.to {
		a.At = f.place2(l, key)
	}
	if raw := value.of(body); strings.HasPrefix(raw, `"`) && (len(raw) == 1 || !strings.HasSuffix(raw, `"`)) {
		r.error(a.At, "quote", "the quote is not closed", "put a double quote at the end")
		a.Ignored = true
		return a, true
	}
	if selector.to < 0 {
		extra := span{selector.from, -selector.to}
		r.error(f.place2(l, extra), "section-line", "words behind the name that are no selector", `write selector="..."`)
		a.Ignored = true
		return a, true
	}
	if selector.to > 0 {
		raw := selector.of(body)
		if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
			r.error(f.place2(l, selector), "quote", "the selector is not in double quotes", `write selector="..."`)
			a.Ignored = true
			return a, true
		}
		a.Selector, a.SelectorAt = unquote(raw), f.place2(l, selector)
	}
	return a, true
}

func (f *sectionFile) add(o Object) {
	if f.last != nil && !blank(f.last.body(), "") {
		f.insert(f.last, "")
	}
	s := &section{Object: o}
	if f.class == Groups {
		s.header = f.insert(f.last, o.Name+`:"`+o.Get("description")+`"`)
	} else {
		s.header = f.insert(f.last, "["+o.Name+"]")
	}
	s.Attrs = nil
	f.hold(s)
	f.set(s.Key(), o.Attrs)
}

// set brings a section's lines to the attributes wanted: lines that say what is
// wanted stay, others of the name are changed, the rest comes and goes.
func (f *sectionFile) set(key string, attrs []Attr) {
	s := f.byKey[key]
	taken := make([]bool, len(s.Attrs))
	lines := make([]*line, len(attrs))
	pair := func(same func(old, want Attr) bool) {
		for i, want := range attrs {
			for j := 0; j < len(taken) && lines[i] == nil; j++ {
				if !taken[j] && s.lines[j] != nil && same(s.Attrs[j], want) {
					lines[i], taken[j] = s.lines[j], true
				}
			}
		}
	}
	pair(func(old, want Attr) bool {
		return old.Name == want.Name && old.Value == want.Value && old.Selector == want.Selector
	})
	pair(func(old, want Attr) bool { return old.Name == want.Name && old.Value == want.Value })
	pair(func(old, want Attr) bool {
		return old.Name == want.Name && (!repeats(f.class, old.Name) || old.Value == "")
	})
	for j := range s.Attrs {
		if !taken[j] && s.lines[j] != nil {
			f.remove(s.lines[j])
		}
	}
	last := s.header
	for i, want := range attrs {
		switch {
		case f.class == Groups && want.Name == "description":
			f.describe(s, want.Value)
			continue
		case lines[i] == nil:
			lines[i] = f.insert(last, f.indent(s)+f.pairText(s, want))
		default:
			f.rewrite(lines[i], want)
		}
		if lines[i].follows(last) {
			last = lines[i]
		}
	}
	s.Attrs, s.lines = slices.Clone(attrs), lines
}

// follows says whether l stands somewhere behind other.
func (l *line) follows(other *line) bool {
	for at := other.next; at != nil; at = at.next {
		if at == l {
			return true
		}
		if strings.HasPrefix(strings.TrimSpace(at.raw), "[") {
			break
		}
	}
	return false
}

// like is a line of an attribute to copy the layout of.
func (f *sectionFile) like(s *section) *line {
	for _, l := range s.lines {
		if l != nil {
			return l
		}
	}
	for _, other := range f.items {
		for _, l := range other.lines {
			if l != nil {
				return l
			}
		}
	}
	return nil
}

func (f *sectionFile) indent(s *section) string {
	l := f.like(s)
	if l == nil {
		return "  "
	}
	body := l.body()
	return body[:trim(body, span{0, len(body)}).from]
}

func (f *sectionFile) pairText(s *section, a Attr) string {
	if f.class == Groups {
		return a.Value
	}
	between := " = "
	if l := f.like(s); l != nil {
		if eq := strings.IndexByte(l.raw, '='); eq > 0 && !isBlank(l.raw[eq-1]) {
			between = "="
		}
	}
	value := a.Value
	if strings.ContainsAny(value, " \t") {
		value = `"` + value + `"`
	}
	if a.Selector != "" {
		value += ` selector="` + a.Selector + `"`
	}
	return a.Name + between + value
}

// rewrite changes a line's value and selector where they differ.
func (f *sectionFile) rewrite(l *line, want Attr) {
	body := l.body()
	if f.class == Groups {
		return // a member is its line
	}
	_, value, selector := f.pairParts(body, trim(body, span{0, len(body)}))
	if value.from == value.to { // `clientID =`
		value = span{len(body), len(body)}
	}
	end, says := value.to, ""
	if selector.to > 0 {
		end, says = selector.to, unquote(selector.of(body))
	}
	switch {
	case says == want.Selector:
	case want.Selector == "":
		f.splice(l, value.to, end, "")
	case selector.to > 0:
		f.splice(l, selector.from, selector.to, `"`+want.Selector+`"`)
	default:
		f.splice(l, value.to, value.to, ` selector="`+want.Selector+`"`)
	}
	if unquote(value.of(body)) != want.Value {
		text := want.Value
		if strings.HasPrefix(value.of(body), `"`) || strings.ContainsAny(text, " \t") {
			text = `"` + text + `"`
		}
		if strings.HasSuffix(body, " =") {
			text = " " + text
		}
		f.splice(l, value.from, value.to, text)
	}
}

func (f *sectionFile) drop(key string) {
	s := f.take(key)
	for _, l := range s.lines {
		if l != nil {
			f.remove(l)
		}
	}
	if after := s.header.next; after != nil && strings.TrimSpace(after.raw) == "" && s.header.prev != nil && strings.TrimSpace(s.header.prev.raw) == "" {
		f.remove(after) // two blank lines would remain
	}
	f.remove(s.header)
}
