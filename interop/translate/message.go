package translate

import (
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

// Message is a JMS message in fields that no protocol shapes. Empty strings, nil
// and 0 stand for what is absent. It may be used again: Read and In overwrite all
// of it and keep the room of Properties.
type Message struct {
	Kind           message.Kind
	MessageID      any // uint64, wire.UUID, []byte or string (amqp 3.2.4); message.MessageIDString is its JMS form
	CorrelationID  any // as MessageID; message.CorrelationIDString
	Type           string
	Destination    Destination
	ReplyTo        Destination
	Priority       uint8 // message.DefaultPriority unless it says otherwise
	Persistent     bool
	Timestamp      int64  // JMSTimestamp, ms since 1970
	Expiration     int64  // JMSExpiration, ms since 1970, 0 never
	TTL            uint32 // ms from its arrival; only where Expiration does not say it
	DeliveryTime   int64  // JMSDeliveryTime, ms since 1970
	DeliveryCount  uint32 // failed deliveries before: JMSRedelivered, JMSXDeliveryCount-1
	GroupID        string
	GroupSequence  wire.Optional[uint32]
	ReplyToGroupID string
	UserID         []byte
	// ContentType and ContentEncoding are MIME's, of senders that are no JMS clients.
	ContentType     string
	ContentEncoding string
	// Annotations stand beside those that Build makes of the fields; Read and In leave
	// them empty.
	Annotations wire.Map
	Properties  []Property // in their order; of one name twice the last counts
	Body        Body
}

// Property is an application property with its exact type: nil, bool, int8 to int64,
// float32, float64, string of JMS, or any other that wire.Value gives.
type Property struct {
	Name  string
	Value any
}

// Get gives a property; false where it is absent.
func (m *Message) Get(name string) (any, bool) {
	for i := len(m.Properties) - 1; i >= 0; i-- {
		if m.Properties[i].Name == name {
			return m.Properties[i].Value, true
		}
	}
	return nil, false
}

// Set gives a property a value, in place of what it had. The value's type must be
// one that wire.AppendValue knows.
func (m *Message) Set(name string, value any) {
	for i := len(m.Properties) - 1; i >= 0; i-- {
		if m.Properties[i].Name == name {
			m.Properties[i].Value = value
			return
		}
	}
	m.Properties = append(m.Properties, Property{name, value})
}

// reset makes it an empty message of default priority.
func (m *Message) reset() {
	clear(m.Properties)
	*m = Message{Priority: message.DefaultPriority, Properties: m.Properties[:0]}
}

// Destination is a destination's address with what is known of its kind.
type Destination struct {
	Name string
	Kind DestinationKind
}

// DestinationKind is a JMS class of destination.
type DestinationKind uint8

// The kinds; the annotations x-opt-jms-dest and x-opt-jms-reply-to have them less one
// (reference 3.2).
const (
	Unknown DestinationKind = iota // what exists under the name
	Queue
	Topic
	TemporaryQueue
	TemporaryTopic
)

// Form is the form of a body. Each JMS kind has its own; clients that are no JMS
// clients send others.
type Form uint8

// The forms.
const (
	NoBody  Form = iota // no body section: Message
	Text                // characters: TextMessage
	Null                // the value null: TextMessage whose text is null
	Bytes               // BytesMessage, ObjectMessage
	Fields              // MapMessage: Body.Map
	Items               // StreamMessage, and every amqp-sequence: Body.List
	Foreign             // any other amqp-value: Body.Value
)

// Body is what a message carries. Only the field that belongs to the form counts.
type Body struct {
	Form  Form
	Text  string
	Bytes []byte    // may alias what the message was made of
	Map   wire.Map  // keys are strings
	List  wire.List // values of any type that wire.Value gives
	Value any       // the same
}

// Properties by which EMS marks what it imports (ems 7.6).
const (
	ImportedProperty = "JMS_TIBCO_IMPORTED"
	ExtendedProperty = "JMS_TIBCO_MSG_EXT"
)

// MarkImported gives the message the properties that EMS gives to what comes in by a
// transport: JMS_TIBCO_IMPORTED, and JMS_TIBCO_MSG_EXT where the body needs it.
func (m *Message) MarkImported() {
	m.Set(ImportedProperty, true)
	if m.Extended() {
		m.Set(ExtendedProperty, true)
	}
}

// Extended says whether the body has what only EMS's own map and stream messages
// have: maps, lists or arrays within it.
func (m *Message) Extended() bool {
	switch m.Body.Form {
	case Fields:
		for _, e := range m.Body.Map {
			if nests(e.Value) {
				return true
			}
		}
	case Items:
		for _, v := range m.Body.List {
			if nests(v) {
				return true
			}
		}
	}
	return false
}

func nests(v any) bool {
	switch v.(type) {
	case wire.Map, wire.List, wire.Array:
		return true
	}
	return false
}
