package message

import (
	"math"

	"github.com/tidegate/tidegate/amqp/wire"
)

// Properties is the properties section (amqp 3.2.4). An empty string, a nil
// slice or a nil id is absent.
type Properties struct {
	MessageID          any // uint64, wire.UUID, []byte or string
	UserID             []byte
	To                 string
	Subject            string
	ReplyTo            string
	CorrelationID      any // as MessageID
	ContentType        wire.Symbol
	ContentEncoding    wire.Symbol
	AbsoluteExpiryTime wire.Optional[wire.Timestamp]
	CreationTime       wire.Optional[wire.Timestamp]
	GroupID            string
	GroupSequence      wire.Optional[uint32]
	ReplyToGroupID     string
}

// The fields by their index.
const (
	fieldMessageID = iota
	fieldUserID
	fieldTo
	fieldSubject
	fieldReplyTo
	fieldCorrelationID
	fieldContentType
	fieldContentEncoding
	fieldAbsoluteExpiryTime
	fieldCreationTime
	fieldGroupID
	fieldGroupSequence
	fieldReplyToGroupID
	propertiesFields
)

// checkProperties goes over the list and the types of its fields.
func checkProperties(b []byte, lim *wire.Limits) error {
	body, count, _, err := wire.ListHead(b)
	if err != nil {
		return err
	}
	for i := range count {
		n, err := wire.Check(body, lim)
		if err != nil {
			return err
		}
		if i < propertiesFields && !allowed(i, body) {
			return &wire.Error{Op: propertyNames[i], Offset: len(b) - len(body), Reason: "found another type"}
		}
		body = body[n:]
	}
	if len(body) > 0 {
		return &wire.Error{Op: "properties", Reason: "bytes behind the last field"}
	}
	return nil
}

var propertyNames = [propertiesFields]string{
	"message-id", "user-id", "to", "subject", "reply-to", "correlation-id", "content-type",
	"content-encoding", "absolute-expiry-time", "creation-time", "group-id", "group-sequence",
	"reply-to-group-id",
}

// allowed tells whether the field at the start of b is of the i-th field's
// type. Strings and symbols stand for each other.
func allowed(i int, b []byte) bool {
	code := b[0]
	if code == 0x40 {
		return true
	}
	isText := code == 0xa1 || code == 0xb1 || code == 0xa3 || code == 0xb3
	isBinary := code == 0xa0 || code == 0xb0
	switch i {
	case fieldMessageID, fieldCorrelationID:
		return isText || isBinary || code == 0x44 || code == 0x53 || code == 0x80 || code == 0x98
	case fieldUserID:
		return isBinary || isText
	case fieldAbsoluteExpiryTime, fieldCreationTime:
		return code == 0x83
	case fieldGroupSequence:
		return code == 0x43 || code == 0x52 || code == 0x70
	}
	return isText
}

// field gives the bytes from the i-th field of the properties on, or nil where
// it is absent or null.
func (m *Message) field(i int) []byte {
	section := m.value(propertiesSection)
	if section == nil { // before ListHead, which would make an error of it
		return nil
	}
	body, count, _, err := wire.ListHead(section)
	if err != nil || i >= count {
		return nil
	}
	for ; i > 0; i-- {
		n, err := wire.Skip(body)
		if err != nil {
			return nil
		}
		body = body[n:]
	}
	if wire.IsNull(body) {
		return nil
	}
	return body
}

// unlimited serves what lies in a message that was taken in already: its size
// was bounded then.
var unlimited = &wire.Limits{
	Symbol: math.MaxInt, String: math.MaxInt, Binary: math.MaxInt,
}

// textOf reads a string or symbol; nil gives "".
func textOf(b []byte) string {
	if b == nil {
		return ""
	}
	v, _, _ := wire.TextBytes(b, unlimited)
	return string(v)
}

func binaryOf(b []byte) []byte {
	if b == nil {
		return nil
	}
	v, _, err := wire.Binary(b, unlimited)
	if err != nil {
		v, _, _ = wire.TextBytes(b, unlimited)
	}
	return v
}

func timeOf(b []byte) (t wire.Optional[wire.Timestamp]) {
	if b != nil {
		v, _, err := wire.ReadTimestamp(b)
		t = wire.Optional[wire.Timestamp]{V: v, OK: err == nil}
	}
	return t
}

