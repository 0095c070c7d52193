// Package core is the broker: destinations, queues, subscriptions, deliveries,
// dispatch, redelivery, expiry, transactions and recovery, as one
// deterministic state machine. It has no goroutine, clock, lock or I/O: time
// is an argument, records and outs are answers, and the caller (core/server)
// serialises all calls.
package core

import "github.com/tidegate/tidegate/core/message"

// Identifiers are given by the broker and never reused within a process.
// Zero means none.
type (
	ConnID     uint64
	ProducerID uint64
	ConsumerID uint64
	DeliveryID uint64
	TxnID      uint64
	QueueID    uint64 // also the ring key of a subscription's queue; survives restarts
)

// Pos is the position of a record in the journal: 1, 2, 3, ... across restarts.
type Pos uint64

// Need is what an out or a record waits for.
type Need uint8

// Ride: nothing of its own; Write: given to the operating system; Sync: flushed.
const (
	Ride Need = iota
	Write
	Sync
)

// DestinationKind separates the two name spaces of EMS.
type DestinationKind uint8

// The kinds of destination.
const (
	Queue DestinationKind = iota + 1
	Topic
)

// Destination names a queue or a topic. Temporary ones live in `$TMP$.`.
type Destination struct {
	Kind      DestinationKind
	Name      string
	Temporary bool
}

// ConnectOptions describe one client connection.
type ConnectOptions struct {
	ClientID string // container-id; the JMS client id
	User     string
	// Stranger says that nothing has shown that User is the one who connects: with
	// authorization such a connection has no rights.
	Stranger bool
	// Own: the server itself uses the connection, for what it was configured to do. It
	// needs no right, may bring into being what it uses, and may use the server's queues.
	Own  bool
	Peer Peer // for operators
	// Sole asks that no other connection has the ClientID; it holds against those
	// that did not ask as well. Who is connected decides: one that is Sole stays,
	// and the newcomer is refused with Conflict, unless it said Yield. Where only
	// the newcomer is Sole it decides, by its own Yield.
	Sole bool
	// Yield closes the connections that are there instead of refusing the newcomer:
	// each gets OutConnectionGone, and Connect answers Evicting until all are gone.
	Yield bool
	// Room is the number of bytes that may be dispatched to the connection and
	// not yet written; one message always may. 0 takes the default, 256 KiB.
	Room int64
}

// ProducerOptions describe one producer.
type ProducerOptions struct {
	Destination Destination // zero for the anonymous producer: PublishTo
	// NoReject: the client cannot be told that a send is refused. The producer is
	// closed instead (OutProducerGone).
	NoReject bool
}

// SubscriptionOptions make a topic consumer part of a named subscription.
type SubscriptionOptions struct {
	Name    string
	Durable bool
	Shared  bool
	Global  bool // not scoped by client id
}

// ConsumerOptions describe one consumer.
type ConsumerOptions struct {
	Destination  Destination // a topic's name may have wildcards
	Selector     string      // JMS selector; "" none
	NoLocal      bool
	Browse       bool // copies, never consumes
	Settled      bool // at most once: removed when begun on the wire
	Subscription *SubscriptionOptions
}

// Send says how one message is published.
type Send struct {
	Tag     uint64 // given back in OutSettled
	Settled bool   // the producer wants no answer
	Check   Check  // what an answer means if the message is not persistent
	Reserve bool   // it goes through while storage is full: an administrator's answer
	Txn     TxnID
	// After and Need are a record that the message, which is not stored, and the
	// answer wait for besides: the message tells of what the record says.
	After Pos
	Need  Need
}

// OutcomeKind is what a consumer says of a delivery.
type OutcomeKind uint8

// Outcomes (amqp 3.4). Modified's two flags stand beside it.
const (
	Accepted OutcomeKind = iota + 1
	Rejected
	Released
	Modified
)

// Outcome is a consumer's verdict.
type Outcome struct {
	Kind              OutcomeKind
	DeliveryFailed    bool
	UndeliverableHere bool
	Notes             []byte // with Modified: the message's notes from now on; nil: as they are
}

