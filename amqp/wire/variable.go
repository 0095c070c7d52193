package wire

import "encoding/binary"

// variable gives the bytes of a value of variable width.
func variable(b []byte, narrow byte, op string, limit int) (v []byte, n int, err error) {
	if len(b) == 0 {
		return nil, 0, short(op)
	}
	var head, size int
	switch b[0] {
	case narrow:
		if len(b) < 2 {
			return nil, 0, short(op)
		}
		head, size = 2, int(b[1])
	case narrow + 0x10:
		if len(b) < 5 {
			return nil, 0, short(op)
		}
		head, size = 5, int(binary.BigEndian.Uint32(b[1:]))
	default:
		return nil, 0, mismatch(op, b[0])
	}
	if size > limit {
		return nil, 0, &Error{Op: op, Reason: "longer than the limit"}
	}
	if size > len(b)-head {
		return nil, 0, short(op)
	}
	return b[head : head+size : head+size], head + size, nil
}

// Binary reads a binary; v aliases b and is not nil.
func Binary(b []byte, lim *Limits) (v []byte, n int, err error) {
	return variable(b, codeBinary8, "binary", lim.binary())
}

// StringBytes reads a string's UTF-8 bytes, which alias b and are not checked.
func StringBytes(b []byte, lim *Limits) (v []byte, n int, err error) {
	return variable(b, codeString8, "string", lim.string())
}

// SymbolBytes reads a symbol's bytes, which alias b and are not checked.
func SymbolBytes(b []byte, lim *Limits) (v []byte, n int, err error) {
	return variable(b, codeSymbol8, "symbol", lim.symbol())
}

// String reads a string; its characters are taken as they are, valid or not:
// one odd byte in a link's name is no reason to drop a connection.
func String(b []byte, lim *Limits) (v string, n int, err error) {
	s, n, err := StringBytes(b, lim)
	return string(s), n, err
}

// ReadSymbol reads a symbol.
func ReadSymbol(b []byte, lim *Limits) (v Symbol, n int, err error) {
	s, n, err := SymbolBytes(b, lim)
	return Symbol(s), n, err
}

// TextBytes reads what is a string or a symbol, for the places where peers send
// either.
func TextBytes(b []byte, lim *Limits) (v []byte, n int, err error) {
	if len(b) > 0 && (b[0] == codeSymbol8 || b[0] == codeSymbol32) {
		return SymbolBytes(b, lim)
	}
	return StringBytes(b, lim)
}

// ReadDescriptor reads the descriptor of the described value at the start of b;
// the value follows at n.
func ReadDescriptor(b []byte) (d Descriptor, n int, err error) {
	// The form that everyone sends first.
	if len(b) >= 3 && b[0] == codeDescribed && b[1] == codeSmallUlong {
		return Descriptor{Code: uint64(b[2])}, 3, nil
	}
	if len(b) == 0 {
		return d, 0, short("descriptor")
	}
	if b[0] != codeDescribed {
		return d, 0, mismatch("described type", b[0])
	}
	if len(b) < 2 {
		return d, 0, short("descriptor")
	}
	switch b[1] {
	case codeSymbol8, codeSymbol32:
		d.Name, n, err = SymbolBytes(b[1:], nil)
	default:
		d.Code, n, err = Ulong(b[1:])
	}
	if err != nil {
		return Descriptor{}, 0, at(err, 1)
	}
	return d, n + 1, nil
}

// ListHead reads the head of a list: body holds its elements and nothing else,
// n is the size of the whole list.
func ListHead(b []byte) (body []byte, count, n int, err error) {
	if len(b) > 0 && b[0] == codeList0 {
		return nil, 0, 1, nil
	}
	return compoundHead(b, codeList8, "list")
}

// MapHead reads the head of a map; count is that of keys and values together,
// always even.
func MapHead(b []byte) (body []byte, count, n int, err error) {
	body, count, n, err = compoundHead(b, codeMap8, "map")
	if err == nil && count%2 != 0 {
		return nil, 0, 0, &Error{Op: "map", Reason: "a key without a value"}
	}
	return body, count, n, err
}

func compoundHead(b []byte, narrow byte, op string) (body []byte, count, n int, err error) {
	if len(b) == 0 {
		return nil, 0, 0, short(op)
	}
	var head, size int
	switch b[0] {
	case narrow:
		if len(b) < 3 {
			return nil, 0, 0, short(op)
		}
		head, size, count = 3, int(b[1])-1, int(b[2])
	case narrow + 0x10:
		if len(b) < 9 {
			return nil, 0, 0, short(op)
		}
		head, size = 9, int(binary.BigEndian.Uint32(b[1:]))-4
		count = int(binary.BigEndian.Uint32(b[5:]))
	default:
		return nil, 0, 0, mismatch(op, b[0])
	}
	if size < 0 {
		return nil, 0, 0, &Error{Op: op, Reason: reasonSize}
	}
	if size > len(b)-head {
		return nil, 0, 0, short(op)
	}
	// Each element of a list or map takes a byte at least.
	if count > size {
		return nil, 0, 0, &Error{Op: op, Reason: "more elements claimed than bytes"}
	}
	return b[head : head+size : head+size], count, head + size, nil
}
