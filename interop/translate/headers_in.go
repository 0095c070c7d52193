package translate

import (
	"strings"
	"unicode/utf8"

	"github.com/tidegate/tidegate/amqp/message"
)

// headers reads a message whose fields are headers.
func (r *reader) headers(hs []Header, body []byte) error {
	word := ""
	for i := range hs {
		h := &hs[i]
		name := canonicalHeader(h.Name)
		switch {
		case hasPrefixFold(name, propertyPrefix):
			v, err := r.untag(h.Name, h.Value)
			if err != nil {
				return err
			}
			r.m.Properties = append(r.m.Properties, Property{unescape(h.Name[len(propertyPrefix):]), v})
		case name == headerBody:
			word = h.Value
		case name == contentType:
			r.m.ContentType = unescape(h.Value)
		case name == contentEncoding:
			r.m.ContentEncoding = unescape(h.Value)
		default:
			if err := r.header(name, h); err != nil {
				return err
			}
		}
	}
	return r.body(word, body)
}

// header reads a header of JMS, or makes a property of one that is not.
func (r *reader) header(name string, h *Header) error {
	if hasPrefixFold(name, headerPrefix) {
		if ours, err := r.field(name, h); ours || err != nil {
			return err
		}
	}
	if !IsReserved(h.Name) {
		r.m.Properties = append(r.m.Properties, Property{PropertyName(h.Name), clean(h.Value)})
	}
	return nil
}

// field reads a header of JMS; false: it is none that we know.
func (r *reader) field(name string, h *Header) (ours bool, err error) {
	m, text := r.m, unescape(h.Value)
	switch name {
	case headerMessageID:
		m.MessageID = message.ParseID(text)
	case headerCorrelationID:
		m.CorrelationID = parseCorrelation(text)
	case headerType:
		m.Type = text
	case headerDestination:
		m.Destination = parseDestination(text)
	case headerReplyTo:
		m.ReplyTo = parseDestination(text)
	case headerGroupID:
		m.GroupID = text
	case headerReplyToGroupID:
		m.ReplyToGroupID = text
	case headerUserID:
		m.UserID = parseUser(text)
	case headerDeliveryMode:
		m.Persistent, err = r.mode(h.Name, text)
	case headerPriority:
		m.Priority, err = numeric[uint8](r, h.Name, text, 8)
	case headerTimestamp:
		m.Timestamp, err = r.millis(h.Name, text)
	case headerExpiration:
		m.Expiration, err = r.millis(h.Name, text)
	case headerTTL:
		m.TTL, err = numeric[uint32](r, h.Name, text, 32)
	case headerDeliveryTime:
		m.DeliveryTime, err = r.millis(h.Name, text)
	case headerDeliveryCount:
		m.DeliveryCount, err = numeric[uint32](r, h.Name, text, 32)
	case headerGroupSequence:
		m.GroupSequence.V, err = numeric[uint32](r, h.Name, text, 32)
		m.GroupSequence.OK = err == nil
	default:
		return false, nil
	}
	return true, err
}

// known are the names that have a meaning.
var known = [...]string{
	headerBody, headerMessageID, headerCorrelationID, headerType, headerDestination, headerReplyTo, headerDeliveryMode,
	headerPriority, headerTimestamp, headerExpiration, headerTTL, headerDeliveryTime, headerDeliveryCount,
	headerGroupID, headerGroupSequence, headerReplyToGroupID, headerUserID, contentType, contentEncoding,
}

// canonicalHeader gives the one of them that a header's name is in some other case, or
// the name.
func canonicalHeader(name string) string {
	for _, have := range &known { // as we write it: lengths tell nearly all apart
		if len(have) == len(name) && (have == name || strings.EqualFold(have, name)) {
			return have
		}
	}
	return name
}

func numeric[T uint8 | uint32](r *reader, where, text string, bits int) (T, error) {
	n, err := unsigned[T](text, bits)
	if err != nil {
		return 0, r.fail(where, "%.40q is no number from 0 to %d", text, uint64(1)<<bits-1)
	}
	return n, nil
}

func (r *reader) millis(where, text string) (int64, error) {
	n, err := integer[int64](text, 64)
	if err != nil {
		return 0, r.fail(where, "%.40q is no time: write milliseconds since 1970 as a decimal number", text)
	}
	return n, nil
}

// mode reads a JMSDeliveryMode by its word or by EMS's number.
func (r *reader) mode(where, text string) (bool, error) {
	switch text {
	case persistent, nonPersistent:
		return text == persistent, nil
	}
	switch strings.ToUpper(text) {
	case persistent, "2":
		return true, nil
	case nonPersistent, reliable, "1", "22":
		return false, nil
	}
	return false, r.fail(where, "%.40q is no delivery mode: write %s or %s", text, persistent, nonPersistent)
}

// parseCorrelation reads a correlation id's JMS form.
func parseCorrelation(text string) any {
	if id := message.ParseID(text); id != "" {
		return id
	}
	return nil
}

// body reads the body as JMS-Body says, or as it looks where there is none.
func (r *reader) body(word string, body []byte) error {
	if word == "" {
		r.infer(body)
		return nil
	}
	kind, form, ok := parseBodyWord(word)
	if !ok {
		return r.fail(headerBody, "%.40q is no kind of message: write %s", word, bodyWords)
	}
	r.m.Kind = kind
	switch form {
	case Text:
		if !utf8.Valid(body) { // a client that takes it for one would lose its connection
			r.m.Kind, r.m.Body = message.KindBytes, Body{Form: Bytes, Bytes: body}
			return nil
		}
		r.m.Body = Body{Form: Text, Text: string(body)}
	case Bytes:
		r.m.setBytes(body)
	case NoBody, Null:
		if len(body) > 0 {
			return r.fail(headerBody, "%q has no body, and %d bytes came: write %s", word, len(body), bodyWords)
		}
		r.m.Body.Form = form
	default:
		return r.jsonBody(form, body)
	}
	return nil
}

// infer makes a message of what some other program sent (decision 98): a TextMessage
// where the type is one of characters, or not said, and the bytes are UTF-8; else a
// BytesMessage.
func (r *reader) infer(body []byte) {
	m := r.m
	if (m.ContentType == "" || message.IsTextType(m.ContentType)) && isUTF8(m.ContentType) && utf8.Valid(body) {
		m.Kind, m.Body = message.KindText, Body{Form: Text, Text: string(body)}
		return
	}
	m.Kind, m.Body = message.KindBytes, Body{Form: Bytes, Bytes: body}
}

// Marks of a user's name that is no text, and of one that begins as if it had a mark.
const (
	binaryMark = "x:"
	textMark   = "s:"
)

// userText gives JMSXUserID, which is bytes in AMQP and nearly always characters.
func userText(b []byte) string {
	s := string(b)
	if !utf8.ValidString(s) {
		return binaryMark + base64s.EncodeToString(b)
	}
	if strings.HasPrefix(s, binaryMark) || strings.HasPrefix(s, textMark) {
		return textMark + s
	}
	return s
}

func parseUser(s string) []byte {
	if text, ok := strings.CutPrefix(s, binaryMark); ok {
		if b, err := base64s.DecodeString(text); err == nil {
			return b
		}
	}
	return []byte(strings.TrimPrefix(s, textMark))
}
