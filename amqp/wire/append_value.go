package wire

import (
	"encoding/binary"
	"fmt"
)

// AppendValue appends a value of any of the types that Value gives; of int and
// uint, which it never gives, the 64-bit types are made. Another Go type is a
// mistake of the program, and panics.
func AppendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return AppendNull(b)
	case bool:
		return AppendBool(b, v)
	case uint8:
		return AppendUbyte(b, v)
	case uint16:
		return AppendUshort(b, v)
	case uint32:
		return AppendUint(b, v)
	case uint64:
		return AppendUlong(b, v)
	case int8:
		return AppendByte(b, v)
	case int16:
		return AppendShort(b, v)
	case int32:
		return AppendInt(b, v)
	case int64:
		return AppendLong(b, v)
	case int:
		return AppendLong(b, int64(v))
	case uint:
		return AppendUlong(b, uint64(v))
	case float32:
		return AppendFloat(b, v)
	case float64:
		return AppendDouble(b, v)
	case string:
		return AppendString(b, v)
	case Symbol:
		return AppendSymbol(b, v)
	case []byte:
		return AppendBinary(b, v)
	}
	return appendRare(b, v)
}

func appendRare(b []byte, v any) []byte {
	switch v := v.(type) {
	case Timestamp:
		return AppendTimestamp(b, v)
	case Char:
		return AppendChar(b, v)
	case UUID:
		return AppendUUID(b, v)
	case Decimal32:
		return AppendDecimal32(b, v)
	case Decimal64:
		return AppendDecimal64(b, v)
	case Decimal128:
		return AppendDecimal128(b, v)
	case Described:
		return AppendValue(AppendValue(append(b, codeDescribed), v.Descriptor), v.Value)
	case Map:
		return AppendMap(b, v)
	case List:
		b, mark := BeginList(b)
		for _, e := range v {
			b = AppendValue(b, e)
		}
		return EndList(b, mark, len(v))
	case Array:
		return AppendArray(b, v)
	case []Symbol:
		return AppendSymbols(b, v)
	}
	panic(fmt.Sprintf("wire: %T is no AMQP type", v))
}

// widest gives, for each constructor, the one of the same type whose elements
// carry their value in the widest form, in which any of them fits.
func widest(constructor byte) byte {
	switch constructor {
	case codeTrue, codeFalse:
		return codeBoolean
	case codeUint0, codeSmallUint:
		return codeUint
	case codeUlong0, codeSmallUlong:
		return codeUlong
	case codeSmallInt:
		return codeInt
	case codeSmallLong:
		return codeLong
	case codeList0:
		return codeList32
	}
	if width[constructor] == -1 {
		return constructor + 0x10
	}
	return constructor
}

// AppendArray appends an array in its widest form. Elements of different types
// are a mistake of the program, and panic.
func AppendArray(b []byte, a Array) []byte {
	constructor := a.Constructor
	if constructor == 0 {
		constructor = codeNull
		if len(a.Values) > 0 {
			constructor = AppendValue(nil, a.Values[0])[0]
		}
	}
	if constructor == codeDescribed {
		panic("wire: array of described values: their descriptor belongs into Descriptors")
	}
	constructor = widest(constructor)
	mark := len(b)
	b = append(b, codeArray32, 0, 0, 0, 0, 0, 0, 0, 0)
	for _, d := range a.Descriptors {
		b = AppendValue(append(b, codeDescribed), d)
	}
	b = append(b, constructor)
	for _, v := range a.Values {
		b = appendElement(b, constructor, v)
	}
	binary.BigEndian.PutUint32(b[mark+1:], uint32(len(b)-mark-5))
	binary.BigEndian.PutUint32(b[mark+5:], uint32(len(a.Values)))
	return b
}

func appendElement(b []byte, constructor byte, v any) []byte {
	start := len(b)
	b = AppendValue(b, v)
	code := b[start]
	if widest(code) != constructor {
		panic(fmt.Sprintf("wire: array of %s holds a %T", codeNames[constructor], v))
	}
	if code == constructor {
		return append(b[:start], b[start+1:]...)
	}
	switch constructor {
	case codeBoolean:
		value := byte(0)
		if code == codeTrue {
			value = 1
		}
		return append(b[:start], value)
	case codeUint:
		return binary.BigEndian.AppendUint32(b[:start], v.(uint32))
	case codeUlong:
		n, _, _ := Ulong(b[start:])
		return binary.BigEndian.AppendUint64(b[:start], n)
	case codeInt:
		return binary.BigEndian.AppendUint32(b[:start], uint32(v.(int32)))
	case codeLong:
		n, _, _ := Long(b[start:])
		return binary.BigEndian.AppendUint64(b[:start], uint64(n))
	case codeList32, codeMap32:
		return widenCompound(b, start, code)
	}
	// Variable width in its narrow form: code, size, bytes.
	size := int(b[start+1])
	b = append(b, 0, 0)
	copy(b[start+4:], b[start+2:len(b)-2])
	binary.BigEndian.PutUint32(b[start:], uint32(size))
	return b
}

// widenCompound rewrites the narrow list or map at start as the element of an
// array with the wide constructor.
func widenCompound(b []byte, start int, code byte) []byte {
	if code == codeList0 {
		return append(b[:start], 0, 0, 0, 4, 0, 0, 0, 0)
	}
	size, count := int(b[start+1]), b[start+2]
	b = append(b, 0, 0, 0, 0, 0)
	copy(b[start+8:], b[start+3:len(b)-5])
	binary.BigEndian.PutUint32(b[start:], uint32(size+3))
	binary.BigEndian.PutUint32(b[start+4:], uint32(count))
	return b
}
