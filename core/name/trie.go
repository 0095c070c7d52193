package name

import (
	"maps"
	"slices"
	"strings"
)

// Trie finds all values whose pattern matches a name. The zero Trie is empty.
// Values are visited in a fixed order: exact elements before `*` before `>`,
// and under one pattern in order of insertion.
type Trie[V comparable] struct {
	root node[V]
	n    int
}

type node[V comparable] struct {
	exact  map[string]*node[V]
	star   *node[V]
	tail   []V // patterns that end in `>` here
	values []V
}

// Len is the number of values.
func (t *Trie[V]) Len() int { return t.n }

// Insert adds v under pattern.
func (t *Trie[V]) Insert(pattern string, v V) {
	t.n++
	at := &t.root
	for rest, more := pattern, true; more; {
		var e string
		e, rest, more = strings.Cut(rest, ".")
		if e == ">" {
			at.tail = append(at.tail, v)
			return
		}
		at = at.child(e)
	}
	at.values = append(at.values, v)
}

func (n *node[V]) child(e string) *node[V] {
	if e == "*" {
		if n.star == nil {
			n.star = &node[V]{}
		}
		return n.star
	}
	if n.exact == nil {
		n.exact = make(map[string]*node[V])
	}
	c := n.exact[e]
	if c == nil {
		c = &node[V]{}
		n.exact[strings.Clone(e)] = c
	}
	return c
}

// Remove takes v away from under pattern.
func (t *Trie[V]) Remove(pattern string, v V) {
	if t.root.remove(pattern, true, v) {
		t.n--
	}
}

func (n *node[V]) remove(rest string, more bool, v V) bool {
	if !more {
		i := slices.Index(n.values, v)
		if i < 0 {
			return false
		}
		n.values = slices.Delete(n.values, i, i+1)
		return true
	}
	e, after, more := strings.Cut(rest, ".")
	if e == ">" {
		i := slices.Index(n.tail, v)
		if i < 0 {
			return false
		}
		n.tail = slices.Delete(n.tail, i, i+1)
		return true
	}
	c := n.star
	if e != "*" {
		c = n.exact[e]
	}
	if c == nil || !c.remove(after, more, v) {
		return false
	}
	if len(c.values) == 0 && len(c.tail) == 0 && c.star == nil && len(c.exact) == 0 {
		if e == "*" {
			n.star = nil
		} else {
			delete(n.exact, e)
		}
	}
	return true
}

// Match visits every value whose pattern matches name.
func (t *Trie[V]) Match(name string, visit func(V)) {
	t.root.match(name, strings.HasPrefix(name, "$"), visit)
}

// Overlapping visits the values whose pattern and another one match some name in
// common, until visit says no; it says whether all were visited. Either may be a
// plain name. The order is fixed by the patterns.
func (t *Trie[V]) Overlapping(pattern string, visit func(V) bool) bool {
	return t.root.overlapping(pattern, strings.HasPrefix(pattern, "$"), true, visit)
}

// overlapping is about a pattern's rest; system: whether all of it begins with $.
func (n *node[V]) overlapping(rest string, system, first bool, visit func(V) bool) bool {
	e, after, more := strings.Cut(rest, ".")
	if !(system && first) {
		for _, v := range n.tail { // `>` meets whatever is left of the other, which is one element at least
			if !visit(v) {
				return false
			}
		}
	}
	below := func(c *node[V]) bool {
		switch {
		case c == nil:
			return true
		case e == ">":
			return c.all(visit)
		case more:
			return c.overlapping(after, false, false, visit)
		}
		return each(c.values, visit)
	}
	if !(system && first) && !below(n.star) {
		return false
	}
	if e != "*" && e != ">" {
		return below(n.exact[e])
	}
	for _, name := range slices.Sorted(maps.Keys(n.exact)) { // order: irrelevant, they are sorted
		if !(first && strings.HasPrefix(name, "$")) && !below(n.exact[name]) {
			return false
		}
	}
	return true
}

// all visits everything from here on.
func (n *node[V]) all(visit func(V) bool) bool {
	if !each(n.values, visit) || !each(n.tail, visit) || n.star != nil && !n.star.all(visit) {
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(n.exact)) { // order: irrelevant, they are sorted
		if !n.exact[name].all(visit) {
			return false
		}
	}
	return true
}

func each[V any](all []V, visit func(V) bool) bool {
	for _, v := range all {
		if !visit(v) {
			return false
		}
	}
	return true
}

func (n *node[V]) match(name string, system bool, visit func(V)) {
	e, rest, more := strings.Cut(name, ".")
	for _, c := range [2]*node[V]{n.exact[e], n.starFor(system)} {
		if c == nil {
			continue
		}
		if more {
			c.match(rest, false, visit)
			continue
		}
		for _, v := range c.values {
			visit(v)
		}
	}
	if !system {
		for _, v := range n.tail {
			visit(v)
		}
	}
}

func (n *node[V]) starFor(system bool) *node[V] {
	if system {
		return nil
	}
	return n.star
}
