package frame

import "github.com/tidegate/tidegate/amqp/wire"

// Code gives the descriptor of the described value at the start of b, for one
// that came as a symbol the number it stands for.
func Code(body []byte) (code uint64, err error) {
	code, _, err = descriptor(body)
	if err != nil {
		return 0, &DecodeError{Condition: ConditionOf(err), Err: err}
	}
	return code, nil
}

// unknownSymbol is the code of a symbolic descriptor outside of the table; the
// number is not given to any type (amqp 1.1.2, domain 0xffffffff).
const unknownSymbol = ^uint64(0)

func descriptor(b []byte) (code uint64, n int, err error) {
	if len(b) >= 3 && b[0] == 0x00 && b[1] == 0x53 {
		return uint64(b[2]), 3, nil
	}
	d, n, err := wire.ReadDescriptor(b)
	if err != nil {
		return 0, 0, err
	}
	if d.Name != nil {
		if code, ok := codeOf(d.Name); ok {
			return code, n, nil
		}
		return unknownSymbol, n, nil
	}
	return d.Code, n, nil
}

// descriptorText says which descriptor begins b, for errors.
func descriptorText(b []byte) string {
	d, _, _ := wire.ReadDescriptor(b)
	return "descriptor " + d.String()
}

// Parse reads the performative of an AMQP frame; rest is the payload behind it,
// which only a transfer has. Its errors are *DecodeError.
func Parse(body []byte, lim *wire.Limits) (p Performative, rest []byte, err error) {
	return parse(body, lim, newPerformative)
}

// ParseSASL is Parse for SASL frames.
func ParseSASL(body []byte, lim *wire.Limits) (p Performative, rest []byte, err error) {
	return parse(body, lim, newSASL)
}

func parse(body []byte, lim *wire.Limits, make func(uint64) Performative) (p Performative, rest []byte, err error) {
	code, err := Code(body)
	if err != nil {
		return nil, nil, err
	}
	p = make(code)
	if p == nil {
		return nil, nil, &DecodeError{Condition: ConditionNotImplemented, Reason: "unknown " + descriptorText(body)}
	}
	n, err := p.Decode(body, lim)
	if err != nil {
		return nil, nil, err
	}
	return p, body[n:], nil
}

// DecodeState reads a delivery state; Accepted and Released come as values, so
// that the common ones cost no allocation.
func DecodeState(b []byte, lim *wire.Limits) (s DeliveryState, n int, err error) {
	code, _, err := descriptor(b)
	if err != nil {
		return nil, 0, &DecodeError{Type: "delivery-state", Condition: ConditionOf(err), Err: err}
	}
	switch code {
	case CodeAccepted:
		n, err = (*Accepted)(nil).Decode(b, lim)
		return Accepted{}, n, err
	case CodeReleased:
		n, err = (*Released)(nil).Decode(b, lim)
		return Released{}, n, err
	}
	v := newState(code)
	if v == nil {
		return nil, 0, &DecodeError{
			Type: "delivery-state", Condition: ConditionNotImplemented, Reason: "unknown " + descriptorText(b),
		}
	}
	if n, err = v.Decode(b, lim); err != nil {
		return nil, 0, err
	}
	return v, n, nil
}

// DecodeComposite reads any type of the table from the start of b.
func DecodeComposite(b []byte, lim *wire.Limits) (c Composite, n int, err error) {
	code, err := Code(b)
	if err != nil {
		return nil, 0, err
	}
	c = newComposite(code)
	if c == nil {
		return nil, 0, &DecodeError{Condition: ConditionNotImplemented, Reason: "unknown " + descriptorText(b)}
	}
	n, err = c.Decode(b, lim)
	return c, n, err
}
