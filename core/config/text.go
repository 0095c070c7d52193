package config

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits on files.
const (
	MaxFile   = 64 << 20 // bytes of one file
	MaxLine   = 256_000  // bytes of one line (ems 1.1)
	MaxNested = 32       // levels of tibemsd.json
)

// byteOrderMark is what some editors begin a UTF-8 file with.
const byteOrderMark = "\uFEFF"

// text is a file as a list of lines. What nobody changes is printed byte for byte
// as it was read.
type text struct {
	file    string // its name in findings
	mark    string // a byte order mark, or nothing
	ending  string // of added lines
	first   *line
	last    *line
	changed bool
}

// line is one line with its ending. Lines stay where they are when others come
// and go, so that objects can hold on to theirs.
type line struct {
	raw        string // as it stands, ending included
	number     int    // from 1 as the file was read; 0 for an added one
	prev, next *line
}

// newText cuts a file into lines. What is wrong with it as text is reported; such
// a line is kept, and read as far as possible.
func newText(file string, b []byte, r *report) *text {
	t := &text{file: file, ending: "\n"}
	if len(b) > MaxFile {
		r.error(Place{File: file}, "file-size", fmt.Sprintf("the file has %d bytes", len(b)), fmt.Sprintf("at most %d are read: nothing of it counts", MaxFile))
		t.mark = string(b) // printed as it is
		return t
	}
	s := string(b)
	if rest, ok := strings.CutPrefix(s, byteOrderMark); ok {
		t.mark, s = byteOrderMark, rest
	}
	if strings.Contains(s, "\r\n") {
		t.ending = "\r\n"
	}
	for raw := range strings.Lines(s) {
		t.append(&line{raw: raw, number: t.count() + 1})
		body := t.last.body()
		switch {
		case len(body) > MaxLine:
			r.error(t.place(t.last, 0, 0), "line-length", fmt.Sprintf("the line has %d bytes", len(body)), fmt.Sprintf("at most %d are read: it does not count", MaxLine))
		case !utf8.ValidString(body):
			at := strings.IndexFunc(body, func(c rune) bool { return c == utf8.RuneError })
			r.error(t.place(t.last, at, at), "encoding", "the line is not UTF-8", "convert the file; the line does not count")
		case strings.ContainsRune(body, 0):
			at := strings.IndexByte(body, 0)
			r.error(t.place(t.last, at, at), "encoding", "the line has a NUL character", "take it out; the line does not count")
		}
	}
	return t
}

func (t *text) count() int {
	if t.last == nil {
		return 0
	}
	return t.last.number
}

func (t *text) append(l *line) {
	l.prev = t.last
	if t.last != nil {
		t.last.next = l
	} else {
		t.first = l
	}
	t.last = l
}

// body is the line without its ending.
func (l *line) body() string { return strings.TrimRight(l.raw, "\r\n") }

// readable says whether the line counts: what newText reported does not.
func (l *line) readable() bool {
	return len(l.raw) <= MaxLine+2 && utf8.ValidString(l.raw) && !strings.ContainsRune(l.raw, 0)
}

// blank says whether a line says nothing: empty, or a comment.
func blank(body, comment string) bool {
	s := strings.TrimSpace(body)
	return s == "" || strings.ContainsRune(comment, rune(s[0]))
}

// place is where the bytes from..to of a line stand.
func (t *text) place(l *line, from, to int) Place {
	body := l.body()
	from, to = min(from, len(body)), min(to, len(body))
	return Place{File: t.file, Line: l.number, Column: utf8.RuneCountInString(body[:from]) + 1, Text: clip(body[from:to])}
}

// clip shortens what a finding quotes.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	for i := most; ; i-- {
		if utf8.RuneStart(s[i]) {
			return s[:i] + "…"
		}
	}
}

// splice puts words in the place of the bytes from..to of a line.
func (t *text) splice(l *line, from, to int, words string) {
	if l.raw[from:to] != words {
		l.raw = l.raw[:from] + words + l.raw[to:]
		t.changed = true
	}
}

// insert puts a line behind after; nil is before all others.
func (t *text) insert(after *line, body string) *line {
	t.changed = true
	l := &line{raw: body + t.ending}
	if after != nil && !strings.HasSuffix(after.raw, "\n") { // the last line had no ending: it gets one, and the new last has none to lose
		after.raw += t.ending
	}
	l.prev = after
	if after == nil {
		l.next, t.first = t.first, l
	} else {
		l.next, after.next = after.next, l
	}
	if l.next != nil {
		l.next.prev = l
	} else {
		t.last = l
	}
	return l
}

// remove takes a line out.
func (t *text) remove(l *line) {
	t.changed = true
	if l.prev != nil {
		l.prev.next = l.next
	} else {
		t.first = l.next
	}
	if l.next != nil {
		l.next.prev = l.prev
	} else {
		t.last = l.prev
	}
}

// bytes prints the file.
func (t *text) bytes() []byte {
	var b strings.Builder
	b.WriteString(t.mark)
	for l := t.first; l != nil; l = l.next {
		b.WriteString(l.raw)
	}
	return []byte(b.String())
}

// span is a stretch of a line's bytes.
type span struct{ from, to int }

func (s span) of(body string) string { return body[s.from:s.to] }

// words cuts at blanks and tabs outside double quotes.
func words(body string) []span {
	var all []span
	quoted, from := false, -1
	for i := range len(body) + 1 {
		end := i == len(body) || (body[i] == ' ' || body[i] == '\t') && !quoted
		switch {
		case end && from >= 0:
			all = append(all, span{from, i})
			from = -1
		case !end && from < 0:
			from = i
		}
		if i < len(body) && body[i] == '"' {
			quoted = !quoted
		}
	}
	return all
}

// trim narrows a span to what is not blank at its ends.
func trim(body string, s span) span {
	for s.from < s.to && isBlank(body[s.from]) {
		s.from++
	}
	for s.to > s.from && isBlank(body[s.to-1]) {
		s.to--
	}
	return s
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v' }

// unquote takes double quotes off.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}
