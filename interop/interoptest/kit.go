package interoptest

import (
	"context"
	"testing"
	"time"

	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/translate"
)

// Patience is how long a case waits for what must come. It is generous: a slow machine
// must not fail a test that would have passed.
const Patience = 30 * time.Second

// Kit is a type of transport under test.
type Kit struct {
	Factory interop.Factory
	// Open gives a running peer. It may be one for all cases: each has destinations and a
	// transport name of its own.
	Open func(t testing.TB) Peer
	// Keys are settings of every transport of the suite.
	Keys map[string]string

	Encodings []translate.Encoding // that the peer's messages may have
	// Queues: queues may be exported. Wildcards: imports may have them.
	Queues, Wildcards bool
	// RepliesMove: an address for replies lasts as long as its session, and the next
	// request has another one.
	RepliesMove bool
	// TTL: the peer drops what has expired.
	TTL bool
	// Once: copies are known as such on both sides, so that nothing is there twice.
	Once bool
	// TooLarge is a body that the peer refuses, in bytes; 0: there is none.
	TooLarge int
	// ReplyName gives the outside address of a destination of ours, as it goes out with
	// a message that wants its replies there.
	ReplyName func(d interop.Destination) string
	// Garbage publishes a message that cannot be read; nil: everything can be.
	Garbage func(t testing.TB, p Peer, to interop.Destination)
	// Wrong are settings that must fail, and what their error must say.
	Wrong func(t testing.TB, p Peer) []Wrong
}

// Wrong is a way not to connect.
type Wrong struct {
	Name string
	Keys map[string]string // in place of those of the peer
	Says string
}

// Peer is an outside system. Its methods use the system's own client, not the transport.
type Peer interface {
	// Keys are the settings that lead a transport to it; Shared goes to
	// interop.Options.
	Keys() map[string]string
	Shared() map[string]any
	// Publish sends a message to where imports of to listen, and waits until the peer
	// has it.
	Publish(t testing.TB, to interop.Destination, m *Mail)
	// PublishAll is Publish for many, in order.
	PublishAll(t testing.TB, to interop.Destination, all []*Mail)
	// Listen hears what goes out from a destination of ours. A transport that exports it
	// is connected.
	Listen(t testing.TB, from interop.Destination) Mailbox
	// Answer sends to an outside address: what a message that was heard has as ReplyTo.
	Answer(t testing.TB, address string, m *Mail)
}

// Cutter is a Peer that can break the connections of all transports, and live on.
type Cutter interface {
	Cut(t testing.TB)
}

// Mortal is a Peer that can be killed, and started again with what it had stored.
type Mortal interface {
	Kill(t testing.TB)
	Start(t testing.TB)
}

// Witness is a Peer that knows how many messages for an import are not confirmed.
type Witness interface {
	Unconfirmed(t testing.TB, to interop.Destination) int
}

// Mail is a message as the peer has it.
type Mail struct {
	Encoding translate.Encoding
	Fields   translate.Message
	Body     []byte // of what was heard, as it came
	ReplyTo  string // outside address
	Origin   string
	ID       string // of what was heard: the same in each copy
}

// Mailbox is where the peer's messages arrive, in order.
type Mailbox interface {
	// Next confirms the message that it gives.
	Next(ctx context.Context) (*Mail, error)
}
