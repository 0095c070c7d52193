package core

// The kinds of Event.
const (
	EventDropped = "message dropped" // a settled send that could not be accepted
	EventExpired = "message expired"
	EventNotes   = "annotations of a message given back are too many: left out"
	// EventTransactionLate: a client's transaction was rolled back by its time-out.
	EventTransactionLate = "transaction timed out"
)
