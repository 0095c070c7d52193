package core

import (
	"time"

	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/property"
)

// AnonymousSender stands in JMS_TIBCO_SENDER for a client that gave no name (ems 2.3
// sender_name).
const AnonymousSender = "anonymous"

// stamp gives a message what its destination's policy says of it: an expiration in
// place of the producer's, and its sender's name. From here on that is the message.
func (b *Broker) stamp(now time.Time, p *producer, pol *property.Policy, m *message.Envelope) {
	expireBy(now, pol, m)
	if senderWanted(pol, m) {
		nameSender(p, m)
	}
}

func expireBy(now time.Time, pol *property.Policy, m *message.Envelope) {
	if !pol.ExpirationSet {
		return
	}
	m.Expires = 0
	if pol.Expiration > 0 {
		m.Expires = millis(now) + pol.Expiration
	}
	m.Overridden = true
}

func senderWanted(pol *property.Policy, m *message.Envelope) bool {
	return pol.SenderName && (pol.SenderNameEnforced || m.Marks&message.DisableSender == 0)
}

func nameSender(p *producer, m *message.Envelope) {
	if c, ok := m.Content.(message.Patchable); ok {
		m.Content = c.With(message.Patch{Sender: senderName(p.conn.user)})
	}
}

func senderName(user string) string {
	if user == "" {
		return AnonymousSender
	}
	return user
}

// Sender is the name that messages of a producer to d are to carry as
// JMS_TIBCO_SENDER, for contents that cannot be changed at publish; "" none. opted:
// the message asks for none.
func (b *Broker) Sender(id ProducerID, d Destination, opted bool) string {
	p := b.producers.get(uint64(id))
	if p == nil {
		return ""
	}
	if d.Name == "" {
		if d = p.dest; d.Name == "" {
			return ""
		}
	}
	m := message.Envelope{}
	if opted {
		m.Marks = message.DisableSender
	}
	wanted := senderWanted(b.defined.tree(d.Kind).Policy(d.Name), &m)
	for _, o := range b.outlets(d) {
		wanted = wanted || senderWanted(b.defined.tree(o.to.Kind).Policy(o.to.Name), &m)
	}
	if !wanted {
		return ""
	}
	return senderName(p.conn.user)
}

// flagsOf is what a message's places keep of it.
func flagsOf(m *message.Envelope) (f uint8) {
	if m.Marks&message.PreserveUndelivered != 0 {
		f |= PlacePreserve
	}
	if m.Marks&message.Trace != 0 {
		f |= PlaceTrace
	}
	if m.Marks&message.TraceBody != 0 {
		f |= PlaceTraceBody
	}
	if m.Overridden {
		f |= PlaceExpiry
	}
	return f
}
