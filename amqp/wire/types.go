package wire

import (
	"encoding/hex"
	"strconv"
	"time"
)

// Symbol is a name out of a constrained domain, ASCII (amqp 1.6.21).
type Symbol string

// Char is one Unicode code point (amqp 1.6.16).
type Char rune

// Timestamp is milliseconds since 1970-01-01T00:00Z (amqp 1.6.17).
type Timestamp int64

// Time converts to a time in UTC.
func (t Timestamp) Time() time.Time { return time.UnixMilli(int64(t)).UTC() }

// UUID is a universally unique identifier in its network order (amqp 1.6.18).
type UUID [16]byte

// String is the usual form of five groups, in lower case.
func (u UUID) String() string {
	var b [36]byte
	hex.Encode(b[0:], u[0:4])
	hex.Encode(b[9:], u[4:6])
	hex.Encode(b[14:], u[6:8])
	hex.Encode(b[19:], u[8:10])
	hex.Encode(b[24:], u[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// ParseUUID reads the form that String writes; letters may be of either case.
func ParseUUID(s string) (UUID, bool) {
	var u UUID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return u, false
	}
	at := 0
	for _, group := range [5]string{s[0:8], s[9:13], s[14:18], s[19:23], s[24:36]} {
		n, err := hex.Decode(u[at:], []byte(group))
		if err != nil {
			return UUID{}, false
		}
		at += n
	}
	return u, true
}

// Decimals are carried as the bits that came (amqp 1.6.13 to 1.6.15).
type (
	Decimal32  [4]byte
	Decimal64  [8]byte
	Decimal128 [16]byte
)

// Described is a value with a descriptor that gives it a meaning (amqp 1.1.2).
type Described struct {
	Descriptor, Value any
}

// List is a sequence of values of any type (amqp 1.6.22).
type List []any

// Array is a sequence of values of one type (amqp 1.6.24).
type Array struct {
	// Constructor is that of the elements as received. Zero means: take the
	// type of the first element. It matters only for an array without any.
	Constructor byte
	// Descriptors are those of described elements, outermost first; nearly
	// always none or one. Values holds the elements without them.
	Descriptors []any
	Values      []any
}

// Optional is a value that may be absent.
type Optional[T any] struct {
	V  T
	OK bool
}

// Some is an Optional that is present.
func Some[T any](v T) Optional[T] { return Optional[T]{V: v, OK: true} }

// Or gives the value, or instead where it is absent.
func (o Optional[T]) Or(instead T) T {
	if o.OK {
		return o.V
	}
	return instead
}

// Descriptor names a described type by number or, rarer, by symbol.
type Descriptor struct {
	Code uint64
	Name []byte // the symbol's bytes where it is not a number, else nil
}

// String is for error messages.
func (d Descriptor) String() string {
	if d.Name != nil {
		return string(d.Name)
	}
	return "0x" + strconv.FormatUint(d.Code, 16)
}
