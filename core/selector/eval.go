package selector

import "github.com/tidegate/tidegate/core/message"

// Properties answers identifiers; false means null. A message.Content is one.
type Properties interface {
	Property(name string) (message.Value, bool)
}

// node is one operation. Its value is null where jms says unknown (jms 3.8.1.2):
// a condition is true, false or null.
type node interface {
	eval(Properties) message.Value
	static() static
}

// static is what is known of a node's value before there is a message.
type static uint8

const (
	anything  static = iota // an identifier
	condition               // true, false or unknown
	numeric
	textual
)

type (
	literal struct{ v message.Value }
	name    struct{ id string }
	logic   struct {
		parts []node
		or    bool
	}
	negate  struct{ n node }
	compare struct {
		l, r node
		op   relation
	}
	isNull struct {
		n   node
		not bool
	}
	in struct {
		l   *name
		set map[string]bool
		not bool
	}
	like struct {
		l       *name
		pattern []element
		not     bool
	}
	sign       struct{ n node } // minus
	plus       struct{ n node } // a number stays what it is
	arithmetic struct {
		first node
		rest  []term
	}
	term struct {
		op byte
		n  node
	}
)

type relation uint8

const (
	equal relation = iota
	unequal
	less
	lessOrEqual
	greater
	greaterOrEqual
)

var unknown message.Value

func truth(b bool) message.Value { return message.Value{Kind: message.Bool, B: b} }

func (n *literal) static() static {
	switch n.v.Kind {
	case message.Bool:
		return condition
	case message.String:
		return textual
	}
	return numeric
}

func (n *name) static() static       { return anything }
func (n *logic) static() static      { return condition }
func (n *negate) static() static     { return condition }
func (n *compare) static() static    { return condition }
func (n *isNull) static() static     { return condition }
func (n *in) static() static         { return condition }
func (n *like) static() static       { return condition }
func (n *sign) static() static       { return numeric }
func (n *plus) static() static       { return numeric }
func (n *arithmetic) static() static { return numeric }

func (n *literal) eval(Properties) message.Value { return n.v }

func (n *name) eval(p Properties) message.Value {
	if v, ok := p.Property(n.id); ok {
		return v
	}
	return unknown
}

// eval of AND: one false decides, else one unknown, whatever their order. OR is
// its mirror.
func (n *logic) eval(p Properties) message.Value {
	all := true
	for _, part := range n.parts {
		switch v := part.eval(p); {
		case v.Kind != message.Bool:
			all = false
		case v.B == n.or:
			return v
		}
	}
	if !all {
		return unknown
	}
	return truth(!n.or)
}

func (n *negate) eval(p Properties) message.Value {
	v := n.n.eval(p)
	if v.Kind != message.Bool {
		return unknown
	}
	return truth(!v.B)
}

func (n *isNull) eval(p Properties) message.Value {
	return truth((n.n.eval(p).Kind == message.Null) != n.not)
}

// eval of IN is that of the equations joined by OR: what is no string is in no
// set of them.
func (n *in) eval(p Properties) message.Value {
	v := n.l.eval(p)
	if v.Kind == message.Null {
		return unknown
	}
	return truth((v.Kind == message.String && n.set[v.Str]) != n.not)
}

func (n *like) eval(p Properties) message.Value {
	v := n.l.eval(p)
	if v.Kind == message.Null {
		return unknown
	}
	return truth((v.Kind == message.String && matchPattern(n.pattern, v.Str)) != n.not)
}

// eval of a comparison: null makes it unknown, unlike types make it false, also
// of <>. Numbers are alike after promotion; strings and booleans only equal or
// not (jms 3.8.1.1).
func (n *compare) eval(p Properties) message.Value {
	l, r := n.l.eval(p), n.r.eval(p)
	switch {
	case l.Kind == message.Null || r.Kind == message.Null:
		return unknown
	case l.Kind == message.Int && r.Kind == message.Int:
		return truth(holds(n.op, l.I, r.I))
	case isNumber(l) && isNumber(r):
		return truth(holds(n.op, double(l), double(r)))
	case n.op > unequal || l.Kind != r.Kind:
		return truth(false)
	case l.Kind == message.String:
		return truth((l.Str == r.Str) == (n.op == equal))
	case l.Kind == message.Bool:
		return truth((l.B == r.B) == (n.op == equal))
	}
	return truth(false)
}

func isNumber(v message.Value) bool { return v.Kind == message.Int || v.Kind == message.Double }

// double promotes as Java does: a long beyond 2^53 goes to the nearest double.
func double(v message.Value) float64 {
	if v.Kind == message.Int {
		return float64(v.I)
	}
	return v.F
}

func holds[T int64 | float64](op relation, l, r T) bool {
	switch op {
	case equal:
		return l == r
	case unequal:
		return l != r
	case less:
		return l < r
	case lessOrEqual:
		return l <= r
	case greater:
		return l > r
	case greaterOrEqual:
	}
	return l >= r
}

func (n *sign) eval(p Properties) message.Value { return minus(n.n.eval(p)) }

// minus of 0.0 is -0.0, which is not 0 - 0.0.
func minus(v message.Value) message.Value {
	switch v.Kind {
	case message.Int:
		return message.Value{Kind: message.Int, I: -v.I}
	case message.Double:
		return message.Value{Kind: message.Double, F: -v.F}
	}
	return unknown
}

func (n *plus) eval(p Properties) message.Value {
	if v := n.n.eval(p); isNumber(v) {
		return v
	}
	return unknown
}

func (n *arithmetic) eval(p Properties) message.Value {
	v := n.first.eval(p)
	for i := range n.rest {
		if !isNumber(v) {
			return unknown
		}
		v = calculate(n.rest[i].op, v, n.rest[i].n.eval(p))
	}
	return v
}

// calculate works in Java's long and double: whole numbers wrap around, and one
// divided by a whole zero, an exception in Java, is unknown.
func calculate(op byte, l, r message.Value) message.Value {
	if !isNumber(r) {
		return unknown
	}
	if l.Kind == message.Int && r.Kind == message.Int {
		v := message.Value{Kind: message.Int}
		switch op {
		case '+':
			v.I = l.I + r.I
		case '-':
			v.I = l.I - r.I
		case '*':
			v.I = l.I * r.I
		default:
			if r.I == 0 {
				return unknown
			}
			v.I = l.I / r.I
		}
		return v
	}
	v := message.Value{Kind: message.Double}
	switch op {
	case '+':
		v.F = double(l) + double(r)
	case '-':
		v.F = double(l) - double(r)
	case '*':
		v.F = double(l) * double(r)
	default:
		v.F = double(l) / double(r)
	}
	return v
}
