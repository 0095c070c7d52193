package core

// The kinds of Event.
const (
	EventDropped        = "message dropped" // a settled send that could not be accepted
	EventTraced         = "message traced"
	EventExpired        = "message expired"
	EventDiscarded      = "message discarded" // a limit
	EventMaxRedelivery  = "message delivered too often"
	EventFlowEngaged    = "flow control engaged"
	EventFlowDisengaged = "flow control disengaged"
	EventNotes          = "annotations of a message given back are too many: left out"
	// EventTransactionLate: a client's transaction was rolled back by its time-out.
	EventTransactionLate = "transaction timed out"
	// Of transports (ems 9); Name is the transport's.
	EventTransportConnected    = "transport connected"
	EventTransportDisconnected = "transport disconnected"
	EventTransportSuspended    = "transport suspended"
	EventTransportResumed      = "transport resumed"
	EventTransportLost         = "transport lost messages"     // a reliable one
	EventTransportLoop         = "transport stopped a loop"    // a message that would go round
	EventTransportRefused      = "transport refused a message" // on_error
)
