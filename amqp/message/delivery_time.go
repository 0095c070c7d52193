package message

import (
	"bytes"
	"math"

	"github.com/tidegate/tidegate/amqp/wire"
)

// Annotations that hold a message back (reference 3.12).
const (
	DeliveryTimeAnnotation  = "x-opt-delivery-time"  // ms since 1970, as Qpid JMS sends it
	DeliveryDelayAnnotation = "x-opt-delivery-delay" // ms from when we have it

	deliveryPrefix = "x-opt-delivery-"
)

// DeliveryTime is before when the message must not be delivered, in ms since 1970;
// 0: it may be at once. now is in ms as well. Of both annotations the absolute one
// counts. An *Error: one is there and no number.
func (m *Message) DeliveryTime(now int64) (int64, error) {
	section := m.value(annotationSection)
	if !bytes.Contains(section, []byte(deliveryPrefix)) {
		return 0, nil // nearly every message
	}
	if at := lookup(section, DeliveryTimeAnnotation); at != nil {
		return m.timeIn(DeliveryTimeAnnotation, at, 0)
	}
	if delay := lookup(section, DeliveryDelayAnnotation); delay != nil {
		return m.timeIn(DeliveryDelayAnnotation, delay, now)
	}
	return 0, nil
}

// timeIn reads an annotation's number, from a time on.
func (m *Message) timeIn(name string, value []byte, from int64) (int64, error) {
	v, _ := decode(value)
	if v == nil {
		return 0, nil
	}
	n, ok := wire.Integer(v)
	if !ok {
		return 0, &Error{Section: "message-annotations", Offset: m.Offset(), Reason: "has " + name + ", which must be a long of milliseconds and is something else"}
	}
	if n <= 0 {
		return 0, nil
	}
	return from + min(n, math.MaxInt64-from), nil
}
