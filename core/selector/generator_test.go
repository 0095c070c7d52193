package selector_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// generator makes random expressions, messages, and ways to write them. What it
// draws from is small, so that equal values meet.
type generator struct{ *rand.Rand }

var (
	names    = []string{"a", "b", "c", "größe", "$d", "JMSPriority", "notNull"}
	strs     = []string{"", "a", "b", "ab", "aab", "b_a", "a%", "it's", "é", "😀a", "!"}
	wholes   = []int64{0, 1, 2, 3, 5, 8, 10, 1 << 24, 1<<53 - 1, 1 << 53, 1<<53 + 1, math.MaxInt64 - 1, math.MaxInt64}
	doubles  = []float64{0, 0.1, 0.5, 1, 1.5, 2, 2.5, 8, 1 << 53, 1 << 63, 1e300, math.SmallestNonzeroFloat64, float64(float32(0.1))}
	strange  = []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1)}
	orders   = []string{"=", "<>", "<", "<=", ">", ">="}
	letters  = []string{"a", "b", "%", "_", "é", "!", "'", "\\"}
	escapes  = []string{"!", "\\", "%", "é", "'"}
	spaces   = []string{" ", " ", " ", "\t", "\n", "\f", "\r\n", "  "}
	booleans = []bool{true, false}
)

func pick[T any](g *generator, of []T) T { return of[g.IntN(len(of))] }

func (g *generator) one(in int) bool { return g.IntN(in) == 0 }

func (g *generator) message() map[string]any {
	m := map[string]any{}
	for _, n := range names {
		switch g.IntN(20) {
		case 0, 1, 2, 3:
			m[n] = pick(g, booleans)
		case 4, 5, 6, 7:
			m[n] = pick(g, strs)
		case 8, 9, 10, 11:
			m[n] = pick(g, wholes)
		case 12:
			m[n] = -pick(g, wholes) - 1
		case 13, 14, 15:
			m[n] = pick(g, doubles)
		case 16:
			m[n] = -pick(g, doubles)
		case 17:
			m[n] = pick(g, strange)
		case 18:
			m[n] = opaque{}
		}
	}
	return m
}

func (g *generator) identifier() identifier { return identifier{pick(g, names)} }

// condition nests at most depth operators.
func (g *generator) condition(depth int) expr {
	if depth > 0 {
		switch g.IntN(4) {
		case 0:
			return conjunction{g.condition(depth - 1), g.condition(depth - 1)}
		case 1:
			return disjunction{g.condition(depth - 1), g.condition(depth - 1)}
		case 2:
			return inversion{g.condition(depth - 1)}
		}
	}
	switch g.IntN(16) {
	case 0:
		return g.identifier()
	case 1:
		return constant{pick(g, booleans)}
	case 2, 3:
		return null{g.identifier(), g.one(2)}
	case 4, 5:
		list := []string{pick(g, strs)}
		for g.one(2) {
			list = append(list, pick(g, strs))
		}
		return member{g.identifier(), list, g.one(2)}
	case 6, 7:
		return g.pattern()
	case 8, 9:
		return between{g.number(depth), g.number(depth / 2), g.number(depth / 2), g.one(2)}
	case 10, 11, 12, 13:
		return comparison{pick(g, orders[:2]), g.any(depth), g.any(depth)}
	}
	return comparison{pick(g, orders), g.number(depth), g.number(depth)}
}

// any is what may be equal.
func (g *generator) any(depth int) expr {
	switch g.IntN(6) {
	case 0:
		return constant{pick(g, strs)}
	case 1:
		return constant{pick(g, booleans)}
	case 2:
		if depth > 0 {
			return g.condition(depth - 1)
		}
	case 3:
		return g.number(depth)
	}
	return g.identifier()
}

// number is what may be one.
func (g *generator) number(depth int) expr {
	if depth > 0 && g.one(2) {
		switch g.IntN(6) {
		case 0:
			return negative{g.number(depth - 1)}
		case 1:
			return positive{g.number(depth - 1)}
		}
		return operation{pick(g, []string{"+", "-", "*", "/"}), g.number(depth - 1), g.number(depth - 1)}
	}
	switch g.IntN(8) {
	case 0, 1:
		return constant{pick(g, wholes)}
	case 2, 3:
		return constant{pick(g, doubles)}
	case 4:
		return constant{int64(math.MinInt64)}
	}
	return g.identifier()
}

func (g *generator) pattern() expr {
	p := pattern{x: g.identifier(), not: g.one(2)}
	if g.one(2) {
		p.escape = pick(g, escapes)
	}
	for range g.IntN(5) {
		c := pick(g, letters)
		if c == p.escape || p.escape != "" && g.one(4) {
			p.text += p.escape
		}
		p.text += c
	}
	return p
}

// The levels of precedence; what stands below its place needs parentheses.
const (
	lowest = iota // OR
	andLevel
	notLevel
	comparisonLevel
	sumLevel
	productLevel
	signLevel
	valueLevel
)

