package load

import (
	"bytes"
	"errors"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

// envelope finds the body in deliveries. Brokers put the same bytes before each
// body, so those of the last delivery are kept and compared first.
type envelope struct {
	before []byte // what stood before the last body
	found  place
}

// place is what the bytes before a body say.
type place struct {
	at, size    int  // offset and length of the body
	redelivered bool // somebody may have had it already
}

var errForeign = errors.New("the message has no data section")

// find looks at the first frame of a delivery.
func (e *envelope) find(payload []byte) (place, error) {
	if len(e.before) > 0 && bytes.HasPrefix(payload, e.before) {
		return e.found, nil
	}
	p, err := locate(payload)
	if err != nil {
		return p, err
	}
	e.before = append(e.before[:0], payload[:p.at]...)
	e.found = p
	return p, nil
}

// locate goes through the sections before the body.
func locate(payload []byte) (p place, err error) {
	for b := payload; len(b) > 0; b = payload[p.at:] {
		d, n, err := wire.ReadDescriptor(b)
		if err != nil {
			return p, err
		}
		switch d.Code {
		case frame.CodeHeader:
			var h frame.Header
			if n, err = h.Decode(b, nil); err != nil {
				return p, err
			}
			// first-acquirer is not looked at: brokers that never set it are many.
			p.redelivered = h.DeliveryCount > 0
		case codeData:
			size, err := wire.Size(b[n:])
			if err != nil {
				return p, err
			}
			head := dataHead(b[n])
			p.at += n + head
			p.size = size - head
			return p, nil
		default:
			size, err := wire.Skip(b[n:])
			if err != nil {
				return p, err
			}
			n += size
		}
		p.at += n
	}
	return p, errForeign
}

// dataHead is the length of a binary's constructor and size (amqp 1.6.19).
func dataHead(constructor byte) int {
	const vbin8 = 0xa0
	if constructor == vbin8 {
		return 2
	}
	return 5
}
