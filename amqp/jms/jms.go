// Package jms is the JMS mapping of AMQP 1.0 as real clients speak it:
// capabilities, destination addresses, subscription names and the filters that
// carry selectors.
package jms

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/amqp/wire"
)

// Capabilities of termini and connections.
const (
	CapabilityQueue          wire.Symbol = "queue"
	CapabilityTopic          wire.Symbol = "topic"
	CapabilityTemporaryQueue wire.Symbol = "temporary-queue"
	CapabilityTemporaryTopic wire.Symbol = "temporary-topic"
	CapabilityShared         wire.Symbol = "shared"
	CapabilityGlobal         wire.Symbol = "global"
	SoleConnection           wire.Symbol = "sole-connection-for-container"
	AnonymousRelay           wire.Symbol = "ANONYMOUS-RELAY"
	SharedSubscriptions      wire.Symbol = "SHARED-SUBS"
	DelayedDelivery          wire.Symbol = "DELAYED_DELIVERY"
)

// Kind is what an address says of its destination's kind.
type Kind uint8

// Unknown kinds are decided by what exists.
const (
	Unknown Kind = iota
	Queue
	Topic
)

// KindOf reads the kind out of a terminus's capabilities.
func KindOf(capabilities []wire.Symbol) Kind {
	for _, c := range capabilities {
		switch c {
		case CapabilityQueue, CapabilityTemporaryQueue:
			return Queue
		case CapabilityTopic, CapabilityTemporaryTopic:
			return Topic
		}
	}
	return Unknown
}

// Temporary says whether a terminus asks for a JMS temporary destination, from
// which only its own connection consumes.
func Temporary(capabilities []wire.Symbol) bool {
	return slices.Contains(capabilities, CapabilityTemporaryQueue) || slices.Contains(capabilities, CapabilityTemporaryTopic)
}

var prefixes = []struct {
	text    string
	kind    Kind
	escaped bool // what follows is percent-encoded (rfc 3986), as RabbitMQ 4 has it
}{
	{"queue://", Queue, false},
	{"topic://", Topic, false},
	{"temp-queue://", Queue, false},
	{"temp-topic://", Topic, false},
	{"/queues/", Queue, true},
	{"/topics/", Topic, true},
	{"/queue/", Queue, false},
	{"/topic/", Topic, false},
}

// SplitAddress takes a prefix off an address that says what kind it is. Errors:
// what follows the prefix is not percent-encoded where it must be.
func SplitAddress(address string) (name string, kind Kind, err error) {
	for _, p := range prefixes {
		rest, ok := strings.CutPrefix(address, p.text)
		if !ok || rest == "" {
			continue
		}
		if p.escaped {
			if rest, err = url.PathUnescape(rest); err != nil {
				return address, p.kind, fmt.Errorf("%w: behind %s write %%25 for a percent sign", err, p.text)
			}
		}
		return rest, p.kind, nil
	}
	return address, Unknown, nil
}

// Readdress gives the address of a destination in the manner of another's address.
func Readdress(was, name string, kind Kind) string {
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(was, p.text); !ok || rest == "" {
			continue
		}
		if p.escaped {
			name = url.PathEscape(name)
		}
		prefix := strings.TrimPrefix(p.text, "temp-")
		if kind == Topic {
			return strings.Replace(prefix, "queue", "topic", 1) + name
		}
		return strings.Replace(prefix, "topic", "queue", 1) + name
	}
	return name
}

// Subscription is what a link's name and its source say of a subscription
// (reference 3.8).
type Subscription struct {
	Name    string
	Durable bool
	Shared  bool
	Global  bool
}

// SubscriptionOf reads a receiver's subscription; false: it has none, and the
// link is a plain topic consumer.
func SubscriptionOf(link string, capabilities []wire.Symbol, durable bool) (Subscription, bool) {
	s := Subscription{
		Durable: durable,
		Shared:  slices.Contains(capabilities, CapabilityShared),
		Global:  slices.Contains(capabilities, CapabilityGlobal),
	}
	if !s.Durable && !s.Shared {
		return s, false
	}
	s.Name, _, _ = strings.Cut(link, "|")
	return s, true
}

// Filters are what a source's filter map asks for.
type Filters struct {
	Selector string
	NoLocal  bool
	InForce  wire.Map // what is honoured, as it came: echo it
}

// selectorDescriptors and noLocalDescriptors are known by number and by symbol;
// the wrong ones are sent by some clients.
var (
	selectorDescriptors = []any{uint64(0x0000468C00000004), wire.Symbol("apache.org:selector-filter:string"), wire.Symbol("apache.org:jms-selector-filter:string")}
	noLocalDescriptors  = []any{uint64(0x0000468C00000003), wire.Symbol("apache.org:no-local-filter:list"), wire.Symbol("apache.org:jms-no-local-filter:list")}
	selectorKeys        = []string{"jms-selector", "selector", "selector-filter", "apache.org:selector-filter:string"}
)

// FiltersOf reads a filter map. Filters that are not known are left out of
// InForce (reference 4.3). bad names a selector whose value is no text.
func FiltersOf(m wire.Map) (f Filters, bad string) {
	for _, p := range m {
		key, _ := wire.Text(p.Key)
		value := p.Value
		known := slices.Contains(selectorKeys, key)
		noLocal := false
		if d, ok := described(p.Value); ok {
			value = d.Value
			known = slices.Contains(selectorDescriptors, d.Descriptor)
			noLocal = slices.Contains(noLocalDescriptors, d.Descriptor)
		}
		switch {
		case noLocal:
			f.NoLocal = true
		case known:
			text, ok := value.(string)
			if !ok {
				return f, key
			}
			f.Selector = text
		default:
			continue
		}
		f.InForce = append(f.InForce, p)
	}
	return f, ""
}

func described(v any) (wire.Described, bool) {
	switch d := v.(type) {
	case wire.Described:
		return d, true
	case *wire.Described:
		return *d, true
	}
	return wire.Described{}, false
}
