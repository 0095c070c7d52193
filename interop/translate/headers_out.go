package translate

import (
	"strconv"

	"github.com/tidegate/tidegate/amqp/message"
)

// outHeaders gives the headers of a message. What says how to read the body is not one
// of JMS's headers, and is there without export_headers too.
func outHeaders(m *Message, o *Options) []Header {
	hs := make([]Header, 0, 12+len(m.Properties))
	hs = append(hs, Header{headerBody, bodyWord(m.Kind, m.Body.Form)})
	hs = addText(hs, contentType, m.ContentType)
	hs = addText(hs, contentEncoding, m.ContentEncoding)
	if o.ExportHeaders {
		hs = m.outFields(hs)
	}
	if !o.ExportProperties {
		return hs
	}
	hs = addText(hs, headerGroupID, m.GroupID)
	if m.GroupSequence.OK {
		hs = append(hs, Header{headerGroupSequence, strconv.FormatUint(uint64(m.GroupSequence.V), 10)})
	}
	hs = addText(hs, headerReplyToGroupID, m.ReplyToGroupID)
	if m.UserID != nil {
		hs = append(hs, Header{headerUserID, escape(userText(m.UserID))})
	}
	for i := range m.Properties {
		p := &m.Properties[i]
		hs = append(hs, Header{propertyPrefix + escapeName(p.Name), tagged(p.Value)})
	}
	return hs
}

// outFields adds what JMS calls headers.
func (m *Message) outFields(hs []Header) []Header {
	if m.MessageID != nil {
		hs = append(hs, Header{headerMessageID, escape(message.MessageIDString(m.MessageID))})
	}
	hs = addText(hs, headerCorrelationID, message.CorrelationIDString(m.CorrelationID))
	hs = addText(hs, headerType, m.Type)
	if m.Destination.Name != "" {
		hs = append(hs, Header{headerDestination, escape(m.Destination.text())})
	}
	if m.ReplyTo.Name != "" {
		hs = append(hs, Header{headerReplyTo, escape(m.ReplyTo.text())})
	}
	mode := nonPersistent
	if m.Persistent {
		mode = persistent
	}
	hs = append(hs, Header{headerDeliveryMode, mode}, Header{headerPriority, strconv.Itoa(int(m.Priority))})
	hs = addNumber(hs, headerTimestamp, m.Timestamp)
	hs = addNumber(hs, headerExpiration, m.Expiration)
	if m.Expiration == 0 {
		hs = addNumber(hs, headerTTL, int64(m.TTL))
	}
	hs = addNumber(hs, headerDeliveryTime, m.DeliveryTime)
	return addNumber(hs, headerDeliveryCount, int64(m.DeliveryCount))
}

func addText(hs []Header, name, value string) []Header {
	if value == "" {
		return hs
	}
	return append(hs, Header{name, escape(value)})
}

func addNumber(hs []Header, name string, n int64) []Header {
	if n == 0 {
		return hs
	}
	return append(hs, Header{name, strconv.FormatInt(n, 10)})
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
