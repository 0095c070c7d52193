package message

import "fmt"

// Error says why bytes are no message; it stands for amqp:decode-error.
type Error struct {
	Section string // its name, or "" where none began
	Offset  int    // of the section, in bytes from the message's start
	Reason  string // or ""
	Err     error  // usually a *wire.Error, or nil
}

// Error names the section, its place and the reason.
func (e *Error) Error() string {
	what := "message"
	if e.Section != "" {
		what = e.Section + " section"
	}
	if e.Err != nil && e.Reason != "" {
		return fmt.Sprintf("amqp: %s at byte %d %s: %v", what, e.Offset, e.Reason, e.Err)
	}
	if e.Err != nil {
		return fmt.Sprintf("amqp: %s at byte %d: %v", what, e.Offset, e.Err)
	}
	return fmt.Sprintf("amqp: %s at byte %d: %s", what, e.Offset, e.Reason)
}

// Unwrap gives the error of the encoding.
func (e *Error) Unwrap() error { return e.Err }
