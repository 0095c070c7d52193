package selector

import "unicode/utf8"

type parser struct {
	tokens []token
	at     int
	depth  int
}

func (p *parser) peek() *token { return &p.tokens[p.at] }

func (p *parser) is(kind tokenKind, s string) bool {
	if t := p.peek(); t.kind == kind && t.s == s {
		p.at++
		return true
	}
	return false
}

func (p *parser) unexpected(want string) error {
	t := p.peek()
	switch t.kind {
	case end:
		return errorAt(t.at, "expected %s, found the end", want)
	case text:
		return errorAt(t.at, "expected %s, found the string '%s'", want, shorten(t.s))
	case identifier, keyword, exact, approximate, symbol:
	}
	return errorAt(t.at, "expected %s, found %s", want, shorten(t.s))
}

// want refuses an operand that can never be what an operator takes; at is where
// it begins.
func want(n node, s static, at int, who string) error {
	is := n.static()
	if is == anything || is == s {
		return nil
	}
	words := [...]string{condition: "a condition", numeric: "a number", textual: "a string"}
	return errorAt(at, "%s must be %s, not %s", who, words[s], words[is])
}

func (p *parser) deeper() error {
	if p.depth++; p.depth > MaxDepth {
		return errorAt(p.peek().at, "the selector is nested more than %d deep", MaxDepth)
	}
	return nil
}

func (p *parser) or() (node, error) { return p.chain("OR", true, p.and) }

func (p *parser) and() (node, error) { return p.chain("AND", false, p.not) }

func (p *parser) chain(word string, or bool, below func() (node, error)) (node, error) {
	at := p.peek().at
	n, err := below()
	if err != nil || p.peek().kind != keyword || p.peek().s != word {
		return n, err
	}
	l := &logic{or: or}
	for {
		if err := want(n, condition, at, "an operand of "+word); err != nil {
			return nil, err
		}
		l.add(n)
		if !p.is(keyword, word) {
			return l, nil
		}
		at = p.peek().at
		if n, err = below(); err != nil {
			return nil, err
		}
	}
}

// add joins one more part; those of the same operator in parentheses join one
// by one.
func (n *logic) add(part node) {
	if l, ok := part.(*logic); ok && l.or == n.or {
		n.parts = append(n.parts, l.parts...)
		return
	}
	n.parts = append(n.parts, part)
}

func (p *parser) not() (node, error) {
	if !p.is(keyword, "NOT") {
		return p.comparison()
	}
	if err := p.deeper(); err != nil {
		return nil, err
	}
	at := p.peek().at
	n, err := p.not()
	if err != nil {
		return nil, err
	}
	p.depth--
	if err := want(n, condition, at, "the operand of NOT"); err != nil {
		return nil, err
	}
	return &negate{n}, nil
}

var relations = map[string]relation{
	"=": equal, "<>": unequal, "<": less, "<=": lessOrEqual, ">": greater, ">=": greaterOrEqual,
}

func (p *parser) comparison() (node, error) {
	at := p.peek().at
	l, err := p.sum()
	if err != nil {
		return nil, err
	}
	if op, ok := relations[p.peek().s]; ok && p.peek().kind == symbol {
		return p.relation(l, op, at)
	}
	if p.is(keyword, "IS") {
		not := p.is(keyword, "NOT")
		if !p.is(keyword, "NULL") {
			return nil, p.unexpected("NULL")
		}
		if _, err := identifierOf(l, at, "IS NULL"); err != nil {
			return nil, err
		}
		return &isNull{l, not}, nil
	}
	not := p.is(keyword, "NOT")
	switch {
	case p.is(keyword, "BETWEEN"):
		return p.between(l, not, at)
	case p.is(keyword, "IN"):
		return p.in(l, not, at)
	case p.is(keyword, "LIKE"):
		return p.like(l, not, at)
	}
	if not {
		return nil, p.unexpected("BETWEEN, IN or LIKE")
	}
	return l, nil
}

