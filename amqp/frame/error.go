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
	Reason    string    // or ""
	Err       error     // usually a *wire.Error, or nil
}

// Error names the type, the field and the reason.
func (e *DecodeError) Error() string {
	what := e.Type
	if what == "" {
		what = "performative"
	}
	if e.Field != "" {
		what += "." + e.Field
	}
	switch {
	case e.Err == nil:
		return fmt.Sprintf("amqp: %s: %s", what, e.Reason)
	case e.Reason == "":
		return fmt.Sprintf("amqp: %s: %v", what, e.Err)
	}
	return fmt.Sprintf("amqp: %s: %s: %v", what, e.Reason, e.Err)
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
