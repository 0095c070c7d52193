package frame

import (
	"encoding/binary"
	"fmt"
)

// HeaderSize is the length of a frame header without extension (amqp 2.3.1).
const HeaderSize = 8

// MinMaxFrameSize is the smallest max-frame-size a peer may ask for
// (amqp 2.7.1).
const MinMaxFrameSize = 512

// Types of frames.
const (
	TypeAMQP uint8 = 0
	TypeSASL uint8 = 1
)

// FrameHeader is the head of a frame (amqp 2.3.1). A frame of HeaderSize bytes
// has no body and only says that the peer is alive.
type FrameHeader struct {
	Size    uint32 // of the whole frame in bytes
	Offset  int    // of the body in bytes, extended header behind us
	Type    uint8
	Channel uint16 // has no meaning in SASL frames
}

// HeaderError says why bytes are no frame; it stands for
// amqp:connection:framing-error.
type HeaderError struct{ Reason string }

// Error is the reason.
func (e *HeaderError) Error() string { return "amqp: frame header: " + e.Reason }

// ParseHeader reads the first HeaderSize bytes of a frame, which must be there.
// Frames larger than maxSize are refused; whether the type belongs here is for
// the caller to say.
func ParseHeader(b []byte, maxSize uint32) (h FrameHeader, err error) {
	h.Size = binary.BigEndian.Uint32(b)
	h.Offset, h.Type = int(b[4])*4, b[5]
	h.Channel = binary.BigEndian.Uint16(b[6:8])
	switch {
	case h.Size < HeaderSize:
		err = &HeaderError{fmt.Sprintf("a size of %d bytes, less than the header's", h.Size)}
	case h.Size > maxSize:
		err = &HeaderError{fmt.Sprintf("a frame of %d bytes, more than the %d agreed", h.Size, maxSize)}
	case h.Offset < HeaderSize:
		err = &HeaderError{fmt.Sprintf("a data offset of %d bytes, inside of the header", h.Offset)}
	case uint32(h.Offset) > h.Size:
		err = &HeaderError{fmt.Sprintf("a data offset of %d bytes in a frame of %d", h.Offset, h.Size)}
	case h.Type != TypeAMQP && h.Type != TypeSASL:
		err = &HeaderError{fmt.Sprintf("an unknown frame type %d", h.Type)}
	}
	return h, err
}

// AppendHeader appends a frame header without extension. size counts it too.
func AppendHeader(b []byte, size uint32, frameType uint8, channel uint16) []byte {
	b = binary.BigEndian.AppendUint32(b, size)
	return append(b, HeaderSize/4, frameType, byte(channel>>8), byte(channel))
}

// Empty is a frame without body, sent so that the peer hears from us.
var Empty = [HeaderSize]byte{0, 0, 0, HeaderSize, HeaderSize / 4}

// BeginFrame appends a header whose size EndFrame fills in; the performative
// and its payload follow.
func BeginFrame(b []byte, frameType uint8, channel uint16) (with []byte, mark int) {
	return AppendHeader(b, 0, frameType, channel), len(b)
}

// EndFrame ends the frame begun at mark. extra is the length of payload that
// will be written behind b but is not in it.
func EndFrame(b []byte, mark, extra int) []byte {
	binary.BigEndian.PutUint32(b[mark:], uint32(len(b)-mark+extra))
	return b
}

// Append appends a whole frame of one performative.
func Append(b []byte, frameType uint8, channel uint16, p Performative) []byte {
	b, mark := BeginFrame(b, frameType, channel)
	return EndFrame(p.Append(b), mark, 0)
}
