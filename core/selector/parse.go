// Package selector is the JMS message selector (jms 3.8): lexed, parsed and
// compiled once, evaluated on properties that are read when asked for.
package selector

import (
	"fmt"

	"github.com/tidegate/tidegate/core/message"
)

// Selector is a compiled selector; it may be used by many at a time.
type Selector struct {
	text string
	root node
}

// String gives the text it was parsed from.
func (s *Selector) String() string { return s.text }

// Match says whether a message passes: whether the condition is true, neither
// false nor unknown. property answers an identifier; false means null.
func (s *Selector) Match(property func(string) (message.Value, bool)) bool {
	v := s.root.eval(property)
	return v.Kind == message.Bool && v.B
}

type parser struct {
	tokens []token
	at     int
	depth  int
}

// Parse compiles a selector. Its errors are of type *Error.
func Parse(text string) (*Selector, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != end {
		return nil, p.unexpected("AND, OR or the end")
	}
	if !n.condition() {
		return nil, &Error{1, "is a value, not a condition"}
	}
	return &Selector{text: text, root: n}, nil
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) is(kind tokenKind, s string) bool {
	if t := p.peek(); t.kind == kind && t.s == s {
		p.at++
		return true
	}
	return false
}

func (p *parser) unexpected(want string) error {
	t := p.peek()
	got := t.s
	switch t.kind {
	case end:
		got = "the end"
	case text:
		got = "'" + t.s + "'"
	case exact:
		got = fmt.Sprint(t.i)
	case approximate:
		got = fmt.Sprint(t.f)
	case identifier, keyword, symbol:
	}
	return &Error{t.at, fmt.Sprintf("expected %s, found %s", want, got)}
}

func (p *parser) deeper() error {
	if p.depth++; p.depth > MaxDepth {
		return &Error{p.peek().at, fmt.Sprintf("nested more than %d deep", MaxDepth)}
	}
	return nil
}

func (p *parser) or() (node, error) {
	return p.chain("OR", p.and, func(l, r node) node { return &logic{l: l, r: r, or: true} })
}

func (p *parser) and() (node, error) {
	return p.chain("AND", p.not, func(l, r node) node { return &logic{l: l, r: r} })
}

func (p *parser) chain(word string, below func() (node, error), make func(l, r node) node) (node, error) {
	l, err := below()
	for err == nil && p.is(keyword, word) {
		var r node
		if r, err = below(); err == nil {
			if !l.condition() || !r.condition() {
				return nil, &Error{p.peek().at, word + " takes conditions, not values"}
			}
			l = make(l, r)
		}
	}
	return l, err
}

func (p *parser) not() (node, error) {
	if !p.is(keyword, "NOT") {
		return p.comparison()
	}
	if err := p.deeper(); err != nil {
		return nil, err
	}
	n, err := p.not()
	if err != nil {
		return nil, err
	}
	p.depth--
	if !n.condition() {
		return nil, &Error{p.peek().at, "NOT takes a condition, not a value"}
	}
	return &negate{n}, nil
}

func (p *parser) comparison() (node, error) {
	l, err := p.sum()
	if err != nil {
		return nil, err
	}
	for _, op := range []string{"=", "<>", "<=", ">=", "<", ">"} {
		if p.is(symbol, op) {
			r, err := p.sum()
			if err != nil {
				return nil, err
			}
			return &compare{l: l, r: r, op: op}, nil
		}
	}
	if p.is(keyword, "IS") {
		not := p.is(keyword, "NOT")
		if !p.is(keyword, "NULL") {
			return nil, p.unexpected("NULL")
		}
		if _, ok := l.(*name); !ok {
			return nil, &Error{p.peek().at, "IS NULL takes an identifier"}
		}
		return &isNull{l, not}, nil
	}
	not := p.is(keyword, "NOT")
	switch {
	case p.is(keyword, "BETWEEN"):
		return p.between(l, not)
	case p.is(keyword, "IN"):
		return p.in(l, not)
	case p.is(keyword, "LIKE"):
		return p.like(l, not)
	}
	if not {
		return nil, p.unexpected("BETWEEN, IN or LIKE")
	}
	return l, nil
}