func uintOf(b []byte) (v wire.Optional[uint32]) {
	if b != nil {
		n, _, err := wire.Uint(b)
		v = wire.Optional[uint32]{V: n, OK: err == nil}
	}
	return v
}

// idOf reads a message id; a binary aliases the message.
func idOf(b []byte) any {
	if b == nil {
		return nil
	}
	if v, _, err := wire.TextBytes(b, unlimited); err == nil {
		return string(v)
	}
	v, _, err := wire.Value(b, unlimited)
	if err != nil {
		return nil
	}
	return v
}

func (m *Message) text(i int) string                        { return textOf(m.field(i)) }
func (m *Message) time(i int) wire.Optional[wire.Timestamp] { return timeOf(m.field(i)) }

// MessageID is a uint64, wire.UUID, []byte or string, or nil where absent.
func (m *Message) MessageID() any { return idOf(m.field(fieldMessageID)) }

// UserID is the identity of the user who sent the message, or nil.
func (m *Message) UserID() []byte { return binaryOf(m.field(fieldUserID)) }

// To is the address that the message is for, or "".
func (m *Message) To() string { return m.text(fieldTo) }

// Subject is the message's subject, JMSType, or "".
func (m *Message) Subject() string { return m.text(fieldSubject) }

// ReplyTo is the address for replies, or "".
func (m *Message) ReplyTo() string { return m.text(fieldReplyTo) }

// CorrelationID is of the types of MessageID.
func (m *Message) CorrelationID() any { return idOf(m.field(fieldCorrelationID)) }

// ContentType is the MIME type of a data body, or "".
func (m *Message) ContentType() string { return m.text(fieldContentType) }

// ContentEncoding is the encoding of a data body, or "".
func (m *Message) ContentEncoding() string { return m.text(fieldContentEncoding) }

// AbsoluteExpiryTime is when the message expires.
func (m *Message) AbsoluteExpiryTime() wire.Optional[wire.Timestamp] {
	return m.time(fieldAbsoluteExpiryTime)
}

// CreationTime is when the message was made, JMSTimestamp.
func (m *Message) CreationTime() wire.Optional[wire.Timestamp] { return m.time(fieldCreationTime) }

// GroupID is the group that the message belongs to, or "".
func (m *Message) GroupID() string { return m.text(fieldGroupID) }

// GroupSequence is the message's place in its group.
func (m *Message) GroupSequence() wire.Optional[uint32] { return uintOf(m.field(fieldGroupSequence)) }

// ReplyToGroupID is the group for replies, or "".
func (m *Message) ReplyToGroupID() string { return m.text(fieldReplyToGroupID) }

// Properties gives all of them in one pass; binaries alias the message.
func (m *Message) Properties() (p Properties) {
	section := m.value(propertiesSection)
	if section == nil {
		return p
	}
	body, count, _, err := wire.ListHead(section)
	for i := 0; err == nil && i < min(count, propertiesFields); i++ {
		n, e := wire.Skip(body)
		if e != nil {
			return p
		}
		if !wire.IsNull(body) {
			p.set(i, body)
		}
		body = body[n:]
	}
	return p
}

// set takes over the i-th field, which is at the start of b.
func (p *Properties) set(i int, b []byte) {
	switch i {
	case fieldMessageID:
		p.MessageID = idOf(b)
	case fieldUserID:
		p.UserID = binaryOf(b)
	case fieldTo:
		p.To = textOf(b)
	case fieldSubject:
		p.Subject = textOf(b)
	case fieldReplyTo:
		p.ReplyTo = textOf(b)
	case fieldCorrelationID:
		p.CorrelationID = idOf(b)
	case fieldContentType:
		p.ContentType = wire.Symbol(textOf(b))
	case fieldContentEncoding:
		p.ContentEncoding = wire.Symbol(textOf(b))
	case fieldAbsoluteExpiryTime:
		p.AbsoluteExpiryTime = timeOf(b)
	case fieldCreationTime:
		p.CreationTime = timeOf(b)
	case fieldGroupID:
		p.GroupID = textOf(b)
	case fieldGroupSequence:
		p.GroupSequence = uintOf(b)
	case fieldReplyToGroupID:
		p.ReplyToGroupID = textOf(b)
	}
}
