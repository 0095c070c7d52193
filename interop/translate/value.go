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
		return once(v)
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

// few is up to how many names are compared with each other rather than put into a set.
const few = 12

// once gives a map in which no key stands twice, which AMQP forbids (1.6.23) and some
// clients refuse: the last counts. The map's own room is used.
func once(m wire.Map) wire.Map {
	if len(m) <= few && !twice(len(m), func(i, j int) bool { return sameText(m[i].Key, m[j].Key) }) && named(m) {
		return m
	}
	last := make(map[string]int, len(m))
	keys := make([]string, len(m))
	for i := range m {
		keys[i] = string(wire.AppendValue(nil, m[i].Key))
		last[keys[i]] = i
	}
	kept := m[:0]
	for i, e := range m {
		if last[keys[i]] == i {
			kept = append(kept, e)
		}
	}
	return kept
}

func sameText(a, b any) bool {
	x, _ := a.(string)
	y, _ := b.(string)
	return x == y
}

// onceEach is once for properties.
func onceEach(p []Property) []Property {
	if len(p) <= few && !twice(len(p), func(i, j int) bool { return p[i].Name == p[j].Name }) {
		return p
	}
	last := make(map[string]int, len(p))
	for i := range p {
		last[p[i].Name] = i
	}
	kept := p[:0]
	for i := range p {
		if last[p[i].Name] == i {
			kept = append(kept, p[i])
		}
	}
	return kept
}

// twice says whether two of n are the same.
func twice(n int, same func(i, j int) bool) bool {
	for i := range n {
		for j := range i {
			if same(i, j) {
				return true
			}
		}
	}
	return false
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
