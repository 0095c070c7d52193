package message

import (
	"math"

	"github.com/tidegate/tidegate/amqp/wire"
)

// Message is one immutable message. The zero Message has no sections.
type Message struct {
	pieces
	at   [sections + 1]uint32 // where each section starts; an absent one is empty
	head [sections]uint8      // length of its descriptor; of the body, of the first
	kind BodyKind

	header Header
}

// MaxSize is the largest message that can be indexed, in bytes.
const MaxSize = math.MaxUint32

// Index goes over the sections of a message, which must be complete, in the
// order of the specification, and each of the right form; the contents of body
// sections are not looked at. Nothing is copied or allocated, except a section
// in front of the body that lies in several pieces. The bytes must not change
// afterwards. No bytes at all are a message without sections: proton sends
// such. Errors are *Error.
func Index(first []byte, rest [][]byte, lim *wire.Limits) (Message, error) {
	var m Message
	if err := m.Index(first, rest, lim); err != nil {
		return Message{}, err
	}
	return m, nil
}

// Index makes m the view of other bytes, in place; after an error it is of no
// use. See the function Index.
func (m *Message) Index(first []byte, rest [][]byte, lim *wire.Limits) error {
	*m = Message{pieces: pieces{first, rest}, header: Header{Priority: DefaultPriority}}
	size := m.size()
	if size > MaxSize {
		return &Error{Reason: "larger than 4 GiB"}
	}
	var buf [windowSize]byte
	c := m.cursor()
	next, pos := headerSection, 0
	for pos < size {
		s, kind, head, err := begin(c.window(pos, &buf), pos)
		if err != nil {
			return err
		}
		again := s == bodySection && next == footerSection && kind == m.kind && kind != BodyValue
		if s < next && !again {
			return outOfOrder(s, pos)
		}
		end, err := c.valueEnd(pos+head, size)
		if err != nil {
			return &Error{Section: sectionNames[s], Offset: pos, Err: err}
		}
		if err := check(c, s, kind, pos+head, end, &m.header, lim); err != nil {
			return &Error{Section: sectionNames[s], Offset: pos, Err: err}
		}
		for ; next <= s; next++ {
			m.at[next] = uint32(pos)
		}
		if !again {
			m.head[s] = uint8(head)
		}
		if s == bodySection {
			m.kind = kind
		}
		pos = end
	}
	for ; next <= sections; next++ {
		m.at[next] = uint32(pos)
	}
	return nil
}

func outOfOrder(s section, pos int) error {
	return &Error{Section: sectionNames[s], Offset: pos, Reason: "out of order, or there twice"}
}

// begin reads the descriptor of the section at pos.
func begin(window []byte, pos int) (s section, kind BodyKind, head int, err error) {
	if !wire.IsDescribed(window) {
		return 0, 0, 0, &Error{Offset: pos, Reason: "no section begins here"}
	}
	d, head, err := wire.ReadDescriptor(window)
	if err != nil {
		return 0, 0, 0, &Error{Offset: pos, Err: err}
	}
	s, kind, ok := place(d)
	if !ok {
		return 0, 0, 0, &Error{Offset: pos, Reason: "unknown section " + d.String()}
	}
	return s, kind, head, nil
}

// valueEnd gives where the value at pos ends. Described values are followed
// without looking inside, however long their descriptors are. The caller's
// cursor stays where it is.
func (c cursor) valueEnd(pos, size int) (int, error) {
	var buf [windowSize]byte
	for due := 1; due > 0; {
		window := c.window(pos, &buf)
		if wire.IsDescribed(window) {
			due++
			pos++
			continue
		}
		n, err := wire.Size(window)
		if err != nil {
			return 0, err
		}
		if n > size-pos {
			return 0, &wire.Error{Op: "value", Offset: pos, Reason: "the message ends before the value does"}
		}
		pos += n
		due--
	}
	return pos, nil
}

// check looks at the form of the section whose value lies from start to end,
// and inside those that the broker and every consumer will read: one message
// that a client cannot decode would cost each of them its connection.
func check(c cursor, s section, kind BodyKind, start, end int, header *Header, lim *wire.Limits) error {
	if s == bodySection {
		var buf [windowSize]byte
		window := c.window(start, &buf)
		switch kind {
		case BodyData:
			return expect(window, "binary", 0xa0, 0xb0)
		case BodySequence:
			return expect(window, "list", 0x45, 0xc0, 0xd0)
		}
		return nil
	}
	b := c.bytes(start, end)
	switch s {
	case headerSection:
		h, err := parseHeader(b)
		*header = h
		return err
	case propertiesSection:
		return checkProperties(b, lim)
	}
	if err := expect(b, "map", 0xc1, 0xd1); err != nil {
		return err
	}
	_, err := wire.Check(b, lim)
	return err
}

func expect(b []byte, op string, codes ...byte) error {
	for _, code := range codes {
		if len(b) > 0 && b[0] == code {
			return nil
		}
	}
	return &wire.Error{Op: op, Reason: "found another type"}
}

// value gives the bytes of a section's value; nil where the section is absent.
func (m *Message) value(s section) []byte {
	start, end := int(m.at[s]), int(m.at[s+1])
	if start == end {
		return nil
	}
	return m.bytes(start+int(m.head[s]), end)
}
