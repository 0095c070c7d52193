package property

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/core/name"
)

// Definition is a line of queues.conf or topics.conf: a static destination, or a
// wildcard.
type Definition struct {
	Name   string // without @SERVER
	Server string // the home of a routed queue, if it is not here
	Set    Set
	place  int // in Tree.order
}

// Wildcard says whether the definition is a pattern.
func (d *Definition) Wildcard() bool { return name.IsWildcard(d.Name) }

// String is the name as files spell it.
func (d *Definition) String() string {
	if d.Server != "" {
		return d.Name + "@" + d.Server
	}
	return d.Name
}

// Tree is the static definitions of one kind, in order of definition. The zero
// Tree is of no use; see NewTree.
type Tree struct {
	kind      Kind
	byName    map[string]*Definition
	order     []*Definition // nil where one was deleted
	holes     int
	wildcards name.Trie[*Definition]
	stored    []*Definition // wildcards with a store or channel, for conflicts
	secure    map[*Definition]struct{}
	shared    map[Policy]*Policy
	parents   []*Definition // scratch
	values    []parentValue // scratch
}

// NewTree makes a tree without definitions.
func NewTree(k Kind) *Tree {
	return &Tree{kind: k, byName: map[string]*Definition{}, shared: map[Policy]*Policy{}, secure: map[*Definition]struct{}{}}
}

// Kind is what the tree's definitions are of.
func (t *Tree) Kind() Kind { return t.kind }

// Len is the number of definitions.
func (t *Tree) Len() int { return len(t.byName) }

// All visits the definitions in order of definition. Some may be deleted meanwhile,
// and are then left out; those that are added are not visited.
func (t *Tree) All() iter.Seq[*Definition] {
	return func(yield func(*Definition) bool) {
		for _, d := range t.order {
			if d != nil && t.byName[d.Name] == d && !yield(d) {
				return
			}
		}
	}
}

// Get finds a definition by the name that clients use.
func (t *Tree) Get(n string) (*Definition, bool) {
	d, ok := t.byName[n]
	return d, ok
}

// Put adds a definition or takes the place of the one with its name. It refuses
// (*Error) a wildcard whose store or channel differs from that of one it overlaps
// with (ems 2.2). What CheckName and CheckSet say is the caller's business.
func (t *Tree) Put(d Definition) error {
	old := t.byName[d.Name]
	if err := t.conflict(&d); err != nil {
		return err
	}
	if old != nil {
		t.forget(old)
		old.Server, old.Set = d.Server, d.Set
		t.remember(old)
		return nil
	}
	added := &d
	added.place = len(t.order)
	t.order = append(t.order, added)
	t.byName[d.Name] = added
	if added.Wildcard() {
		t.wildcards.Insert(added.Name, added)
	}
	t.remember(added)
	return nil
}

// Delete takes a definition away, and says whether there was one.
func (t *Tree) Delete(n string) bool {
	d := t.byName[n]
	if d == nil {
		return false
	}
	t.forget(d)
	if d.Wildcard() {
		t.wildcards.Remove(n, d)
	}
	delete(t.byName, n)
	t.order[d.place] = nil
	if t.holes++; t.holes > len(t.order)/2 {
		left := make([]*Definition, 0, len(t.byName)) // not in place: All may be on its way
		for _, d := range t.order {
			if d != nil {
				d.place = len(left)
				left = append(left, d)
			}
		}
		t.order, t.holes = left, 0
	}
	return true
}

// disjoint is the values that overlapping wildcards may not differ in.
func (d *Definition) disjoint() (store, channel string) {
	if v, ok := d.Set.Get(Store); ok {
		store = v.Text
	} else if d.Set.Has(Failsafe) {
		store = FailsafeStore
	}
	v, _ := d.Set.Get(Channel)
	return store, v.Text
}

func (t *Tree) remember(d *Definition) {
	clear(t.shared)
	if store, channel := d.disjoint(); d.Wildcard() && store+channel != "" {
		t.stored = append(t.stored, d)
	}
	if v, ok := d.Set.Get(Secure); ok && v.Number != 0 {
		t.secure[d] = struct{}{}
	}
}

