package config

import (
	"slices"
	"strings"

	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/property"
)

// Limits of the search for loops: how many are told, and how many steps it takes
// before it gives up, in all and from one destination. 10,000 destinations that import
// and export take some 50,000 in all.
const (
	maxLoops      = 100
	maxLoopSteps  = 500_000
	maxLoopVisits = 10_000
)

// way is what a message may go: into a destination by a transport, out of one, or
// over a bridge. Names stay as they are on it, but for prefixes and the targets of
// bridges.
type way struct {
	kind      wayKind
	from, to  int    // spaces of names
	pattern   string // names that go it, as they are in the space it begins in
	strip     string // taken off the front of a name
	add       string // put before it
	target    string // of a bridge: the name that all get
	source    string // and where it comes from, as bridges.conf has it
	dest      property.Kind
	def       *definition // of import and export
	transport string
}

type wayKind uint8

const (
	wayIn wayKind = iota
	wayOut
	wayOver
)

// The spaces of names within the server are 0 and 1, as trees are; those outside come
// behind them.
const outsideSpaces = 2

// before says whether a way may follow this one: bridges are not transitive (ems 4.3).
func (w *way) before(next *way) bool {
	switch w.kind {
	case wayOut:
		return next.kind == wayIn
	case wayIn:
		return next.kind != wayIn
	}
	return next.kind == wayOut
}

// out gives the name, or pattern, that comes out where one goes in that the way takes.
func (w *way) out(met string) string {
	if w.target != "" {
		return w.target
	}
	return w.add + strings.TrimPrefix(met, w.strip)
}

// intersect is the pattern of the names that two patterns both match.
func intersect(a, b string) (string, bool) {
	if !name.Overlap(a, b) {
		return "", false
	}
	both := ""
	for {
		x, arest, amore := strings.Cut(a, ".")
		y, brest, bmore := strings.Cut(b, ".")
		switch {
		case x == ">":
			return both + b, true
		case y == ">":
			return both + a, true
		case x == "*":
			x = y
		}
		if both += x; !amore || !bmore {
			return both, true
		}
		both += "."
		a, b = arest, brest
	}
}

// leg is a way with the names that come out of it.
type leg struct {
	*way
	names string
}

// ways is all ways of a configuration.
type ways struct {
	all    []*way
	spaces map[string]int
	starts []name.Trie[*way] // by space, by pattern
	trees  [2]*property.Tree
	steps  int // left
}

// newWays collects them. Routes are left out: what the far server does is not known
// here.
func (k *checker) newWays() *ways {
	w := &ways{spaces: map[string]int{}, starts: make([]name.Trie[*way], outsideSpaces), trees: k.trees, steps: maxLoopSteps}
	systems := k.systems()
	for _, kind := range []property.Kind{property.Queue, property.Topic} {
		here := treeIndex(classOf(kind))
		for d := range k.Tree(kind).All() {
			for _, v := range d.Set {
				if v.ID != property.Import && v.ID != property.Export {
					continue
				}
				for _, n := range v.Words() {
					if s, ok := systems[n]; ok {
						w.outside(s, kind, here, d, v.ID, n)
					}
				}
			}
		}
	}
	if len(w.all) == 0 {
		return w
	}
	for _, o := range k.Objects(Bridges) {
		word, source, _ := strings.Cut(o.Name, ":")
		kind, ok := kindOf(word)
		for _, a := range o.Attrs {
			if target, is := kindOf(a.Name); ok && is && !a.Ignored {
				w.add(&way{kind: wayOver, from: treeIndex(classOf(kind)), to: treeIndex(classOf(target)), pattern: source, target: a.Value, source: o.Name, dest: target})
			}
		}
	}
	return w
}

func (w *ways) add(one *way) {
	w.all = append(w.all, one)
	w.starts[one.from].Insert(one.pattern, one)
}

// outside adds what one transport does for one destination.
func (w *ways) outside(s system, kind property.Kind, here int, d *definition, id property.ID, transport string) {
	prefix, space := s.prefix, s.space(kind)
	if prefix != "" && !strings.HasSuffix(prefix, ".") { // not of NATS: such names are a space of their own
		prefix, space = "", space+" "+prefix
	}
	there, ok := w.spaces[space]
	if !ok {
		there = len(w.starts)
		w.spaces[space] = there
		w.starts = append(w.starts, name.Trie[*way]{})
	}
	one := &way{kind: wayOut, from: here, to: there, pattern: d.Name, add: prefix, dest: kind, def: d, transport: transport}
	if id == property.Import {
		one.kind, one.from, one.to, one.pattern, one.add, one.strip = wayIn, there, here, prefix+d.Name, "", prefix
	}
	w.add(one)
}

