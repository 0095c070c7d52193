package translate

import (
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/amqp/message"
)

// headerWriter makes the headers of a message. Their names and values lie in one piece
// of memory: an allocation each would be most of the cost of an export.
type headerWriter struct {
	hs   []Header
	text strings.Builder
}

// outHeaders gives the headers of a message. What says how to read the body is not one
// of JMS's headers, and is there without export_headers too.
func outHeaders(m *Message, o *Options) []Header {
	w := headerWriter{hs: make([]Header, 0, 12+len(m.Properties))}
	w.text.Grow(m.headerBytes(o))
	w.add(headerBody, bodyWord(m.Kind, m.Body.Form))
	w.addText(contentType, m.ContentType)
	w.addText(contentEncoding, m.ContentEncoding)
	if o.ExportHeaders {
		w.fields(m)
	}
	if !o.ExportProperties {
		return w.hs
	}
	w.addText(headerGroupID, m.GroupID)
	if m.GroupSequence.OK {
		w.addNumber(headerGroupSequence, int64(m.GroupSequence.V))
	}
	w.addText(headerReplyToGroupID, m.ReplyToGroupID)
	if m.UserID != nil {
		w.add(headerUserID, escape(userText(m.UserID)))
	}
	for i := range m.Properties {
		p := &m.Properties[i]
		w.add(w.join(propertyPrefix, escapeName(p.Name)), w.tagged(p.Value))
	}
	return w.hs
}

// headerBytes is about what join and number will need.
func (m *Message) headerBytes(o *Options) int {
	n := 0
	if o.ExportHeaders {
		n = 128 + len(m.Destination.Name) + len(m.ReplyTo.Name)
	}
	if o.ExportProperties {
		for i := range m.Properties {
			n += len(propertyPrefix) + len(m.Properties[i].Name) + 16
			if s, ok := m.Properties[i].Value.(string); ok {
				n += len(s)
			}
		}
	}
	return n
}

// fields adds what JMS calls headers.
func (w *headerWriter) fields(m *Message) {
	if m.MessageID != nil {
		w.add(headerMessageID, escape(message.MessageIDString(m.MessageID)))
	}
	w.addText(headerCorrelationID, message.CorrelationIDString(m.CorrelationID))
	w.addText(headerType, m.Type)
	w.addText(headerDestination, w.destination(m.Destination))
	w.addText(headerReplyTo, w.destination(m.ReplyTo))
	mode := nonPersistent
	if m.Persistent {
		mode = persistent
	}
	w.add(headerDeliveryMode, mode)
	w.add(headerPriority, strconv.Itoa(int(m.Priority)))
	w.addTime(headerTimestamp, m.Timestamp)
	w.addTime(headerExpiration, m.Expiration)
	if m.Expiration == 0 {
		w.addTime(headerTTL, int64(m.TTL))
	}
	w.addTime(headerDeliveryTime, m.DeliveryTime)
	w.addTime(headerDeliveryCount, int64(m.DeliveryCount))
}

func (w *headerWriter) add(name, value string) { w.hs = append(w.hs, Header{name, value}) }

// addText adds what is not empty, escaped.
func (w *headerWriter) addText(name, value string) {
	if value != "" {
		w.add(name, escape(value))
	}
}

// addTime adds what is not 0.
func (w *headerWriter) addTime(name string, n int64) {
	if n != 0 {
		w.addNumber(name, n)
	}
}

func (w *headerWriter) addNumber(name string, n int64) { w.add(name, w.number("", n)) }

// join puts two texts together.
func (w *headerWriter) join(a, b string) string {
	start := w.text.Len()
	w.text.WriteString(a)
	w.text.WriteString(b)
	return w.text.String()[start:]
}

// number writes a number behind a text.
func (w *headerWriter) number(before string, n int64) string {
	var room [24]byte
	start := w.text.Len()
	w.text.WriteString(before)
	w.text.Write(strconv.AppendInt(room[:0], n, 10))
	return w.text.String()[start:]
}

// destination gives a destination with its kind; see Destination.text.
func (w *headerWriter) destination(d Destination) string {
	if d.Name == "" || d.bare() {
		return d.Name
	}
	return w.join(schemes[d.Kind], d.Name)
}

// payload is the body by itself: characters and bytes as they are, all else as JSON.
func (m *Message) payload() []byte {
	switch m.Body.Form {
	case Text:
		return []byte(m.Body.Text)
	case Bytes:
		return m.Body.Bytes
	case Fields, Items, Foreign:
		return m.Body.AppendJSON(nil)
	}
	return nil
}