// relation is a comparison; order is for numbers alone (jms 3.8.1.1).
func (p *parser) relation(l node, op relation, at int) (node, error) {
	word := p.peek().s
	p.at++
	right := p.peek().at
	r, err := p.sum()
	if err != nil {
		return nil, err
	}
	if op > unequal {
		if err := want(l, numeric, at, "the left of "+word); err != nil {
			return nil, err
		}
		if err := want(r, numeric, right, "the right of "+word); err != nil {
			return nil, err
		}
	}
	return &compare{l: l, r: r, op: op}, nil
}

func identifierOf(n node, at int, who string) (*name, error) {
	id, ok := n.(*name)
	if !ok {
		return nil, errorAt(at, "the left of %s must be an identifier", who)
	}
	return id, nil
}

// between is what jms 3.8.1.1 calls equivalent: two comparisons, and of NOT
// BETWEEN their opposites, so that a string is neither inside nor outside.
func (p *parser) between(l node, not bool, at int) (node, error) {
	if err := want(l, numeric, at, "the left of BETWEEN"); err != nil {
		return nil, err
	}
	lo, err := p.bound()
	if err != nil {
		return nil, err
	}
	if !p.is(keyword, "AND") {
		return nil, p.unexpected("AND")
	}
	hi, err := p.bound()
	if err != nil {
		return nil, err
	}
	if not {
		return &logic{or: true, parts: []node{&compare{l: l, r: lo, op: less}, &compare{l: l, r: hi, op: greater}}}, nil
	}
	return &logic{parts: []node{&compare{l: l, r: lo, op: greaterOrEqual}, &compare{l: l, r: hi, op: lessOrEqual}}}, nil
}

func (p *parser) bound() (node, error) {
	at := p.peek().at
	n, err := p.sum()
	if err != nil {
		return nil, err
	}
	return n, want(n, numeric, at, "a bound of BETWEEN")
}

func (p *parser) in(l node, not bool, at int) (node, error) {
	id, err := identifierOf(l, at, "IN")
	if err != nil {
		return nil, err
	}
	if !p.is(symbol, "(") {
		return nil, p.unexpected("(")
	}
	n := &in{l: id, not: not, set: map[string]bool{}}
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

func (p *parser) like(l node, not bool, at int) (node, error) {
	id, err := identifierOf(l, at, "LIKE")
	if err != nil {
		return nil, err
	}
	t := p.peek()
	if t.kind != text {
		return nil, p.unexpected("a pattern in quotes")
	}
	p.at++
	escape := rune(-1)
	if p.is(keyword, "ESCAPE") {
		e := p.peek()
		if e.kind != text || utf8.RuneCountInString(e.s) != 1 {
			return nil, p.unexpected("one character in quotes")
		}
		escape, _ = utf8.DecodeRuneInString(e.s)
		p.at++
	}
	pattern, err := compilePattern(t.s, escape)
	if err != nil {
		return nil, errorAt(t.at, "%v", err)
	}
	return &like{l: id, not: not, pattern: pattern}, nil
}

func (p *parser) sum() (node, error) { return p.series("+", "-", p.product) }

func (p *parser) product() (node, error) { return p.series("*", "/", p.factor) }

// series reads operands of one precedence, from left to right.
func (p *parser) series(one, other string, below func() (node, error)) (node, error) {
	at := p.peek().at
	n, err := below()
	if err != nil {
		return nil, err
	}
	var a *arithmetic
	for {
		op := p.peek().s
		if !p.is(symbol, one) && !p.is(symbol, other) {
			if a != nil {
				return a, nil
			}
			return n, nil
		}
		if a == nil {
			if err := want(n, numeric, at, "an operand of "+op); err != nil {
				return nil, err
			}
			a = &arithmetic{first: n}
		}
		at = p.peek().at
		r, err := below()
		if err != nil {
			return nil, err
		}
		if err := want(r, numeric, at, "an operand of "+op); err != nil {
			return nil, err
		}
		a.rest = append(a.rest, term{op[0], r})
	}
}
