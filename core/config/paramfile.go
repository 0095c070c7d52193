package config

import "strings"

// paramFile is tibemsd.conf: a line `NAME = VALUE` for each parameter (ems 1.1).
type paramFile struct {
	*text
	items []paramItem
}

// paramItem is one line that sets a parameter.
type paramItem struct {
	name   string // lower case
	value  string // without quotes; empty counts as not set
	at     Place  // of the value, or of the name if there is none
	nameAt Place
	line   *line
	bad    bool // its value is reported: it does not count
}

func readParams(t *text, r *report) *paramFile {
	f := &paramFile{text: t}
	for l := t.first; l != nil; l = l.next {
		body := l.body()
		if !l.readable() || blank(body, "#;") {
			continue
		}
		if item, ok := f.read(l, body, r); ok {
			f.items = append(f.items, item)
		}
	}
	return f
}

func (f *paramFile) read(l *line, body string, r *report) (paramItem, bool) {
	name, value, ignored, ok := paramParts(body)
	if !ok {
		r.error(f.place2(l, trim(body, span{0, len(body)})), "parameter-line", "the line is no name = value", "write name = value, or # in front of a comment")
		return paramItem{}, false
	}
	item := paramItem{name: strings.ToLower(name.of(body)), at: f.place2(l, value), nameAt: f.place2(l, name), line: l}
	raw := value.of(body)
	if strings.HasPrefix(raw, `"`) && (len(raw) == 1 || !strings.HasSuffix(raw, `"`)) {
		r.error(item.at, "quote", "the quote is not closed", "put a double quote at the end")
		return paramItem{}, false
	}
	if extra := ignored.of(body); extra != "" && extra[0] != '#' && extra[0] != ';' {
		r.warn(f.place2(l, ignored), "ignored-words", "what follows a blank is ignored", `put the whole value into double quotes, or write it without blanks`)
	}
	item.value = unquote(raw)
	if item.value == "" {
		item.at = item.nameAt
	}
	return item, true
}

// paramParts cuts a line. The value ends at the first blank outside quotes; what
// follows is ignored.
func paramParts(body string) (name, value, ignored span, ok bool) {
	eq := strings.IndexByte(body, '=')
	if eq < 0 {
		return name, value, ignored, false
	}
	name = trim(body, span{0, eq})
	rest := trim(body, span{eq + 1, len(body)})
	value, ignored = rest, span{rest.to, rest.to}
	if w := words(rest.of(body)); len(w) > 1 {
		value.to = rest.from + w[0].to
		ignored = trim(body, span{value.to, rest.to})
	}
	return name, value, ignored, name.from < name.to
}

// set makes a parameter have the values, and no others. A parameter that takes one
// value keeps its earlier lines, which do not count, and the last is changed.
func (f *paramFile) set(name string, values []string, repeat bool) {
	var lines []int
	for i := range f.items {
		if canonical(f.items[i].name) == name {
			lines = append(lines, i)
		}
	}
	if !repeat && len(lines) > 1 {
		if len(values) == 0 { // an earlier value would come to count
			for _, i := range lines {
				f.write(i, "")
			}
		}
		counts := len(lines) - 1
		for i, at := range lines {
			if f.items[at].value != "" {
				counts = i
			}
		}
		lines = lines[counts : counts+1]
	}
	values = append([]string(nil), values...)
	for i, v := range values { // what stands there already stays
		for j, at := range lines {
			if v != "" && f.items[at].value == v {
				lines = append(lines[:j:j], lines[j+1:]...)
				values[i] = ""
				break
			}
		}
	}
	for _, v := range values {
		switch {
		case v == "":
		case len(lines) > 0:
			f.write(lines[0], v)
			lines = lines[1:]
		default:
			f.add(name, v)
		}
	}
	for _, at := range lines {
		f.write(at, "")
	}
}

func (f *paramFile) write(i int, value string) {
	item := &f.items[i]
	body := item.line.body()
	_, at, _, _ := paramParts(body)
	text := value
	if strings.HasPrefix(at.of(body), `"`) || strings.ContainsAny(value, " \t") {
		text = `"` + value + `"`
	}
	switch {
	case at.from == at.to && at.from > 0 && body[at.from-1] == '=' && strings.HasSuffix(body[:at.from-1], " "):
		text = " " + text
	case value == "":
		text = ""
	}
	f.splice(item.line, at.from, at.to, text)
	item.value = value
}

// add puts a line behind the last of the same name, or at the end.
func (f *paramFile) add(name, value string) {
	after := f.last
	for i := range f.items {
		if f.items[i].name == name {
			after = f.items[i].line
		}
	}
	l := f.insert(after, paramLine(f.layout(), name, value))
	f.items = append(f.items, paramItem{name: name, value: value, line: l})
}

// layout is the column of the equals sign of the last parameter, 0 if it touches
// the name.
func (f *paramFile) layout() int {
	for i := len(f.items) - 1; i >= 0; i-- {
		body := f.items[i].line.body()
		if eq := strings.IndexByte(body, '='); eq > 0 && body[eq-1] == ' ' {
			return eq
		}
	}
	return 0
}

func paramLine(column int, name, value string) string {
	if strings.ContainsAny(value, " \t") {
		value = `"` + value + `"`
	}
	if column == 0 {
		return name + " = " + value
	}
	return name + strings.Repeat(" ", max(1, column-len(name))) + "= " + value
}
