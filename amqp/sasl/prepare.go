package sasl

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// prepare brings a name or password into the one form of its look-alikes, as
// SASLprep does (rfc 4013): foreign blanks become blanks, invisible characters
// vanish, the rest takes its compatibility form. What SASLprep prohibits, such as
// control characters, is taken as it is: it is somebody's password all the same.
func prepare(s string) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii || !utf8.ValidString(s) {
		return s
	}
	return norm.NFKC.String(strings.Map(mapped, s))
}

// mapped is the mapping of rfc 4013 section 2.1.
func mapped(r rune) rune {
	switch {
	case r == 0x00A0, r == 0x1680, r >= 0x2000 && r <= 0x200A, r == 0x202F, r == 0x205F, r == 0x3000:
		return ' '
	case r == 0x00AD, r == 0x034F, r == 0x1806, r >= 0x180B && r <= 0x180D, r >= 0x200B && r <= 0x200D,
		r == 0x2060, r >= 0xFE00 && r <= 0xFE0F, r == 0xFEFF:
		return -1
	}
	return r
}
