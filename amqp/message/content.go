package message

import (
	"fmt"

	core "github.com/tidegate/tidegate/core/message"
)

// Format is FormatAMQP.
func (m *Message) Format() core.Format { return core.FormatAMQP }

// Size is the bytes of all sections.
func (m *Message) Size() int64 { return int64(m.at[sections]) }

// Pieces appends the message's bytes to dst as they came.
func (m *Message) Pieces(dst [][]byte) [][]byte {
	if len(m.first) > 0 {
		dst = append(dst, m.first)
	}
	return append(dst, m.rest...)
}

// FromBytes makes a content of bytes that were stored, in pieces. Of a large
// message these are the sections before its body, and so is the content: good
// for Property, not for its Size.
func FromBytes(format core.Format, pieces [][]byte) (core.Content, error) {
	if format != core.FormatAMQP && format != core.FormatLarge {
		return nil, fmt.Errorf("message: unknown content format %d: written by a newer version", format)
	}
	var first []byte
	if len(pieces) > 0 {
		first, pieces = pieces[0], pieces[1:]
	}
	m, err := Index(first, pieces, nil)
	if err != nil {
		return nil, err
	}
	return &m, nil
}
