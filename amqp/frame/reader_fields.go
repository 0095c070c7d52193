package frame

import (
	"encoding/binary"

	"github.com/tidegate/tidegate/amqp/wire"
)

// boolean and uint look for the short forms first: they are nearly all fields of
// the frames that come by the million.
func (r *reader) boolean() bool {
	if b := r.body; len(b) > 0 && (b[0] == 0x41 || b[0] == 0x42) {
		r.body = b[1:]
		return b[0] == 0x41
	}
	v, n, err := wire.Bool(r.body)
	r.took(n, err)
	return v
}

func (r *reader) ubyte() uint8 {
	v, n, err := wire.Ubyte(r.body)
	r.took(n, err)
	return v
}

func (r *reader) ushort() uint16 {
	v, n, err := wire.Ushort(r.body)
	r.took(n, err)
	return v
}

func (r *reader) uint() uint32 {
	switch b := r.body; {
	case len(b) >= 2 && b[0] == 0x52:
		r.body = b[2:]
		return uint32(b[1])
	case len(b) >= 5 && b[0] == 0x70:
		r.body = b[5:]
		return binary.BigEndian.Uint32(b[1:])
	case len(b) >= 1 && b[0] == 0x43:
		r.body = b[1:]
		return 0
	}
	v, n, err := wire.Uint(r.body)
	r.took(n, err)
	return v
}

func (r *reader) ulong() uint64 {
	v, n, err := wire.Ulong(r.body)
	r.took(n, err)
	return v
}

func (r *reader) timestamp() wire.Timestamp {
	v, n, err := wire.ReadTimestamp(r.body)
	r.took(n, err)
	return v
}

// text and symbol each take the other type too: peers mix them up, and nothing
// is gained by refusing (reference 1.1).
func (r *reader) text() string {
	v, n, err := wire.TextBytes(r.body, r.lim)
	r.took(n, err)
	return string(v)
}

func (r *reader) symbol() wire.Symbol { return wire.Symbol(r.text()) }

func (r *reader) binary() []byte {
	v, n, err := wire.Binary(r.body, r.lim)
	r.took(n, err)
	return v
}

func (r *reader) mapping() wire.Map {
	v, n, err := wire.ReadMap(r.body, r.lim)
	r.took(n, err)
	return v
}

func (r *reader) value() any {
	v, n, err := wire.Value(r.body, r.lim)
	r.took(n, err)
	return v
}

func (r *reader) symbols() []wire.Symbol {
	v, n, err := wire.Symbols(r.body, r.lim)
	r.took(n, err)
	return v
}

func (r *reader) amqpError() *Error {
	v := new(Error)
	r.took(v.Decode(r.body, r.lim))
	return v
}

func (r *reader) source() *Source {
	v := new(Source)
	r.took(v.Decode(r.body, r.lim))
	return v
}

func (r *reader) target() TargetArchetype {
	code, _, err := descriptor(r.body)
	if err != nil {
		r.fail(err)
		return nil
	}
	v := newTarget(code)
	if v == nil {
		r.err = &DecodeError{
			Type: r.info.name, Field: r.fieldName(),
			Condition: ConditionNotImplemented, Reason: "unknown " + descriptorText(r.body),
		}
		return nil
	}
	r.took(v.Decode(r.body, r.lim))
	return v
}

func (r *reader) deliveryState() DeliveryState {
	v, n, err := DecodeState(r.body, r.lim)
	r.took(n, err)
	return v
}

// outcome looks at the descriptor before it reads on: a transactional state
// inside of another would let a peer nest as deep as a frame has bytes.
func (r *reader) outcome() Outcome {
	code, _, err := descriptor(r.body)
	if err != nil {
		r.fail(err)
		return nil
	}
	if state := notOutcome(code); state != nil {
		r.err = &DecodeError{
			Type: r.info.name, Field: r.fieldName(),
			Condition: ConditionInvalidField, Reason: state.TypeName() + " is no outcome",
		}
		return nil
	}
	v, n, err := DecodeState(r.body, r.lim)
	r.took(n, err)
	o, _ := v.(Outcome)
	return o
}

// notOutcome gives the delivery state with that code where it is no outcome, and
// nil for outcomes and unknown types.
func notOutcome(code uint64) DeliveryState {
	if isOutcome(code) {
		return nil
	}
	if state := newState(code); state != nil {
		return state
	}
	return nil
}
