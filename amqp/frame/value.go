package frame

import "github.com/tidegate/tidegate/amqp/wire"

// ToValue gives a composite as a described value, for the places that hold any
// type: an attach's unsettled map, the lifetime policy among node properties.
func ToValue(c interface{ Append([]byte) []byte }) wire.Described {
	v, _, err := wire.Value(c.Append(nil), nil)
	if err != nil {
		panic("frame: a composite that does not read back: " + err.Error())
	}
	return v.(wire.Described)
}

// StateOf gives the delivery state that a decoded value is, if it is one.
func StateOf(v any, lim *wire.Limits) (DeliveryState, bool) {
	d, ok := v.(wire.Described)
	if !ok {
		return nil, false
	}
	s, _, err := DecodeState(wire.AppendValue(nil, d), lim)
	return s, err == nil
}

// LifetimePolicyOf gives the lifetime policy that a decoded value is, if it is
// one.
func LifetimePolicyOf(v any, lim *wire.Limits) (LifetimePolicy, bool) {
	d, ok := v.(wire.Described)
	if !ok {
		return nil, false
	}
	b := wire.AppendValue(nil, d)
	code, err := Code(b)
	if err != nil {
		return nil, false
	}
	p := newLifetime(code)
	if p == nil {
		return nil, false
	}
	_, err = p.Decode(b, lim)
	return p, err == nil
}
