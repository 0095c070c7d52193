package property

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/core/name"
)

// MaxElement is the longest element of a name in bytes (ems 3.2).
const MaxElement = 127

// Temporary is the wildcard line whose properties temporary destinations have
// (ems 3.4); TemporaryPrefix is what their names begin with.
const (
	Temporary       = "$TMP$.>"
	TemporaryPrefix = "$TMP$."
)

// System lists the queues that always exist (ems 3.2), with the properties that
// they cannot lose.
var System = []Definition{
	{Name: "$sys.admin", Set: Set{{ID: Secure, Bare: true, Number: 1}}},
	{Name: "$sys.lookup"},
	{Name: "$sys.redelivery.delay", Set: Set{{ID: Secure, Bare: true, Number: 1}}},
	{Name: "$sys.undelivered", Set: Set{{ID: Secure, Bare: true, Number: 1}}},
}

// IsSystem says whether a queue is one that always exists.
func IsSystem(k Kind, n string) bool { return system(k, n) != nil }

// system finds one of System; nil: it is none.
func system(k Kind, n string) *Definition {
	if k != Queue || !strings.HasPrefix(n, "$sys.") {
		return nil
	}
	i := slices.IndexFunc(System, func(d Definition) bool { return d.Name == n })
	if i < 0 {
		return nil
	}
	return &System[i]
}

// SplitRoute cuts `Q1@R`, the notation for a queue whose home is server R, into
// the name that clients use and the server (ems 3.5). Topics have no such notation.
func SplitRoute(k Kind, n string) (plain, server string) {
	if i := strings.LastIndexByte(n, '@'); k == Queue && i > 0 && i < len(n)-1 {
		return n[:i], n[i+1:]
	}
	return n, ""
}

// CheckName refuses names that no line of queues.conf or topics.conf may define:
// illegal ones, those of the system, and wildcards of routed queues (ems 3).
func CheckName(k Kind, n string) *Error {
	plain, server := SplitRoute(k, n)
	fail := func(message, fix string) *Error {
		return &Error{Length: len(n), Rule: "name", Message: message, Fix: fix}
	}
	if err := name.Validate(plain); err != nil {
		return fail(err.Error(), "write elements separated by single dots; `*` stands for one element, `>` for all that follow")
	}
	for e := range strings.SplitSeq(plain, ".") {
		if len(e) > MaxElement {
			return fail(fmt.Sprintf("an element of the name has %d bytes", len(e)), fmt.Sprintf("at most %d are allowed", MaxElement))
		}
	}
	switch {
	case server != "" && name.IsWildcard(plain):
		return fail("routed queues cannot be wildcards", "write a line for each queue of "+server)
	case plain == Temporary || IsSystem(k, plain):
	case strings.HasPrefix(plain, TemporaryPrefix):
		return fail("temporary destinations have one line for all", "write "+Temporary)
	case strings.HasPrefix(plain, "$"):
		return fail("names that begin with $ belong to the server", "choose another name")
	}
	return nil
}
