package frame

import (
	"strconv"

	"github.com/tidegate/tidegate/amqp/wire"
)

// Composite is any type of the table.
type Composite interface {
	// TypeName is the type's name in the specification.
	TypeName() string
	// Append appends the encoding, descriptor included.
	Append(b []byte) []byte
	// Decode reads the type from the start of b, where its descriptor begins.
	Decode(b []byte, lim *wire.Limits) (n int, err error)
	// String is the form used in logs and transcripts.
	String() string
}

// Performative is the body of a frame, AMQP or SASL, by pointer.
type Performative interface {
	TypeName() string
	Append(b []byte) []byte
	String() string
	Decode(b []byte, lim *wire.Limits) (n int, err error)
}

// DeliveryState is where a delivery stands (amqp 3.4): Accepted{}, Released{},
// or a pointer to one of the other types.
type DeliveryState interface {
	TypeName() string
	Append(b []byte) []byte
	String() string
	deliveryState()
}

// Outcome is a terminal DeliveryState (amqp 3.4).
type Outcome interface {
	DeliveryState
	outcome()
}

// TargetArchetype is *Target or *Coordinator.
type TargetArchetype interface {
	TypeName() string
	Append(b []byte) []byte
	String() string
	targetArchetype()
}

// LifetimePolicy says when a dynamic node goes (amqp 3.5.10 to 3.5.13); it is
// the value of "lifetime-policy" among dynamic node properties.
type LifetimePolicy interface {
	TypeName() string
	Append(b []byte) []byte
	String() string
	lifetimePolicy()
}

type decodableState interface {
	Composite
	deliveryState()
}

type decodableTarget interface {
	Composite
	targetArchetype()
}

type decodableLifetime interface {
	Composite
	lifetimePolicy()
}

// typeInfo is a type's row in the table.
type typeInfo struct {
	name   string
	code   uint64
	fields []string
}

// begin appends a descriptor and room for the list of fields.
func begin(b []byte, code uint64) (with []byte, mark int) {
	return wire.BeginList(wire.AppendDescriptor(b, code))
}

// pad appends that many nulls for absent fields in front of one that is there.
func pad(b []byte, n int) []byte {
	for ; n > 0; n-- {
		b = wire.AppendNull(b)
	}
	return b
}

func appendEmpty(b []byte, code uint64) []byte {
	b, mark := begin(b, code)
	return wire.EndList(b, mark, 0)
}

func number(v uint64) string { return strconv.FormatUint(v, 10) }
