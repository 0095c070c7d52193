package translate

import (
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

// Build makes a message of ours. b is room that may be used again, nil for none; it
// holds references into m until then. Reading what was built gives m again. A value
// of a Go type that wire.AppendValue does not know panics: Read and In give none.
func (m *Message) Build(b *message.Builder) *message.Message {
	return m.fill(b).Message()
}

// Append appends the message as AMQP encodes it to dst.
func (m *Message) Append(dst []byte, b *message.Builder) []byte {
	return m.fill(b).Append(dst)
}

func (m *Message) fill(b *message.Builder) *message.Builder {
	if b == nil {
		b = &message.Builder{}
	}
	annotations, properties := b.Annotations[:0], b.ApplicationProperties[:0]
	*b = message.Builder{Header: message.Header{Durable: m.Persistent, Priority: m.Priority, DeliveryCount: m.DeliveryCount}}
	if m.TTL > 0 && m.Expiration == 0 {
		b.Header.TTL = wire.Some(m.TTL)
	}
	annotations = append(annotations, wire.Entry{Key: kindKey, Value: int8(m.Kind)})
	if m.Destination.Kind != Unknown && m.Destination.Name != "" {
		annotations = append(annotations, wire.Entry{Key: destinationKey, Value: int8(m.Destination.Kind - 1)})
	}
	if m.ReplyTo.Kind != Unknown && m.ReplyTo.Name != "" {
		annotations = append(annotations, wire.Entry{Key: replyKey, Value: int8(m.ReplyTo.Kind - 1)})
	}
	if m.DeliveryTime != 0 {
		annotations = append(annotations, wire.Entry{Key: deliveryTimeKey, Value: m.DeliveryTime})
	}
	b.Annotations = append(annotations, m.Annotations...)
	b.Properties = message.Properties{
		MessageID: m.MessageID, CorrelationID: m.CorrelationID, UserID: m.UserID,
		To: m.Destination.Name, Subject: m.Type, ReplyTo: m.ReplyTo.Name,
		ContentType: wire.Symbol(m.ContentType), ContentEncoding: wire.Symbol(m.ContentEncoding),
		AbsoluteExpiryTime: timestamp(m.Expiration), CreationTime: timestamp(m.Timestamp),
		GroupID: m.GroupID, GroupSequence: m.GroupSequence, ReplyToGroupID: m.ReplyToGroupID,
	}
	for i := range m.Properties {
		properties = append(properties, wire.Entry{Key: m.Properties[i].Name, Value: m.Properties[i].Value})
	}
	b.ApplicationProperties = properties
	m.fillBody(b)
	return b
}

// Keys as they are needed by each message, made once.
var (
	kindKey         any = wire.Symbol(message.KindAnnotation)
	destinationKey  any = wire.Symbol(destinationType)
	replyKey        any = wire.Symbol(replyType)
	deliveryTimeKey any = wire.Symbol(message.DeliveryTimeAnnotation)
)

func (m *Message) fillBody(b *message.Builder) {
	switch m.Body.Form {
	case Text:
		b.SetValue(m.Body.Text)
	case Null:
		b.SetValue(nil)
	case Bytes:
		b.SetData(m.Body.Bytes)
	case Fields:
		b.SetValue(append(wire.Map{}, m.Body.Map...)) // nil would be null
	case Items:
		b.SetSequence(m.Body.List)
	case Foreign:
		b.SetValue(m.Body.Value)
	}
}

func timestamp(ms int64) (t wire.Optional[wire.Timestamp]) {
	if ms != 0 {
		t = wire.Some(wire.Timestamp(ms))
	}
	return t
}
