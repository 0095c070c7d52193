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

// dropFront takes the first n out of a list of pages that grows at its end. A list that is
// short stays in its memory; a long one would be moved too often.
func dropFront[T any](pages []T, n int) []T {
	const short = 64
	if len(pages) <= short {
		return slices.Delete(pages, 0, n)
	}
	clear(pages[:n])
	return pages[n:]
}

func sortDestinations(d []Destination) {
	slices.SortFunc(d, func(x, y Destination) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Name, y.Name))
	})
}
