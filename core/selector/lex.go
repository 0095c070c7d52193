package selector

import (
	"fmt"
	"strconv"
	"strings"
)

// Limits on what a client may send as a selector.
const (
	MaxLength = 64 << 10 // bytes
	MaxDepth  = 200      // nested parentheses, NOT and signs
	MaxTokens = 10_000
)

// Error says where a selector is wrong. Position counts bytes from 1.
type Error struct {
	Position int
	Reason   string
}

func (e *Error) Error() string {
	return fmt.Sprintf("selector, position %d: %s", e.Position, e.Reason)
}

type tokenKind uint8

const (
	end tokenKind = iota
	identifier
	keyword // text is upper case
	text
	exact
	approximate
	symbol
)

type token struct {
	kind tokenKind
	s    string
	i    int64
	f    float64
	at   int
}

var keywords = map[string]bool{
	"NOT": true, "AND": true, "OR": true, "BETWEEN": true, "LIKE": true, "IN": true, "IS": true,
	"ESCAPE": true, "NULL": true, "TRUE": true, "FALSE": true,
}

func lex(s string) ([]token, error) {
	if len(s) > MaxLength {
		return nil, &Error{MaxLength, fmt.Sprintf("is longer than %d bytes", MaxLength)}
	}
	var out []token
	for i := 0; ; {
		for i < len(s) && strings.IndexByte(" \t\r\n\f", s[i]) >= 0 {
			i++
		}
		if len(out) > MaxTokens {
			return nil, &Error{i + 1, fmt.Sprintf("more than %d words", MaxTokens)}
		}
		if i == len(s) {
			return append(out, token{kind: end, at: i + 1}), nil
		}
		t, n, err := next(s, i)
		if err != nil {
			return nil, err
		}
		t.at = i + 1
		out = append(out, t)
		i += n
	}
}

func next(s string, i int) (token, int, error) {
	c := s[i]
	switch {
	case c == '\'':
		return quoted(s, i)
	case c >= '0' && c <= '9', c == '.' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9':
		return number(s, i)
	case isStart(c):
		n := 1
		for i+n < len(s) && (isStart(s[i+n]) || s[i+n] >= '0' && s[i+n] <= '9') {
			n++
		}
		w := s[i : i+n]
		if u := strings.ToUpper(w); keywords[u] {
			return token{kind: keyword, s: u}, n, nil
		}
		return token{kind: identifier, s: w}, n, nil
	}
	for _, op := range []string{"<>", "<=", ">=", "=", "<", ">", "+", "-", "*", "/", "(", ")", ","} {
		if strings.HasPrefix(s[i:], op) {
			return token{kind: symbol, s: op}, len(op), nil
		}
	}
	return token{}, 0, &Error{i + 1, fmt.Sprintf("%q cannot stand here", rune(c))}
}

// isStart: a Java identifier's letters, and every character beyond ASCII.
func isStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$' || c >= 0x80
}

func quoted(s string, i int) (token, int, error) {
	var b strings.Builder
	for n := i + 1; n < len(s); n++ {
		if s[n] != '\'' {
			b.WriteByte(s[n])
			continue
		}
		if n+1 < len(s) && s[n+1] == '\'' {
			b.WriteByte('\'')
			n++
			continue
		}
		return token{kind: text, s: b.String()}, n + 1 - i, nil
	}
	return token{}, 0, &Error{i + 1, "the string has no closing quote"}
}

func number(s string, i int) (token, int, error) {
	n := 0
	hex := strings.HasPrefix(s[i:], "0x") || strings.HasPrefix(s[i:], "0X")
	float := false
	for i+n < len(s) {
		c := s[i+n]
		digit := c >= '0' && c <= '9'
		switch {
		case digit, hex && (n == 1 || isHex(c)):
		case hex:
			return finish(s, i, n, false)
		case c == '.':
			float = true
		case c == 'e' || c == 'E':
			float = true
			if i+n+1 < len(s) && (s[i+n+1] == '+' || s[i+n+1] == '-') {
				n++
			}
		default:
			return finish(s, i, n, float)
		}
		n++
	}
	return finish(s, i, n, float)
}

func isHex(c byte) bool { return c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

// finish reads the digits, with Java's suffixes.
func finish(s string, i, n int, float bool) (token, int, error) {
	w, used := s[i:i+n], n
	if i+n < len(s) {
		switch s[i+n] {
		case 'l', 'L':
			used++
		case 'f', 'F', 'd', 'D':
			used++
			float = true
		}
	}
	if i+used < len(s) && isStart(s[i+used]) {
		return token{}, 0, &Error{i + used + 1, "a number cannot go on with a letter"}
	}
	if float {
		f, err := strconv.ParseFloat(w, 64)
		if err != nil {
			return token{}, 0, &Error{i + 1, "not a number: " + w}
		}
		return token{kind: approximate, f: f}, used, nil
	}
	v, err := strconv.ParseInt(w, 0, 64)
	if err != nil {
		if u, uerr := strconv.ParseUint(w, 0, 64); uerr == nil && u == 1<<63 {
			return token{kind: exact, i: -1 << 63, s: "min"}, used, nil // only right behind a minus
		}
		return token{}, 0, &Error{i + 1, "not a whole number of 64 bits: " + w}
	}
	return token{kind: exact, i: v}, used, nil
}
