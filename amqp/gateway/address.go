package gateway

import (
	"errors"
	"strings"

	"github.com/tidegate/tidegate/amqp/jms"
	amqpmessage "github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

// exchanges begins RabbitMQ's addresses of what is not here.
const exchanges = "/exchanges/"

// resolve says which destination an address means (reference 4.3): a temporary
// one by its name, else what capabilities say, else a prefix, else an existing
// queue, an existing topic, and at last a queue. A prefix that says otherwise than
// the capabilities is part of the name.
func resolve(b *core.Broker, address string, capabilities []wire.Symbol) (core.Destination, error) {
	if address == "" {
		return core.Destination{}, &core.Error{Op: "attach", Kind: core.Invalid, Err: errors.New("the address is missing")}
	}
	name, prefixed, err := jms.SplitAddress(address)
	if strings.HasPrefix(name, core.TemporaryPrefix) {
		return temporary(b, name)
	}
	kind := jms.KindOf(capabilities)
	switch {
	case kind == jms.Unknown && strings.HasPrefix(address, exchanges):
		return core.Destination{}, &core.Error{Op: "attach to", Kind: core.NotFound, Name: address, Err: errors.New("there are no exchanges here: write /topics/NAME or /queues/NAME")}
	case kind == jms.Unknown || kind == prefixed:
		if kind = prefixed; err != nil {
			return core.Destination{}, &core.Error{Op: "attach to", Kind: core.Invalid, Name: address, Err: err}
		}
	default:
		name = address
	}
	d := core.Destination{Kind: core.Queue, Name: name}
	switch kind {
	case jms.Topic:
		d.Kind = core.Topic
	case jms.Queue:
	case jms.Unknown:
		if t := (core.Destination{Kind: core.Topic, Name: name}); !b.Exists(d) && b.Exists(t) {
			return t, nil
		}
	}
	return d, nil
}

// temporary finds a temporary destination, which is what its name says whoever
// asks for it by whatever capability.
func temporary(b *core.Broker, name string) (core.Destination, error) {
	for _, kind := range []core.DestinationKind{core.Queue, core.Topic} {
		if d := (core.Destination{Kind: kind, Name: name, Temporary: true}); b.Exists(d) {
			return d, nil
		}
	}
	return core.Destination{}, &core.Error{Op: "attach to", Kind: core.NotFound, Name: name}
}

func jmsKind(d core.Destination) jms.Kind {
	if d.Kind == core.Topic {
		return jms.Topic
	}
	return jms.Queue
}

// Annotations by which JMS clients know kinds of destination (reference 3.2).
const (
	destinationType = "x-opt-jms-dest"
	replyType       = "x-opt-jms-reply-to"
	oldReplyType    = "x-opt-reply-type"
)

// annotatedKind is their number for a destination.
func annotatedKind(d core.Destination) (kind int8) {
	if d.Kind == core.Topic {
		kind = 1
	}
	if d.Temporary {
		kind += 2
	}
	return kind
}

// needsReplyType says whether a message's reply-to has no kind: a JMS client takes
// it for that of the destination it receives from, and answers a temporary queue's
// request that came by a topic on a topic.
func needsReplyType(m *amqpmessage.Message) bool {
	return m.Replies() && !m.HasAnnotation(replyType) && !m.HasAnnotation(oldReplyType)
}

// nameReply adds the kind to a message's reply-to, as the address says it today.
// Of what cannot be reached nothing is said.
func (c *conn) nameReply(b *core.Broker, s *send) {
	d, err := resolve(b, s.m.ReplyTo(), nil)
	if err != nil {
		return
	}
	with, err := s.m.WithAnnotations(wire.Map{{Key: wire.Symbol(replyType), Value: annotatedKind(d)}})
	if err != nil {
		c.log.Error("a message cannot be annotated", "err", err) // it was indexed: this is ours
		return
	}
	s.m, s.env.Content = with, with
}