func (t *Tree) forget(d *Definition) {
	t.stored = slices.DeleteFunc(t.stored, func(o *Definition) bool { return o == d })
	delete(t.secure, d)
	clear(t.shared)
}

func (t *Tree) conflict(d *Definition) error {
	store, channel := d.disjoint()
	if !d.Wildcard() || store+channel == "" {
		return nil
	}
	for _, o := range t.stored {
		otherStore, otherChannel := o.disjoint()
		property, mine, other := "store", store, otherStore
		if mine == "" || other == "" || mine == other {
			property, mine, other = "channel", channel, otherChannel
		}
		if mine != "" && other != "" && mine != other && o.Name != d.Name && name.Overlap(o.Name, d.Name) {
			return &Error{
				Rule:    "disjoint",
				Message: fmt.Sprintf("%s=%s of %s and %s=%s of %s speak of the same names", property, mine, d.Name, property, other, o.Name),
				Fix:     "give both the same " + property + ", or take it off one of them",
			}
		}
	}
	return nil
}

// Creatable says whether a client may bring the name into being as far as the
// definitions go: it is defined, or a wildcard matches it (ems 3.1). Names of the
// system are for the system to judge.
func (t *Tree) Creatable(n string) bool {
	if _, ok := t.byName[n]; ok {
		return true
	}
	if strings.HasPrefix(n, "$") {
		return false
	}
	found := false
	t.wildcards.Match(n, func(*Definition) { found = true })
	return found
}

// Parents visits the wildcard definitions that a name inherits from, itself a
// wildcard or not.
func (t *Tree) Parents(n string, visit func(*Definition)) {
	t.wildcards.Match(n, func(d *Definition) {
		if d.Name != n && name.Covers(d.Name, n) {
			visit(d)
		}
	})
}

// Secured says whether some destination that a pattern matches may be secure.
func (t *Tree) Secured(pattern string) bool {
	for d := range t.secure { // order: irrelevant
		if name.Overlap(d.Name, pattern) {
			return true
		}
	}
	return false
}

// Effective says what holds for a name, defined or not: every property that is
// not at its default, in the table's order.
func (t *Tree) Effective(n string) []Effective {
	var all []Effective
	t.effective(n, func(e Effective) { all = append(all, e) })
	return all
}

// Policy is Effective, compiled.
func (t *Tree) Policy(n string) *Policy {
	p := DefaultPolicy(t.kind)
	t.effective(n, func(e Effective) { p.set(e.Value) })
	if known, ok := t.shared[p]; ok {
		return known
	}
	t.shared[p] = &p
	return &p
}

func (t *Tree) effective(n string, visit func(Effective)) {
	var own Set
	if d := t.byName[n]; d != nil {
		own = d.Set
	}
	t.parents = t.parents[:0]
	t.Parents(n, func(d *Definition) { t.parents = append(t.parents, d) })
	var builtin Set
	if d := system(t.kind, n); d != nil {
		builtin = d.Set
	}
	for i := range Table {
		p := &Table[i]
		if !p.Allows(t.kind) {
			continue
		}
		mine, has := own.Get(p.ID)
		t.values = t.values[:0]
		for _, d := range t.parents {
			if v, ok := d.Set.Get(p.ID); ok {
				t.values = append(t.values, parentValue{v, d.Name})
			}
		}
		if p.ID == Failsafe && (own.Has(Store) || !has && t.inheritsStore()) {
			continue // the newer spelling holds
		}
		if p.ID == Store && !has && own.Has(Failsafe) {
			continue // a parent's store does not
		}
		if e, ok := combine(p, mine, has, t.values); ok {
			visit(e)
		} else if v, ok := builtin.Get(p.ID); ok {
			visit(Effective{Value: v, Origin: Builtin})
		}
	}
}

func (t *Tree) inheritsStore() bool {
	return slices.ContainsFunc(t.parents, func(d *Definition) bool { return d.Set.Has(Store) })
}