// text writes an expression where one of a level may stand.
func (g *generator) text(e expr, level int) string {
	s, own := g.written(e)
	for own < level || g.one(12) {
		s, own = "("+g.maybe()+s+g.maybe()+")", valueLevel
	}
	return s
}

func (g *generator) space() string { return pick(g, spaces) }

func (g *generator) maybe() string {
	if g.one(2) {
		return ""
	}
	return g.space()
}

// word writes reserved words in random case, with space around each.
func (g *generator) word(words string) string {
	var b strings.Builder
	b.WriteString(g.space())
	for _, c := range words {
		switch {
		case c == ' ':
			b.WriteString(g.space())
		case g.one(2):
			b.WriteString(strings.ToLower(string(c)))
		default:
			b.WriteRune(c)
		}
	}
	return b.String() + g.space()
}

func not(yes bool) string {
	if yes {
		return "NOT "
	}
	return ""
}

func (g *generator) written(e expr) (string, int) {
	switch e := e.(type) {
	case disjunction:
		return g.text(e.l, lowest) + g.word("OR") + g.text(e.r, andLevel), lowest
	case conjunction:
		return g.text(e.l, andLevel) + g.word("AND") + g.text(e.r, notLevel), andLevel
	case inversion:
		return g.word("NOT") + g.text(e.x, notLevel), notLevel
	case comparison:
		return g.text(e.l, sumLevel) + g.maybe() + e.op + g.maybe() + g.text(e.r, sumLevel), comparisonLevel
	case between:
		return g.text(e.x, sumLevel) + g.word(not(e.not)+"BETWEEN") + g.text(e.lo, sumLevel) + g.word("AND") + g.text(e.hi, sumLevel), comparisonLevel
	case member:
		list := make([]string, len(e.list))
		for i, s := range e.list {
			list[i] = g.maybe() + quote(s) + g.maybe()
		}
		return g.text(e.x, valueLevel) + g.word(not(e.not)+"IN") + "(" + strings.Join(list, ",") + ")", comparisonLevel
	case pattern:
		s := g.text(e.x, valueLevel) + g.word(not(e.not)+"LIKE") + quote(e.text)
		if e.escape != "" {
			s += g.word("ESCAPE") + quote(e.escape)
		}
		return s, comparisonLevel
	case null:
		return g.text(e.x, valueLevel) + g.word("IS "+not(e.not)+"NULL"), comparisonLevel
	case operation:
		if e.op == "+" || e.op == "-" {
			return g.text(e.l, sumLevel) + g.maybe() + e.op + g.maybe() + g.text(e.r, productLevel), sumLevel
		}
		return g.text(e.l, productLevel) + g.maybe() + e.op + g.maybe() + g.text(e.r, signLevel), productLevel
	case negative:
		return "-" + g.maybe() + g.text(e.x, signLevel), signLevel
	case positive:
		return "+" + g.maybe() + g.text(e.x, signLevel), signLevel
	case identifier:
		return e.name, valueLevel
	case constant:
		return g.literal(e.v)
	}
	panic("an expression that cannot be written")
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func (g *generator) literal(v any) (string, int) {
	switch v := v.(type) {
	case bool:
		return strings.TrimSpace(g.word(strings.ToUpper(strconv.FormatBool(v)))), valueLevel
	case string:
		return quote(v), valueLevel
	case int64:
		if v == math.MinInt64 {
			return "-" + g.maybe() + "9223372036854775808" + pick(g, []string{"", "L"}), signLevel
		}
		s := g.underscores(strconv.FormatInt(v, 10))
		switch g.IntN(6) {
		case 0:
			s = "0x" + g.underscores(strconv.FormatInt(v, 16))
		case 1:
			s = g.underscores("0" + strconv.FormatInt(v, 8))
		case 2:
			s = "0b" + g.underscores(strconv.FormatInt(v, 2))
		}
		return s + pick(g, []string{"", "", "l", "L"}), valueLevel
	case float64:
		return g.float(v), valueLevel
	}
	panic("a literal that cannot be written")
}

func (g *generator) float(v float64) string {
	if float64(float32(v)) == v && g.one(4) {
		return strconv.FormatFloat(v, 'e', -1, 32) + pick(g, []string{"f", "F"})
	}
	if g.one(6) {
		return strconv.FormatFloat(v, 'x', -1, 64) + pick(g, []string{"", "d"})
	}
	s := strconv.FormatFloat(v, 'g', -1, 64)
	if strings.ContainsAny(s, ".e") {
		return strings.TrimPrefix(s, pick(g, []string{"0", "no such prefix"})) + pick(g, []string{"", "d", "D"})
	}
	return g.underscores(s) + pick(g, []string{".", ".0", "d", "e0", ".E-0D"})
}

// underscores puts some between digits.
func (g *generator) underscores(digits string) string {
	var b strings.Builder
	for i, c := range digits {
		for i > 0 && g.one(12) {
			b.WriteByte('_')
		}
		b.WriteRune(c)
	}
	return b.String()
}
