package translate

import (
	"strings"
	"unicode/utf8"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

// Annotations of JMS clients (reference 3.2); the old ones are of their predecessors.
const (
	destinationType    = "x-opt-jms-dest"
	replyType          = "x-opt-jms-reply-to"
	oldDestinationType = "x-opt-to-type"
	oldReplyType       = "x-opt-reply-type"
)

// Read takes a message apart. Binaries of into alias the message. An error says that
// the body cannot be decoded; of what a message is apart from it nothing can be wrong,
// because it was indexed.
func Read(m *message.Message, into *Message) error {
	into.reset()
	into.Kind = m.Kind()
	h := m.Header()
	into.Persistent, into.Priority, into.DeliveryCount = h.Durable, h.Priority, h.DeliveryCount
	p := m.Properties()
	into.MessageID, into.CorrelationID = p.MessageID, p.CorrelationID
	if into.CorrelationID == "" {
		into.CorrelationID = nil
	}
	into.Type, into.UserID = p.Subject, p.UserID
	into.ContentType, into.ContentEncoding = string(p.ContentType), string(p.ContentEncoding)
	into.Timestamp, into.Expiration = int64(p.CreationTime.V), int64(p.AbsoluteExpiryTime.V)
	if into.Expiration == 0 {
		into.TTL = h.TTL.V
	}
	into.GroupID, into.GroupSequence, into.ReplyToGroupID = p.GroupID, p.GroupSequence, p.ReplyToGroupID
	into.Destination.Name, into.ReplyTo.Name = p.To, p.ReplyTo
	for name, v := range m.Annotations() {
		into.annotate(name, v)
	}
	for name, v := range m.ApplicationProperties() {
		into.Properties = append(into.Properties, Property{name, canonical(v)})
	}
	return into.readBody(m)
}

// annotate takes over what an annotation says. Of a destination that is not there
// nothing can be said.
func (m *Message) annotate(name string, v any) {
	switch name {
	case destinationType, oldDestinationType:
		if m.Destination.Name != "" && (name == destinationType || m.Destination.Kind == Unknown) {
			m.Destination.Kind = kindOf(v)
		}
	case replyType, oldReplyType:
		if m.ReplyTo.Name != "" && (name == replyType || m.ReplyTo.Kind == Unknown) {
			m.ReplyTo.Kind = kindOf(v)
		}
	case message.DeliveryTimeAnnotation:
		m.DeliveryTime, _ = wire.Integer(v)
	}
}

// kindOf reads an annotation's number, or the old words "temporary,queue".
func kindOf(v any) DestinationKind {
	if n, ok := wire.Integer(v); ok && n >= 0 && n < int64(TemporaryTopic) {
		return DestinationKind(n + 1)
	}
	words, _ := wire.Text(v)
	var kind DestinationKind
	switch {
	case strings.Contains(words, "topic"):
		kind = Topic
	case strings.Contains(words, "queue"):
		kind = Queue
	default:
		return Unknown
	}
	if strings.Contains(words, "temporary") {
		kind += TemporaryQueue - Queue
	}
	return kind
}

func (m *Message) readBody(from *message.Message) error {
	if from.BodyKind() == message.BodyNone {
		return nil
	}
	v, err := from.Body()
	if err != nil {
		return &Error{Op: "read a message", Where: "body", Reason: err.Error()}
	}
	if from.BodyKind() == message.BodySequence {
		list, _ := canonical(v).(wire.List)
		m.Body = Body{Form: Items, List: list}
		return nil
	}
	switch v := v.(type) {
	case nil:
		m.Body.Form = Null
	case string:
		m.Body = Body{Form: Text, Text: v}
	case []byte:
		m.setBytes(v)
	default:
		m.setValue(canonical(v))
	}
	return nil
}

// setBytes makes bytes the body: characters where the kind and the content type say so,
// and they are UTF-8.
func (m *Message) setBytes(b []byte) {
	if m.Kind == message.KindText && isUTF8(m.ContentType) && utf8.Valid(b) {
		m.Body = Body{Form: Text, Text: string(b)}
		return
	}
	m.Body = Body{Form: Bytes, Bytes: b}
}

// setValue makes a value the body: that of a map or stream message where the kind
// says so and it can be one.
func (m *Message) setValue(v any) {
	switch value := v.(type) {
	case wire.Map:
		if m.Kind == message.KindMap && named(value) {
			m.Body = Body{Form: Fields, Map: value}
			return
		}
	case wire.List:
		if m.Kind == message.KindStream {
			m.Body = Body{Form: Items, List: value}
			return
		}
	}
	m.Body = Body{Form: Foreign, Value: v}
}

// named says whether all keys are strings.
func named(m wire.Map) bool {
	for _, e := range m {
		if _, ok := e.Key.(string); !ok {
			return false
		}
	}
	return true
}

// isUTF8 says whether a content type has no charset, or one that is UTF-8 for what
// is valid UTF-8.
func isUTF8(contentType string) bool {
	_, charset, ok := strings.Cut(strings.ToLower(contentType), "charset=")
	if !ok {
		return true
	}
	charset, _, _ = strings.Cut(charset, ";")
	switch strings.Trim(charset, `" `) {
	case "utf-8", "utf8", "us-ascii":
		return true
	}
	return false
}
