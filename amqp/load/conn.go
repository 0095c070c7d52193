package load

import (
	"fmt"
	"net"

	"github.com/tidegate/tidegate/amqp/frame"
)

// conn is a socket and the bytes read from it. One goroutine reads and writes;
// only keep-alives come from another, which is safe, as each is one Write.
type conn struct {
	sock net.Conn
	buf  []byte
	// buf[from:to] was read and not cut yet.
	from, to int
	out      []byte // written by flush
	// idle is the peer's idle-time-out in milliseconds, 0: none.
	idle uint32
	// peerFrame is the peer's max-frame-size.
	peerFrame uint32
}

// next is the body of the next whole frame, or nil where more must be read. It
// aliases the buffer and holds until fill. An empty frame's body is empty, not
// nil.
func (c *conn) next() ([]byte, error) {
	have := c.to - c.from
	if have < frame.HeaderSize {
		return nil, nil
	}
	h, err := frame.ParseHeader(c.buf[c.from:], maxFrame)
	if err != nil {
		return nil, err
	}
	if have < int(h.Size) {
		return nil, nil
	}
	body := c.buf[c.from+h.Offset : c.from+int(h.Size)]
	c.from += int(h.Size)
	return body, nil
}

// fill reads once. What was not cut moves to the front of the buffer, which
// grows where a read fills it or a frame does not fit.
func (c *conn) fill() error {
	if c.from > 0 {
		copy(c.buf, c.buf[c.from:c.to])
		c.from, c.to = 0, c.to-c.from
	}
	if c.to == len(c.buf) {
		// Full of one incomplete frame, or the last read left no room.
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
	}
	n, err := c.sock.Read(c.buf[c.to:])
	c.to += n
	if c.to == len(c.buf) && len(c.buf) < maxRead {
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
	}
	if n > 0 {
		return nil // an error comes back with the next read
	}
	return err
}

// flush writes what was appended to out.
func (c *conn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	_, err := c.sock.Write(c.out)
	c.out = c.out[:0]
	return err
}

// PeerError is what the broker ended a link, a session or the connection with.
type PeerError struct {
	What string // detach, end or close
	Err  *frame.Error
}

func (e *PeerError) Error() string {
	if e.Err == nil {
		return "the broker sent " + e.What + " without a reason"
	}
	return fmt.Sprintf("the broker sent %s: %s %s", e.What, e.Err.Condition, e.Err.Description)
}

// ended is the error in an end of any kind, nil where p is none.
func ended(p frame.Performative) error {
	switch p := p.(type) {
	case *frame.Detach:
		return &PeerError{"detach", p.Error}
	case *frame.End:
		return &PeerError{"end", p.Error}
	case *frame.Close:
		return &PeerError{"close", p.Error}
	}
	return nil
}
