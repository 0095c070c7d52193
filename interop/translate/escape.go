package translate

import (
	"strings"
	"unicode/utf8"
)

const upperHex = "0123456789ABCDEF"

// plain says whether a byte of a header's value goes as it is. Percent signs are
// escaped because they escape.
func plain(c byte) bool { return c >= ' ' && c <= '~' && c != '%' }

// escape gives a text as a header's value: percent-encoded where it is not printable
// ASCII, and at spaces at its ends, which headers lose.
func escape(s string) string {
	for i := range len(s) {
		if !plain(s[i]) || s[i] == ' ' && (i == 0 || i == len(s)-1) {
			return percent(s, func(i int) bool { return plain(s[i]) && (s[i] != ' ' || i > 0 && i < len(s)-1) })
		}
	}
	return s
}

// escapeName gives a text as a part of a header's name: percent-encoded where it is no
// token of MIME (rfc 9110 5.6.2).
func escapeName(s string) string {
	for i := range len(s) {
		if !token(s[i]) {
			return percent(s, func(i int) bool { return token(s[i]) })
		}
	}
	return s
}

// token says whether a byte of a header's name goes as it is: one of a token, but a
// percent sign.
func token(c byte) bool {
	return letter(c) || digit(c) || strings.IndexByte("!#$&'*+-.^_`|~", c) >= 0
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func digit(c byte) bool { return c >= '0' && c <= '9' }

func percent(s string, as func(i int) bool) string {
	b := make([]byte, 0, len(s)+16)
	for i := range len(s) {
		if as(i) {
			b = append(b, s[i])
		} else {
			b = append(b, '%', upperHex[s[i]>>4], upperHex[s[i]&15])
		}
	}
	return string(b)
}

// unescape reads what escape and escapeName write. A percent sign without two digits
// stands for itself, and what is not UTF-8 then becomes U+FFFD.
func unescape(s string) string {
	if strings.IndexByte(s, '%') >= 0 {
		b := make([]byte, 0, len(s))
		for i := 0; i < len(s); i++ {
			if s[i] == '%' && i+2 < len(s) {
				high, low := unhex(s[i+1]), unhex(s[i+2])
				if high < 16 && low < 16 {
					b = append(b, high<<4|low)
					i += 2
					continue
				}
			}
			b = append(b, s[i])
		}
		s = string(b)
	}
	if !utf8.ValidString(s) {
		return clean(s)
	}
	return s
}

// unhex gives 16 or more for what is no digit.
func unhex(c byte) byte {
	switch {
	case digit(c):
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}
