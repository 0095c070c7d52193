package selector

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
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

func errorAt(position int, format string, args ...any) *Error {
	return &Error{position, fmt.Sprintf(format, args...)}
}

type tokenKind uint8

const (
	end tokenKind = iota
	identifier
	keyword // s is upper case
	text
	exact
	approximate
	symbol
)

type token struct {
	kind tokenKind
	s    string // of a number: as it was written
	i    int64
	f    float64
	min  bool // the exact number 2^63, which is one only behind a minus
	at   int  // position, from 1
}

// keywords may not be identifiers, in whatever case they are written.
var keywords = map[string]bool{
	"NOT": true, "AND": true, "OR": true, "BETWEEN": true, "LIKE": true, "IN": true, "IS": true,
	"ESCAPE": true, "NULL": true, "TRUE": true, "FALSE": true,
}

const longestKeyword = 7

// symbols, longer ones first.
var symbols = []string{"<>", "<=", ">=", "=", "<", ">", "+", "-", "*", "/", "(", ")", ","}

// whitespace is space, tab, form feed and line terminators (jms 3.8.1.1).
const whitespace = " \t\f\r\n"

func lex(s string) ([]token, error) {
	if len(s) > MaxLength {
		return nil, errorAt(MaxLength+1, "the selector has %d bytes, the limit is %d", len(s), MaxLength)
	}
	var out []token
	for i := 0; ; {
		for i < len(s) && strings.IndexByte(whitespace, s[i]) >= 0 {
			i++
		}
		if i == len(s) {
			return append(out, token{kind: end, at: i + 1}), nil
		}
		if len(out) == MaxTokens {
			return nil, errorAt(i+1, "the selector has more than %d words", MaxTokens)
		}
		t, next, err := scan(s, i)
		if err != nil {
			return nil, err
		}
		t.at = i + 1
		out = append(out, t)
		i = next
	}
}

// scan reads the token that begins at i, and says where it ends.
func scan(s string, i int) (token, int, error) {
	c, n := utf8.DecodeRuneInString(s[i:])
	switch {
	case c == '\'':
		return quoted(s, i)
	case digits(s, i, 10) > i, c == '.' && digits(s, i+1, 10) > i+1:
		return number(s, i)
	case identifierStart(c) && !broken(c, n):
		return word(s, i)
	}
	for _, op := range symbols {
		if strings.HasPrefix(s[i:], op) {
			return token{kind: symbol, s: op}, i + len(op), nil
		}
	}
	switch {
	case broken(c, n):
		return token{}, 0, errorAt(i+1, "the byte %#02x is not UTF-8", s[i])
	case c == '"':
		return token{}, 0, errorAt(i+1, "a string stands in single quotes")
	case c == '!':
		return token{}, 0, errorAt(i+1, "%q cannot stand here; not equal is <>", c)
	}
	return token{}, 0, errorAt(i+1, "%q cannot stand here", c)
}

func broken(c rune, size int) bool { return c == utf8.RuneError && size <= 1 }

func word(s string, i int) (token, int, error) {
	j := i
	for j < len(s) {
		c, n := utf8.DecodeRuneInString(s[j:])
		if broken(c, n) || !identifierPart(c) {
			break
		}
		j += n
	}
	w := s[i:j]
	if u := upper(w); keywords[u] {
		return token{kind: keyword, s: u}, j, nil
	}
	return token{kind: identifier, s: w}, j, nil
}

// upper knows ASCII alone: Unicode would make a keyword of what is none, for
// example of a dotless i.
func upper(w string) string {
	if len(w) > longestKeyword {
		return w
	}
	var b [longestKeyword]byte
	for i := range len(w) {
		if b[i] = w[i]; w[i] >= 'a' && w[i] <= 'z' {
			b[i] = w[i] - 'a' + 'A'
		}
	}
	return string(b[:len(w)])
}

// identifierStart is Java's Character.isJavaIdentifierStart (jms 3.8.1.1).
func identifierStart(c rune) bool {
	return unicode.IsLetter(c) || unicode.In(c, unicode.Nl, unicode.Sc, unicode.Pc)
}

// identifierPart is Java's Character.isJavaIdentifierPart: also digits, combining
// marks, and characters that Java ignores in identifiers.
func identifierPart(c rune) bool {
	return identifierStart(c) || unicode.In(c, unicode.Nd, unicode.Mc, unicode.Mn, unicode.Cf) ||
		c <= 0x08 || c >= 0x0e && c <= 0x1b || c >= 0x7f && c <= 0x9f
}

// quoted reads a string; a doubled quote is one.
func quoted(s string, i int) (token, int, error) {
	var b strings.Builder
	for j := i + 1; j < len(s); {
		c, n := utf8.DecodeRuneInString(s[j:])
		switch {
		case broken(c, n):
			return token{}, 0, errorAt(j+1, "the byte %#02x is not UTF-8", s[j])
		case c != '\'':
			b.WriteString(s[j : j+n])
		case strings.HasPrefix(s[j:], "''"):
			b.WriteByte('\'')
			n = 2
		default:
			return token{kind: text, s: b.String()}, j + 1, nil
		}
		j += n
	}
	return token{}, 0, errorAt(i+1, "the string has no closing quote")
}
