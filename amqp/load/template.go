package load

import (
	"bytes"
	"encoding/binary"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

// template is one delivery as often as one write may hold it, ready but for
// the places that patch writes.
type template struct {
	buf    []byte
	length int // of one delivery, all its frames
	frames int // of one delivery
	// Offsets in a delivery.
	id, tag, body int
	size          int // of the body
	filling       uint32
}

// mark stands in a template where a number will: any value whose encoding is
// as long as the widest.
const mark = 0xfe_ed_fa_ce

// tagSize is the length of a delivery tag: the message's number.
const tagSize = 8

func newTemplate(o *Options, run, producer, peerFrame uint32) *template {
	body, filling := newBody(run, producer, o.Size)
	message := encode(o.Durable, body)
	prefix := len(message) - len(body)
	first := frame.Transfer{
		DeliveryID: wire.Some(uint32(mark)), DeliveryTag: make([]byte, tagSize),
		MessageFormat: wire.Some(uint32(0)), Settled: wire.Some(o.Settled),
	}
	t := &template{size: len(body), filling: filling}
	var one []byte
	for len(message) > 0 {
		tr := frame.Transfer{Settled: first.Settled}
		if t.frames == 0 {
			tr = first
		}
		tr.More = true
		room := int(min(peerFrame, maxWrite)) - len(frame.Append(nil, frame.TypeAMQP, 0, &tr))
		n := min(room, len(message))
		tr.More = n < len(message)
		var at int
		one, at = frame.BeginFrame(one, frame.TypeAMQP, 0)
		one = tr.Append(one)
		if t.frames == 0 {
			number := binary.BigEndian.AppendUint32(nil, mark)
			t.id = bytes.Index(one, number)
			t.tag = bytes.Index(one, first.DeliveryTag)
			t.body = len(one) + prefix
		}
		one = frame.EndFrame(append(one, message[:n]...), at, 0)
		message = message[n:]
		t.frames++
	}
	t.length = len(one)
	copies := max(1, min(o.Batch, o.Window, maxWrite/len(one)))
	if o.Settled {
		copies = max(1, min(o.Batch, maxWrite/len(one)))
	}
	t.buf = bytes.Repeat(one, copies)
	return t
}

// codeData is the descriptor of a data section (amqp 3.2.6).
const codeData = 0x75

// encode makes a message of one data section, with a header where it is durable.
func encode(durable bool, body []byte) []byte {
	var b []byte
	if durable {
		b = (&frame.Header{Durable: true, Priority: defaultPriority}).Append(b)
	}
	return wire.AppendBinary(wire.AppendDescriptor(b, codeData), body)
}

// defaultPriority is a message's without a header (amqp 3.2.1).
const defaultPriority = 4

// room is how many deliveries one write holds.
func (t *template) room() int { return len(t.buf) / t.length }

// patch makes delivery i of the next write the message of that number.
func (t *template) patch(i int, number uint64, stamp int64) {
	one := t.buf[i*t.length : (i+1)*t.length]
	binary.BigEndian.PutUint32(one[t.id:], uint32(number))
	binary.BigEndian.PutUint64(one[t.tag:], number)
	patch(one[t.body:], number, stamp, t.filling)
}

// bytes are the first n deliveries.
func (t *template) bytes(n int) []byte { return t.buf[:n*t.length] }
