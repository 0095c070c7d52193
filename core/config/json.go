package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// jsonText is a JSON file as a tree that keeps every blank. What nobody changes is
// printed byte for byte as it was read.
type jsonText struct {
	file       string
	mark       string // a byte order mark, or nothing
	src        string // as it was read, without the mark
	starts     []int  // offsets of lines
	head, tail string // blanks around the root
	root       *jnode // nil if the file could not be read
	changed    bool
}

// jnode is a value.
type jnode struct {
	kind  byte // one of { [ s n b z
	raw   string
	text  string  // of a string, decoded
	items []jitem // of { and [
	empty string  // blanks inside empty brackets
	at    int     // offset in src; -1 for an added one
}

// jitem is a member or an element. The blanks around it are its own.
type jitem struct {
	lead  string // before the key, or the element
	key   string // decoded
	raw   string // of the key, quotes included
	colon string // before the colon
	gap   string // behind it
	val   *jnode
	trail string // before the comma or bracket
	at    int    // of the key
}

// jsonError is where reading stopped.
type jsonError struct {
	at, length   int
	message, fix string
}

// readJSON reads a file. If it is no JSON, that is reported, root is nil and the
// text prints as it was.
func readJSON(file string, b []byte, r *report) *jsonText {
	t := &jsonText{file: file, src: string(b)}
	if len(b) > MaxFile {
		r.error(Place{File: file}, "file-size", fmt.Sprintf("the file has %d bytes", len(b)), fmt.Sprintf("at most %d are read: nothing of it counts", MaxFile))
		return t
	}
	if rest, ok := strings.CutPrefix(t.src, byteOrderMark); ok {
		t.mark, t.src = byteOrderMark, rest
	}
	t.starts = []int{0}
	for i := range len(t.src) {
		if t.src[i] == '\n' {
			t.starts = append(t.starts, i+1)
		}
	}
	if !utf8.ValidString(t.src) {
		at := strings.IndexFunc(t.src, func(c rune) bool { return c == utf8.RuneError })
		r.error(t.place(at, 0), "encoding", "the file is not UTF-8", "convert it; nothing of it counts")
		return t
	}
	p := &jsonParser{src: t.src}
	t.head = p.blanks()
	root := p.value(0)
	t.tail = p.blanks()
	if p.err == nil && p.i < len(p.src) {
		p.fail(p.i, 1, "words behind the end of the object", "take them out")
	}
	if p.err == nil && root.kind != '{' {
		p.fail(root.at, 1, "the file is no object", `it begins with {`)
	}
	for _, d := range p.twice {
		r.error(t.place(d.at, d.length), "json-twice", d.message, d.fix)
	}
	if p.err != nil {
		r.error(t.place(p.err.at, p.err.length), "json", p.err.message, p.err.fix)
		return t
	}
	t.root = root
	return t
}

func (t *jsonText) place(at, length int) Place {
	if at < 0 {
		return Place{File: t.file}
	}
	at = min(at, len(t.src))
	n := sort.SearchInts(t.starts, at+1) - 1
	end := min(at+length, len(t.src))
	return Place{
		File: t.file, Line: n + 1, Column: utf8.RuneCountInString(t.src[t.starts[n]:at]) + 1,
		Text: clip(t.src[at:end]),
	}
}

// of is where a value stands.
func (t *jsonText) of(n *jnode) Place {
	if n.kind == '{' || n.kind == '[' {
		return t.place(n.at, 1)
	}
	return t.place(n.at, len(n.raw))
}

func (t *jsonText) bytes() []byte {
	if t.root == nil {
		return []byte(t.mark + t.src)
	}
	var b strings.Builder
	b.WriteString(t.mark)
	b.WriteString(t.head)
	t.root.print(&b)
	b.WriteString(t.tail)
	return []byte(b.String())
}

func (n *jnode) print(b *strings.Builder) {
	if n.kind != '{' && n.kind != '[' {
		b.WriteString(n.raw)
		return
	}
	b.WriteByte(n.kind)
	for i := range n.items {
		it := &n.items[i]
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(it.lead)
		if n.kind == '{' {
			b.WriteString(it.raw)
			b.WriteString(it.colon)
			b.WriteByte(':')
			b.WriteString(it.gap)
		}
		it.val.print(b)
		b.WriteString(it.trail)
	}
	if len(n.items) == 0 {
		b.WriteString(n.empty)
	}
	b.WriteByte(n.kind + 2) // } and ] stand two behind { and [
}

// get finds a member; nil if there is none.
func (n *jnode) get(key string) *jnode {
	if n == nil || n.kind != '{' {
		return nil
	}
	for i := len(n.items) - 1; i >= 0; i-- {
		if n.items[i].key == key {
			return n.items[i].val
		}
	}
	return nil
}

// list is the elements of an array; nil for anything else.
func (n *jnode) list() []*jnode {
	if n == nil || n.kind != '[' {
		return nil
	}
	all := make([]*jnode, len(n.items))
	for i := range n.items {
		all[i] = n.items[i].val
	}
	return all
}

// scalar is a value as files of the other form spell it; null and false of a flag
// are for the caller.
func (n *jnode) scalar() string {
	switch {
	case n == nil || n.kind == 'z':
		return ""
	case n.kind == 's':
		return n.text
	}
	return n.raw
}

