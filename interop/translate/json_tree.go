package translate

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// A JSON text is read into a tree that keeps the order of members, and names that stand
// there twice. The nodes lie in one slice in the order of the text, each with where the
// one behind all it holds is: reading costs a few allocations, however many values.
type tree []node

type node struct {
	kind nodeKind
	text string // of a string what it says; of a number its digits
	name string // of an object's member
	end  int32  // index of the node behind it and all within it
	kids int32  // elements or members
}

type nodeKind uint8

const (
	nullNode nodeKind = iota
	boolNode
	numberNode
	stringNode
	listNode
	objectNode
)

// String is for error messages.
func (k nodeKind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "a list", "an object"}[k]
}

// member gives the last member of a name in the object at i.
func (t tree) member(i int32, name string) (at int32, ok bool) {
	for c := i + 1; c < t[i].end; c = t[c].end {
		if t[c].name == name {
			at, ok = c, true
		}
	}
	return at, ok
}

// What a value may need of the tree: with its type it is an object of two members, and a
// level of its own.
const (
	nodesPerValue  = 3
	levelsPerValue = 2
	documentLevels = 4 // of the document around a body
	documentNodes  = 64
)

// parser reads a JSON text (rfc 8259).
type parser struct {
	s     string
	at    int
	limit int // nodes
	t     tree
}

// parse reads a text, one value. Strings of the tree alias it.
func (l Limits) parse(text []byte) (tree, error) {
	p := parser{s: string(text), limit: nodesPerValue*l.Values + documentNodes}
	p.t = make(tree, 0, min(len(text)/12+4, p.limit))
	p.space()
	if err := p.value("", levelsPerValue*l.Depth+documentLevels); err != nil {
		return nil, err
	}
	if p.at < len(p.s) {
		return nil, p.bad("something stands behind the end of the JSON text")
	}
	return p.t, nil
}

func (p *parser) bad(reason string) error {
	return fmt.Errorf("at byte %d: %s", p.at, reason)
}