// OutKind says what an Out is.
type OutKind uint8

// The kinds of Out.
const (
	// OutDeliver: send message Message to Consumer as Delivery.
	OutDeliver OutKind = iota + 1
	// OutSettled: the send Tag of Producer is accepted (Err nil) or refused.
	OutSettled
	// OutAllow: Producer may have Limit messages of credit at a time (0: none
	// for now).
	OutAllow
	// OutDrained: Consumer's drain is answered; Limit is its delivery-count.
	OutDrained
	// OutConfirmed: the settlement of Delivery that asked for confirmation is
	// durable.
	OutConfirmed
	// OutDischarged: the discharge Tag of Txn is done (Err nil) or refused.
	OutDischarged
	// OutConsumerGone, OutProducerGone: the broker detached it (destination
	// deleted, ...); Err says why.
	OutConsumerGone
	OutProducerGone
	// OutConnectionGone: the broker evicts the connection; Err says why.
	OutConnectionGone
	// OutProbe: another asks for the connection's client id: see whether its client
	// is still there.
	OutProbe
	// OutEdge is the edge's own: the broker never makes one. Ref is passed
	// through, in order with the connection's other outs.
	OutEdge
)

// Out is one thing that leaves for a connection, not before the record it names
// is as durable as Need says. An out also waits for the outs before it on its
// own link; one with Barrier for all before it on its connection.
type Out struct {
	Kind       OutKind
	Need       Need
	Barrier    bool
	Settled    bool   // OutDeliver: pre-settled
	First      bool   // OutDeliver: first-acquirer
	Overridden bool   // OutDeliver: Expires goes before what the content says
	Reason     Reason // OutDeliver: why it was not delivered before: it is in UndeliveredQueue
	After      Pos
	Conn       ConnID
	Consumer   ConsumerID
	Producer   ProducerID
	Delivery   DeliveryID
	Txn        TxnID  // OutSettled, OutDischarged; OutDeliver: acquired within
	Message    uint64 // id; bit 63: not stored
	Tag        uint64
	Expires    int64 // OutDeliver: ms since 1970, 0 never
	Size       int64 // OutDeliver
	Limit      uint32
	Count      uint32 // OutDeliver: the header's delivery-count
	Err        error
	To         *Destination // OutDeliver: where it went by a bridge, whatever its content says; nil: it came by none
	Ref        any          // OutDeliver: the message's notes, as []byte; nil: there are none
}

// Held is a message that is not stored, for core/server to keep.
type Held struct {
	ID      uint64
	Content message.Content
}

// Effects are what a step answers. The caller owns it and reuses it: after each
// step it takes what is inside and calls Reset.
type Effects struct {
	Records  []Record // in order; the first has position Broker.Next() as it was before the step
	Outs     []Out
	Holds    []Held
	Released []uint64 // ids nobody holds any more
	// ReleasedAfter is the position whose sync ends the released ids' life
	// (0: at once).
	ReleasedAfter Pos
	Needs         []uint64 // ids whose bytes are wanted in memory: Loaded answers
	More          bool     // a scan is not finished: Continue answers
	Events        []Event
}

// Reset empties fx and keeps its memory.
func (fx *Effects) Reset() {
	clear(fx.Outs) // drop references
	clear(fx.Holds)
	clear(fx.Records)
	fx.Records, fx.Outs, fx.Holds = fx.Records[:0], fx.Outs[:0], fx.Holds[:0]
	fx.Released, fx.Needs, fx.Events = fx.Released[:0], fx.Needs[:0], fx.Events[:0]
	fx.ReleasedAfter, fx.More = 0, false
}

// Event is something a log line or a monitor topic may tell.
type Event struct {
	Kind    string // one of the Event constants
	Name    string // destination, client id, ...
	Message uint64 // id, where it is about one
	Trace   *Trace // EventTraced
	Err     error
}
