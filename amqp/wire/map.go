package wire

// Entry is one pair of a Map.
type Entry struct {
	Key, Value any
}

// Map keeps the order in which its pairs came (amqp 1.6.23). Of duplicate keys
// the last one counts, as in the brokers that clients are used to.
type Map []Entry

// Get looks a name up among keys that are symbols or strings: some peers send
// strings where the specification asks for symbols.
func (m Map) Get(name string) (any, bool) {
	for i := len(m) - 1; i >= 0; i-- {
		if key, ok := Text(m[i].Key); ok && key == name {
			return m[i].Value, true
		}
	}
	return nil, false
}

// Set replaces the value under the same key, where symbol and string of one
// text are the same, or adds a pair. Keys are text or ulong (amqp 3.2.10).
func (m Map) Set(key, value any) Map {
	name, isText := Text(key)
	number, isNumber := key.(uint64)
	for i := range m {
		have, ok := Text(m[i].Key)
		same := ok && isText && have == name
		if n, ok := m[i].Key.(uint64); ok {
			same = isNumber && n == number
		}
		if same {
			m[i].Value = value
			return m
		}
	}
	return append(m, Entry{key, value})
}

// Text gives the characters of a string or symbol.
func Text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case Symbol:
		return string(v), true
	}
	return "", false
}

// Integer gives the value of any integer type, for fields of which peers do not
// agree on the width. A ulong beyond the range of int64 is refused.
func Integer(v any) (int64, bool) {
	switch v := v.(type) {
	case int8:
		return int64(v), true
	case int16:
		return int64(v), true
	case int32:
		return int64(v), true
	case int64:
		return v, true
	case uint8:
		return int64(v), true
	case uint16:
		return int64(v), true
	case uint32:
		return int64(v), true
	case uint64:
		return int64(v), v <= 1<<63-1
	case Timestamp:
		return int64(v), true
	}
	return 0, false
}
