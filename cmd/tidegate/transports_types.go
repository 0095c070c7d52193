package main

import (
	"slices"

	"github.com/tidegate/tidegate/interop"
)

// transportFactories are the types of transports that there are: a line a package.
func transportFactories() interop.Factories {
	all := interop.Factories{}
	for _, f := range slices.Concat[[]interop.Factory]() {
		all[f.Type] = f
	}
	return all
}
