package translate

import (
	"strconv"
	"unicode/utf8"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

// JSONBody is the body of a map or stream message as JSON, each value with the name of
// its type in Rendezvous, for encodings whose own types are too few: {"price":{"t":"f64","v":1.5}},
// or a list of such values. Of other forms it is what AppendJSON gives.
func JSONBody(m *Message) []byte { return m.Body.AppendJSON(nil) }

// AppendJSON appends a map, a list, or any other value as JSON; nothing for a body of
// another form.
func (b *Body) AppendJSON(dst []byte) []byte {
	switch b.Form {
	case Fields:
		return appendFields(dst, b.Map)
	case Items:
		return appendItems(dst, b.List, appendTyped)
	case Foreign:
		return appendTyped(dst, b.Value)
	}
	return dst
}

func appendFields(dst []byte, m wire.Map) []byte {
	dst = append(dst, '{')
	for i, e := range m {
		if i > 0 {
			dst = append(dst, ',')
		}
		name, _ := wire.Text(e.Key)
		dst = append(appendString(dst, name), ':')
		dst = appendTyped(dst, e.Value)
	}
	return append(dst, '}')
}

// appendItems appends a list, each value as one does.
func appendItems(dst []byte, values []any, one func(dst []byte, v any) []byte) []byte {
	dst = append(dst, '[')
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = one(dst, v)
	}
	return append(dst, ']')
}

// appendTyped appends {"t":type,"v":value}.
func appendTyped(dst []byte, v any) []byte {
	name := typeName(v)
	dst = append(append(dst, `{"t":"`...), name...)
	if name == typeNull {
		return append(dst, `"}`...)
	}
	dst = append(dst, `","v":`...)
	switch v := v.(type) {
	case wire.Map:
		if name == typeMessage {
			return append(appendFields(dst, v), '}')
		}
	case wire.List:
		return append(appendItems(dst, v, appendTyped), '}')
	case wire.Array:
		if name != typeOther {
			return append(appendItems(dst, v.Values, appendScalar), '}')
		}
	}
	return append(appendScalar(dst, v), '}')
}

// appendScalar appends a value without its type. What has 64 bits is a string, because
// most readers of JSON keep 53.
func appendScalar(dst []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		return strconv.AppendBool(dst, v)
	case int8:
		return strconv.AppendInt(dst, int64(v), 10)
	case int16:
		return strconv.AppendInt(dst, int64(v), 10)
	case int32:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return append(strconv.AppendInt(append(dst, '"'), v, 10), '"')
	case uint8:
		return strconv.AppendUint(dst, uint64(v), 10)
	case uint16:
		return strconv.AppendUint(dst, uint64(v), 10)
	case uint32:
		return strconv.AppendUint(dst, uint64(v), 10)
	case uint64:
		return append(strconv.AppendUint(append(dst, '"'), v, 10), '"')
	case float32:
		return appendFloat(dst, float32Text(v))
	case float64:
		return appendFloat(dst, float64Text(v))
	case string:
		return appendString(dst, v)
	case wire.Symbol:
		return appendString(dst, string(v))
	case wire.Char:
		return appendString(dst, string(rune(v)))
	case wire.UUID:
		return appendString(dst, v.String())
	case wire.Timestamp:
		return append(strconv.AppendInt(append(dst, '"'), int64(v), 10), '"')
	case []byte:
		return appendBase64(dst, v)
	}
	return appendBase64(dst, wire.AppendValue(nil, v))
}

func appendBase64(dst, b []byte) []byte {
	return append(base64s.AppendEncode(append(dst, '"'), b), '"')
}

// appendFloat appends a number, or as a string what is none in JSON.
func appendFloat(dst []byte, s string) []byte {
	if c := s[len(s)-1]; digit(c) && s[0] != 'N' {
		return append(dst, s...)
	}
	return append(append(append(dst, '"'), s...), '"')
}

// appendString appends a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendString(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = clean(s)
	}
	dst = append(dst, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', upperHex[c>>4], upperHex[c&15])
		}
	}
	return append(append(dst, s[from:]...), '"')
}

