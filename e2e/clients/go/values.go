package main

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/go-amqp"
)

// makers make the value for go-amqp of one that is written with its AMQP type,
// as PROTOCOL.md writes them: "int:7".
var makers = map[string]func(text string) (any, error){
	"null":      func(string) (any, error) { return nil, nil },
	"boolean":   func(text string) (any, error) { return strconv.ParseBool(text) },
	"ubyte":     func(text string) (any, error) { return whole[uint8](strconv.ParseUint(text, 10, 8)) },
	"ushort":    func(text string) (any, error) { return whole[uint16](strconv.ParseUint(text, 10, 16)) },
	"uint":      func(text string) (any, error) { return whole[uint32](strconv.ParseUint(text, 10, 32)) },
	"ulong":     func(text string) (any, error) { return strconv.ParseUint(text, 10, 64) },
	"byte":      func(text string) (any, error) { return whole[int8](strconv.ParseInt(text, 10, 8)) },
	"short":     func(text string) (any, error) { return whole[int16](strconv.ParseInt(text, 10, 16)) },
	"int":       func(text string) (any, error) { return whole[int32](strconv.ParseInt(text, 10, 32)) },
	"long":      func(text string) (any, error) { return strconv.ParseInt(text, 10, 64) },
	"float":     func(text string) (any, error) { return whole[float32](strconv.ParseFloat(text, 32)) },
	"double":    func(text string) (any, error) { return strconv.ParseFloat(text, 64) },
	"timestamp": timestamp,
	"uuid":      uuid,
	"binary":    func(text string) (any, error) { return hex.DecodeString(text) },
	"string":    func(text string) (any, error) { return text, nil },
	"symbol":    func(text string) (any, error) { return amqp.Symbol(text), nil },
}

// whole is a parsed number in the width of its AMQP type.
func whole[T uint8 | uint16 | uint32 | int8 | int16 | int32 | float32, N uint64 | int64 | float64](n N, err error) (any, error) {
	return T(n), err
}

func timestamp(text string) (any, error) {
	ms, err := strconv.ParseInt(text, 10, 64)
	return time.UnixMilli(ms), err
}

func uuid(text string) (any, error) {
	b, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(b) != 16 {
		return nil, fmt.Errorf("%q is no UUID", text)
	}
	return amqp.UUID(b), nil
}

// value makes what go-amqp sends of a written value, list or map.
func value(written any) (any, error) {
	switch w := written.(type) {
	case []any:
		list := make([]any, len(w))
		for i := range w {
			v, err := value(w[i])
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	case map[string]any:
		return values(w)
	case string:
		name, text, _ := strings.Cut(w, ":")
		if maker := makers[name]; maker != nil {
			return maker(text)
		}
	}
	return nil, fmt.Errorf("go-amqp has no type for %v", written)
}

// values is value for each of a map.
func values(written map[string]any) (map[string]any, error) {
	all := map[string]any{}
	for name, w := range written {
		v, err := value(w)
		if err != nil {
			return nil, err
		}
		all[name] = v
	}
	return all, nil
}

// names are the AMQP types of the Go types in which go-amqp hands values over.
var names = map[string]string{
	"bool": "boolean", "uint8": "ubyte", "uint16": "ushort", "uint32": "uint", "uint64": "ulong", "int8": "byte",
	"int16": "short", "int32": "int", "int64": "long", "float32": "float", "float64": "double", "amqp.UUID": "uuid",
	"string": "string", "amqp.Symbol": "symbol", "encoding.UUID": "uuid", "encoding.Symbol": "symbol",
}

// tell writes a value that go-amqp handed over.
func tell(v any) any {
	switch v := v.(type) {
	case nil:
		return "null:"
	case []byte:
		return "binary:" + hex.EncodeToString(v)
	case time.Time:
		return fmt.Sprintf("timestamp:%d", v.UnixMilli())
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = tell(v[i])
		}
		return list
	case map[string]any:
		return tellAll(v)
	case map[any]any:
		all := map[string]any{}
		for name, v := range v {
			all[fmt.Sprint(name)] = tell(v)
		}
		return all
	}
	return fmt.Sprintf("%s:%v", names[fmt.Sprintf("%T", v)], v)
}

func tellAll(v map[string]any) map[string]any {
	all := map[string]any{}
	for name, v := range v {
		all[name] = tell(v)
	}
	return all
}

// describeTypes adds to a message's description what a command asked for with
// `typed`.
func describeTypes(f fields, m *amqp.Message) {
	f["typed_properties"] = tellAll(m.ApplicationProperties)
	f["fields"] = tellFields(m.Properties)
	annotations := map[string]any{}
	for name, v := range m.Annotations {
		annotations[fmt.Sprint(name)] = tell(v)
	}
	f["annotations"] = annotations
	if p := m.Properties; p != nil {
		for name, id := range map[string]any{"message_id": p.MessageID, "correlation_id": p.CorrelationID} {
			if id != nil {
				f[name] = tell(id)
			}
		}
	}
	switch {
	case m.Sequence != nil:
		f["value"] = tell(slices.Concat(m.Sequence...))
	case m.Data == nil:
		f["value"] = tell(m.Value)
	}
}

// plain are application properties as JSON has them.
func plain(properties map[string]any) map[string]any {
	all := map[string]any{}
	for name, v := range properties {
		switch v.(type) {
		case nil, bool, string, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64:
			all[name] = v
		default:
			all[name] = fmt.Sprint(v)
		}
	}
	return all
}
