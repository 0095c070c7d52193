package message

import (
	"bytes"

	"github.com/tidegate/tidegate/amqp/wire"
	core "github.com/tidegate/tidegate/core/message"
)

// The properties of EMS that the broker heeds or sets (ems 7.6).
const (
	tibcoPrefix                 = "JMS_TIBCO_"
	PreserveUndeliveredProperty = "JMS_TIBCO_PRESERVE_UNDELIVERED"
	TraceProperty               = "JMS_TIBCO_MSG_TRACE"
	DisableSenderProperty       = "JMS_TIBCO_DISABLE_SENDER"
	SenderProperty              = "JMS_TIBCO_SENDER"
)

// UndeliveredAnnotation says in the queue of undelivered messages why one is there.
const UndeliveredAnnotation = "x-opt-tidegate-undelivered"

// Marks are what the message's own JMS_TIBCO_ properties ask of the broker.
func (m *Message) Marks() (marks core.Marks) {
	section := m.value(applicationSection)
	if len(section) == 0 || !bytes.Contains(section, []byte(tibcoPrefix)) {
		return 0 // nearly every message
	}
	for name, encoded := range entries(section) {
		switch name {
		case PreserveUndeliveredProperty:
			marks |= ifTrue(encoded, core.PreserveUndelivered)
		case DisableSenderProperty:
			marks |= ifTrue(encoded, core.DisableSender)
		case TraceProperty: // null, or "body"
			marks |= core.Trace
			if v, ok := decode(encoded); ok && v == "body" {
				marks |= core.TraceBody
			}
		}
	}
	return marks
}

func ifTrue(encoded []byte, mark core.Marks) core.Marks {
	if v, ok := decode(encoded); ok && (v == true || v == "true") {
		return mark
	}
	return 0
}

// With gives the message with its sender's name among its application properties, in
// place of one that claims to be it. All else stays byte for byte.
func (m *Message) With(p core.Patch) core.Content {
	n, err := m.before(m.withSender(p.Sender), int(m.at[bodySection]))
	if err != nil {
		return m // it was indexed: it cannot be
	}
	return n
}

// FrontWith is With for the sections before the body of a message that comes in
// pieces: m is what Front gave.
func FrontWith(m *Message, p core.Patch) (Message, error) {
	return Index(m.withSender(p.Sender), nil, nil)
}

// withSender is the sections before the body, with the sender's name.
func (m *Message) withSender(name string) (front []byte) {
	start, behind := int(m.at[applicationSection]), int(m.at[bodySection])
	front = make([]byte, 0, behind+len(name)+len(SenderProperty)+32)
	c := m.cursor()
	c.ranges(0, start, func(part []byte) { front = append(front, part...) })
	extra, mark := wire.BeginMap(nil)
	extra = wire.AppendString(wire.AppendString(extra, SenderProperty), name)
	extra = wire.EndMap(extra, mark, 2)
	return MergeMaps(wire.AppendDescriptor(front, codeApplication), m.value(applicationSection), extra)
}

// Override is what of a message's properties a delivery says otherwise, if they say
// it at all.
type Override struct {
	Expiry  bool
	Expires int64 // with Expiry: absolute-expiry-time, in ms since 1970, 0 for none: a client believes it before the time to live
	// To gives the address for the one that stands in `to`, and ReplyTo for the one in
	// `reply-to`; nil: that stays.
	To, ReplyTo func(was string) string
}

// Properties appends to dst the properties of a message, overridden. at is behind the
// message annotations; the offset that it gives is where the message goes on. Errors
// are *Error.
func (o Override) Properties(dst, first []byte, rest [][]byte, at int) (with []byte, offset int, err error) {
	p := pieces{first, rest}
	value, end, err := p.sectionAt(at, propertiesSection)
	if err != nil || value == nil {
		return dst, at, err
	}
	bad := func(err error) error { return &Error{Section: sectionNames[propertiesSection], Offset: at, Err: err} }
	fields, count, _, err := wire.ListHead(value)
	if err != nil {
		return dst, at, bad(err)
	}
	if count <= fieldTo || o.To == nil && o.ReplyTo == nil && count <= fieldAbsoluteExpiryTime {
		return dst, at, nil
	}
	dst, mark := wire.BeginList(wire.AppendDescriptor(dst, codeProperties))
	for i := range count {
		n, err := wire.Skip(fields)
		if err != nil {
			return dst, at, bad(err)
		}
		switch {
		case wire.IsNull(fields):
			dst = append(dst, fields[:n]...)
		case i == fieldTo && o.To != nil, i == fieldReplyTo && o.ReplyTo != nil:
			change := o.To
			if i == fieldReplyTo {
				change = o.ReplyTo
			}
			was, _, err := wire.TextBytes(fields, unlimited)
			if err != nil {
				return dst, at, bad(err)
			}
			dst = wire.AppendString(dst, change(string(was)))
		case i != fieldAbsoluteExpiryTime || !o.Expiry:
			dst = append(dst, fields[:n]...)
		case o.Expires == 0:
			dst = wire.AppendNull(dst)
		default:
			dst = wire.AppendValue(dst, wire.Timestamp(o.Expires))
		}
		fields = fields[n:]
	}
	return wire.EndList(dst, mark, count), end, nil
}
