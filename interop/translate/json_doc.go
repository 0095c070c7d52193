package translate

import (
	"math"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

// docHeaders reads the headers of a document. One that is not known becomes a property.
func (r *reader) docHeaders(o object) error {
	m := r.m
	for _, e := range o {
		v, err := r.value(e.value, r.limits.Depth, e.name)
		if err != nil {
			return err
		}
		if v == nil {
			continue
		}
		text, isText := wire.Text(v)
		number := func(lowest, highest int64) int64 {
			n, ok := wire.Integer(v)
			if isText {
				var failed error
				n, failed = integer[int64](text, 64)
				ok = failed == nil
			}
			if !ok || n < lowest || n > highest {
				err = r.fail(e.name, "is no number from %d to %d", lowest, highest)
			}
			return n
		}
		word := func(into *string) {
			if *into = text; !isText {
				err = r.fail(e.name, "is %s and must be a string", nodeName(e.value))
			}
		}
		switch e.name {
		case docMessageID:
			word(&text)
			m.MessageID = message.ParseID(text)
		case docCorrelationID:
			word(&text)
			m.CorrelationID = parseCorrelation(text)
		case docJMSType:
			word(&m.Type)
		case docDestination:
			word(&text)
			m.Destination = parseDestination(text)
		case docReplyTo:
			word(&text)
			m.ReplyTo = parseDestination(text)
		case docDeliveryMode:
			if isText {
				m.Persistent, err = r.mode(e.name, text)
			} else {
				m.Persistent = number(1, 22) == 2
			}
		case docPriority:
			m.Priority = uint8(number(0, math.MaxUint8))
		case docTimestamp:
			m.Timestamp = number(math.MinInt64, math.MaxInt64)
		case docExpiration:
			m.Expiration = number(math.MinInt64, math.MaxInt64)
		case docTTL:
			m.TTL = uint32(number(0, math.MaxUint32))
		case docDeliveryTime:
			m.DeliveryTime = number(math.MinInt64, math.MaxInt64)
		case docDeliveryCount:
			m.DeliveryCount = uint32(number(1, 1<<32) - 1)
		case docRedelivered:
			if v == true && m.DeliveryCount == 0 {
				m.DeliveryCount = 1
			}
		default:
			m.Properties = append(m.Properties, Property{PropertyName(e.name), v})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// docProperties reads the properties. Those of JMSX that are fields of AMQP are plain
// JSON, to tell them from what a client of AMQP set under their names.
func (r *reader) docProperties(o object) error {
	m := r.m
	for _, e := range o {
		text, isText := e.value.(string)
		number, isNumber := e.value.(jsonNumber)
		var err error
		switch {
		case isText && e.name == docGroupID:
			m.GroupID = text
		case isText && e.name == docReplyToGroupID:
			m.ReplyToGroupID = text
		case isText && e.name == docUserID:
			m.UserID = parseUser(text)
		case isNumber && e.name == docGroupSequence:
			m.GroupSequence.V, err = r.groupSequence(string(number))
			m.GroupSequence.OK = true
		default:
			var v any
			v, err = r.value(e.value, r.limits.Depth, e.name)
			m.Properties = append(m.Properties, Property{e.name, v})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// groupSequence reads JMSXGroupSeq, which is an int in JMS and a uint in AMQP.
func (r *reader) groupSequence(text string) (uint32, error) {
	n, err := integer[int64](text, 64)
	if err != nil || n < math.MinInt32 || n > math.MaxUint32 {
		return 0, r.fail(docGroupSequence, "is no number from %d to %d", math.MinInt32, uint32(math.MaxUint32))
	}
	return uint32(n), nil
}

// docBody reads the body of a document.
func (r *reader) docBody(o object) error {
	m := r.m
	word := ""
	for field, into := range map[string]*string{docType: &word, docContentType: &m.ContentType, docContentEncoding: &m.ContentEncoding} { // order: irrelevant
		node, ok := o.get(field)
		if !ok {
			continue
		}
		if *into, ok = node.(string); !ok {
			return r.fail("body."+field, "is %s and must be a string", nodeName(node))
		}
	}
	kind, form, ok := parseBodyWord(word)
	if !ok {
		return r.fail("body.type", "%.40q is no kind of message: write %s", word, bodyWords)
	}
	m.Kind = kind
	value, _ := o.get(docValue)
	switch form {
	case NoBody, Null:
		if value != nil {
			return r.fail("body.value", "a %q has none: write %s", word, bodyWords)
		}
		m.Body.Form = form
	case Text:
		text, ok := value.(string)
		if !ok {
			return r.fail("body.value", "is %s and must be a string", nodeName(value))
		}
		m.Body = Body{Form: Text, Text: text}
	case Bytes:
		text, ok := value.(string)
		if !ok {
			return r.fail("body.value", "is %s and must be a string of base64", nodeName(value))
		}
		b, err := base64s.DecodeString(text)
		if err != nil {
			return r.fail("body.value", "%v", err)
		}
		m.setBytes(b)
	default:
		return r.nodeBody(form, value)
	}
	return nil
}
