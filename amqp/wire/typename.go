package wire

// TypeName gives the AMQP name of a value's type, for people to read.
func TypeName(v any) string {
	switch v := v.(type) {
	case Described:
		return "described"
	case Array:
		return "array"
	case int:
		return "long"
	case uint:
		return "ulong"
	case []Symbol:
		return "array"
	case List, Map:
		// Their constructors depend on their contents, their names do not.
		if _, ok := v.(Map); ok {
			return "map"
		}
		return "list"
	default:
		return codeNames[AppendValue(nil, v)[0]]
	}
}
