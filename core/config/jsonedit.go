package config

import (
	"slices"
	"strings"

	"github.com/tidegate/tidegate/core/property"
)

// layout gives a value that is added the blanks that the server itself writes:
// tabs, a tab behind the colon, `[{` and `}, {` in one line. In a file that is laid
// out otherwise, the file's own indent is used. tabs is how many stand in front of
// the members of the object that the value is in.
func (t *jsonText) layout(n *jnode, tabs int) {
	unit, gap := t.style()
	lead := func(tabs int) string {
		if unit == "" {
			return ""
		}
		return "\n" + strings.Repeat(unit, tabs)
	}
	for i := range n.items {
		it := &n.items[i]
		it.trail = ""
		t.layout(it.val, tabs+1)
		if n.kind == '[' {
			if i > 0 && unit != "" {
				it.lead = " "
			}
			continue
		}
		it.lead, it.gap = lead(tabs+1), gap
		if i == len(n.items)-1 {
			it.trail = lead(tabs)
		}
	}
}

// style is one step of indent and what stands behind a colon, as the file's first
// member has them.
func (t *jsonText) style() (unit, gap string) {
	if t.root == nil || len(t.root.items) == 0 {
		return "\t", "\t"
	}
	first := t.root.items[0]
	return strings.TrimLeft(first.lead, "\r\n"), first.gap
}

// depth counts the steps of indent in front of an object's members.
func (t *jsonText) depth(n *jnode, otherwise int) int {
	unit, _ := t.style()
	if len(n.items) == 0 || unit == "" {
		return otherwise
	}
	lead := n.items[0].lead
	return strings.Count(lead[strings.LastIndexByte(lead, '\n')+1:], unit)
}

// put makes a member have a value: in the place of what it has, or as a new one,
// in alphabetical order if the others are.
func (t *jsonText) put(n *jnode, key string, val *jnode, otherwise int) {
	t.changed = true
	tabs := t.depth(n, otherwise)
	t.layout(val, tabs)
	for i := len(n.items) - 1; i >= 0; i-- {
		if n.items[i].key == key {
			n.items[i].val = val
			return
		}
	}
	unit, gap := t.style()
	it := jitem{key: key, raw: newString(key).raw, gap: gap, val: val, at: -1}
	at, sorted := len(n.items), true
	for i := range n.items {
		sorted = sorted && (i == 0 || n.items[i-1].key < n.items[i].key)
		if at == len(n.items) && n.items[i].key > key {
			at = i
		}
	}
	if !sorted {
		at = len(n.items)
	}
	switch {
	case len(n.items) > 0:
		it.lead, it.gap = n.items[0].lead, n.items[0].gap
	case unit != "":
		it.lead = "\n" + strings.Repeat(unit, tabs)
		it.trail = "\n" + strings.Repeat(unit, max(0, tabs-1))
	}
	n.insert(at, it)
}

// insert adds an item; the blanks in front of the bracket stay there.
func (n *jnode) insert(at int, it jitem) {
	if last := len(n.items) - 1; at > last && last >= 0 {
		it.trail, n.items[last].trail = n.items[last].trail, ""
	}
	n.items = slices.Insert(n.items, at, it)
}

// cut takes an item out.
func (t *jsonText) cut(n *jnode, at int) {
	t.changed = true
	last := len(n.items) - 1
	switch {
	case at == last && last > 0:
		n.items[last-1].trail = n.items[last].trail
	case at == 0 && last > 0 && n.kind == '[':
		n.items[1].lead = n.items[0].lead
	}
	n.items = slices.Delete(n.items, at, at+1)
	n.empty = ""
}

// push adds an element at the end of a list.
func (t *jsonText) push(n *jnode, val *jnode, tabs int) {
	t.changed = true
	t.layout(val, tabs+1)
	it := jitem{val: val, at: -1}
	if len(n.items) > 0 {
		it.lead = n.items[len(n.items)-1].lead
		if len(n.items) == 1 {
			it.lead = ""
			if unit, _ := t.style(); unit != "" {
				it.lead = " "
			}
		}
		if first := n.items[0].lead; strings.Contains(first, "\n") {
			it.lead = first
		}
	}
	n.insert(len(n.items), it)
}

// text makes a member say a value, in the kind of JSON value that it has: numbers
// may be strings or not, and stay so. An empty value becomes null where there is
// something to unset.
func (t *jsonText) text(n *jnode, key, value string, flag bool, tabs int) {
	old := n.get(key)
	switch {
	case value == "" && (old == nil || old.kind == 'z' || old.kind == 's' && old.text == ""):
	case value == "":
		t.put(n, key, newNull(), tabs)
	case old != nil && sameText(old, value):
	case flag || old != nil && old.kind == 'b':
		if on, ok := property.ParseFlag(value); ok {
			t.put(n, key, newBool(on), tabs)
			return
		}
		t.put(n, key, newString(value), tabs)
	case old != nil && old.kind == 'n' && allDigits(value):
		t.put(n, key, &jnode{kind: 'n', raw: value, at: -1}, tabs)
	default:
		t.put(n, key, newString(value), tabs)
	}
}

// sameText says whether a value says the text already.
func sameText(n *jnode, value string) bool {
	if n.kind == 'b' {
		on, ok := property.ParseFlag(value)
		return ok && on == (n.raw == "true")
	}
	return n.kind != 'z' && n.scalar() == value
}

// lists makes a member a list of the wanted elements: those that are there (same
// says which) stay and are brought up to date by update, others come and go.
func (t *jsonText) lists(n *jnode, key string, want []*jnode, same func(have, want *jnode) bool, update func(have, want *jnode), tabs int) {
	list := n.get(key)
	if list == nil || list.kind != '[' {
		if len(want) > 0 {
			t.put(n, key, newList(want...), tabs)
		}
		return
	}
	taken := make([]bool, len(want))
	for i := 0; i < len(list.items); i++ {
		found := false
		for j := range want {
			if !taken[j] && same(list.items[i].val, want[j]) {
				taken[j], found = true, true
				if update != nil {
					update(list.items[i].val, want[j])
				}
				break
			}
		}
		if !found {
			t.cut(list, i)
			i--
		}
	}
	for j := range want {
		if !taken[j] {
			t.push(list, want[j], t.depth(n, tabs))
		}
	}
}
