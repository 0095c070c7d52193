package auth

import "fmt"

// SyntaxError says which line of a file cannot be read and how to mend it.
type SyntaxError struct {
	Line   int // from 1
	Reason string
}

// Error names the line and the reason.
func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

func syntaxError(line int, format string, args ...any) error {
	return &SyntaxError{Line: line, Reason: fmt.Sprintf(format, args...)}
}
