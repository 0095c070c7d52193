package interop

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/name"
)

// Spec is one transport as the configuration has it.
type Spec struct {
	Name string
	Type string            // of Factory
	Keys map[string]string // resolved
	// Imports are what its messages come in for, Exports the topics that go out by it
	// (both maybe with wildcards), and QueueExports the queues: whose messages it takes
	// as one of their receivers.
	Imports      []Destination
	Exports      []Destination
	QueueExports []string
	// Listeners are those outside for whom messages are kept before they first come, in
	// transports whose sessions are a Registry.
	Listeners []Registration
	formerly  []Registration // those that a runner before this one registered
	// Except are destinations that an import with wildcards covers and that are imported
	// otherwise, or not at all.
	Except    []Destination
	Suspended bool // to begin with
}

// Registration is a certified listener as the configuration has it (ems 9 tibrvcm.conf).
type Registration struct{ Name, Subject string }

// exported is all that goes out.
func (s *Spec) exported() []Destination {
	all := slices.Clone(s.Exports)
	for _, q := range s.QueueExports {
		all = append(all, Destination{Kind: core.Queue, Name: q})
	}
	return all
}

// sameAs says whether a runner can go on under another spec, with other destinations.
func (s *Spec) sameAs(o *Spec) bool {
	return s.Name == o.Name && s.Type == o.Type && maps.Equal(s.Keys, o.Keys)
}

// Cover leaves those out that others of the same kind cover, and those that stand there
// twice. Two wildcards may still overlap.
func Cover(all []Destination) (least []Destination) {
	var wild []Destination
	for _, d := range all {
		if name.IsWildcard(d.Name) {
			wild = append(wild, d)
		}
	}
	seen := map[Destination]bool{}
	for _, d := range all {
		covered := slices.ContainsFunc(wild, func(w Destination) bool {
			return w.Kind == d.Kind && w.Name != d.Name && name.Covers(w.Name, d.Name)
		})
		if !covered && !seen[d] {
			seen[d] = true
			least = append(least, d)
		}
	}
	slices.SortFunc(least, func(x, y Destination) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), strings.Compare(x.Name, y.Name))
	})
	return least
}
