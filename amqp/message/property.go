package message

import (
	"math"
	"strings"

	"github.com/tidegate/tidegate/amqp/wire"
	core "github.com/tidegate/tidegate/core/message"
)

// maxPriority is the largest priority that JMS knows; larger ones read as it.
const maxPriority = 9

// Property answers a selector's identifier: a JMS header field by its name, or
// an application property. What only the broker knows (JMSRedelivered,
// JMSXDeliveryCount) is null.
func (m *Message) Property(name string) (core.Value, bool) {
	if strings.HasPrefix(name, "JMS") {
		if v, ok, known := m.jmsField(name); known {
			return v, ok
		}
	}
	return value(lookup(m.value(applicationSection), name))
}

// jmsField gives a JMS header field; known is false for names that are
// application properties like any other (reference 3.4, Headers).
func (m *Message) jmsField(name string) (v core.Value, ok, known bool) {
	switch name {
	case "JMSPriority":
		v = integer(int64(min(m.Header().Priority, maxPriority)))
		return v, true, true
	case "JMSDeliveryMode":
		if m.Header().Durable {
			return str("PERSISTENT"), true, true
		}
		return str("NON_PERSISTENT"), true, true
	case "JMSMessageID":
		return optional(MessageIDString(m.MessageID()))
	case "JMSCorrelationID":
		return optional(CorrelationIDString(m.CorrelationID()))
	case "JMSType":
		return optional(m.Subject())
	case "JMSReplyTo":
		return optional(m.ReplyTo())
	case "JMSDestination":
		return optional(m.To())
	case "JMSTimestamp":
		return optionalTime(m.CreationTime())
	case "JMSExpiration":
		v, ok = m.expiration()
		return v, ok, true
	case "JMSDeliveryTime":
		v, ok = m.deliveryTime()
		return v, ok, true
	case "JMSXGroupID":
		return optional(m.GroupID())
	case "JMSXGroupSeq":
		seq := m.GroupSequence()
		return integer(int64(int32(seq.V))), seq.OK, true
	case "JMSXUserID":
		return optional(string(m.UserID()))
	case "JMS_AMQP_TTL":
		ttl := m.Header().TTL
		return integer(int64(ttl.V)), ttl.OK, true
	case "JMS_AMQP_REPLY_TO_GROUP_ID":
		return optional(m.ReplyToGroupID())
	case "JMSRedelivered", "JMSXDeliveryCount":
		return core.Value{}, false, true
	}
	return core.Value{}, false, false
}

// expiration is 0 for a message that never expires. With a time to live alone
// it depends on when the message arrived, which only the broker knows.
func (m *Message) expiration() (core.Value, bool) {
	if t := m.AbsoluteExpiryTime(); t.OK {
		return integer(int64(t.V)), true
	}
	if ttl := m.Header().TTL; ttl.OK && ttl.V > 0 {
		return core.Value{}, false
	}
	return integer(0), true
}

// deliveryTime falls back to the time of sending, as in JMS.
func (m *Message) deliveryTime() (core.Value, bool) {
	if v, ok := m.Annotation(DeliveryTimeAnnotation); ok {
		if n, ok := wire.Integer(v); ok {
			return integer(n), true
		}
	}
	v, ok, _ := optionalTime(m.CreationTime())
	return v, ok
}

func integer(v int64) core.Value { return core.Value{Kind: core.Int, I: v} }

func str(v string) core.Value { return core.Value{Kind: core.String, Str: v} }

func optional(v string) (core.Value, bool, bool) { return str(v), v != "", true }

func optionalTime(t wire.Optional[wire.Timestamp]) (core.Value, bool, bool) {
	return integer(int64(t.V)), t.OK, true
}

// value turns an encoded property into what selectors see. Unsigned integers
// and timestamps are numbers like any other; an integer beyond the range of a
// long is approximated.
func value(b []byte) (core.Value, bool) {
	if b == nil || wire.IsNull(b) {
		return core.Value{}, false
	}
	if isText(b[0]) {
		v, _, err := wire.TextBytes(b, unlimited)
		return str(string(v)), err == nil
	}
	switch b[0] {
	case 0x41, 0x42, 0x56:
		v, _, err := wire.Bool(b)
		return core.Value{Kind: core.Bool, B: v}, err == nil
	case 0x72:
		v, _, err := wire.Float(b)
		return core.Value{Kind: core.Double, F: float64(v)}, err == nil
	case 0x82:
		v, _, err := wire.Double(b)
		return core.Value{Kind: core.Double, F: v}, err == nil
	}
	return number(b)
}

func number(b []byte) (core.Value, bool) {
	switch b[0] {
	case 0x54, 0x71:
		v, _, err := wire.Int(b)
		return integer(int64(v)), err == nil
	case 0x55, 0x81:
		v, _, err := wire.Long(b)
		return integer(v), err == nil
	case 0x43, 0x52, 0x70:
		v, _, err := wire.Uint(b)
		return integer(int64(v)), err == nil
	case 0x44, 0x53, 0x80:
		v, _, err := wire.Ulong(b)
		if v > math.MaxInt64 {
			return core.Value{Kind: core.Double, F: float64(v)}, err == nil
		}
		return integer(int64(v)), err == nil
	}
	v, _, err := wire.Value(b, unlimited)
	if err != nil {
		return core.Value{}, false
	}
	if n, ok := wire.Integer(v); ok {
		return integer(n), true
	}
	if c, ok := v.(wire.Char); ok {
		return str(string(rune(c))), true
	}
	return core.Value{Kind: core.Other}, true
}
