package translate

import (
	"slices"
	"unicode/utf8"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

// Loss is one thing that a message does not have any more when it comes back, or has
// otherwise. What is in no Loss comes back as it was: the tests hold every encoding to
// that, and each Loss to being one.
type Loss struct {
	ID        string
	Encodings []Encoding // none: what Read does not take over, whatever the encoding
	Option    string     // the key of a transport that, set to false, makes it one; "" always
	What      string
	Becomes   string
	// apply makes of a message what it is when it came back; nil for what Read loses.
	apply func(m *Message)
}

// In says whether messages of an encoding, under these options, suffer the loss.
func (l *Loss) In(e Encoding, o Options) bool {
	if !slices.Contains(l.Encodings, e) {
		return false
	}
	switch l.Option {
	case optionHeaders:
		return !o.ExportHeaders
	case optionProperties:
		return !o.ExportProperties
	}
	return true
}

const (
	optionHeaders    = "export_headers"
	optionProperties = "export_properties"
)

// Losses are all there are, in the order in which they take effect.
func Losses() []Loss { return slices.Clone(losses) }

var (
	typed  = []Encoding{Headers, JSON}
	losses = []Loss{
		{ID: "delivery-annotations", What: "delivery annotations, the footer, and whether this is the first delivery", Becomes: "absent: they belong to one hop (amqp 3.2.2, 3.2.9)"},
		{ID: "message-annotations", What: "message annotations other than JMS's own (`x-opt-jms-msg-type`, `x-opt-jms-dest`, `x-opt-jms-reply-to`, `x-opt-delivery-time`)", Becomes: "absent"},
		{ID: "ttl", What: "a time to live beside an absolute expiry time", Becomes: "absent: JMSExpiration says it"},
		{ID: "sections", What: "several data or sequence sections; characters in data sections of a type of text", Becomes: "one section; an amqp-value of a string"},
		{ID: "empty-fields", What: "fields that are there and empty: texts of no characters, times of 0", Becomes: "absent; JMS knows no difference"},
		{ID: "keys", What: "keys of annotations and application properties that are no text", Becomes: "absent (amqp 3.2.5 forbids them)"},

		{ID: "no-headers", Encodings: typed, Option: optionHeaders, What: "JMSMessageID, JMSCorrelationID, JMSType, JMSDestination, JMSReplyTo, JMSDeliveryMode, JMSPriority, JMSTimestamp, JMSExpiration, JMSDeliveryTime, JMSRedelivered", Becomes: "absent, as with EMS's `export_headers=false`", apply: withoutHeaders},
		{ID: "no-properties", Encodings: typed, Option: optionProperties, What: "application properties, JMSXGroupID, JMSXGroupSeq, JMSXUserID, JMS_AMQP_REPLY_TO_GROUP_ID", Becomes: "absent, as with EMS's `export_properties=false`", apply: withoutProperties},
		{ID: "not-utf8-body", Encodings: []Encoding{Headers}, What: "a TextMessage whose text is not UTF-8, which no JMS client sends", Becomes: "a BytesMessage of the same bytes", apply: textAsBytes},
		{ID: "not-utf8", Encodings: typed, What: "bytes in names, ids and texts that are not UTF-8, which no JMS client sends", Becomes: "U+FFFD", apply: cleanTexts},
		{ID: "twice", Encodings: typed, What: "names that stand twice among properties or in a map, which AMQP forbids (1.6.23)", Becomes: "the last of them, which is the one that counted", apply: uniqueNames},
		{ID: "rendezvous-types", Encodings: []Encoding{JSON}, What: "types that JMS does not have: ubyte, ushort, uint, ulong, timestamp, and arrays of byte, ubyte, ushort, uint, ulong", Becomes: "what EMS makes of Rendezvous's types: short, int, long, long (of a ulong above 2^63-1 the long with the same bits), long; binary, arrays of short, int, long, long", apply: narrowTypes},

		{ID: "raw-fields", Encodings: []Encoding{Raw}, What: "all headers and properties, and the content type", Becomes: "absent", apply: onlyBody},
		{ID: "raw-empty", Encodings: []Encoding{Raw}, What: "a Message without body, and a TextMessage whose text is null", Becomes: "a TextMessage of no characters", apply: emptyText},
		{ID: "raw-json", Encodings: []Encoding{Raw}, What: "a MapMessage, a StreamMessage, and other values of AMQP", Becomes: "a TextMessage of JSON", apply: jsonText},
		{ID: "raw-bytes", Encodings: []Encoding{Raw}, What: "a BytesMessage or ObjectMessage whose bytes are UTF-8, and one without any", Becomes: "a TextMessage of those characters", apply: bytesAsText},
		{ID: "raw-kind", Encodings: []Encoding{Raw}, What: "an ObjectMessage whose bytes are not UTF-8; a text of another kind or that is not UTF-8", Becomes: "a BytesMessage; a TextMessage or BytesMessage, as the bytes look", apply: plainKind},
	}
)

func withoutHeaders(m *Message) {
	m.MessageID, m.CorrelationID, m.Type = nil, nil, ""
	m.Destination, m.ReplyTo = Destination{}, Destination{}
	m.Priority, m.Persistent, m.DeliveryCount = message.DefaultPriority, false, 0
	m.Timestamp, m.Expiration, m.TTL, m.DeliveryTime = 0, 0, 0, 0
}

func withoutProperties(m *Message) {
	m.Properties = nil
	m.GroupID, m.GroupSequence, m.ReplyToGroupID, m.UserID = "", wire.Optional[uint32]{}, "", nil
}

func textAsBytes(m *Message) {
	if m.Body.Form == Text && !utf8.ValidString(m.Body.Text) {
		m.Kind, m.Body = message.KindBytes, Body{Form: Bytes, Bytes: []byte(m.Body.Text)}
	}
}

func cleanTexts(m *Message) {
	m.MessageID, m.CorrelationID = cleaned(m.MessageID), cleaned(m.CorrelationID)
	for _, s := range []*string{&m.Type, &m.Destination.Name, &m.ReplyTo.Name, &m.GroupID, &m.ReplyToGroupID, &m.ContentType, &m.ContentEncoding, &m.Body.Text} {
		*s = clean(*s)
	}
	for i := range m.Properties {
		p := &m.Properties[i]
		p.Name, p.Value = clean(p.Name), cleaned(p.Value)
	}
	m.Body.Map, _ = cleaned(m.Body.Map).(wire.Map)
	m.Body.List, _ = cleaned(m.Body.List).(wire.List)
	m.Body.Value = cleaned(m.Body.Value)
}

func uniqueNames(m *Message) {
	m.Properties = onceEach(m.Properties)
	for i := range m.Properties {
		m.Properties[i].Value = cleaned(m.Properties[i].Value)
	}
	m.Body.Map, _ = cleaned(m.Body.Map).(wire.Map)
	m.Body.List, _ = cleaned(m.Body.List).(wire.List)
	m.Body.Value = cleaned(m.Body.Value)
}

func narrowTypes(m *Message) {
	for i := range m.Properties {
		m.Properties[i].Value = narrowedAll(m.Properties[i].Value)
	}
	m.Body.Map, _ = narrowedAll(m.Body.Map).(wire.Map)
	m.Body.List, _ = narrowedAll(m.Body.List).(wire.List)
	if m.Body.Form == Foreign {
		r := reader{m: m}
		r.setForeign(narrowedAll(m.Body.Value))
	}
}

// narrowedAll is narrowed for what JSON has a name for, and what that holds.
func narrowedAll(v any) any {
	switch v := v.(type) {
	case wire.Map:
		if named(v) {
			for i := range v {
				v[i].Value = narrowedAll(v[i].Value)
			}
		}
	case wire.List:
		for i := range v {
			v[i] = narrowedAll(v[i])
		}
	}
	return narrowed(v)
}

func onlyBody(m *Message) {
	*m = Message{Kind: m.Kind, Priority: message.DefaultPriority, Body: m.Body}
}

func emptyText(m *Message) {
	if m.Body.Form == NoBody || m.Body.Form == Null {
		m.Kind, m.Body = message.KindText, Body{Form: Text}
	}
}

func jsonText(m *Message) {
	if b := m.Body.AppendJSON(nil); b != nil {
		m.Kind, m.Body = message.KindText, Body{Form: Text, Text: string(b)}
	}
}

func bytesAsText(m *Message) {
	if m.Body.Form == Bytes && utf8.Valid(m.Body.Bytes) {
		m.Kind, m.Body = message.KindText, Body{Form: Text, Text: string(m.Body.Bytes)}
	}
}

func plainKind(m *Message) {
	m.Kind = message.KindBytes
	if m.Body.Form == Text && utf8.ValidString(m.Body.Text) {
		m.Kind = message.KindText
	} else if m.Body.Form == Text {
		m.Body = Body{Form: Bytes, Bytes: []byte(m.Body.Text)}
	}
}
