// Package command reads the command language of EMS's administration tool (ems
// 10.2): one command a line, words, quotes, key=value options. What a command
// looks like is said once, by its usage line; from it come the parser, the help
// and the completion. It is pure.
//
// A usage line is made of
//
//	show stat          words of the command, in small letters
//	NAME               an argument
//	{queue|topic}      one of these words
//	host=HOST          an option
//	type=q|t|s         an option with one of these values
//	PROPERTIES...      the rest of the line, as it stands
//	[...]              any of them, optional
//	[full] [on|off]    a word that may stand there, or one of several
//
// An argument or option whose placeholder is N or SECONDS is a whole number.
package command

import "fmt"

// MaxLine is the longest command in bytes.
const MaxLine = 64 << 10

// Error says why a line is no command, and what to write. It is a fault of
// syntax: a script ends with it even under -ignore (ems 10.1).
type Error struct {
	Reason string
	Usage  string // of the command that was meant; "" where none can be told
}

func (e *Error) Error() string {
	if e.Usage == "" {
		return e.Reason
	}
	return e.Reason + "\nUsage: " + e.Usage
}

func fault(usage, format string, args ...any) *Error {
	return &Error{Reason: fmt.Sprintf(format, args...), Usage: usage}
}
