package amqp10

import (
	"net/url"
	"strings"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/jms"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/interop"
)

// peer is what the other broker says of itself, and how it names destinations.
type peer struct {
	product, version string
	offered          []wire.Symbol
	idle             uint32 // its idle time-out, in ms
	maxFrame         uint32
	style            style
	// queuePrefix and topicPrefix stand before names, where the peer says so in its
	// open, as JMS clients of AMQP understand it.
	queuePrefix, topicPrefix string
}

// style is a manner of addresses.
type style uint8

const (
	byCapability style = iota // the name, and a capability says what it is
	byPath                    // RabbitMQ 4: /queues/NAME, /exchanges/EXCHANGE/KEY
	bare                      // Service Bus: the name alone
)

// rabbitExchange is where topics of a RabbitMQ are published.
const rabbitExchange = "amq.topic"

// meet reads a peer's open.
func meet(o *frame.Open, azure bool) peer {
	p := peer{offered: o.OfferedCapabilities, idle: o.IdleTimeOut, maxFrame: o.MaxFrameSize}
	for _, e := range o.Properties {
		key, _ := wire.Text(e.Key)
		value, ok := wire.Text(e.Value)
		if !ok {
			continue
		}
		switch key {
		case "product":
			p.product = value
		case "version":
			p.version = value
		case "queue-prefix":
			p.queuePrefix = value
		case "topic-prefix":
			p.topicPrefix = value
		}
	}
	switch {
	case azure:
		p.style = bare
	case strings.EqualFold(p.product, "RabbitMQ"):
		p.style = byPath
	}
	return p
}

// name is what an operator is told.
func (p *peer) name() string {
	if p.product == "" {
		return "the peer"
	}
	return strings.TrimSpace(p.product + " " + p.version)
}

// address is a destination's name outside, under the transport's prefix.
func (p *peer) address(d interop.Destination, prefix string, sending bool) string {
	name := prefix + d.Name
	switch {
	case p.style == byPath && d.Kind == interop.Queue:
		return "/queues/" + url.PathEscape(name)
	case p.style == byPath && sending:
		return "/exchanges/" + rabbitExchange + "/" + url.PathEscape(name)
	case d.Kind == interop.Queue:
		return p.queuePrefix + name
	}
	return p.topicPrefix + name
}

// capability says what a destination is.
func (p *peer) capability(d interop.Destination) []wire.Symbol {
	switch {
	case p.style != byCapability:
		return nil
	case d.Kind == interop.Topic:
		return []wire.Symbol{jms.CapabilityTopic}
	}
	return []wire.Symbol{jms.CapabilityQueue}
}
