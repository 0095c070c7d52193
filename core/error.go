package core

// ErrorKind is what crosses a border: AMQP condition, HTTP status, exit code.
type ErrorKind uint8

// The kinds of error.
const (
	NotFound ErrorKind = iota + 1
	Exists
	Denied
	Invalid
	Limit
	Conflict
	UnknownTransaction
	RolledBack
	Unavailable
	Deleted
	Internal
	TimedOut
	Evicting // others are on their way out: try again when one is gone
)

var errorKinds = [...]string{
	NotFound: "not found", Exists: "exists already", Denied: "not permitted", Invalid: "invalid",
	Limit: "limit reached", Conflict: "in use", UnknownTransaction: "unknown transaction",
	RolledBack: "rolled back", Unavailable: "unavailable", Deleted: "deleted", Internal: "internal error",
	TimedOut: "timed out",
	Evicting: "others are being closed",
}

func (k ErrorKind) String() string {
	if int(k) < len(errorKinds) && errorKinds[k] != "" {
		return errorKinds[k]
	}
	return "error"
}

// Error says which operation failed, on what, and how.
type Error struct {
	Op   string
	Kind ErrorKind
	Name string
	Err  error // more words; may be nil
}

func (e *Error) Error() string {
	s := e.Op
	if e.Name != "" {
		s += " " + e.Name
	}
	s += ": " + e.Kind.String()
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }
