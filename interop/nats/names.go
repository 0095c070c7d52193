package nats

import (
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/core/name"
)

// names turns names of destinations into subjects, and back. Dots and wildcards mean the
// same in both (migration 3.2). What NATS does not take, or keeps for itself, is written
// percent-style: spaces, control characters, the percent sign, a $ in front, a > that is not
// the end; an empty token is a percent sign alone.
type names struct{ prefix string }

// inbox begins the addresses that NATS's clients make for replies: prefixes are not for
// them.
const inbox = "_INBOX."

func newNames(prefix string) (names, error) {
	if prefix == "" {
		return names{}, nil
	}
	if !strings.HasSuffix(prefix, ".") {
		prefix += "."
	}
	if bad := strings.Trim(prefix, "."); bad == "" || strings.Contains(prefix, "..") || prefix[0] == '.' || prefix[0] == '$' || strings.ContainsAny(prefix, "*>") || strings.ContainsFunc(prefix, unfit) {
		return names{}, fmt.Errorf("subject_prefix %q: write tokens with dots between, without spaces and wildcards, as in rv.7500.", prefix)
	}
	return names{prefix}, nil
}

func unfit(c rune) bool { return c <= ' ' || c == 0x7f }

// subject gives the subject of a destination.
func (n names) subject(destination string) string {
	if strings.HasPrefix(destination, inbox) {
		return destination
	}
	if plain(destination) {
		return n.prefix + destination
	}
	b := make([]byte, 0, len(n.prefix)+len(destination)+8)
	b = append(b, n.prefix...)
	tokens := strings.Split(destination, ".")
	for i, token := range tokens {
		if i > 0 {
			b = append(b, '.')
		}
		switch {
		case token == "":
			b = append(b, '%')
		case token == ">" && i < len(tokens)-1:
			b, token = append(b, "%3E"...), ""
		}
		for j := range len(token) {
			c := token[j]
			if c <= ' ' || c == 0x7f || c == '%' || c == '$' && i == 0 && j == 0 {
				b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
				continue
			}
			b = append(b, c)
		}
	}
	return string(b)
}

const hexDigits = "0123456789ABCDEF"

// plain says whether a name is a subject as it is.
func plain(destination string) bool {
	last := byte('.')
	for i := range len(destination) {
		c := destination[i]
		if c <= ' ' || c == 0x7f || c == '%' || c == '.' && last == '.' || c == '>' && i < len(destination)-1 {
			return false
		}
		last = c
	}
	return last != '.' && destination[0] != '$'
}

// destination gives the name of a subject; false: it has not our prefix.
func (n names) destination(subject string) (string, bool) {
	if strings.HasPrefix(subject, inbox) {
		return subject, true
	}
	rest, ok := strings.CutPrefix(subject, n.prefix)
	if !ok || rest == "" {
		return "", false
	}
	if !strings.Contains(rest, "%") {
		return rest, true
	}
	tokens := strings.Split(rest, ".")
	for i, token := range tokens {
		tokens[i] = unescape(token)
	}
	return strings.Join(tokens, "."), true
}

// unescape reads a token; what is not of our writing stays as it is.
func unescape(token string) string {
	if token == "%" {
		return ""
	}
	b := make([]byte, 0, len(token))
	for i := 0; i < len(token); i++ {
		if token[i] == '%' && i+2 < len(token) {
			high, low := strings.IndexByte(hexDigits, token[i+1]), strings.IndexByte(hexDigits, token[i+2])
			if high >= 0 && low >= 0 {
				b = append(b, byte(high<<4|low))
				i += 2
				continue
			}
		}
		b = append(b, token[i])
	}
	return string(b)
}

// covers says whether a subject's pattern has all that another one has.
func covers(pattern, subject string) bool {
	return pattern == subject || name.Covers(pattern, subject)
}

// legal makes a name of a stream or consumer: what NATS does not take becomes _.
func legal(s string) string {
	return strings.Map(func(c rune) rune {
		if unfit(c) || strings.ContainsRune(`.*>/\`, c) {
			return '_'
		}
		return c
	}, s)
}
