package selector_test

import (
	"math/big"
	"strings"
)

// The evaluator below is written from jms 3.8.1.1 and 3.8.1.2, sentence by
// sentence, over a tree of its own. It shares nothing with the compiled one, and
// is slow. A value is nil (NULL), bool, int64, float64, string or opaque{}.

type opaque struct{} // a property of a type that selectors do not know

type truth int

const (
	isFalse truth = iota
	isUnknown
	isTrue
)

func truthOf(b bool) truth {
	if b {
		return isTrue
	}
	return isFalse
}

type expr interface{}

type (
	constant   struct{ v any }
	identifier struct{ name string }
	negative   struct{ x expr }
	positive   struct{ x expr }
	operation  struct {
		op   string
		l, r expr
	}
	comparison struct {
		op   string
		l, r expr
	}
	conjunction struct{ l, r expr }
	disjunction struct{ l, r expr }
	inversion   struct{ x expr }
	between     struct {
		x, lo, hi expr
		not       bool
	}
	member struct {
		x    identifier
		list []string
		not  bool
	}
	pattern struct {
		x      identifier
		text   string
		escape string
		not    bool
	}
	null struct {
		x   identifier
		not bool
	}
)

// condition is a conditional expression's truth. An identifier or a literal
// stands for its boolean value; what has another is unknown.
func condition(e expr, m map[string]any) truth {
	switch e := e.(type) {
	case conjunction: // the tables of 3.8.1.2
		return min(condition(e.l, m), condition(e.r, m))
	case disjunction:
		return max(condition(e.l, m), condition(e.r, m))
	case inversion:
		return isTrue - condition(e.x, m)
	case comparison:
		return related(e.op, valueOf(e.l, m), valueOf(e.r, m))
	case between:
		x, lo, hi := valueOf(e.x, m), valueOf(e.lo, m), valueOf(e.hi, m)
		if e.not { // "age < 15 OR age > 19"
			return max(related("<", x, lo), related(">", x, hi))
		}
		return min(related(">=", x, lo), related("<=", x, hi))
	case member: // "(Country = 'UK') OR (Country = 'US') OR ..."
		in := isFalse
		for _, s := range e.list {
			in = max(in, related("=", m[e.x.name], s))
		}
		if e.not {
			return isTrue - in
		}
		return in
	case pattern:
		return e.truth(m[e.x.name])
	case null:
		return truthOf((m[e.x.name] == nil) != e.not)
	}
	if b, ok := valueOf(e, m).(bool); ok {
		return truthOf(b)
	}
	return isUnknown
}

func (p pattern) truth(v any) truth {
	if v == nil {
		return isUnknown
	}
	s, ok := v.(string)
	return truthOf((ok && looksLike([]rune(p.text), []rune(p.escape), []rune(s))) != p.not)
}

func looksLike(p, escape, s []rune) bool {
	switch {
	case len(p) == 0:
		return len(s) == 0
	case len(escape) == 1 && p[0] == escape[0]:
		return len(s) > 0 && s[0] == p[1] && looksLike(p[2:], escape, s[1:])
	case p[0] == '%':
		for i := range len(s) + 1 {
			if looksLike(p[1:], escape, s[i:]) {
				return true
			}
		}
		return false
	}
	return len(s) > 0 && (p[0] == '_' || p[0] == s[0]) && looksLike(p[1:], escape, s[1:])
}

// related: "If either of the type values evaluates to NULL, the value of the
// expression is unknown"; "if the comparison of non-like type values is
// attempted, the value of the operation is false".
func related(op string, l, r any) truth {
	if l == nil || r == nil {
		return isUnknown
	}
	switch a := l.(type) {
	case bool:
		if b, ok := r.(bool); ok {
			return truthOf(op == "=" && a == b || op == "<>" && a != b)
		}
	case string:
		if b, ok := r.(string); ok {
			return truthOf(op == "=" && a == b || op == "<>" && a != b)
		}
	case int64:
		switch b := r.(type) {
		case int64:
			sign := big.NewInt(a).Cmp(big.NewInt(b))
			return truthOf(ordered(op, sign < 0, sign == 0, sign > 0))
		case float64:
			return truthOf(ordered(op, float64(a) < b, float64(a) == b, float64(a) > b))
		}
	case float64:
		switch b := r.(type) {
		case int64:
			return truthOf(ordered(op, a < float64(b), a == float64(b), a > float64(b)))
		case float64:
			return truthOf(ordered(op, a < b, a == b, a > b))
		}
	}
	return isFalse
}

// ordered: of two numbers all three may be false, where one is no number.
func ordered(op string, below, same, above bool) bool {
	if op == "<>" {
		return !same
	}
	return strings.Contains(op, "<") && below || strings.Contains(op, "=") && same || strings.Contains(op, ">") && above
}

func valueOf(e expr, m map[string]any) any {
	switch e := e.(type) {
	case constant:
		return e.v
	case identifier:
		return m[e.name]
	case positive:
		switch v := valueOf(e.x, m).(type) {
		case int64, float64:
			return v
		}
		return nil
	case negative:
		switch v := valueOf(e.x, m).(type) {
		case int64:
			return wrapped(new(big.Int).Neg(big.NewInt(v)))
		case float64:
			return -v
		}
		return nil
	case operation:
		return calculated(e.op, valueOf(e.l, m), valueOf(e.r, m))
	}
	switch condition(e, m) {
	case isTrue:
		return true
	case isFalse:
		return false
	case isUnknown:
	}
	return nil
}

// calculated: "arithmetic operations must use Java numeric promotion".
func calculated(op string, l, r any) any {
	a, exactA := l.(int64)
	b, exactB := r.(int64)
	if exactA && exactB {
		x, y, z := big.NewInt(a), big.NewInt(b), new(big.Int)
		switch op {
		case "+":
			z.Add(x, y)
		case "-":
			z.Sub(x, y)
		case "*":
			z.Mul(x, y)
		case "/":
			if b == 0 {
				return nil
			}
			z.Quo(x, y)
		}
		return wrapped(z)
	}
	x, okX := approximated(l)
	y, okY := approximated(r)
	if !okX || !okY {
		return nil
	}
	switch op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	}
	return x / y
}

func approximated(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// wrapped is what 64 bits keep of a whole number.
func wrapped(z *big.Int) int64 {
	bits := new(big.Int).And(z, new(big.Int).SetUint64(1<<64-1)) // of a negative one: its two's complement
	return int64(bits.Uint64())
}
