package message

// ValueKind is the type of a Value as the selector language sees types.
type ValueKind uint8

// The kinds. Exact numbers are integers of any width, approximate ones floats.
const (
	Null ValueKind = iota
	Bool
	Int    // byte, short, int, long, and unsigned ones that fit
	Double // float, double
	String
	Other // a type that no selector compares: binary, uuid, ...
)

// Value is one property. It is passed by value and owns nothing; Str may alias
// the message's bytes.
type Value struct {
	Kind ValueKind
	B    bool
	I    int64
	F    float64
	Str  string
}