func (p *parser) between(l node, not bool) (node, error) {
	lo, err := p.sum()
	if err != nil {
		return nil, err
	}
	if !p.is(keyword, "AND") {
		return nil, p.unexpected("AND")
	}
	hi, err := p.sum()
	if err != nil {
		return nil, err
	}
	var n node = &logic{l: &compare{l: l, r: lo, op: ">="}, r: &compare{l: l, r: hi, op: "<="}}
	if not {
		n = &negate{n}
	}
	return n, nil
}

func (p *parser) in(l node, not bool) (node, error) {
	if _, ok := l.(*name); !ok {
		return nil, &Error{p.peek().at, "IN takes an identifier on its left"}
	}
	if !p.is(symbol, "(") {
		return nil, p.unexpected("(")
	}
	n := &in{l: l, not: not, set: map[string]bool{}}
	for {
		t := p.peek()
		if t.kind != text {
			return nil, p.unexpected("a string")
		}
		n.set[t.s] = true
		p.at++
		if p.is(symbol, ")") {
			return n, nil
		}
		if !p.is(symbol, ",") {
			return nil, p.unexpected(", or )")
		}
	}
}

func (p *parser) like(l node, not bool) (node, error) {
	if _, ok := l.(*name); !ok {
		return nil, &Error{p.peek().at, "LIKE takes an identifier on its left"}
	}
	t := p.peek()
	if t.kind != text {
		return nil, p.unexpected("a pattern")
	}
	p.at++
	escape := rune(-1)
	if p.is(keyword, "ESCAPE") {
		e := p.peek()
		r := []rune(e.s)
		if e.kind != text || len(r) != 1 {
			return nil, p.unexpected("one character in quotes")
		}
		escape = r[0]
		p.at++
	}
	pattern, err := compilePattern(t.s, escape)
	if err != nil {
		return nil, &Error{t.at, err.Error()}
	}
	return &like{l: l, not: not, pattern: pattern}, nil
}

func (p *parser) sum() (node, error) {
	l, err := p.product()
	for err == nil {
		op := p.peek().s
		if !p.is(symbol, "+") && !p.is(symbol, "-") {
			break
		}
		l, err = p.arithmetic(l, op[0], p.product)
	}
	return l, err
}

func (p *parser) product() (node, error) {
	l, err := p.factor()
	for err == nil {
		op := p.peek().s
		if !p.is(symbol, "*") && !p.is(symbol, "/") {
			break
		}
		l, err = p.arithmetic(l, op[0], p.factor)
	}
	return l, err
}

func (p *parser) arithmetic(l node, op byte, below func() (node, error)) (node, error) {
	r, err := below()
	if err != nil {
		return nil, err
	}
	return &arithmetic{l: l, r: r, op: op}, nil
}

func (p *parser) factor() (node, error) {
	t := p.peek()
	if t.kind == symbol && (t.s == "-" || t.s == "+") {
		p.at++
		if err := p.deeper(); err != nil {
			return nil, err
		}
		if n := p.peek(); t.s == "-" && n.kind == exact && n.s == "min" {
			p.at++
			return &literal{message.Value{Kind: message.Int, I: n.i}}, nil
		}
		n, err := p.factor()
		p.depth--
		if err != nil || t.s == "+" {
			return n, err
		}
		return &arithmetic{l: &literal{message.Value{Kind: message.Int}}, r: n, op: '-'}, nil
	}
	return p.primary()
}

func (p *parser) primary() (node, error) {
	t := p.peek()
	p.at++
	switch {
	case t.kind == symbol && t.s == "(":
		if err := p.deeper(); err != nil {
			return nil, err
		}
		n, err := p.or()
		if err != nil {
			return nil, err
		}
		if !p.is(symbol, ")") {
			return nil, p.unexpected(")")
		}
		p.depth--
		return n, nil
	case t.kind == identifier:
		return &name{t.s}, nil
	case t.kind == text:
		return &literal{message.Value{Kind: message.String, Str: t.s}}, nil
	case t.kind == exact && t.s == "":
		return &literal{message.Value{Kind: message.Int, I: t.i}}, nil
	case t.kind == approximate:
		return &literal{message.Value{Kind: message.Double, F: t.f}}, nil
	case t.kind == keyword && (t.s == "TRUE" || t.s == "FALSE"):
		return &literal{message.Value{Kind: message.Bool, B: t.s == "TRUE"}}, nil
	}
	p.at--
	return nil, p.unexpected("a value")
}
