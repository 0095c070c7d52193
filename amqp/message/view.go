package message

import (
	"math"
	"unsafe"

	"github.com/tidegate/tidegate/amqp/wire"
)

// unlimited serves what lies in a message that was taken in already: its size
// was bounded then, and nothing is allocated for it.
var unlimited = &wire.Limits{
	Symbol: math.MaxInt, String: math.MaxInt, Binary: math.MaxInt,
}

// view gives bytes as a string without a copy. A message's bytes never change,
// and selectors ask for strings millions of times a second.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
