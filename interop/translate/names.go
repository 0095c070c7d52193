package translate

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// PropertyName gives the JMS property for a header that some other program wrote. JMS
// wants an identifier, so that selectors can name it (jms 3.8.1.1): "-" becomes
// _HYPHEN_ and "." _DOT_, any other character that cannot stand there _xHHHH_ with its
// code point, as does the first of a name that begins with a digit or JMS, or is a word
// of the selector language. HeaderName is the reverse.
func PropertyName(header string) string {
	header = clean(header)
	b := make([]byte, 0, len(header)+16)
	for i, c := range header {
		switch {
		case i == 0 && unfit(header):
			b = appendCode(b, c)
		case c == '-':
			b = append(b, "_HYPHEN_"...)
		case c == '.':
			b = append(b, "_DOT_"...)
		case c == '_' && marks(header[i+1:]):
			b = appendCode(b, c)
		case c == '_' || c == '$' || unicode.IsLetter(c) || unicode.IsDigit(c):
			b = utf8.AppendRune(b, c)
		default:
			b = appendCode(b, c)
		}
	}
	if len(b) == 0 {
		return "_x_"
	}
	return string(b)
}

// marks says whether what follows an underscore could be read as one of the marks.
func marks(rest string) bool {
	return strings.HasPrefix(rest, "x") || strings.HasPrefix(rest, "DOT") || strings.HasPrefix(rest, "HYPHEN")
}

// unfit says whether a name cannot begin as it does.
func unfit(name string) bool {
	if c, _ := utf8.DecodeRuneInString(name); unicode.IsDigit(c) || strings.HasPrefix(name, "JMS") {
		return true
	}
	switch strings.ToUpper(name) {
	case "NULL", "TRUE", "FALSE", "NOT", "AND", "OR", "BETWEEN", "LIKE", "IN", "IS", "ESCAPE":
		return true
	}
	return false
}

func appendCode(b []byte, c rune) []byte {
	b = strconv.AppendInt(append(b, "_x"...), int64(c), 16)
	return append(b, '_')
}

// HeaderName gives the header that PropertyName made a property of.
func HeaderName(property string) string {
	b := make([]byte, 0, len(property))
	for rest := property; rest != ""; {
		if after, ok := strings.CutPrefix(rest, "_HYPHEN_"); ok {
			b, rest = append(b, '-'), after
			continue
		}
		if after, ok := strings.CutPrefix(rest, "_DOT_"); ok {
			b, rest = append(b, '.'), after
			continue
		}
		if code, after, ok := strings.Cut(strings.TrimPrefix(rest, "_x"), "_"); ok && strings.HasPrefix(rest, "_x") {
			if code == "" {
				rest = after
				continue
			}
			if n, err := strconv.ParseUint(code, 16, 21); err == nil {
				b, rest = utf8.AppendRune(b, rune(n)), after
				continue
			}
		}
		b, rest = append(b, rest[0]), rest[1:]
	}
	return string(b)
}