// follow gives the names that come out where those of a pattern go in, and those that
// went in; false if there are none. A name whose own line has another list does not go
// where the wildcard's list leads: it takes the place of what is inherited.
func (w *ways) follow(one *way, names string) (met, out string, ok bool) {
	if met, ok = intersect(names, one.pattern); !ok {
		return "", "", false
	}
	out = one.out(met)
	if one.kind == wayIn && (len(out) > name.MaxLength || strings.Count(out, ".") >= name.MaxElements) {
		return "", "", false // no name: prefixes may make one longer with each round
	}
	return met, out, !w.overruled(one, met)
}

func (w *ways) overruled(one *way, met string) bool {
	if one.def == nil {
		return false
	}
	n, id := met, property.Export
	if one.kind == wayIn {
		n, id = one.out(met), property.Import
	}
	if n == one.def.Name || name.IsWildcard(n) {
		return false
	}
	own, known := w.trees[treeIndex(classOf(one.dest))].Get(n)
	return known && own.Set.Has(id)
}

// visit is a leg of the search, with the one that it came by.
type visit struct {
	leg
	from int
}

// came says whether one name can have come to a leg: on the way there it stood for
// itself among those of a wildcard, and may have been overruled.
func (w *ways) came(all []visit, at int, n string) bool {
	for ; at >= 0 && all[at].target == ""; at = all[at].from {
		n = all[at].strip + strings.TrimPrefix(n, all[at].add)
		if w.overruled(all[at].way, n) {
			return false
		}
	}
	return true
}

// round finds the shortest way on which a message comes back to where it went, and
// may go there again; nil if there is none, or none before the steps are used up.
func (w *ways) round(start *way) []leg {
	_, names, ok := w.follow(start, start.pattern)
	if !ok {
		return nil
	}
	all := []visit{{leg{start, names}, -1}}
	seen := map[leg]bool{}
	for i := 0; i < len(all) && w.steps > 0; i++ {
		if len(all) > maxLoopVisits {
			w.steps = 0
			break
		}
		now, found := all[i], false
		w.starts[now.to].Overlapping(now.names, func(next *way) bool {
			w.steps--
			if !now.before(next) {
				return w.steps > 0
			}
			met, out, ok := w.follow(next, now.names)
			if ok && met != now.names && !name.IsWildcard(met) {
				ok = w.came(all, i, met)
			}
			found = ok && next == start
			if l := (leg{next, out}); ok && !found && !seen[l] {
				seen[l] = true
				all = append(all, visit{l, i})
			}
			return !found && w.steps > 0
		})
		if !found {
			continue
		}
		var round []leg
		for ; i >= 0; i = all[i].from {
			round = append(round, all[i].leg)
		}
		slices.Reverse(round)
		return round
	}
	return nil
}

// rounds finds for each way out of the server a loop that it is part of, if it is
// part of any; one loop stands for all ways in it. whole says that all were looked at.
func (w *ways) rounds() (all [][]leg, whole bool) {
	told := map[*way]bool{}
	for _, start := range w.all {
		if start.kind != wayOut || told[start] {
			continue
		}
		if w.steps <= 0 || len(all) == maxLoops {
			return all, false
		}
		round := w.round(start)
		if round == nil {
			continue
		}
		for _, l := range round {
			told[l.way] = true
		}
		all = append(all, round)
	}
	return all, w.steps > 0
}

// system is what a transport reaches, and how its names look there.
type system struct {
	kind     string
	at       string // the same for transports that have a server in common
	prefix   string
	exchange string
}

// space tells names outside apart: NATS has one for queues and topics.
func (s *system) space(kind property.Kind) string {
	switch s.kind {
	case KindNATS, KindNATSJS:
		return s.at
	case KindAMQP091:
		if kind == property.Topic {
			return s.at + " exchange " + s.exchange
		}
	}
	return s.at + " " + kind.String()
}

// systems lists the transports that are opened.
func (k *checker) systems() map[string]system {
	all := map[string]system{}
	first := map[string]string{} // of a server: the one that stands for it
	stands := func(at string) string {
		for first[at] != "" && first[at] != at {
			at = first[at]
		}
		return at
	}
	for _, o := range k.Objects(Transports) {
		t, ok := k.opened(o)
		servers := t.servers()
		if !ok || len(servers) == 0 {
			continue
		}
		for _, s := range servers {
			if a, b := stands(s), stands(servers[0]); a != b {
				first[a] = b
			}
		}
		all[o.Name] = system{kind: t.Kind, at: servers[0], prefix: t.String("subject_prefix"), exchange: t.String("exchange")}
	}
	for n, s := range all { // order: irrelevant
		s.at = stands(s.at)
		all[n] = s
	}
	return all
}
