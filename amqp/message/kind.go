package message

import (
	"strings"

	"github.com/tidegate/tidegate/amqp/wire"
)

// Kind is the JMS class of a message, as the annotation x-opt-jms-msg-type
// numbers it (reference 3.4).
type Kind int8

// The classes.
const (
	KindMessage Kind = iota
	KindObject
	KindMap
	KindBytes
	KindStream
	KindText
)

var kindNames = [...]string{
	"Message", "ObjectMessage", "MapMessage", "BytesMessage", "StreamMessage", "TextMessage",
}

// String is the JMS interface's name.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "Message"
	}
	return kindNames[k]
}

// KindAnnotation is the message annotation that holds a Kind, as a byte.
const KindAnnotation = "x-opt-jms-msg-type"

// Content types with a meaning in JMS.
const (
	octetStream = "application/octet-stream"
	javaObject  = "application/x-java-serialized-object"
)

// Kind gives the JMS class: what the annotation says, else what a JMS client
// would take the message for.
func (m *Message) Kind() Kind {
	if v, ok := m.Annotation(KindAnnotation); ok {
		if n, ok := wire.Integer(v); ok && n >= 0 && n < int64(len(kindNames)) {
			return Kind(n)
		}
	}
	switch m.kind {
	case BodySequence:
		return KindObject
	case BodyValue:
		return m.valueKind()
	}
	t, _, _ := strings.Cut(m.ContentType(), ";")
	switch t = strings.ToLower(strings.TrimSpace(t)); {
	case t == "" || t == octetStream:
		return KindBytes
	case t == javaObject:
		return KindObject
	case IsTextType(t):
		return KindText
	case m.kind == BodyData:
		return KindBytes
	}
	return KindMessage
}

// valueKind looks at no more of an amqp-value than its constructor.
func (m *Message) valueKind() (k Kind) {
	m.eachBody(func(c cursor, start, _ int) {
		var buf [windowSize]byte
		switch code := c.window(start, &buf)[0]; code {
		case 0x40, 0xa1, 0xb1:
			k = KindText
		case 0xa0, 0xb0:
			k = KindBytes
		default:
			k = KindObject
		}
	})
	return k
}
