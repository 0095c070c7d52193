package selector

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// number reads a literal as Java writes them (jms 3.8.1.1): exact ones decimal,
// hexadecimal, octal or binary, with or without L; approximate ones with a point,
// an exponent (e; p after hexadecimal digits) or one of the suffixes f and d.
// Underscores may stand between digits. It says where the number ends.
func number(s string, i int) (token, int, error) {
	base, approx, j, err := shape(s, i)
	if err != nil {
		return token{}, 0, err
	}
	body := strings.ReplaceAll(s[i:j], "_", "")
	single := false
	if j < len(s) {
		switch c := s[j]; {
		case (c == 'l' || c == 'L') && !approx:
			j++
		case strings.IndexByte("fFdD", c) >= 0 && (base == 10 || approx):
			approx, single = true, c == 'f' || c == 'F'
			j++
		}
	}
	if c, n := utf8.DecodeRuneInString(s[j:]); n > 0 && (c == '.' || identifierPart(c) && !broken(c, n)) {
		return token{}, 0, errorAt(j+1, "a number cannot go on with %q", c)
	}
	t := token{s: s[i:j]}
	if approx {
		t.kind = approximate
		t.f, err = float(body, single, i+1)
	} else {
		t.kind = exact
		t.i, t.min, err = integer(body, base, i+1)
	}
	if err != nil {
		return token{}, 0, err
	}
	return t, j, nil
}

// shape passes digits, point and exponent. Base is 10 for octal numbers too.
func shape(s string, i int) (base int, approx bool, j int, err error) {
	base, start := 10, i
	switch prefix := s[i:min(i+2, len(s))]; prefix {
	case "0x", "0X":
		base, start = 16, i+2
	case "0b", "0B":
		base, start = 2, i+2
	}
	whole := digits(s, start, base)
	j = whole
	if base != 2 && j < len(s) && s[j] == '.' {
		approx = true
		j = digits(s, j+1, base)
	}
	if whole == start && (!approx || j == whole+1) {
		return 0, false, 0, errorAt(j+1, "expected a digit")
	}
	letters := "eE"
	if base == 16 {
		letters = "pP"
	}
	switch {
	case base != 2 && j < len(s) && strings.IndexByte(letters, s[j]) >= 0:
		approx = true
		j++
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		from := j
		if j = digits(s, j, 10); j == from {
			return 0, false, 0, errorAt(j+1, "expected a digit of the exponent")
		}
	case base == 16 && approx:
		return 0, false, 0, errorAt(j+1, "expected p and an exponent")
	}
	for k := i; k < j; k++ {
		if s[k] == '_' && (k+1 == len(s) || s[k+1] != '_' && !isDigit(s[k+1], base)) {
			return 0, false, 0, errorAt(k+1, "an underscore stands between digits")
		}
	}
	return base, approx, j, nil
}

// digits gives the end of the run of digits and underscores at i; there is none
// that begins with an underscore.
func digits(s string, i, base int) int {
	if i >= len(s) || !isDigit(s[i], base) {
		return i
	}
	for i < len(s) && (s[i] == '_' || isDigit(s[i], base)) {
		i++
	}
	return i
}

func isDigit(c byte, base int) bool {
	switch base {
	case 2:
		return c == '0' || c == '1'
	case 16:
		return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
	}
	return c >= '0' && c <= '9'
}

// integer reads an exact number of 64 bits. As in Java, those with a base may
// use the sign's bit, and decimal ones may be 2^63 behind a minus.
func integer(body string, base, at int) (v int64, isMin bool, err error) {
	digits := body
	switch {
	case base != 10:
		digits = body[2:]
	case len(body) > 1 && body[0] == '0':
		digits, base = body[1:], 8
	}
	u, e := strconv.ParseUint(digits, base, 64)
	switch {
	case errors.Is(e, strconv.ErrSyntax):
		return 0, false, errorAt(at, "%s is not octal, as its leading 0 says", shorten(body))
	case e != nil || base == 10 && u > 1<<63:
		return 0, false, errorAt(at, "%s does not fit into 64 bits", shorten(body))
	case base == 10 && u == 1<<63:
		return math.MinInt64, true, nil
	}
	return int64(u), false, nil
}

// float reads an approximate number; a single one has the precision of a float.
func float(body string, single bool, at int) (float64, error) {
	bits := 64
	if single {
		bits = 32
	}
	f, err := strconv.ParseFloat(body, bits)
	if err != nil {
		return 0, errorAt(at, "%s does not fit into a number of %d bits", shorten(body), bits)
	}
	return f, nil
}

// shorten keeps errors readable whatever a client sent.
func shorten(s string) string {
	const most = 40
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most]) + "…"
}
