package frame

import (
	"errors"
	"fmt"

	"github.com/tidegate/tidegate/amqp/wire"
)

// DecodeError says why bytes are not the type that was to be read.
type DecodeError struct {
	Type      string    // name of the composite type, or "" where none was known
	Field     string    // name of the field, or "" for the type as a whole
	Condition Condition // what to tell the peer
	Reason    string    // where Err is nil
	Err       error     // a *wire.Error, a *DecodeError of a type inside, or nil
}

// Error names the type, the field and the reason.
func (e *DecodeError) Error() string { return "amqp: " + e.text() }

// text is the error without the prefix, so that errors inside each other read
// as one sentence.
func (e *DecodeError) text() string {
	what := e.Type
	if what == "" {
		what = "performative"
	}
	if e.Field != "" {
		what += "." + e.Field
	}
	switch inner := e.Err.(type) {
	case nil:
		return what + ": " + e.Reason
	case *DecodeError:
		return what + ": " + inner.text()
	case *wire.Error:
		return fmt.Sprintf("%s: %s at byte %d: %s", what, inner.Op, inner.Offset, inner.Reason)
	}
	return fmt.Sprintf("%s: %v", what, e.Err)
}

// Unwrap gives the error of the encoding.
func (e *DecodeError) Unwrap() error { return e.Err }

// ConditionOf gives the condition that an error of this package or of package
// wire stands for; others are internal errors.
func ConditionOf(err error) Condition {
	var d *DecodeError
	if errors.As(err, &d) {
		return d.Condition
	}
	var h *HeaderError
	if errors.As(err, &h) {
		return ConditionFramingError
	}
	var w *wire.Error
	if errors.As(err, &w) {
		return ConditionDecodeError
	}
	return ConditionInternalError
}
