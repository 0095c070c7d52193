package wire

import "fmt"

// Error says why bytes are no value. Callers answer it with amqp:decode-error.
type Error struct {
	Op     string // what was being read: a type's name
	Offset int    // of the value's constructor in the bytes given
	Reason string
}

// Error names the type, the place and the reason.
func (e *Error) Error() string {
	return fmt.Sprintf("amqp: decode %s at byte %d: %s", e.Op, e.Offset, e.Reason)
}

const (
	reasonShort = "the bytes end before the value does"
	reasonSize  = "the size claimed does not fit its contents"
	reasonDepth = "nested deeper than the limit"
	reasonCount = "more elements than the limit"
)

func short(op string) error { return &Error{Op: op, Reason: reasonShort} }

// at moves an error's offset by the place its bytes had in the larger value.
func at(err error, offset int) error {
	if e, ok := err.(*Error); ok {
		e.Offset += offset
	}
	return err
}

// mismatch is the error for a constructor of another type than asked for.
func mismatch(op string, code byte) error {
	if name := codeNames[code]; name != "" {
		return &Error{Op: op, Reason: "found " + name}
	}
	return unknown(op, code)
}

func unknown(op string, code byte) error {
	return &Error{Op: op, Reason: fmt.Sprintf("unknown constructor 0x%02x", code)}
}
