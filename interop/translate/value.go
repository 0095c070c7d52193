package translate

import (
	"errors"
	"strings"

	"github.com/tidegate/tidegate/amqp/wire"
)

// canonical gives a value in the form that it has after it was encoded once more:
// arrays are encoded in their widest form, so their constructor says nothing but the
// type of the elements that are not there.
func canonical(v any) any {
	switch v := v.(type) {
	case wire.List:
		for i := range v {
			v[i] = canonical(v[i])
		}
	case wire.Map:
		for i := range v {
			v[i].Key, v[i].Value = canonical(v[i].Key), canonical(v[i].Value)
		}
	case wire.Described:
		return wire.Described{Descriptor: canonical(v.Descriptor), Value: canonical(v.Value)}
	case wire.Array:
		for i := range v.Values {
			v.Values[i] = canonical(v.Values[i])
		}
		for i := range v.Descriptors {
			v.Descriptors[i] = canonical(v.Descriptors[i])
		}
		v.Constructor = constructor(v)
		return v
	}
	return v
}

// constructor is that of an array's elements as AppendArray writes it.
func constructor(a wire.Array) byte {
	if len(a.Values) == 0 && a.Constructor == 0 {
		return 0x40 // null
	}
	a.Descriptors, a.Values = nil, a.Values[:min(len(a.Values), 1)]
	return wire.AppendArray(nil, a)[9] // behind the constructor, size and count of an array32
}

// cleaned gives a value whose texts are UTF-8: bytes that are not become U+FFFD. What
// comes from outside must not cost a client that decodes it its connection.
func cleaned(v any) any {
	switch v := v.(type) {
	case string:
		return clean(v)
	case wire.Symbol:
		return wire.Symbol(clean(string(v)))
	case wire.List:
		for i := range v {
			v[i] = cleaned(v[i])
		}
	case wire.Map:
		for i := range v {
			v[i].Key, v[i].Value = cleaned(v[i].Key), cleaned(v[i].Value)
		}
	case wire.Described:
		return wire.Described{Descriptor: cleaned(v.Descriptor), Value: cleaned(v.Value)}
	case wire.Array:
		for i := range v.Values {
			v.Values[i] = cleaned(v.Values[i])
		}
		for i := range v.Descriptors {
			v.Descriptors[i] = cleaned(v.Descriptors[i])
		}
	}
	return v
}

func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// decode reads one AMQP value that came within another encoding, at most so deep.
func (r *reader) decode(b []byte, depth int) (any, error) {
	if depth < 1 || r.values < 1 {
		return nil, errors.New("too much in one message")
	}
	v, n, err := wire.Value(b, &wire.Limits{Depth: depth, Count: r.values, Values: r.values, Symbol: len(b), String: len(b), Binary: len(b)})
	if err != nil {
		return nil, err
	}
	if n != len(b) {
		return nil, &wire.Error{Op: "value", Offset: n, Reason: "bytes behind it"}
	}
	n, _ = measure(v)
	r.values -= n
	return cleaned(canonical(v)), nil
}

// measure gives how many values a value holds, and how many levels it has.
func measure(v any) (values, depth int) {
	add := func(v any) {
		n, d := measure(v)
		values, depth = values+n, max(depth, d)
	}
	switch v := v.(type) {
	case wire.List:
		values = len(v)
		for _, e := range v {
			add(e)
		}
	case wire.Map:
		values = 2 * len(v)
		for _, e := range v {
			add(e.Key)
			add(e.Value)
		}
	case wire.Array:
		values = len(v.Values)
		for _, e := range v.Values {
			add(e)
		}
	case wire.Described:
		add(v.Descriptor)
		add(v.Value)
	default:
		return 0, 0
	}
	return values, depth + 1
}
