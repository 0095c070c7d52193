package message

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/tidegate/tidegate/amqp/wire"
)

// bodyLimits bound what decoding a body may make beyond the bytes it has: the
// elements of no width that arrays may claim.
var bodyLimits = &wire.Limits{
	Count: 1 << 20, Values: 1 << 20,
	Symbol: math.MaxInt, String: math.MaxInt, Binary: math.MaxInt,
}

// BodyKind is the form of the body.
func (m *Message) BodyKind() BodyKind { return m.kind }

// BodySize is the length of the body sections, descriptors included, in bytes.
func (m *Message) BodySize() int { return int(m.at[footerSection]) - int(m.at[bodySection]) }

// BodyPieces appends the encoded body sections to dst, in place.
func (m *Message) BodyPieces(dst [][]byte) [][]byte {
	c := m.cursor()
	c.ranges(int(m.at[bodySection]), int(m.at[footerSection]), func(part []byte) { dst = append(dst, part) })
	return dst
}

// eachBody calls f with where the value of each body section lies, and a cursor
// in front of it.
func (m *Message) eachBody(f func(c cursor, start, end int)) {
	var buf [windowSize]byte
	c := m.cursor()
	limit := int(m.at[footerSection])
	for pos := int(m.at[bodySection]); pos < limit; {
		_, _, head, err := begin(c.window(pos, &buf), pos)
		if err != nil {
			return
		}
		end, err := c.valueEnd(pos+head, limit)
		if err != nil {
			return
		}
		f(c, pos+head, end)
		pos = end
	}
}

// Data appends the contents of the data sections to dst, in place where they
// lie in one piece each.
func (m *Message) Data(dst [][]byte) [][]byte {
	if m.kind != BodyData {
		return dst
	}
	m.eachBody(func(c cursor, start, end int) {
		var buf [windowSize]byte
		head := 2
		if c.window(start, &buf)[0] == 0xb0 {
			head = 5
		}
		c.ranges(start+head, end, func(part []byte) { dst = append(dst, part) })
	})
	return dst
}

// Body decodes the body: []byte of all data sections, a wire.List of all
// elements of the sequences, the value of an amqp-value, or nil where there is
// no body.
func (m *Message) Body() (body any, err error) {
	switch m.kind {
	case BodyData:
		return joined(m.Data(nil)), nil
	case BodySequence:
		all := wire.List{}
		m.eachBody(func(c cursor, start, end int) {
			v, _, e := wire.Value(c.bytes(start, end), bodyLimits)
			if list, ok := v.(wire.List); ok {
				all = append(all, list...)
			}
			if err == nil {
				err = e
			}
		})
		return all, err
	case BodyValue:
		m.eachBody(func(c cursor, start, end int) { body, _, err = wire.Value(c.bytes(start, end), bodyLimits) })
	}
	return body, err
}

// joined gives one slice of several parts, without a copy where there is one.
func joined(parts [][]byte) []byte {
	if len(parts) == 1 {
		return parts[0]
	}
	all := []byte{}
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

// Text gives the body as characters: a string or symbol value, or data that
// claims to be text or is valid UTF-8 without saying what it is. A message
// without body, and the value null, are the empty text.
func (m *Message) Text() (string, bool) {
	body, err := m.Body()
	if err != nil {
		return "", false
	}
	switch body := body.(type) {
	case nil:
		return "", true
	case []byte:
		if m.kind != BodyData || !IsTextType(m.ContentType()) && m.ContentType() != "" {
			return "", false
		}
		return string(body), utf8.Valid(body)
	}
	return wire.Text(body)
}

// Bytes gives the body as bytes: data, a binary value, or the bytes of a text.
func (m *Message) Bytes() ([]byte, bool) {
	body, err := m.Body()
	if err != nil {
		return nil, false
	}
	switch body := body.(type) {
	case nil:
		return nil, true
	case []byte:
		return body, true
	}
	s, ok := wire.Text(body)
	return []byte(s), ok
}

// IsTextType tells whether a content type is one of characters (reference 3.4).
func IsTextType(contentType string) bool {
	t, _, _ := strings.Cut(contentType, ";")
	t = strings.ToLower(strings.TrimSpace(t))
	if strings.HasPrefix(t, "text/") || strings.HasSuffix(t, "+xml") || strings.HasSuffix(t, "+json") {
		return true
	}
	switch t {
	case "application/xml", "application/xml-dtd", "application/json",
		"application/javascript", "application/ecmascript":
		return true
	}
	return false
}
