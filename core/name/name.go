// Package name knows the names of destinations: which are legal, what the
// wildcards `*` and `>` match, and how to find all patterns that match a name.
package name

import (
	"fmt"
	"strings"
)

// MaxLength is the longest name in bytes (ems 3.2).
const MaxLength = 249

// MaxElements is how many elements a name may have (ems 3.2).
const MaxElements = 64

// Error says what is wrong with a name.
type Error struct {
	Name   string
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("destination name %q: %s", e.Name, e.Reason) }

// Validate refuses names that are empty, too long, or have empty elements or
// misplaced wildcards.
func Validate(n string) error {
	switch {
	case n == "":
		return &Error{n, "is empty"}
	case len(n) > MaxLength:
		return &Error{n[:32] + "…", fmt.Sprintf("has %d bytes, the limit is %d", len(n), MaxLength)}
	case strings.Count(n, ".")+1 > MaxElements:
		return &Error{n, fmt.Sprintf("has more than %d elements", MaxElements)}
	case strings.ContainsRune(n, 0):
		return &Error{n, "has a NUL character"}
	}
	for rest, more := n, true; more; {
		var e string
		e, rest, more = strings.Cut(rest, ".")
		switch {
		case e == "":
			return &Error{n, "has an empty element; elements are separated by single dots"}
		case e == ">" && more:
			return &Error{n, "has `>` before its end; only the last element may be `>`"}
		}
	}
	return nil
}

// IsWildcard says whether an element of n is `*` or `>`.
func IsWildcard(n string) bool {
	for rest, more := n, true; more; {
		var e string
		e, rest, more = strings.Cut(rest, ".")
		if e == "*" || e == ">" {
			return true
		}
	}
	return false
}

// Match says whether pattern matches name: `*` one element, `>` one or more at
// the end. Names that begin with `$` are the system's: a pattern that begins
// with a wildcard does not match them.
func Match(pattern, n string) bool {
	if strings.HasPrefix(n, "$") && !strings.HasPrefix(pattern, "$") {
		return false
	}
	for {
		p, prest, pmore := strings.Cut(pattern, ".")
		if p == ">" {
			return true
		}
		e, nrest, nmore := strings.Cut(n, ".")
		if p != "*" && p != e {
			return false
		}
		if !pmore || !nmore {
			return pmore == nmore
		}
		pattern, n = prest, nrest
	}
}

// Covers says whether a pattern matches all names that another one does. Either
// may be a plain name.
func Covers(pattern, other string) bool {
	if strings.HasPrefix(other, "$") && !strings.HasPrefix(pattern, "$") {
		return false
	}
	for {
		p, prest, pmore := strings.Cut(pattern, ".")
		if p == ">" {
			return true
		}
		o, orest, omore := strings.Cut(other, ".")
		if o == ">" || p != "*" && p != o {
			return false
		}
		if !pmore || !omore {
			return pmore == omore
		}
		pattern, other = prest, orest
	}
}

// Overlap says whether some name is matched by both of two patterns, which may be
// plain names.
func Overlap(a, b string) bool {
	if strings.HasPrefix(a, "$") != strings.HasPrefix(b, "$") {
		return false
	}
	for {
		x, arest, amore := strings.Cut(a, ".")
		y, brest, bmore := strings.Cut(b, ".")
		if x == ">" || y == ">" {
			return true
		}
		if x != y && x != "*" && y != "*" {
			return false
		}
		if !amore || !bmore {
			return amore == bmore
		}
		a, b = arest, brest
	}
}