// outJSON gives the whole message as one document.
func outJSON(m *Message, o *Options) []byte {
	d := document{b: append(make([]byte, 0, 512+len(m.Body.Text)+2*len(m.Body.Bytes)), '{')}
	if o.ExportHeaders {
		d.open(`"headers":{`)
		d.fields(m)
		d.close()
	}
	if o.ExportProperties {
		d.open(`"properties":{`)
		d.text(docGroupID, m.GroupID)
		if m.GroupSequence.OK {
			d.number(docGroupSequence, int64(m.GroupSequence.V))
		}
		d.text(docReplyToGroupID, m.ReplyToGroupID)
		if m.UserID != nil {
			d.name(docUserID)
			d.b = appendString(d.b, userText(m.UserID))
		}
		for i := range m.Properties {
			d.name(m.Properties[i].Name)
			d.b = appendTyped(d.b, m.Properties[i].Value)
		}
		d.close()
	}
	d.open(`"body":{`)
	d.text(docType, bodyWord(m.Kind, m.Body.Form))
	d.text(docContentType, m.ContentType)
	d.text(docContentEncoding, m.ContentEncoding)
	switch m.Body.Form {
	case Text:
		d.name(docValue)
		d.b = appendString(d.b, m.Body.Text)
	case Bytes:
		d.name(docValue)
		d.b = appendBase64(d.b, m.Body.Bytes)
	case Fields, Items, Foreign:
		d.name(docValue)
		d.b = m.Body.AppendJSON(d.b)
	}
	d.close()
	return append(d.b, '}')
}

// Names of the encoding `ems-json`. Those of JMS's headers are Rendezvous's (ems 9).
const (
	docMessageID       = "JMSMessageID"
	docCorrelationID   = "JMSCorrelationID"
	docJMSType         = "JMSType"
	docDestination     = "JMSDestination"
	docReplyTo         = "JMSReplyTo"
	docDeliveryMode    = "JMSDeliveryMode"
	docPriority        = "JMSPriority"
	docTimestamp       = "JMSTimestamp"
	docExpiration      = "JMSExpiration"
	docTTL             = "JMS_AMQP_TTL"
	docDeliveryTime    = "JMSDeliveryTime"
	docRedelivered     = "JMSRedelivered"
	docDeliveryCount   = "JMSXDeliveryCount"
	docGroupID         = "JMSXGroupID"
	docGroupSequence   = "JMSXGroupSeq"
	docReplyToGroupID  = "JMS_AMQP_REPLY_TO_GROUP_ID"
	docUserID          = "JMSXUserID"
	docType            = "type"
	docValue           = "value"
	docContentType     = "contentType"
	docContentEncoding = "contentEncoding"
)

// document writes objects, in which it knows whether a comma is due.
type document struct{ b []byte }

func (d *document) comma() {
	if last := d.b[len(d.b)-1]; last != '{' {
		d.b = append(d.b, ',')
	}
}

func (d *document) open(s string) {
	d.comma()
	d.b = append(d.b, s...)
}

func (d *document) close() { d.b = append(d.b, '}') }

func (d *document) name(s string) {
	d.comma()
	d.b = append(appendString(d.b, s), ':')
}

func (d *document) text(name, value string) {
	if value != "" {
		d.name(name)
		d.b = appendString(d.b, value)
	}
}

func (d *document) number(name string, n int64) {
	d.name(name)
	d.b = strconv.AppendInt(d.b, n, 10)
}

// time appends what has 64 bits.
func (d *document) time(name string, n int64) {
	if n != 0 {
		d.name(name)
		d.b = appendScalar(d.b, n)
	}
}

// fields appends the headers of JMS; those that are null are left out (ems 9).
func (d *document) fields(m *Message) {
	mode := int64(1)
	if m.Persistent {
		mode = 2
	}
	d.number(docDeliveryMode, mode)
	d.number(docPriority, int64(m.Priority))
	d.time(docTimestamp, m.Timestamp)
	d.time(docExpiration, m.Expiration)
	if m.TTL > 0 && m.Expiration == 0 {
		d.number(docTTL, int64(m.TTL))
	}
	d.time(docDeliveryTime, m.DeliveryTime)
	if m.MessageID != nil {
		d.text(docMessageID, message.MessageIDString(m.MessageID))
	}
	d.text(docCorrelationID, message.CorrelationIDString(m.CorrelationID))
	d.text(docJMSType, m.Type)
	if m.Destination.Name != "" {
		d.text(docDestination, m.Destination.text())
	}
	if m.ReplyTo.Name != "" {
		d.text(docReplyTo, m.ReplyTo.text())
	}
	if m.DeliveryCount > 0 {
		d.name(docRedelivered)
		d.b = append(d.b, "true"...)
		d.number(docDeliveryCount, int64(m.DeliveryCount)+1)
	}
}
