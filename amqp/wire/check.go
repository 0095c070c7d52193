package wire

import "encoding/binary"

// Check gives the bytes of the value at the start of b, like Skip, having gone
// through everything it holds: a value that passes decodes. It allocates
// nothing, so of the limits only the depth counts.
func Check(b []byte, lim *Limits) (n int, err error) { return check(b, lim.depth()) }

func check(b []byte, depth int) (n int, err error) {
	if len(b) == 0 {
		return 0, short("value")
	}
	code := b[0]
	switch w := width[code]; {
	case w >= 0:
		n = 1 + int(w)
	case code>>4 == 0xa && w == -1:
		if len(b) < 2 {
			return 0, short(codeNames[code])
		}
		n = 2 + int(b[1])
	default:
		return checkLong(b, depth)
	}
	if n > len(b) {
		return 0, short(codeNames[code])
	}
	switch code {
	case codeBoolean:
		_, _, err = Bool(b)
	case codeChar:
		_, _, err = ReadChar(b)
	}
	return n, err
}

// checkLong is check for what is long, nested, or unknown.
func checkLong(b []byte, depth int) (n int, err error) {
	var body []byte
	var count int
	switch b[0] {
	case codeBinary32, codeString32, codeSymbol32:
		return Skip(b)
	case codeDescribed:
		return checkDescribed(b, depth)
	case codeList8, codeList32:
		body, count, n, err = ListHead(b)
	case codeMap8, codeMap32:
		body, count, n, err = MapHead(b)
	case codeArray8, codeArray32:
		return checkArray(b, depth)
	default:
		return 0, unknown("value", b[0])
	}
	if err != nil {
		return 0, err
	}
	if depth == 0 {
		return 0, &Error{Op: codeNames[b[0]], Reason: reasonDepth}
	}
	off, head := 0, n-len(body)
	for range count {
		size, err := check(body[off:], depth-1)
		if err != nil {
			return 0, at(err, head+off)
		}
		off += size
	}
	if off != len(body) {
		return 0, &Error{Op: codeNames[b[0]], Reason: reasonSize}
	}
	return n, nil
}

func checkDescribed(b []byte, depth int) (n int, err error) {
	if depth == 0 {
		return 0, &Error{Op: "described", Reason: reasonDepth}
	}
	n = 1
	for range 2 {
		size, err := check(b[n:], depth-1)
		if err != nil {
			return 0, at(err, n)
		}
		n += size
	}
	return n, nil
}

func checkArray(b []byte, depth int) (n int, err error) {
	h, n, err := readArrayHead(b)
	if err != nil {
		return 0, err
	}
	if depth == 0 {
		return 0, &Error{Op: "array", Reason: reasonDepth}
	}
	for rest := h.descriptors; len(rest) > 0; {
		size, err := check(rest[1:], depth-1)
		if err != nil {
			return 0, err
		}
		rest = rest[1+size:]
	}
	body := h.body
	if w := int(width[h.constructor]); w >= 0 {
		// readArrayHead compared count and size; what is left are the two types
		// of which not every bit pattern is a value.
		return n, checkFixed(h.constructor, body)
	}
	for range h.count {
		size, err := checkElement(h.constructor, body, depth-1)
		if err != nil {
			return 0, err
		}
		body = body[size:]
	}
	if len(body) > 0 {
		return 0, &Error{Op: "array", Reason: reasonSize}
	}
	return n, nil
}

func checkFixed(constructor byte, body []byte) error {
	switch constructor {
	case codeBoolean:
		for _, v := range body {
			if v > 1 {
				return &Error{Op: "boolean", Reason: "neither 0 nor 1"}
			}
		}
	case codeChar:
		for ; len(body) >= 4; body = body[4:] {
			if !isRune(binary.BigEndian.Uint32(body)) {
				return &Error{Op: "char", Reason: "no Unicode code point"}
			}
		}
	}
	return nil
}

// checkElement is check for an element of an array, whose constructor stands
// apart from it.
func checkElement(constructor byte, b []byte, depth int) (n int, err error) {
	body, n, err := element(constructor, b, len(b))
	if err != nil {
		return 0, err
	}
	if constructor>>4 == 0xa || constructor>>4 == 0xb {
		return n, nil
	}
	if depth == 0 {
		return 0, &Error{Op: codeNames[constructor], Reason: reasonDepth}
	}
	if constructor == codeArray8 || constructor == codeArray32 {
		return n, checkNestedArray(constructor, body, n-len(body), depth)
	}
	wide := n-len(body) == 4
	head, count := 1, 0
	if wide {
		head = 4
	}
	if len(body) < head {
		return 0, &Error{Op: codeNames[constructor], Reason: reasonSize}
	}
	if wide {
		count = int(binary.BigEndian.Uint32(body))
	} else {
		count = int(body[0])
	}
	body = body[head:]
	if isMap := constructor == codeMap8 || constructor == codeMap32; isMap && count%2 != 0 {
		return 0, &Error{Op: "map", Reason: "a key without a value"}
	}
	for range count {
		size, err := check(body, depth-1)
		if err != nil {
			return 0, err
		}
		body = body[size:]
	}
	if len(body) > 0 {
		return 0, &Error{Op: codeNames[constructor], Reason: reasonSize}
	}
	return n, nil
}

// checkNestedArray puts constructor and size in front of an inner array again;
// arrays of arrays are so rare that the copy does not matter.
func checkNestedArray(constructor byte, body []byte, sizeWidth, depth int) error {
	whole := append(make([]byte, 0, 5+len(body)), constructor)
	if sizeWidth == 4 {
		whole = binary.BigEndian.AppendUint32(whole, uint32(len(body)))
	} else {
		whole = append(whole, byte(len(body)))
	}
	_, err := check(append(whole, body...), depth)
	return err
}

func isRune(v uint32) bool { return v <= 0x10ffff }
