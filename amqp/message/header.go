package message

import "github.com/tidegate/tidegate/amqp/wire"

// Header is the transport header of a message (amqp 3.2.1).
type Header struct {
	Durable       bool
	Priority      uint8                 // default DefaultPriority
	TTL           wire.Optional[uint32] // ms
	FirstAcquirer bool
	DeliveryCount uint32 // failed deliveries before this one
}

// DefaultPriority is the priority of a message that does not say.
const DefaultPriority = 4

// parseHeader reads a header's list; nil gives the defaults.
func parseHeader(b []byte) (h Header, err error) {
	h.Priority = DefaultPriority
	if b == nil {
		return h, nil
	}
	body, count, _, err := wire.ListHead(b)
	if err != nil {
		return h, err
	}
	for i := range count {
		n := 1
		if !wire.IsNull(body) {
			if n, err = h.set(i, body); err != nil {
				return h, err
			}
		}
		body = body[n:]
	}
	if len(body) > 0 {
		return h, &wire.Error{Op: "header", Reason: "bytes behind the last field"}
	}
	return h, nil
}

// set reads the i-th field from the start of b.
func (h *Header) set(i int, b []byte) (n int, err error) {
	switch i {
	case 0:
		h.Durable, n, err = wire.Bool(b)
	case 1:
		h.Priority, n, err = wire.Ubyte(b)
	case 2:
		h.TTL.V, n, err = wire.Uint(b)
		h.TTL.OK = err == nil
	case 3:
		h.FirstAcquirer, n, err = wire.Bool(b)
	case 4:
		h.DeliveryCount, n, err = wire.Uint(b)
	default:
		n, err = wire.Skip(b)
	}
	return n, err
}

// Header gives the header, with the defaults where it is absent.
func (m *Message) Header() Header { return m.header }

// SkipHeader reads the header of the message that starts with first, and gives
// the offset of the first byte behind header and delivery annotations: where a
// message goes on that is given new ones. Nothing behind that is looked at.
// Errors are *Error.
func SkipHeader(first []byte, rest [][]byte) (h Header, offset int, err error) {
	h.Priority = DefaultPriority
	p := pieces{first, rest}
	size := p.size()
	c := p.cursor()
	var buf [windowSize]byte
	for next := headerSection; offset < size; {
		s, _, head, err := begin(c.window(offset, &buf), offset)
		if err != nil {
			return h, 0, err
		}
		if s > deliverySection {
			return h, offset, nil
		}
		if s < next {
			return h, 0, &Error{Section: sectionNames[s], Offset: offset, Reason: "out of order, or there twice"}
		}
		end, err := c.valueEnd(offset+head, size)
		if err == nil && s == headerSection {
			h, err = parseHeader(c.bytes(offset+head, end))
		}
		if err != nil {
			return h, 0, &Error{Section: sectionNames[s], Offset: offset, Err: err}
		}
		offset, next = end, s+1
	}
	return h, offset, nil
}

// AppendHeader appends a header section of what is not default, or nothing at
// all where everything is.
func AppendHeader(dst []byte, durable bool, priority uint8, ttl wire.Optional[uint32], firstAcquirer bool, deliveryCount uint32) []byte {
	if !durable && priority == DefaultPriority && !ttl.OK && !firstAcquirer && deliveryCount == 0 {
		return dst
	}
	dst, mark := wire.BeginList(wire.AppendDescriptor(dst, codeHeader))
	dst, last := wire.AppendBool(dst, durable), 1
	if priority != DefaultPriority {
		dst, last = wire.AppendUbyte(dst, priority), 2
	}
	if ttl.OK {
		dst = pad(dst, 2-last)
		dst, last = wire.AppendUint(dst, ttl.V), 3
	}
	if firstAcquirer {
		dst = pad(dst, 3-last)
		dst, last = wire.AppendBool(dst, true), 4
	}
	if deliveryCount > 0 {
		dst = pad(dst, 4-last)
		dst, last = wire.AppendUint(dst, deliveryCount), 5
	}
	return wire.EndList(dst, mark, last)
}

// pad appends that many nulls for fields left out.
func pad(b []byte, n int) []byte {
	for ; n > 0; n-- {
		b = wire.AppendNull(b)
	}
	return b
}
