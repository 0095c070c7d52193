package engine

import (
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

// EventKind says what an Event is.
type EventKind uint8

// The kinds of Event. Where an answer is due, it is named.
const (
	// EventOpen: the peer's open came. A server answers Conn.Open or Refuse.
	EventOpen EventKind = iota + 1
	// EventBegin: a session began; already answered.
	EventBegin
	// EventAttach: the peer attached a link, or answered ours. For theirs:
	// Link.Accept or Link.Refuse.
	EventAttach
	// EventFlow: the receiver at a sending link said its credit.
	EventFlow
	// EventDelivery: a whole delivery came, or the end of a Large one whose bytes
	// came before, as pieces.
	EventDelivery
	// EventSettle: the peer's disposition for deliveries of one link that we sent.
	EventSettle
	// EventOutcome: the peer's disposition for deliveries First to Last that we
	// sent as a client, or that we received; State and Settled as they came.
	EventOutcome
	// EventDetach: a link ended; Local where we did it for a fault (then no
	// answer is due), else Link.Detach answers.
	EventDetach
	// EventEnd: a session ended, with all its links; Session.End answers, unless
	// it is Local.
	EventEnd
	// EventClose: the connection ended; Conn.Close answers, unless it is Local.
	EventClose
	// EventPiece: the next bytes of a delivery that is larger than Config.Large.
	// Session.Written answers, once they need no memory any more. EventDelivery,
	// EventAborted, or the end of its link, session or connection is the end.
	EventPiece
	// EventAborted: the peer gave up a delivery in the middle; it is settled.
	EventAborted
)

// Event is what the peer did. Slices and the Payload alias the read buffer,
// which is never written to again; the rest is valid until the next Input.
type Event struct {
	Kind       EventKind
	Local      bool
	Settled    bool
	Drain      bool
	Closed     bool
	Second     bool   // EventDelivery: the receiver settles second
	Large      bool   // EventDelivery, EventAborted: it was told in pieces
	Format     uint32 // EventDelivery: message-format
	ID         uint32 // delivery-id; EventOutcome: the first
	Last       uint32 // EventOutcome
	Limit      uint32 // EventFlow: delivery-count + link-credit
	Frames     uint32 // EventPiece: transfers that Written has to answer
	Sent       []Sent // EventSettle: the deliveries, in order; EventDetach: the last that went out whole
	Session    *Session
	Link       *Link
	Tag        []byte
	State      frame.DeliveryState
	Payload    []byte   // EventDelivery, EventPiece: the first frame's
	Rest       [][]byte // and those of the others
	Size       int64    // of the delivery; EventPiece: as far as it came
	Open       *frame.Open
	Attach     *frame.Attach
	Error      *frame.Error
	Properties wire.Map // EventFlow: of the flow
}

// Sent names a delivery that we sent.
type Sent struct {
	Ref uint64 // as given to Send
	ID  uint32 // delivery-id
}
