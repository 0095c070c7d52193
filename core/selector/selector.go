// Package selector is the JMS message selector (jms 3.8): lexed, parsed and
// compiled once, evaluated on properties that are read when asked for.
package selector

import "github.com/tidegate/tidegate/core/message"

// Selector is a compiled selector; it may be used by many at a time.
type Selector struct {
	text string
	root node
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
	if p.peek().kind != end {
		return nil, p.unexpected("AND, OR or the end")
	}
	if err := want(n, condition, 1, "the selector"); err != nil {
		return nil, err
	}
	return &Selector{text: text, root: n}, nil
}

// String gives the text it was parsed from.
func (s *Selector) String() string { return s.text }

// Match says whether a message passes: whether the condition is true, neither
// false nor unknown (jms 3.8.1.2).
func (s *Selector) Match(p Properties) bool {
	v := s.root.eval(p)
	return v.Kind == message.Bool && v.B
}

// Equality is a condition `property = value`; the value is a string, a number
// (equal after promotion: 1 is 1.0) or a boolean.
type Equality struct {
	Property string
	Value    message.Value
}

// Equalities gives the equations that hold for every message that passes: those
// that stand alone, or that AND joins to all the rest. So who finds a message
// that does not satisfy one of them need not evaluate the selector. whole says
// that there is no rest: a message that satisfies them passes.
func (s *Selector) Equalities() (all []Equality, whole bool) {
	parts := []node{s.root}
	if l, ok := s.root.(*logic); ok {
		if l.or {
			return nil, false
		}
		parts = l.parts
	}
	for _, n := range parts {
		if e, ok := equation(n); ok {
			all = append(all, e)
		}
	}
	return all, len(all) == len(parts)
}

func equation(n node) (Equality, bool) {
	switch n := n.(type) {
	case *name: // alone it must be true
		return Equality{n.id, truth(true)}, true
	case *in:
		if len(n.set) == 1 && !n.not {
			for s := range n.set { // order: irrelevant
				return Equality{n.l.id, message.Value{Kind: message.String, Str: s}}, true
			}
		}
	case *compare:
		if n.op != equal {
			return Equality{}, false
		}
		for _, side := range [2][2]node{{n.l, n.r}, {n.r, n.l}} {
			property, isName := side[0].(*name)
			value, isLiteral := side[1].(*literal)
			if isName && isLiteral {
				return Equality{property.id, value.v}, true
			}
		}
	}
	return Equality{}, false
}
