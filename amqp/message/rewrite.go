package message

import "github.com/tidegate/tidegate/amqp/wire"

// Rewrite is what of a message is said otherwise where it comes in from another
// system, or leaves for one.
type Rewrite struct {
	Durable bool
	// Annotations stand beside those of the message, in place of those under the same
	// names, and so do Properties, of its application properties; nil: they stay.
	Annotations wire.Map // keys are wire.Symbol
	Properties  wire.Map // keys are string
}

// Rewritten makes a copy that says so. Its delivery annotations and its delivery count
// go: they were of the way to here. All else stays byte for byte.
func (m *Message) Rewritten(r Rewrite) (*Message, error) {
	h := m.Header()
	front := AppendHeader(make([]byte, 0, m.size()-m.BodySize()+256), r.Durable, h.Priority, h.TTL, false, 0)
	behind := m.Offset()
	if len(r.Annotations) > 0 {
		var err error
		if front, behind, err = Annotate(front, m.first, m.rest, behind, wire.AppendValue(nil, r.Annotations)); err != nil {
			return nil, err
		}
	}
	if len(r.Properties) == 0 {
		return m.before(front, behind)
	}
	start := int(m.at[applicationSection])
	c := m.cursor()
	c.ranges(behind, start, func(part []byte) { front = append(front, part...) })
	front = MergeMaps(wire.AppendDescriptor(front, codeApplication), m.value(applicationSection), wire.AppendValue(nil, r.Properties))
	return m.before(front, int(m.at[bodySection]))
}
