package selector

import (
	"errors"
	"unicode/utf8"
)

// element of a LIKE pattern: any run (%), any one character (_), or one
// character as it stands.
type element struct {
	r   rune
	any bool // %
	one bool // _
}

func compilePattern(s string, escape rune) ([]element, error) {
	var out []element
	escaped := false
	for _, r := range s {
		switch {
		case escaped:
			out = append(out, element{r: r})
			escaped = false
		case r == escape:
			escaped = true
		case r == '%':
			if n := len(out); n == 0 || !out[n-1].any {
				out = append(out, element{any: true})
			}
		case r == '_':
			out = append(out, element{one: true})
		default:
			out = append(out, element{r: r})
		}
	}
	if escaped {
		return nil, errors.New("the pattern ends in its escape character")
	}
	return out, nil
}

// matchPattern goes back to the last % only: no input takes more than
// len(pattern) × len(s) steps.
func matchPattern(p []element, s string) bool {
	i, j, star, mark := 0, 0, -1, 0
	for j < len(s) {
		r, n := utf8.DecodeRuneInString(s[j:])
		switch {
		case i < len(p) && p[i].any:
			star, mark = i, j
			i++
		case i < len(p) && (p[i].one || p[i].r == r):
			i++
			j += n
		case star >= 0:
			_, n := utf8.DecodeRuneInString(s[mark:])
			mark += n
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i].any {
		i++
	}
	return i == len(p)
}
