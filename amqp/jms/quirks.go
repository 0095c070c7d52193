package jms

import (
	"strings"

	"github.com/tidegate/tidegate/amqp/wire"
)

// Quirks are what a client's library makes of AMQP otherwise than others do, and
// what the server does about it for that client alone.
type Quirks struct {
	// ReleasesWhatFailed: besides what it never showed to anybody, the library also
	// releases the message whose listener threw. Which of the two it was is told by
	// the order: docs/decisions/0034-a-listener-that-throws.md.
	ReleasesWhatFailed bool
	// TakesRollbackForDoubt: the library tells its user that a commit is in doubt where
	// the answer to it is amqp:transaction:rollback, and that it was rolled back where
	// the answer is any other (docs/decisions/0035-a-commit-that-cannot-be.md).
	TakesRollbackForDoubt bool
	// WantsRabbitMQ: the library goes on only where the server's open has a version of
	// RabbitMQ's that it knows, and the name of a node.
	WantsRabbitMQ bool
}

// QuirksOf knows a library by the properties of its open.
func QuirksOf(open wire.Map) Quirks {
	v, _ := open.Get("product")
	if product, _ := wire.Text(v); product == "QpidJMS" { // of both generations, and the builds that vendors make of it
		return Quirks{ReleasesWhatFailed: true, TakesRollbackForDoubt: true}
	}
	if product, _ := wire.Text(v); strings.Contains(strings.ToLower(product), "rabbitmq") {
		return Quirks{WantsRabbitMQ: true}
	}
	return Quirks{}
}