type jsonParser struct {
	src   string
	i     int
	err   *jsonError
	twice []jsonError
}

func (p *jsonParser) fail(at, length int, message, fix string) {
	if p.err == nil {
		p.err = &jsonError{at, length, message, fix}
	}
}

func (p *jsonParser) blanks() string {
	from := p.i
	for p.i < len(p.src) && strings.IndexByte(" \t\r\n", p.src[p.i]) >= 0 {
		p.i++
	}
	return p.src[from:p.i]
}

// peek is the next byte, 0 at the end.
func (p *jsonParser) peek() byte {
	if p.i < len(p.src) {
		return p.src[p.i]
	}
	return 0
}

func (p *jsonParser) value(depth int) *jnode {
	n := &jnode{at: p.i}
	if depth > MaxNested {
		p.fail(p.i, 1, "objects are nested too deep", fmt.Sprintf("at most %d levels are read", MaxNested))
		return n
	}
	switch c := p.peek(); c {
	case '{', '[':
		n.kind = c
		p.container(n, depth)
	case '"':
		n.kind = 's'
		n.raw, n.text = p.str()
	default:
		p.word(n)
	}
	return n
}

// word reads a number, true, false or null.
func (p *jsonParser) word(n *jnode) {
	from := p.i
	for p.i < len(p.src) && strings.IndexByte(" \t\r\n,:]}[{\"", p.src[p.i]) < 0 {
		p.i++
	}
	n.raw = p.src[from:p.i]
	switch n.raw {
	case "true", "false":
		n.kind = 'b'
	case "null":
		n.kind = 'z'
	case "":
		what := "the file ends"
		if from < len(p.src) {
			what = fmt.Sprintf("%q stands", p.src[from:from+1])
		}
		p.fail(from, 1, what+" where a value is missing", "write a value, or take the comma in front out")
	default:
		n.kind = 'n'
		if !json.Valid([]byte(n.raw)) {
			p.fail(from, len(n.raw), fmt.Sprintf("%q is no value of JSON", clip(n.raw)), "put text into double quotes")
		}
	}
}

func (p *jsonParser) str() (raw, text string) {
	from := p.i
	for p.i++; p.i < len(p.src); p.i++ {
		switch p.src[p.i] {
		case '\\':
			p.i++
			continue
		case '\n':
			p.fail(from, p.i-from, "the quote is not closed in its line", "put a double quote at the end")
			return "", ""
		case '"':
			p.i++
			raw = p.src[from:p.i]
			if json.Unmarshal([]byte(raw), &text) != nil {
				p.fail(from, len(raw), "the text has an escape or character that JSON does not have", `write a backslash twice: \\`)
			}
			return raw, text
		}
	}
	p.i = len(p.src)
	p.fail(from, p.i-from, "the quote is not closed", "put a double quote at the end")
	return "", ""
}

func (p *jsonParser) container(n *jnode, depth int) {
	p.i++
	closing := n.kind + 2
	seen := map[string]bool{}
	for p.err == nil {
		it := jitem{lead: p.blanks(), at: p.i}
		if len(n.items) == 0 && p.peek() == closing {
			n.empty = it.lead
			p.i++
			return
		}
		if n.kind == '{' {
			if p.peek() != '"' {
				p.fail(p.i, 1, "a member's name is missing", `write "name": value, and no comma behind the last`)
				return
			}
			it.raw, it.key = p.str()
			if p.err != nil {
				return
			}
			it.colon = p.blanks()
			if p.peek() != ':' {
				p.fail(p.i, 1, "the colon is missing behind "+clip(it.raw), `write "name": value`)
				return
			}
			p.i++
			it.gap = p.blanks()
			if seen[it.key] {
				p.twice = append(p.twice, jsonError{it.at, len(it.raw), "the object has " + clip(it.raw) + " already; this one counts", "remove one of the two"})
			}
			seen[it.key] = true
		}
		it.val = p.value(depth + 1)
		it.trail = p.blanks()
		n.items = append(n.items, it)
		switch c := p.peek(); {
		case p.err != nil:
		case c == closing:
			p.i++
			return
		case c != ',':
			p.fail(p.i, 1, fmt.Sprintf("a comma or %q is missing", string(closing)), "write one")
		default:
			p.i++
		}
	}
}

// newString and its like make values to add.
func newString(s string) *jnode {
	b, _ := json.Marshal(s) // a string always can be
	raw := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(b))
	return &jnode{kind: 's', raw: raw, text: s, at: -1}
}

func newBool(on bool) *jnode {
	return &jnode{kind: 'b', raw: fmt.Sprint(on), at: -1}
}

func newNull() *jnode { return &jnode{kind: 'z', raw: "null", at: -1} }

func newList(elements ...*jnode) *jnode {
	n := &jnode{kind: '[', at: -1}
	for _, e := range elements {
		n.items = append(n.items, jitem{val: e, at: -1})
	}
	return n
}

// member adds a member at its place in the alphabet, for a new object.
func (n *jnode) member(key string, val *jnode) {
	it := jitem{key: key, raw: newString(key).raw, val: val, at: -1}
	i, _ := slices.BinarySearchFunc(n.items, key, func(it jitem, key string) int { return strings.Compare(it.key, key) })
	n.items = slices.Insert(n.items, i, it)
}
