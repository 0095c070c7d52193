package message

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tidegate/tidegate/amqp/wire"
)

// Print gives the message's body for a trace: texts, maps and lists as text, bytes by
// their number. Each text is cut to field bytes, the whole to whole; truncated says
// whether something was.
func (m *Message) Print(field, whole int) (text string, truncated bool) {
	p := printer{field: field, whole: whole}
	if m.kind == BodyData {
		fmt.Fprintf(&p.b, "%d bytes", m.dataSize())
		return p.b.String(), false
	}
	body, err := m.Body()
	if err != nil {
		return "unreadable: " + err.Error(), false
	}
	p.value(body, 0)
	s := p.b.String()
	if len(s) > whole {
		s, p.cut = clip(s, whole), true
	}
	return s, p.cut
}

// dataSize is how many bytes the data sections hold.
func (m *Message) dataSize() (n int) {
	for _, d := range m.Data(nil) {
		n += len(d)
	}
	return n
}

type printer struct {
	b            strings.Builder
	field, whole int
	cut          bool
}

// maxPrintDepth bounds what is printed of maps and lists within each other.
const maxPrintDepth = 8

func (p *printer) value(v any, depth int) {
	if p.b.Len() > p.whole || depth > maxPrintDepth {
		p.cut = true
		return
	}
	switch v := v.(type) {
	case nil:
		p.b.WriteString("null")
	case string:
		p.text(v)
	case wire.Symbol:
		p.text(string(v))
	case []byte:
		fmt.Fprintf(&p.b, "%d bytes", len(v))
	case wire.Map:
		p.b.WriteByte('{')
		for i, e := range v {
			if i > 0 {
				p.b.WriteString(", ")
			}
			fmt.Fprintf(&p.b, "%v=", e.Key)
			p.value(e.Value, depth+1)
		}
		p.b.WriteByte('}')
	case wire.List:
		p.b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				p.b.WriteString(", ")
			}
			p.value(e, depth+1)
		}
		p.b.WriteByte(']')
	default:
		fmt.Fprintf(&p.b, "%v", v)
	}
}

func (p *printer) text(s string) {
	if len(s) > p.field {
		s, p.cut = clip(s, p.field), true
	}
	fmt.Fprintf(&p.b, "%q", s)
}

// clip cuts a text to at most n bytes, between characters.
func clip(s string, n int) string {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
