package frame

import "fmt"

// ProtocolHeader is what each side sends first in each layer (amqp 2.2).
type ProtocolHeader struct {
	ID                     ProtocolID
	Major, Minor, Revision uint8
}

// ProtocolHeaderSize is its length in bytes.
const ProtocolHeaderSize = 8

// ProtocolID is the layer that a protocol header opens.
type ProtocolID uint8

// The layers (amqp 2.2, 5.2.1, 5.3.1).
const (
	ProtocolAMQP ProtocolID = 0
	ProtocolTLS  ProtocolID = 2
	ProtocolSASL ProtocolID = 3
)

// String is the layer's name.
func (id ProtocolID) String() string {
	switch id {
	case ProtocolAMQP:
		return "AMQP"
	case ProtocolTLS:
		return "TLS"
	case ProtocolSASL:
		return "SASL"
	}
	return number(uint64(id))
}

// Version1 is the header of AMQP 1.0 in a layer.
func Version1(id ProtocolID) ProtocolHeader { return ProtocolHeader{ID: id, Major: 1} }

// String is the form used in logs and transcripts.
func (h ProtocolHeader) String() string {
	return fmt.Sprintf("%s %d.%d.%d", h.ID, h.Major, h.Minor, h.Revision)
}

// Append appends the header's eight bytes.
func (h ProtocolHeader) Append(b []byte) []byte {
	return append(b, 'A', 'M', 'Q', 'P', byte(h.ID), h.Major, h.Minor, h.Revision)
}

// ParseProtocolHeader reads a protocol header; ok is false where the first
// bytes are not AMQP's. AMQP 0-9-1's header comes out as layer 0, version 0.9.1.
func ParseProtocolHeader(b []byte) (h ProtocolHeader, ok bool) {
	if len(b) < ProtocolHeaderSize || string(b[:4]) != "AMQP" {
		return h, false
	}
	return ProtocolHeader{ID: ProtocolID(b[4]), Major: b[5], Minor: b[6], Revision: b[7]}, true
}
