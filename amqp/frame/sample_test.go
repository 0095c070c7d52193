package frame

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/tidegate/tidegate/amqp/wire"
)

// codes lists every type of the table.
func codes(t testing.TB) []uint64 {
	t.Helper()
	var all []uint64
	for code := range uint64(0x100) {
		if newComposite(code) != nil {
			all = append(all, code)
		}
	}
	if len(all) != 33 {
		t.Fatalf("the table has %d types, want 33", len(all))
	}
	return all
}

// full makes a value of a type with every field set to what is not its default.
func full(code uint64) Composite {
	c := newComposite(code)
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		fill(v.Field(i), v.Type().Field(i).Name)
	}
	return c
}

func fill(v reflect.Value, name string) {
	var to any
	switch v.Interface().(type) {
	case string:
		to = "some " + name
	case bool, Role:
		v.SetBool(true)
		return
	case uint8:
		to = uint8(7)
	case uint16:
		to = uint16(1000)
	case uint32:
		to = uint32(70000)
	case uint64:
		to = uint64(1) << 40
	case []byte:
		to = []byte(name)
	case wire.Symbol:
		to = wire.Symbol("symbol:" + name)
	case []wire.Symbol:
		to = []wire.Symbol{"one", "two"}
	case wire.Map:
		to = wire.Map{{Key: wire.Symbol("key"), Value: int32(300)}}
	case SenderSettleMode:
		to = SenderSettleModeSettled
	case ReceiverSettleMode:
		to = ReceiverSettleModeSecond
	case TerminusDurability:
		to = TerminusDurabilityUnsettledState
	case TerminusExpiryPolicy:
		to = TerminusExpiryPolicyNever
	case SASLCode:
		to = SASLCodeSysTemp
	case wire.Timestamp:
		to = wire.Timestamp(1_700_000_000_000)
	case *Error:
		to = full(CodeError)
	case *Source:
		to = full(CodeSource)
	default:
		fillRare(v, name)
		return
	}
	v.Set(reflect.ValueOf(to))
}

func fillRare(v reflect.Value, name string) {
	switch {
	case v.Kind() == reflect.Struct && v.Type().NumField() == 2: // wire.Optional
		fill(v.Field(0), name)
		v.Field(1).SetBool(true)
	case v.Type() == reflect.TypeFor[any]():
		v.Set(reflect.ValueOf(wire.UUID{1, 2, 3}))
	case v.Type() == reflect.TypeFor[TargetArchetype]():
		v.Set(reflect.ValueOf(full(CodeTarget)))
	case v.Type() == reflect.TypeFor[DeliveryState]():
		v.Set(reflect.ValueOf(full(CodeTransactionalState)))
	case v.Type() == reflect.TypeFor[Outcome]():
		v.Set(reflect.ValueOf(full(CodeModified)))
	default:
		panic(fmt.Sprintf("no sample for field %s of %s", name, v.Type()))
	}
}

// form is a way to write a value down that we do not choose ourselves.
type form struct {
	wide     bool // the widest encoding of everything
	symbolic bool // descriptors of the table as symbols
}

// encode writes a decoded value in a form.
func (f form) encode(b []byte, v any) []byte {
	switch v := v.(type) {
	case wire.Described:
		b = append(b, 0x00)
		if code, ok := v.Descriptor.(uint64); ok && f.symbolic {
			name := wire.Symbol("amqp:" + newComposite(code).TypeName() + ":list")
			return f.encode(f.encode(b, name), v.Value)
		}
		return f.encode(f.encode(b, v.Descriptor), v.Value)
	case wire.List:
		return f.compound(b, 0xd0, v)
	case wire.Map:
		var flat []any
		for _, e := range v {
			flat = append(flat, e.Key, e.Value)
		}
		return f.compound(b, 0xd1, flat)
	}
	if !f.wide {
		return wire.AppendValue(b, v)
	}
	switch v := v.(type) {
	case bool:
		if v {
			return append(b, 0x56, 1)
		}
		return append(b, 0x56, 0)
	case uint32:
		return append(b, 0x70, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	case uint64:
		return append(b, 0x80, byte(v>>56), byte(v>>48), byte(v>>40), byte(v>>32), byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	case string:
		return append(append(b, 0xb1, 0, 0, 0, byte(len(v))), v...)
	case wire.Symbol:
		return append(append(b, 0xb3, 0, 0, 0, byte(len(v))), v...)
	case []byte:
		return append(append(b, 0xb0, 0, 0, 0, byte(len(v))), v...)
	}
	return wire.AppendValue(b, v)
}

func (f form) compound(b []byte, code byte, elements []any) []byte {
	var body []byte
	for _, e := range elements {
		body = f.encode(body, e)
	}
	size, count := len(body)+4, len(elements)
	b = append(b, code, byte(size>>24), byte(size>>16), byte(size>>8), byte(size))
	b = append(b, byte(count>>24), byte(count>>16), byte(count>>8), byte(count))
	return append(b, body...)
}
