package main

import (
	"slices"

	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/amqp091"
	"github.com/tidegate/tidegate/interop/amqp10"
	"github.com/tidegate/tidegate/interop/nats"
)

// transportFactories are the types of transports that there are: a line a package.
func transportFactories() interop.Factories {
	all := interop.Factories{}
	for _, f := range slices.Concat(
		nats.Factories(),
		amqp10.Factories(),
		[]interop.Factory{amqp091.Factory()},
	) {
		all[f.Type] = f
	}
	return all
}
