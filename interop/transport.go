package interop

import (
	"context"
	"fmt"
	"log/slog"
	"sort"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/interop/translate"
)

// Destination is a queue or topic of this server's.
type Destination = core.Destination

// The kinds of Destination.
const (
	Queue = core.Queue
	Topic = core.Topic
)

// Factory makes the transports of one type.
type Factory struct {
	Type string // of transports.conf, as core/config resolves it: nats, natsjs, ...
	// Certified: the outside says what it has taken, and gives again what was not
	// confirmed to it: nothing is lost. Else (reliable, ems 9) what does not arrive is
	// lost, and counted.
	Certified bool
	// New makes a transport, without connecting. Errors say which setting is wrong, and
	// how to mend it.
	New func(s Settings) (Transport, error)
}

// Settings are what a transport is told.
type Settings struct {
	Name    string            // of its section in transports.conf
	Server  string            // this server's name
	Gateway string            // this server, as no other is called: stays with its data
	Keys    map[string]string // of its section, resolved: defaults are in it
	// Shared are parts of the process that transports use together, by name: the
	// embedded NATS server.
	Shared map[string]any
	Log    *slog.Logger
}

// Transport is the way to one outside system. One Runner calls it.
type Transport interface {
	// Open connects and logs in, within ctx. What the session has to say goes to sink
	// until Session.Close has returned.
	Open(ctx context.Context, sink Sink) (Session, error)
	// Close frees what outlives sessions.
	Close()
}

// Session is one connection to the outside. Send is called by one goroutine, and Imports
// and Exports by another at the same time; all other methods may be called from any.
type Session interface {
	// Imports brings in what comes for the destinations of all, and nothing else any
	// more; what several wildcards match comes once. It is called at the beginning and whenever
	// definitions change. An error ends the session; what concerns one destination alone
	// is a Note, and tried again by the session.
	Imports(ctx context.Context, all []Destination) error
	// Exports says what may be sent: names, maybe with wildcards, for transports that
	// have to prepare the outside for it (a JetStream stream's subjects, an exchange).
	Exports(ctx context.Context, all []Destination) error
	// Send sends in order. Each message is answered by Sink.Sent. It may return before,
	// and waits while too much is under way. It does not keep all itself; what the
	// messages hold must not change before they are answered. An error ends the session.
	Send(ctx context.Context, all []Outbound) error
	// Settle answers what Sink.Deliver brought.
	Settle(all []Settlement)
	// Reply gives an address outside; what is sent there comes by Sink.Deliver with the
	// token, until EndReply. It is the same for the same token.
	Reply(ctx context.Context, token string) (string, error)
	EndReply(token string)
	// Close ends the session: what was not settled comes again in another one. When it
	// returns the sink is not called any more. It must not wait for the outside longer
	// than about a second.
	Close()
}

// Sink is where a session reports to. The methods may be called from any goroutine.
type Sink interface {
	// Sent answers messages of Send.
	Sent(all []Sent)
	// Deliver brings messages in, of each import in the order in which they came. It
	// keeps all's elements (not the slice), and may wait: a session must go on to hear
	// the outside's heartbeats meanwhile. A certified session has no more than its
	// setting prefetch says unsettled.
	Deliver(all []Inbound)
	// Lost counts n messages that a reliable transport lost; exported says which way.
	Lost(n int, exported bool, why error)
	// Failed says that the session is over. It is closed, and another one opened.
	Failed(err error)
	// Note tells an operator something once: what the peer cannot do, what was created.
	Note(text string)
}

// Outbound is a message on its way out.
type Outbound struct {
	Tag     uint64
	To      Destination      // here
	Message *message.Message // as it lies here; see Fields
	// ID is this message's alone, and the same when it is sent again; "" for a reliable
	// transport, which sends nothing again.
	ID string
	// Again: the outside may have it already.
	Again   bool
	Expires int64  // ms since 1970; 0 never
	ReplyTo string // the outside address for replies to a temporary destination; "" none
	// Origin is what is to go with it (HeaderOrigin), so that loops are seen.
	Origin string
}

// Sent answers an Outbound. The outside has it, or refuses it for good: Refused says
// why, in words for an operator. A message that could be sent later ends the session
// instead (Sink.Failed), so that order is kept.
type Sent struct {
	Tag     uint64
	Refused error
}

// Inbound is a message that came in: as Fields, or as a Message of AMQP 1.0 whose bytes
// are to stay as they are.
type Inbound struct {
	Tag    uint64
	To     Destination        // here
	Token  string             // it came to Session.Reply's address of this token; To is of no account
	Fields *translate.Message // nil: Message
	// Message is as it came from an AMQP peer.
	Message *message.Message
	// Err: it cannot be read; Raw is its body, for the undelivered queue.
	Err error
	Raw []byte

	Origin string // as it came (HeaderOrigin)
	// Source and Sequence name it for good, if the outside does: a message that comes
	// again has them again (JMS_TIBCO_CM_PUBLISHER, JMS_TIBCO_CM_SEQUENCE).
	Source   string
	Sequence uint64
	// Again: the outside says that it may have come before.
	Again bool
}

// Outcome is what became of an Inbound.
type Outcome uint8

// The outcomes.
const (
	Taken   Outcome = iota + 1 // it is here, as durably as it asks for: confirm it
	Again                      // give it back: it comes again
	Refused                    // it can never be taken, and is dropped: confirm it
)

// Settlement answers an Inbound.
type Settlement struct {
	Tag     uint64
	Outcome Outcome
}

// Get gives a setting, or what it is otherwise.
func (s *Settings) Get(key, otherwise string) string {
	if v, ok := s.Keys[key]; ok && v != "" {
		return v
	}
	return otherwise
}

// Bool reads a setting that is true or false, in EMS's words for it. An error says how to
// mend it.
func (s *Settings) Bool(key string, otherwise bool) (bool, error) {
	switch v := strings.ToLower(s.Get(key, "")); v {
	case "":
		return otherwise, nil
	case "true", "enabled", "enable", "yes", "on", "1":
		return true, nil
	case "false", "disabled", "disable", "no", "off", "0":
		return false, nil
	default:
		return false, fmt.Errorf("%s = %s: write true or false", key, v)
	}
}

// Int reads a setting that is a number. An error says how to mend it.
func (s *Settings) Int(key string, otherwise, least, most int) (int, error) {
	v := s.Get(key, "")
	if v == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%s=%s: write a number from %d to %d", key, v, least, most)
	}
	return n, nil
}

// Factories are those known, by type.
type Factories map[string]Factory

// Make makes a transport.
func (f Factories) Make(kind string, s Settings) (Transport, Factory, error) {
	made, ok := f[kind]
	if !ok {
		var known []string
		for k := range f {
			known = append(known, k)
		}
		sort.Strings(known)
		return nil, Factory{}, fmt.Errorf("there are no transports of type %s: write one of %v", kind, known)
	}
	t, err := made.New(s)
	return t, made, err
}
