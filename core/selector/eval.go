package selector

import "github.com/tidegate/tidegate/core/message"

type properties = func(string) (message.Value, bool)

// node is one operation. Unknown is the null value (jms 3.8.1.2).
type node interface {
	eval(properties) message.Value
	condition() bool // can be true or false
}

type (
	literal struct{ v message.Value }
	name    struct{ id string }
	logic   struct {
		l, r node
		or   bool
	}
	negate  struct{ n node }
	compare struct {
		l, r node
		op   string
	}
	isNull struct {
		n   node
		not bool
	}
	in struct {
		l   node
		set map[string]bool
		not bool
	}
	like struct {
		l       node
		pattern []element
		not     bool
	}
	arithmetic struct {
		l, r node
		op   byte
	}
)

var unknown message.Value

func truth(b bool) message.Value { return message.Value{Kind: message.Bool, B: b} }

func (n *literal) condition() bool    { return n.v.Kind == message.Bool }
func (n *name) condition() bool       { return true } // may be a boolean property
func (n *logic) condition() bool      { return true }
func (n *negate) condition() bool     { return true }
func (n *compare) condition() bool    { return true }
func (n *isNull) condition() bool     { return true }
func (n *in) condition() bool         { return true }
func (n *like) condition() bool       { return true }
func (n *arithmetic) condition() bool { return false }

func (n *literal) eval(properties) message.Value { return n.v }

func (n *name) eval(p properties) message.Value {
	if v, ok := p(n.id); ok {
		return v
	}
	return unknown
}

func (n *logic) eval(p properties) message.Value {
	l := n.l.eval(p)
	if l.Kind == message.Bool && l.B == n.or {
		return l
	}
	r := n.r.eval(p)
	if r.Kind == message.Bool && r.B == n.or {
		return r
	}
	if l.Kind != message.Bool || r.Kind != message.Bool {
		return unknown
	}
	return truth(!n.or)
}

func (n *negate) eval(p properties) message.Value {
	v := n.n.eval(p)
	if v.Kind != message.Bool {
		return unknown
	}
	return truth(!v.B)
}

func (n *isNull) eval(p properties) message.Value {
	return truth((n.n.eval(p).Kind == message.Null) != n.not)
}

func (n *in) eval(p properties) message.Value {
	v := n.l.eval(p)
	if v.Kind != message.String {
		return unknown
	}
	return truth(n.set[v.Str] != n.not)
}

func (n *like) eval(p properties) message.Value {
	v := n.l.eval(p)
	if v.Kind != message.String {
		return unknown
	}
	return truth(matchPattern(n.pattern, v.Str) != n.not)
}

// eval of a comparison: strings and booleans only for equality, numbers after
// promotion; different kinds compare as unknown.
func (n *compare) eval(p properties) message.Value {
	l, r := n.l.eval(p), n.r.eval(p)
	switch {
	case l.Kind == message.Int && r.Kind == message.Int:
		return truth(ordered(n.op, l.I, r.I))
	case number2(l) && number2(r):
		return truth(ordered(n.op, float(l), float(r)))
	case l.Kind == message.String && r.Kind == message.String && (n.op == "=" || n.op == "<>"):
		return truth((l.Str == r.Str) == (n.op == "="))
	case l.Kind == message.Bool && r.Kind == message.Bool && (n.op == "=" || n.op == "<>"):
		return truth((l.B == r.B) == (n.op == "="))
	}
	return unknown
}

func number2(v message.Value) bool { return v.Kind == message.Int || v.Kind == message.Double }

func float(v message.Value) float64 {
	if v.Kind == message.Int {
		return float64(v.I)
	}
	return v.F
}

func ordered[T int64 | float64](op string, l, r T) bool {
	switch op {
	case "=":
		return l == r
	case "<>":
		return l != r
	case "<":
		return l < r
	case "<=":
		return l <= r
	case ">":
		return l > r
	}
	return l >= r
}

// eval of arithmetic, in Java's numbers: whole ones wrap; dividing whole ones by
// zero is unknown.
func (n *arithmetic) eval(p properties) message.Value {
	l, r := n.l.eval(p), n.r.eval(p)
	if !number2(l) || !number2(r) {
		return unknown
	}
	if l.Kind == message.Int && r.Kind == message.Int {
		v := message.Value{Kind: message.Int}
		switch n.op {
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
	switch n.op {
	case '+':
		v.F = float(l) + float(r)
	case '-':
		v.F = float(l) - float(r)
	case '*':
		v.F = float(l) * float(r)
	default:
		v.F = float(l) / float(r)
	}
	return v
}
