package message

import (
	"errors"
	"math"
	"testing"

	"github.com/tidegate/tidegate/amqp/wire"
)

func TestDeliveryTime(t *testing.T) {
	const now = 1000
	for name, c := range map[string]struct { // order: irrelevant
		annotations wire.Map
		want        int64
		wrong       bool
	}{
		"none":                        {},
		"others":                      {annotations: wire.Map{{Key: wire.Symbol("x-opt-jms-msg-type"), Value: int8(5)}, {Key: wire.Symbol("x-opt-delivery-tine"), Value: int64(5)}}},
		"a time":                      {annotations: wire.Map{{Key: wire.Symbol("x-opt-delivery-time"), Value: int64(5000)}}, want: 5000},
		"a time, behind others":       {annotations: wire.Map{{Key: uint64(3), Value: "x"}, {Key: wire.Symbol("a"), Value: nil}, {Key: wire.Symbol("x-opt-delivery-time"), Value: int64(5000)}}, want: 5000},
		"a time as a timestamp":       {annotations: wire.Map{{Key: "x-opt-delivery-time", Value: wire.Timestamp(5000)}}, want: 5000},
		"a delay":                     {annotations: wire.Map{{Key: wire.Symbol("x-opt-delivery-delay"), Value: int64(250)}}, want: 1250},
		"a small delay":               {annotations: wire.Map{{Key: wire.Symbol("x-opt-delivery-delay"), Value: uint8(7)}}, want: 1007},
		"both":                        {annotations: wire.Map{{Key: wire.Symbol("x-opt-delivery-delay"), Value: int64(250)}, {Key: wire.Symbol("x-opt-delivery-time"), Value: int64(5000)}}, want: 5000},
		"no delay":                    {annotations: wire.Map{{Key: wire.Symbol("x-opt-delivery-delay"), Value: int64(0)}}},
		"a negative delay":            {annotations: wire.Map{{Key: wire.Symbol("x-opt-delivery-delay"), Value: int64(-1)}}},
		"a time before 1970":          {annotations: wire.Map{{Key: wire.Symbol("x-opt-delivery-time"), Value: int64(-1)}}},
		"null":                        {annotations: wire.Map{{Key: wire.Symbol("x-opt-delivery-time"), Value: nil}}},
		"a delay beyond the last day": {annotations: wire.Map{{Key: wire.Symbol("x-opt-delivery-delay"), Value: int64(math.MaxInt64)}}, want: math.MaxInt64},
		"a text":                      {annotations: wire.Map{{Key: wire.Symbol("x-opt-delivery-time"), Value: "tomorrow"}}, wrong: true},
		"a delay that is a list":      {annotations: wire.Map{{Key: wire.Symbol("x-opt-delivery-delay"), Value: wire.List{}}}, wrong: true},
		"a time no int64 holds":       {annotations: wire.Map{{Key: wire.Symbol("x-opt-delivery-time"), Value: uint64(math.MaxUint64)}}, wrong: true},
	} {
		b := NewBuilder()
		b.Annotations = c.annotations
		b.SetText("x")
		m := b.Message()
		got, err := m.DeliveryTime(now)
		if got != c.want || (err != nil) != c.wrong {
			t.Errorf("%s: %d, %v; want %d", name, got, err, c.want)
		}
		var e *Error
		if c.wrong && !errors.As(err, &e) {
			t.Errorf("%s: %T says %v", name, err, err)
		}
	}
}

// TestDeliveryTimeCostsNothing: it is asked of every message that comes.
func TestDeliveryTimeCostsNothing(t *testing.T) {
	b := NewBuilder()
	b.Annotations = wire.Map{{Key: wire.Symbol("x-opt-jms-msg-type"), Value: int8(5)}, {Key: wire.Symbol("x-opt-jms-dest"), Value: int8(0)}}
	b.SetText("x")
	m := b.Message()
	if n := testing.AllocsPerRun(100, func() {
		if at, err := m.DeliveryTime(1000); at != 0 || err != nil {
			t.Fatal(at, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