func (p *parser) space() {
	for p.at < len(p.s) {
		switch p.s[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// next gives the byte that comes, 0 at the end.
func (p *parser) next() byte {
	if p.at < len(p.s) {
		return p.s[p.at]
	}
	return 0
}

// value reads a value and the space behind it.
func (p *parser) value(name string, depth int) error {
	if len(p.t) >= p.limit {
		return p.bad("more values than the limit: send them in several messages")
	}
	i := len(p.t)
	p.t = append(p.t, node{name: name})
	n := &p.t[i]
	var err error
	switch c := p.next(); {
	case c == '{' || c == '[':
		if depth == 0 {
			return p.bad("deeper than the limit: flatten it")
		}
		kids, e := p.compound(c, depth-1)
		n, err = &p.t[i], e // it may have moved
		n.kids, n.kind = kids, objectNode
		if c == '[' {
			n.kind = listNode
		}
	case c == '"':
		n.kind = stringNode
		n.text, err = p.text()
	case c == '-' || digit(c):
		n.kind = numberNode
		n.text, err = p.number()
	default:
		n.kind, n.text, err = p.word()
	}
	n.end = int32(len(p.t))
	p.space()
	return err
}

func (p *parser) word() (nodeKind, string, error) {
	for _, w := range [...]struct {
		text string
		kind nodeKind
	}{{"null", nullNode}, {"true", boolNode}, {"false", boolNode}} {
		if end := p.at + len(w.text); end <= len(p.s) && p.s[p.at:end] == w.text {
			p.at = end
			return w.kind, w.text, nil
		}
	}
	return 0, "", p.bad("no JSON value")
}

// compound reads the elements or members between brackets.
func (p *parser) compound(open byte, depth int) (kids int32, err error) {
	p.at++
	p.space()
	closing := open + 2 // so it is in ASCII
	if p.next() == closing {
		p.at++
		return 0, nil
	}
	for {
		name := ""
		if open == '{' {
			if name, err = p.name(); err != nil {
				return kids, err
			}
		}
		if err := p.value(name, depth); err != nil {
			return kids, err
		}
		kids++
		switch p.next() {
		case closing:
			p.at++
			return kids, nil
		case ',':
			p.at++
			p.space()
		default:
			return kids, p.bad(fmt.Sprintf("neither a comma nor %q", closing))
		}
	}
}

// name reads a member's name and the colon.
func (p *parser) name() (string, error) {
	if p.next() != '"' {
		return "", p.bad("no name of a member")
	}
	name, err := p.text()
	if err != nil {
		return "", err
	}
	p.space()
	if p.next() != ':' {
		return "", p.bad("no colon behind a member's name")
	}
	p.at++
	p.space()
	return name, nil
}

func (p *parser) number() (string, error) {
	start := p.at
	if p.next() == '-' {
		p.at++
	}
	if p.next() == '0' {
		p.at++
	} else if !p.digits() {
		return "", p.bad("no digit")
	}
	if p.next() == '.' {
		p.at++
		if !p.digits() {
			return "", p.bad("no digit behind the point")
		}
	}
	if c := p.next(); c == 'e' || c == 'E' {
		p.at++
		if c := p.next(); c == '+' || c == '-' {
			p.at++
		}
		if !p.digits() {
			return "", p.bad("no digit in the exponent")
		}
	}
	return p.s[start:p.at], nil
}

func (p *parser) digits() bool {
	start := p.at
	for digit(p.next()) {
		p.at++
	}
	return p.at > start
}

// text reads a string: in place where nothing is escaped. Bytes that are not UTF-8 become
// U+FFFD.
func (p *parser) text() (string, error) {
	p.at++
	start := p.at
	for ; p.at < len(p.s); p.at++ {
		switch c := p.s[p.at]; {
		case c == '"':
			s := p.s[start:p.at]
			p.at++
			if !utf8.ValidString(s) {
				s = clean(s)
			}
			return s, nil
		case c == '\\':
			return p.escaped([]byte(p.s[start:p.at]))
		case c < ' ':
			return "", p.bad("a control character in a string: write \\u00" + string([]byte{upperHex[c>>4], upperHex[c&15]}))
		}
	}
	return "", p.bad("the text ends within a string")
}

// escaped goes on with a string at its first backslash.
func (p *parser) escaped(b []byte) (string, error) {
	for p.at < len(p.s) {
		c := p.s[p.at]
		switch {
		case c == '"':
			p.at++
			return clean(string(b)), nil
		case c < ' ':
			return "", p.bad("a control character in a string")
		case c != '\\':
			b = append(b, c)
			p.at++
		default:
			var err error
			if b, err = p.escape(b); err != nil {
				return "", err
			}
		}
	}
	return "", p.bad("the text ends within a string")
}

// escape appends what the backslash stands for.
func (p *parser) escape(b []byte) ([]byte, error) {
	p.at++
	c := p.next()
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		u, ok := p.code(p.at)
		if !ok {
			return b, p.bad("no four digits behind \\u")
		}
		p.at += 5
		if !utf16.IsSurrogate(u) {
			return utf8.AppendRune(b, u), nil
		}
		if low, ok := p.code(p.at + 1); ok && p.s[p.at] == '\\' {
			if pair := utf16.DecodeRune(u, low); pair != utf8.RuneError {
				p.at += 6
				return utf8.AppendRune(b, pair), nil
			}
		}
		return utf8.AppendRune(b, utf8.RuneError), nil // half a pair
	default:
		return b, p.bad("no character can be escaped so")
	}
	p.at++
	return append(b, c), nil
}

// code reads "u" and four hexadecimal digits at a place.
func (p *parser) code(at int) (rune, bool) {
	if at+5 > len(p.s) || p.s[at] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(p.s[at+1:at+5], 16, 16)
	return rune(n), err == nil
}
