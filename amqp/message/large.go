package message

import (
	"github.com/tidegate/tidegate/amqp/wire"
	core "github.com/tidegate/tidegate/core/message"
)

// Large is a message that is in a file. In memory are the sections before its
// body: Header, Property and the others answer from them.
type Large struct {
	Message
	Spooled core.File
}

var _ core.Spooled = (*Large)(nil)

// Format is FormatLarge.
func (m *Large) Format() core.Format { return core.FormatLarge }

// Size is the bytes of all sections.
func (m *Large) Size() int64 { return m.Spooled.Size }

// File is where the message is.
func (m *Large) File() core.File { return m.Spooled }

// With is the message itself: its file cannot be changed any more. See FrontWith.
func (m *Large) With(core.Patch) core.Content { return m }

// Front goes over the sections before the body of a message of which these are
// the first bytes, as Index does, and gives a message of only these, whose
// bytes are a copy. They must end within the bytes given. The Walk is to be
// given what is behind them, from Message.Size on.
func Front(first []byte, rest [][]byte, lim *wire.Limits) (Message, Walk, error) {
	p := pieces{first, rest}
	size := p.size()
	var buf [windowSize]byte
	c := p.cursor()
	next, pos := headerSection, 0
	for pos < size {
		s, kind, head, err := begin(c.window(pos, &buf), pos)
		if err != nil {
			return Message{}, Walk{}, err
		}
		if s >= bodySection {
			break
		}
		if s < next {
			return Message{}, Walk{}, outOfOrder(s, pos)
		}
		end, err := c.valueEnd(pos+head, size)
		if err != nil {
			return Message{}, Walk{}, &Error{Section: sectionNames[s], Offset: pos, Reason: "must end within the first MiB of a message that is larger", Err: err}
		}
		if err := check(c, s, kind, pos+head, end, new(Header), lim); err != nil {
			return Message{}, Walk{}, &Error{Section: sectionNames[s], Offset: pos, Err: err}
		}
		pos, next = end, s+1
	}
	front := make([]byte, 0, pos)
	whole := p.cursor()
	whole.ranges(0, pos, func(part []byte) { front = append(front, part...) })
	m, err := Index(front, nil, lim)
	return m, Walk{pos: int64(pos), lim: lim}, err
}
