package config

import "strings"

// readGroups reads groups.conf: NAME:["DESCRIPTION"] and its members below, each
// in an indented line of its own (ems 1.1).
func readGroups(t *text, r *report) *sectionFile {
	f := &sectionFile{text: t, class: Groups, index: newIndex[*section]()}
	var at *section
	skip := false
	var seen map[string]bool // members of the group
	for l := t.first; l != nil; l = l.next {
		body := l.body()
		if !l.readable() || blank(body, "#") {
			continue
		}
		if isBlank(body[0]) {
			f.member(l, body, at, seen, skip, r)
			continue
		}
		at = f.groupHeader(l, body, r)
		skip, seen = at == nil, map[string]bool{}
	}
	return f
}

func (f *sectionFile) groupHeader(l *line, body string, r *report) *section {
	name, description, ok := groupParts(body)
	if !ok {
		r.error(f.place2(l, trim(body, span{0, len(body)})), "group-line", "there is no colon", `write group:"description", and each member below it, indented`)
		return nil
	}
	if name.from == name.to {
		r.error(f.place2(l, trim(body, span{0, len(body)})), "group-line", "there is no name in front of the colon", `write group:"description"`)
		return nil
	}
	at := f.place2(l, name)
	s := &section{Object: Object{Class: Groups, Name: at.Text, At: at}, header: l}
	s.Attrs = []Attr{{Name: "description", Value: unquote(description.of(body)), At: f.place2(l, description)}}
	s.lines = []*line{nil}
	return f.begin(s, r)
}

// groupParts cuts the header line of a group.
func groupParts(body string) (name, description span, ok bool) {
	i := strings.IndexByte(body, ':')
	if i < 0 {
		return span{}, span{}, false
	}
	return trim(body, span{0, i}), trim(body, span{i + 1, len(body)}), true
}

func (f *sectionFile) member(l *line, body string, s *section, seen map[string]bool, skip bool, r *report) {
	name := trim(body, span{0, len(body)})
	at := f.place2(l, name)
	switch {
	case skip:
	case s == nil:
		r.error(at, "group-line", "a member in front of the first group", `write group:"description" above it, not indented`)
	case strings.Contains(at.Text, ":"):
		r.error(at, "group-line", "an indented line is a member, and this has a colon", "write a group's line without blanks in front")
	default:
		if seen[at.Text] {
			r.warn(at, "member-twice", at.Text+" is a member of "+s.Name+" already", "remove one of the two")
			return
		}
		seen[at.Text] = true
		s.Attrs = append(s.Attrs, Attr{Name: "member", Value: at.Text, At: at})
		s.lines = append(s.lines, l)
	}
}

// describe changes the description in a group's header.
func (f *sectionFile) describe(s *section, want string) {
	body := s.header.body()
	_, description, _ := groupParts(body)
	if unquote(description.of(body)) != want {
		f.splice(s.header, description.from, len(body), `"`+want+`"`)
	}
}
