package translate

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tidegate/tidegate/amqp/wire"
)

// Names of types in JSON: Rendezvous's where it has the type (ems 9).
const (
	typeNull    = "null"
	typeString  = "string"
	typeMessage = "msg"  // a map within the body; its keys are strings
	typeList    = "list" // a stream within the body
	typeOther   = "amqp" // anything else: its encoding in AMQP, in base64
	arraySuffix = "array"
)

// elementTypes are the types of which arrays have names, by AMQP's constructor.
var elementTypes = map[byte]string{
	0x56: "bool", 0x50: "u8", 0x51: "i8", 0x60: "u16", 0x61: "i16", 0x70: "u32", 0x71: "i32",
	0x80: "u64", 0x81: "i64", 0x72: "f32", 0x82: "f64",
}

// elementConstructors is the reverse.
var elementConstructors = func() map[string]byte {
	all := map[string]byte{}
	for code, name := range elementTypes { // order: irrelevant
		all[name] = code
	}
	return all
}()

// arrayTypes are the names of arrays as they are looked up for each value.
var arrayTypes = func() map[byte]string {
	all := map[byte]string{}
	for code, name := range elementTypes { // order: irrelevant
		all[code] = name + arraySuffix
	}
	return all
}()

// typeName gives the name of a value's type.
func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return typeNull
	case bool:
		return "bool"
	case int8:
		return "i8"
	case int16:
		return "i16"
	case int32:
		return "i32"
	case int64:
		return "i64"
	case uint8:
		return "u8"
	case uint16:
		return "u16"
	case uint32:
		return "u32"
	case uint64:
		return "u64"
	case float32:
		return "f32"
	case float64:
		return "f64"
	case string:
		return typeString
	case []byte:
		return "opaque"
	case wire.Map:
		if named(v) {
			return typeMessage
		}
	case wire.List:
		return typeList
	case wire.Array:
		if name := arrayTypes[constructor(v)]; name != "" && len(v.Descriptors) == 0 {
			return name
		}
	}
	return foreignName(v)
}

func foreignName(v any) string {
	switch v.(type) {
	case wire.Timestamp:
		return "datetime"
	case wire.Char:
		return "char"
	case wire.UUID:
		return "uuid"
	case wire.Symbol:
		return "symbol"
	}
	return typeOther
}

// isType says whether a name is that of a type that typed reads.
func isType(name string) bool {
	switch name {
	case typeNull, "bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", typeString, "opaque", "xml",
		typeMessage, typeList, typeOther, "datetime", "char", "uuid", "symbol", "ipport16", "ipaddr32":
		return true
	}
	_, ok := elementConstructors[strings.TrimSuffix(name, arraySuffix)]
	return ok && strings.HasSuffix(name, arraySuffix)
}

// scalar reads a value of a type that holds no others. text is what stood there, a
// JSON string or number.
func (r *reader) scalar(name, text string, depth int) (any, error) {
	switch name {
	case "bool":
		return strconv.ParseBool(text)
	case "i8":
		return integer[int8](text, 8)
	case "i16":
		return integer[int16](text, 16)
	case "i32":
		return integer[int32](text, 32)
	case "i64":
		return integer[int64](text, 64)
	case "u8":
		return unsigned[uint8](text, 8)
	case "u16":
		return unsigned[uint16](text, 16)
	case "u32":
		return unsigned[uint32](text, 32)
	case "ipport16": // its bits, as EMS takes it
		n, err := unsigned[uint16](text, 16)
		return int16(n), err
	case "ipaddr32":
		n, err := unsigned[uint32](text, 32)
		return int32(n), err
	case "u64":
		return unsigned[uint64](text, 64)
	case "f32":
		return parseFloat32(text)
	case "f64":
		return parseFloat64(text)
	case "opaque", "xml":
		return base64s.DecodeString(text)
	case "datetime":
		return dateTime(text)
	case "char":
		return character(text)
	case "uuid":
		return uuid(text)
	case "symbol":
		return wire.Symbol(text), nil
	case typeOther:
		b, err := base64s.DecodeString(text)
		if err != nil {
			return nil, err
		}
		return r.decode(b, depth)
	}
	return text, nil
}

// dateTime reads milliseconds since 1970, or a time as people write it.
func dateTime(text string) (wire.Timestamp, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return wire.Timestamp(n), nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, errors.New("neither milliseconds since 1970 nor a time like 2006-01-02T15:04:05Z")
	}
	return wire.Timestamp(t.UnixMilli()), nil
}

// narrowed gives what EMS makes of a type of Rendezvous that JMS does not have (ems 9):
// the next larger one, and of u64 the long with its bits.
func narrowed(v any) any {
	switch v := v.(type) {
	case uint8:
		return int16(v)
	case uint16:
		return int32(v)
	case uint32:
		return int64(v)
	case uint64:
		return int64(v)
	case wire.Timestamp:
		return int64(v)
	case wire.Array:
		return narrowedArray(v)
	}
	return v
}

func narrowedArray(a wire.Array) any {
	code := constructor(a)
	if len(a.Descriptors) > 0 {
		return a
	}
	switch code {
	case 0x51: // i8: bytes
		b := make([]byte, len(a.Values))
		for i, v := range a.Values {
			b[i] = byte(v.(int8))
		}
		return b
	case 0x50, 0x60, 0x70, 0x80:
		values := make([]any, len(a.Values))
		for i, v := range a.Values {
			values[i] = narrowed(v)
		}
		larger := map[byte]byte{0x50: 0x61, 0x60: 0x71, 0x70: 0x81, 0x80: 0x81}[code]
		return wire.Array{Constructor: larger, Values: values}
	}
	return a
}

// untyped gives a JSON number's JMS value: an int where it fits, a long, else a double.
func untyped(n string) any {
	if !strings.ContainsAny(n, ".eE") {
		if v, err := strconv.ParseInt(n, 10, 64); err == nil {
			if v >= math.MinInt32 && v <= math.MaxInt32 {
				return int32(v)
			}
			return v
		}
	}
	v, _ := strconv.ParseFloat(n, 64) // beyond the range it is infinite
	return v
}
