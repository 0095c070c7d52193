package wire

import "encoding/binary"

// arrayHead is the head of an array, read in place.
type arrayHead struct {
	constructor byte   // of the elements, descriptors taken off
	descriptors []byte // "0x00 descriptor" for each, outermost first; may be empty
	body        []byte // the elements, without constructors
	count       int
}

// readArrayHead reads the head of an array. Elements of no width cost nothing
// to claim: their number must be compared with Limits.Count before use.
func readArrayHead(b []byte) (h arrayHead, n int, err error) {
	if len(b) == 0 {
		return h, 0, short("array")
	}
	var head, size int
	switch b[0] {
	case codeArray8:
		if len(b) < 3 {
			return h, 0, short("array")
		}
		head, size, h.count = 3, int(b[1])-1, int(b[2])
	case codeArray32:
		if len(b) < 9 {
			return h, 0, short("array")
		}
		head, size = 9, int(binary.BigEndian.Uint32(b[1:]))-4
		h.count = int(binary.BigEndian.Uint32(b[5:]))
	default:
		return h, 0, mismatch("array", b[0])
	}
	if size < 1 {
		return h, 0, &Error{Op: "array", Reason: reasonSize}
	}
	if size > len(b)-head {
		return h, 0, short("array")
	}
	rest, off := b[head:head+size:head+size], 0
	for off < len(rest) && rest[off] == codeDescribed {
		skipped, err := Skip(rest[off+1:])
		if err != nil {
			return h, 0, at(err, head+off+1)
		}
		off += 1 + skipped
	}
	if off == len(rest) {
		return h, 0, &Error{Op: "array", Reason: "no constructor for the elements"}
	}
	h.descriptors, h.constructor, h.body = rest[:off], rest[off], rest[off+1:]
	w := width[h.constructor]
	switch {
	case w == unknownWidth:
		return h, 0, at(unknown("array", h.constructor), head+off)
	case w >= 0 && uint64(h.count)*uint64(w) != uint64(len(h.body)):
		return h, 0, &Error{Op: "array", Reason: reasonSize}
	case w < 0 && h.count > len(h.body):
		return h, 0, &Error{Op: "array", Reason: "more elements claimed than bytes"}
	}
	return h, head + size, nil
}

// Symbols reads a field that may hold several symbols: null, one bare symbol,
// or an array of them (amqp 1.4, multiple). No symbol at all gives nil.
func Symbols(b []byte, lim *Limits) (v []Symbol, n int, err error) {
	if len(b) == 0 {
		return nil, 0, short("symbols")
	}
	switch b[0] {
	case codeNull:
		return nil, 1, nil
	case codeSymbol8, codeSymbol32:
		s, n, err := ReadSymbol(b, lim)
		if err != nil {
			return nil, 0, err
		}
		return []Symbol{s}, n, nil
	}
	h, n, err := readArrayHead(b)
	if err != nil {
		return nil, 0, err
	}
	if h.count == 0 {
		return nil, n, nil
	}
	if h.count > lim.count() {
		return nil, 0, &Error{Op: "symbols", Reason: reasonCount}
	}
	if len(h.descriptors) > 0 || h.constructor != codeSymbol8 && h.constructor != codeSymbol32 {
		return nil, 0, mismatch("symbols", h.constructor)
	}
	v = make([]Symbol, 0, h.count)
	for range h.count {
		s, size, err := element(h.constructor, h.body, lim.symbol())
		if err != nil {
			return nil, 0, err
		}
		v = append(v, Symbol(s))
		h.body = h.body[size:]
	}
	if len(h.body) > 0 {
		return nil, 0, &Error{Op: "symbols", Reason: reasonSize}
	}
	return v, n, nil
}

// element gives the bytes of an array's element of variable width and the bytes
// that it takes with its size.
func element(constructor byte, b []byte, limit int) (v []byte, n int, err error) {
	op := codeNames[constructor]
	head, size := 1, 0
	if width[constructor] == -4 {
		head = 4
	}
	if len(b) < head {
		return nil, 0, short(op)
	}
	if head == 4 {
		size = int(binary.BigEndian.Uint32(b))
	} else {
		size = int(b[0])
	}
	if size > limit {
		return nil, 0, &Error{Op: op, Reason: "longer than the limit"}
	}
	if size > len(b)-head {
		return nil, 0, short(op)
	}
	return b[head : head+size : head+size], head + size, nil
}
