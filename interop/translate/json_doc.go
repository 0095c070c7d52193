package translate

import (
	"math"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

// docHeaders reads the headers of a document, the object at i. One that is not known
// becomes a property.
func (r *reader) docHeaders(i int32) error {
	for c := i + 1; c < r.t[i].end; c = r.t[c].end {
		v, err := r.value(c, r.limits.Depth)
		if err != nil {
			return err
		}
		if v == nil {
			continue
		}
		f := docField{r: r, name: r.t[c].name, kind: r.t[c].kind, value: v}
		f.text, f.isText = v.(string)
		f.take(r.m)
		if f.err != nil {
			return f.err
		}
	}
	return nil
}

// docField is one of the headers of a document.
type docField struct {
	r      *reader
	name   string
	kind   nodeKind
	value  any
	text   string
	isText bool
	err    error
}

func (f *docField) take(m *Message) {
	switch f.name {
	case docMessageID:
		m.MessageID = message.ParseID(f.word())
	case docCorrelationID:
		m.CorrelationID = parseCorrelation(f.word())
	case docJMSType:
		m.Type = f.word()
	case docDestination:
		m.Destination = parseDestination(f.word())
	case docReplyTo:
		m.ReplyTo = parseDestination(f.word())
	case docDeliveryMode:
		if f.isText {
			m.Persistent, f.err = f.r.mode(f.name, f.text)
		} else {
			m.Persistent = f.number(1, 22) == 2
		}
	case docPriority:
		m.Priority = uint8(f.number(0, math.MaxUint8))
	case docTimestamp:
		m.Timestamp = f.number(math.MinInt64, math.MaxInt64)
	case docExpiration:
		m.Expiration = f.number(math.MinInt64, math.MaxInt64)
	case docTTL:
		m.TTL = uint32(f.number(0, math.MaxUint32))
	case docDeliveryTime:
		m.DeliveryTime = f.number(math.MinInt64, math.MaxInt64)
	case docDeliveryCount:
		m.DeliveryCount = uint32(f.number(1, 1<<32) - 1)
	case docRedelivered:
		if f.value == true && m.DeliveryCount == 0 {
			m.DeliveryCount = 1
		}
	default:
		m.Properties = append(m.Properties, Property{PropertyName(f.name), f.value})
	}
}

// number gives an integer, which may stand in a string.
func (f *docField) number(lowest, highest int64) int64 {
	n, ok := wire.Integer(f.value)
	if f.isText {
		var err error
		n, err = integer[int64](f.text, 64)
		ok = err == nil
	}
	if !ok || n < lowest || n > highest {
		f.err = f.r.fail(f.name, "is no number from %d to %d", lowest, highest)
		return lowest
	}
	return n
}

func (f *docField) word() string {
	if !f.isText {
		f.err = f.r.fail(f.name, "is %s and must be a string", f.kind)
	}
	return f.text
}

// docProperties reads the properties, the object at i. Those of JMSX that are fields of
// AMQP are plain JSON, to tell them from what a client of AMQP set under their names.
func (r *reader) docProperties(i int32) error {
	m := r.m
	for c := i + 1; c < r.t[i].end; c = r.t[c].end {
		n := &r.t[c]
		isText := n.kind == stringNode
		var err error
		switch {
		case isText && n.name == docGroupID:
			m.GroupID = n.text
		case isText && n.name == docReplyToGroupID:
			m.ReplyToGroupID = n.text
		case isText && n.name == docUserID:
			m.UserID = parseUser(n.text)
		case n.kind == numberNode && n.name == docGroupSequence:
			m.GroupSequence.V, err = r.groupSequence(n.text)
			m.GroupSequence.OK = true
		default:
			var v any
			v, err = r.value(c, r.limits.Depth)
			m.Properties = append(m.Properties, Property{n.name, v})
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

// docText gives a member of the body that is a string; "" where it is absent.
func (r *reader) docText(i int32, name string) (string, error) {
	at, ok := r.t.member(i, name)
	if !ok {
		return "", nil
	}
	if r.t[at].kind != stringNode {
		return "", r.fail("body."+name, "is %s and must be a string", r.t[at].kind)
	}
	return r.t[at].text, nil
}

// docBody reads the body of a document, the object at i.
func (r *reader) docBody(i int32) error {
	m := r.m
	word, err := r.docText(i, docType)
	if err == nil {
		m.ContentType, err = r.docText(i, docContentType)
	}
	if err == nil {
		m.ContentEncoding, err = r.docText(i, docContentEncoding)
	}
	if err != nil {
		return err
	}
	kind, form, ok := parseBodyWord(word)
	if !ok {
		return r.fail("body.type", "%.40q is no kind of message: write %s", word, bodyWords)
	}
	m.Kind = kind
	at, ok := r.t.member(i, docValue)
	if form == NoBody || form == Null {
		if ok && r.t[at].kind != nullNode {
			return r.fail("body.value", "a %q has none: write %s", word, bodyWords)
		}
		m.Body = Body{Form: form}
		return nil
	}
	if !ok {
		return r.fail("body.value", "is missing, and a message of type %q has one", word)
	}
	if form != Text && form != Bytes {
		return r.nodeBody(form, at)
	}
	text, err := r.docText(i, docValue)
	if err != nil {
		return err
	}
	if form == Text {
		m.Body = Body{Form: Text, Text: text}
		return nil
	}
	b, err := base64s.DecodeString(text)
	if err != nil {
		return r.fail("body.value", "%v: bytes are in base64", err)
	}
	m.setBytes(b)
	return nil
}
