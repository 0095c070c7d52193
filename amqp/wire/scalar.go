package wire

import (
	"encoding/binary"
	"math"
)

// fixed gives the constructor at the start of b and checks that the bytes it
// announces are there. It serves the types of fixed width only.
func fixed(b []byte, op string) (code byte, n int, err error) {
	if len(b) == 0 {
		return 0, 0, short(op)
	}
	w := width[b[0]]
	if w < 0 {
		return 0, 0, mismatch(op, b[0])
	}
	n = 1 + int(w)
	if len(b) < n {
		return 0, 0, short(op)
	}
	return b[0], n, nil
}

// Bool reads a boolean.
func Bool(b []byte) (v bool, n int, err error) {
	code, n, err := fixed(b, "boolean")
	if err != nil {
		return false, 0, err
	}
	switch code {
	case codeTrue:
		return true, n, nil
	case codeFalse:
		return false, n, nil
	case codeBoolean:
		if b[1] > 1 {
			return false, 0, &Error{Op: "boolean", Reason: "neither 0 nor 1"}
		}
		return b[1] == 1, n, nil
	}
	return false, 0, mismatch("boolean", code)
}

// Ubyte reads a ubyte.
func Ubyte(b []byte) (v uint8, n int, err error) {
	code, n, err := fixed(b, "ubyte")
	if err != nil {
		return 0, 0, err
	}
	if code != codeUbyte {
		return 0, 0, mismatch("ubyte", code)
	}
	return b[1], n, nil
}

// Ushort reads a ushort.
func Ushort(b []byte) (v uint16, n int, err error) {
	code, n, err := fixed(b, "ushort")
	if err != nil {
		return 0, 0, err
	}
	if code != codeUshort {
		return 0, 0, mismatch("ushort", code)
	}
	return binary.BigEndian.Uint16(b[1:]), n, nil
}

// Uint reads a uint in any encoding.
func Uint(b []byte) (v uint32, n int, err error) {
	code, n, err := fixed(b, "uint")
	if err != nil {
		return 0, 0, err
	}
	switch code {
	case codeUint0:
		return 0, n, nil
	case codeSmallUint:
		return uint32(b[1]), n, nil
	case codeUint:
		return binary.BigEndian.Uint32(b[1:]), n, nil
	}
	return 0, 0, mismatch("uint", code)
}

// Ulong reads a ulong in any encoding.
func Ulong(b []byte) (v uint64, n int, err error) {
	code, n, err := fixed(b, "ulong")
	if err != nil {
		return 0, 0, err
	}
	switch code {
	case codeUlong0:
		return 0, n, nil
	case codeSmallUlong:
		return uint64(b[1]), n, nil
	case codeUlong:
		return binary.BigEndian.Uint64(b[1:]), n, nil
	}
	return 0, 0, mismatch("ulong", code)
}

// Byte reads a (signed) byte.
func Byte(b []byte) (v int8, n int, err error) {
	code, n, err := fixed(b, "byte")
	if err != nil {
		return 0, 0, err
	}
	if code != codeByte {
		return 0, 0, mismatch("byte", code)
	}
	return int8(b[1]), n, nil
}

// Short reads a short.
func Short(b []byte) (v int16, n int, err error) {
	code, n, err := fixed(b, "short")
	if err != nil {
		return 0, 0, err
	}
	if code != codeShort {
		return 0, 0, mismatch("short", code)
	}
	return int16(binary.BigEndian.Uint16(b[1:])), n, nil
}

// Int reads an int in any encoding.
func Int(b []byte) (v int32, n int, err error) {
	code, n, err := fixed(b, "int")
	if err != nil {
		return 0, 0, err
	}
	switch code {
	case codeSmallInt:
		return int32(int8(b[1])), n, nil
	case codeInt:
		return int32(binary.BigEndian.Uint32(b[1:])), n, nil
	}
	return 0, 0, mismatch("int", code)
}

// Long reads a long in any encoding.
func Long(b []byte) (v int64, n int, err error) {
	code, n, err := fixed(b, "long")
	if err != nil {
		return 0, 0, err
	}
	switch code {
	case codeSmallLong:
		return int64(int8(b[1])), n, nil
	case codeLong:
		return int64(binary.BigEndian.Uint64(b[1:])), n, nil
	}
	return 0, 0, mismatch("long", code)
}

// Float reads a float.
func Float(b []byte) (v float32, n int, err error) {
	code, n, err := fixed(b, "float")
	if err != nil {
		return 0, 0, err
	}
	if code != codeFloat {
		return 0, 0, mismatch("float", code)
	}
	return math.Float32frombits(binary.BigEndian.Uint32(b[1:])), n, nil
}

// Double reads a double.
func Double(b []byte) (v float64, n int, err error) {
	code, n, err := fixed(b, "double")
	if err != nil {
		return 0, 0, err
	}
	if code != codeDouble {
		return 0, 0, mismatch("double", code)
	}
	return math.Float64frombits(binary.BigEndian.Uint64(b[1:])), n, nil
}

// ReadChar reads a char; what is no Unicode code point is refused.
func ReadChar(b []byte) (v Char, n int, err error) {
	code, n, err := fixed(b, "char")
	if err != nil {
		return 0, 0, err
	}
	if code != codeChar {
		return 0, 0, mismatch("char", code)
	}
	r := binary.BigEndian.Uint32(b[1:])
	if !isRune(r) {
		return 0, 0, &Error{Op: "char", Reason: "no Unicode code point"}
	}
	return Char(r), n, nil
}

// ReadTimestamp reads a timestamp.
func ReadTimestamp(b []byte) (v Timestamp, n int, err error) {
	code, n, err := fixed(b, "timestamp")
	if err != nil {
		return 0, 0, err
	}
	if code != codeTimestamp {
		return 0, 0, mismatch("timestamp", code)
	}
	return Timestamp(binary.BigEndian.Uint64(b[1:])), n, nil
}

// ReadUUID reads a uuid.
func ReadUUID(b []byte) (v UUID, n int, err error) {
	code, n, err := fixed(b, "uuid")
	if err != nil {
		return v, 0, err
	}
	if code != codeUUID {
		return v, 0, mismatch("uuid", code)
	}
	return UUID(b[1:17]), n, nil
}
