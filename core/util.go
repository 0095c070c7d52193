package core

import (
	"cmp"
	"slices"
)

// sortedKeys gives a map's keys in order: the broker's answers must not depend
// on the order in which Go walks a map.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m { // order: irrelevant
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func sortDestinations(d []Destination) {
	slices.SortFunc(d, func(x, y Destination) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Name, y.Name))
	})
}
