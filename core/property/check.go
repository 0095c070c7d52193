package property

import "strings"

// CheckSet says what in a definition contradicts itself or its name. Errors are
// what EMS would refuse; a warning goes on without the property.
func CheckSet(k Kind, n string, s Set) (wrong, warnings []Fault) {
	plain, server := SplitRoute(k, n)
	fail := func(id ID, message, fix string) {
		wrong = append(wrong, Fault{id, Error{Rule: "property-combination", Message: message, Fix: fix}})
	}
	prefetch, _ := s.Get(Prefetch)
	if s.Has(Exclusive) && (server != "" || s.Has(Global)) {
		fail(Exclusive, "a global or routed queue cannot be exclusive", "take out exclusive")
	}
	if prefetch.Number == PrefetchNone && (server != "" || s.Has(Global)) {
		fail(Prefetch, "a global or routed queue cannot have prefetch=none", "write a number")
	}
	if s.Has(RedeliveryDelay) && server != "" {
		warnings = append(warnings, Fault{RedeliveryDelay, Error{Rule: "property-combination", Message: "routed queues have no redeliveryDelay", Fix: "set it on the queue's home server " + server}})
	}
	if store, ok := s.Get(Store); ok && s.Has(Failsafe) && store.Text != FailsafeStore {
		warnings = append(warnings, Fault{Failsafe, Error{Rule: "property-combination", Message: "store=" + store.Text + " holds, and failsafe, which would be another store, does not", Fix: "take out failsafe"}})
	}
	if !strings.HasPrefix(plain, "$") {
		return wrong, warnings
	}
	for _, v := range s {
		switch {
		case v.ID == Import || v.ID == Export: // what is the server's own stays inside (ems 2.1)
			fail(v.ID, plain+" cannot have "+v.ID.String(), "take it out")
		case plain != Temporary:
		case !v.ID.Row().Temporary:
			warnings = append(warnings, Fault{v.ID, Error{Rule: "property-effect", Message: v.ID.String() + " has no effect on temporary destinations", Fix: "take it out"}})
		}
	}
	return wrong, warnings
}

// Fault is a mistake in one property of a definition.
type Fault struct {
	ID ID
	Error
}
