package property

import (
	"fmt"
	"slices"
	"strings"
)

// Set is the own properties of one destination, in the order in which they were
// given, each at most once. It is not changed in place.
type Set []Value

// Get finds a property.
func (s Set) Get(id ID) (Value, bool) {
	for i := range s {
		if s[i].ID == id {
			return s[i], true
		}
	}
	return Value{}, false
}

// Has says whether the property is set.
func (s Set) Has(id ID) bool { _, ok := s.Get(id); return ok }

// With is the set with v added, or in the place of the value it had: `addprop`.
func (s Set) With(v Value) Set {
	next := slices.Clone(s)
	for i := range next {
		if next[i].ID == v.ID {
			next[i] = v
			return next
		}
	}
	return append(next, v)
}

// Merge is the set with all of other added.
func (s Set) Merge(other Set) Set {
	for _, v := range other {
		s = s.With(v)
	}
	return s
}

// Without is the set without the property: `removeprop`.
func (s Set) Without(id ID) Set {
	return slices.DeleteFunc(slices.Clone(s), func(v Value) bool { return v.ID == id })
}

// String prints the list as it stands in a file: `secure,maxbytes=1MB`.
func (s Set) String() string {
	var b strings.Builder
	for i, v := range s {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(v.String())
	}
	return b.String()
}

// Item is a property of a list with its place.
type Item struct {
	Value
	Offset, Length int // of `name=value`, in bytes
}

// ParseList reads `secure,maxbytes=1MB,import="RV1,RV2"`. What can be read is
// given with what cannot. Items of which the list has an earlier one are errors.
func ParseList(k Kind, text string) (items []Item, wrong []*Error) {
	seen := map[ID]bool{}
	for _, part := range SplitList(text) {
		item, err := parseItem(k, text[part.Offset:part.Offset+part.Length])
		if err == nil && seen[item.ID] {
			err = &Error{Rule: "property-twice", Message: item.ID.String() + " stands in the list already", Fix: "keep one of the two"}
		}
		if err != nil {
			err.Offset, err.Length = part.Offset, part.Length
			wrong = append(wrong, err)
			continue
		}
		seen[item.ID] = true
		if item.ID.Row().Form == Flag && item.Number == 0 {
			continue // secure=disabled is no property
		}
		items = append(items, Item{Value: item, Offset: part.Offset, Length: part.Length})
	}
	return items, wrong
}

func parseItem(k Kind, part string) (Value, *Error) {
	name, text, valued := strings.Cut(part, "=")
	if name == "" {
		return Value{}, &Error{Rule: "property-name", Message: "there is no property between two commas", Fix: "take one comma out"}
	}
	p, ok := Lookup(name)
	if !ok {
		e := &Error{Rule: "property-name", Message: fmt.Sprintf("there is no property %q", name), Fix: "take it out"}
		if near := Nearest(name, func(yield func(string) bool) {
			for i := range Table {
				if Table[i].Allows(k) && !yield(Table[i].Name) {
					return
				}
			}
		}); near != "" {
			e.Fix = "did you mean " + near + "?"
		}
		return Value{}, e
	}
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		text = text[1 : len(text)-1]
	}
	v, err := ParseValue(p, k, text, !valued)
	if err != nil {
		return Value{}, err.(*Error) //nolint:errorlint // ParseValue's contract
	}
	return v, nil
}

// Span is a part of a text.
type Span struct{ Offset, Length int }

// SplitList cuts a list at its commas, but for those in double quotes.
func SplitList(text string) []Span {
	var parts []Span
	quoted, from := false, 0
	for i := 0; i <= len(text); i++ {
		switch {
		case i == len(text) || text[i] == ',' && !quoted:
			parts = append(parts, Span{from, i - from})
			from = i + 1
		case text[i] == '"':
			quoted = !quoted
		}
	}
	if len(text) == 0 {
		return nil
	}
	return parts
}
