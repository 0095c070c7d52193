package property

import "strings"

// Origin says where an effective value comes from.
type Origin uint8

// The origins.
const (
	Default   Origin = iota
	Own              // the destination's line
	Inherited        // wildcard lines
	Builtin          // the server's own: system queues
)

// Effective is a property as it holds for one destination.
type Effective struct {
	Value
	Origin Origin
	From   []string // the wildcard lines that gave it, if Inherited
}

// parentValue is what one wildcard line says of a property.
type parentValue struct {
	Value
	from string
}

// combine applies a property's rule (ems 2.2). ok is false if nobody says
// anything that counts.
func combine(p *Property, own Value, has bool, parents []parentValue) (e Effective, ok bool) {
	if has && ownWins(p, own, parents) {
		return Effective{Value: own, Origin: Own}, true
	}
	best := -1
	for i := range parents {
		if best < 0 && counts(p, parents[i].Value) || best >= 0 && better(p, parents[i].Value, parents[best].Value) {
			best = i
		}
	}
	if best < 0 { // an own prefetch=0 inherits, and there is nothing to inherit
		return Effective{Value: own, Origin: Own}, has && p.Rule != Largest
	}
	e = Effective{Value: parents[best].Value, Origin: Inherited}
	for i := range parents {
		switch {
		case p.Rule == Joined:
			e.Text = join(e.Text, parents[i].Text)
			e.From = append(e.From, parents[i].from)
		case parents[i].Number == e.Number && parents[i].Text == e.Text:
			e.From = append(e.From, parents[i].from)
		}
	}
	return e, true
}

// ownWins says whether a destination's own value goes before what it inherits.
func ownWins(p *Property, own Value, parents []parentValue) bool {
	switch p.Rule {
	case Largest:
		return own.Number != 0
	case RejectFirst:
		return own.Text != "default"
	case Most:
		for i := range parents {
			if parents[i].Text > own.Text {
				return false
			}
		}
	}
	return true
}

// counts says whether a parent's value says anything to its children.
func counts(p *Property, v Value) bool {
	switch p.Rule {
	case Smallest, Largest:
		return v.Number != 0
	case RejectFirst:
		return v.Text != "default"
	}
	return true
}

func better(p *Property, v, than Value) bool {
	switch p.Rule {
	case Smallest:
		return v.Number != 0 && v.Number < than.Number
	case Largest:
		return v.Number > 0 && v.Number > than.Number
	case RejectFirst:
		return v.Text == "rejectIncoming" && than.Text != "rejectIncoming"
	case Most:
		return v.Text > than.Text
	}
	return false
}

// join adds the words of more that list has not.
func join(list, more string) string {
	for w := range strings.SplitSeq(more, ",") {
		if !strings.Contains(","+list+",", ","+w+",") {
			list += "," + w
		}
	}
	return list
}
