package translate

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/tidegate/tidegate/amqp/wire"
)

// A property's value in a header is a letter for its type, a colon, and the value:
//
//	b boolean   y byte    h short    i int    l long    f float   d double   s string
//	x binary in base64    n null     c char   t timestamp, ms since 1970     u uuid
//	Y ubyte     H ushort  I uint     L ulong  S symbol
//	a any other: its encoding in AMQP, in base64
const tags = "b y h i l f d s x n c t u Y H I L S a"

var base64s = base64.StdEncoding

// tagged writes a property's value.
func (w *headerWriter) tagged(v any) string {
	switch v := v.(type) {
	case string:
		return w.join("s:", escape(v))
	case bool:
		if v {
			return "b:true"
		}
		return "b:false"
	case int8:
		return w.number("y:", int64(v))
	case int16:
		return w.number("h:", int64(v))
	case int32:
		return w.number("i:", int64(v))
	case int64:
		return w.number("l:", v)
	case float32:
		return w.join("f:", float32Text(v))
	case float64:
		return w.join("d:", float64Text(v))
	case []byte:
		return w.join("x:", base64s.EncodeToString(v))
	case nil:
		return "n:"
	}
	return w.taggedForeign(v)
}

// taggedForeign writes a value that JMS clients do not send.
func (w *headerWriter) taggedForeign(v any) string {
	switch v := v.(type) {
	case uint8:
		return w.number("Y:", int64(v))
	case uint16:
		return w.number("H:", int64(v))
	case uint32:
		return w.number("I:", int64(v))
	case uint64:
		return w.join("L:", strconv.FormatUint(v, 10))
	case wire.Char:
		return w.join("c:", escape(string(rune(v))))
	case wire.Timestamp:
		return w.number("t:", int64(v))
	case wire.UUID:
		return w.join("u:", v.String())
	case wire.Symbol:
		return w.join("S:", escape(string(v)))
	}
	return w.join("a:", base64s.EncodeToString(wire.AppendValue(nil, v)))
}

// untag reads a property's value. Without a tag it is a string, as other programs
// write it.
func (r *reader) untag(where, s string) (v any, err error) {
	if len(s) < 2 || s[1] != ':' || !letter(s[0]) {
		return unescape(s), nil
	}
	text := s[2:]
	switch s[0] {
	case 's':
		return unescape(text), nil
	case 'b':
		v, err = strconv.ParseBool(text)
	case 'y':
		v, err = integer[int8](text, 8)
	case 'h':
		v, err = integer[int16](text, 16)
	case 'i':
		v, err = integer[int32](text, 32)
	case 'l':
		v, err = integer[int64](text, 64)
	case 'f':
		v, err = parseFloat32(text)
	case 'd':
		v, err = parseFloat64(text)
	case 'x':
		v, err = base64s.DecodeString(text)
	case 'n':
		if text != "" {
			err = fmt.Errorf("null has no value")
		}
	default:
		v, err = r.untagForeign(s[0], text)
	}
	if err != nil {
		return nil, r.fail(where, "%.40q is no value of type %c: %v; begin a text with s:", text, s[0], err)
	}
	return v, nil
}

func (r *reader) untagForeign(tag byte, text string) (v any, err error) {
	switch tag {
	case 'Y':
		return unsigned[uint8](text, 8)
	case 'H':
		return unsigned[uint16](text, 16)
	case 'I':
		return unsigned[uint32](text, 32)
	case 'L':
		return unsigned[uint64](text, 64)
	case 't':
		return integer[wire.Timestamp](text, 64)
	case 'c':
		return character(unescape(text))
	case 'u':
		return uuid(text)
	case 'S':
		return wire.Symbol(unescape(text)), nil
	case 'a':
		b, err := base64s.DecodeString(text)
		if err != nil {
			return nil, err
		}
		return r.decode(b, r.limits.Depth)
	}
	return nil, fmt.Errorf("the types are %s", tags)
}

func integer[T ~int8 | ~int16 | ~int32 | ~int64](text string, bits int) (T, error) {
	n, err := strconv.ParseInt(text, 10, bits)
	return T(n), plainly(err)
}

func unsigned[T ~uint8 | ~uint16 | ~uint32 | ~uint64](text string, bits int) (T, error) {
	n, err := strconv.ParseUint(text, 10, bits)
	return T(n), plainly(err)
}

// plainly takes Go's function out of a message.
func plainly(err error) error {
	if e, ok := err.(*strconv.NumError); ok { //nolint:errorlint // strconv gives it unwrapped
		return e.Err
	}
	return err
}

func character(s string) (wire.Char, error) {
	c, n := utf8.DecodeRuneInString(s)
	if n == 0 || n != len(s) {
		return 0, fmt.Errorf("not one character")
	}
	return wire.Char(c), nil
}

func uuid(s string) (wire.UUID, error) {
	u, ok := wire.ParseUUID(s)
	if !ok {
		return u, fmt.Errorf("no uuid")
	}
	return u, nil
}
