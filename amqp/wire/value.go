package wire

import "bytes"

// Value reads a value of any type. The Go types are: nil, bool, uint8 to
// uint64, int8 to int64, float32, float64, Decimal32/64/128, Char, Timestamp,
// UUID, []byte, string, Symbol, List, Map, Array and Described. Binaries alias
// b; all else is copied.
func Value(b []byte, lim *Limits) (v any, n int, err error) {
	d := decoder{lim: lim, left: lim.values()}
	return d.value(b, lim.depth())
}

// ReadMap reads a map, or null as nil.
func ReadMap(b []byte, lim *Limits) (v Map, n int, err error) {
	if IsNull(b) {
		return nil, 1, nil
	}
	d := decoder{lim: lim, left: lim.values()}
	return d.mapping(b, lim.depth())
}

// decoder carries what is left of a whole value's allowance.
type decoder struct {
	lim  *Limits
	left int // values that may still be made
}

// take books count values before anything is allocated for them.
func (d *decoder) take(op string, count int) error {
	if count > d.lim.count() || count > d.left {
		return &Error{Op: op, Reason: reasonCount}
	}
	d.left -= count
	return nil
}

// value reads one value; depth is how many levels it may still open.
func (d *decoder) value(b []byte, depth int) (v any, n int, err error) {
	if len(b) == 0 {
		return nil, 0, short("value")
	}
	switch b[0] {
	case codeDescribed:
		return d.described(b, depth)
	case codeList0, codeList8, codeList32:
		return d.list(b, depth)
	case codeMap8, codeMap32:
		return d.mapping(b, depth)
	case codeArray8, codeArray32:
		return d.array(b, depth)
	case codeBinary8, codeBinary32:
		return Binary(b, d.lim)
	case codeString8, codeString32:
		return String(b, d.lim)
	case codeSymbol8, codeSymbol32:
		return ReadSymbol(b, d.lim)
	}
	return scalar(b)
}

func scalar(b []byte) (v any, n int, err error) {
	switch b[0] {
	case codeNull:
		return nil, 1, nil
	case codeTrue, codeFalse, codeBoolean:
		return Bool(b)
	case codeUint0, codeSmallUint, codeUint:
		return Uint(b)
	case codeUlong0, codeSmallUlong, codeUlong:
		return Ulong(b)
	case codeUbyte:
		return Ubyte(b)
	case codeByte:
		return Byte(b)
	case codeUshort:
		return Ushort(b)
	case codeShort:
		return Short(b)
	case codeSmallInt, codeInt:
		return Int(b)
	case codeSmallLong, codeLong:
		return Long(b)
	case codeFloat:
		return Float(b)
	case codeDouble:
		return Double(b)
	case codeChar:
		return ReadChar(b)
	case codeTimestamp:
		return ReadTimestamp(b)
	case codeUUID:
		return ReadUUID(b)
	}
	return decimal(b)
}

func decimal(b []byte) (v any, n int, err error) {
	code, n, err := fixed(b, "value")
	if err != nil {
		if codeNames[b[0]] == "" {
			return nil, 0, unknown("value", b[0])
		}
		return nil, 0, err
	}
	switch code {
	case codeDecimal32:
		return Decimal32(b[1:5]), n, nil
	case codeDecimal64:
		return Decimal64(b[1:9]), n, nil
	case codeDecimal128:
		return Decimal128(b[1:17]), n, nil
	}
	return nil, 0, unknown("value", code)
}

func (d *decoder) described(b []byte, depth int) (v any, n int, err error) {
	if depth == 0 {
		return nil, 0, &Error{Op: "described", Reason: reasonDepth}
	}
	descriptor, n, err := d.value(b[1:], depth-1)
	if err != nil {
		return nil, 0, at(err, 1)
	}
	n++
	inner, size, err := d.value(b[n:], depth-1)
	if err != nil {
		return nil, 0, at(err, n)
	}
	return Described{descriptor, inner}, n + size, nil
}

func (d *decoder) list(b []byte, depth int) (v any, n int, err error) {
	body, count, n, err := ListHead(b)
	if err != nil {
		return nil, 0, err
	}
	if depth == 0 {
		return nil, 0, &Error{Op: "list", Reason: reasonDepth}
	}
	if err := d.take("list", count); err != nil {
		return nil, 0, err
	}
	l, head := make(List, count), n-len(body)
	off := 0
	for i := range l {
		var size int
		if l[i], size, err = d.value(body[off:], depth-1); err != nil {
			return nil, 0, at(err, head+off)
		}
		off += size
	}
	if off != len(body) {
		return nil, 0, &Error{Op: "list", Reason: reasonSize}
	}
	return l, n, nil
}

func (d *decoder) mapping(b []byte, depth int) (v Map, n int, err error) {
	body, count, n, err := MapHead(b)
	if err != nil {
		return nil, 0, err
	}
	if depth == 0 {
		return nil, 0, &Error{Op: "map", Reason: reasonDepth}
	}
	if err := d.take("map", count); err != nil {
		return nil, 0, err
	}
	m, head := make(Map, count/2), n-len(body)
	off := 0
	for i := range m {
		var size int
		if m[i].Key, size, err = d.value(body[off:], depth-1); err != nil {
			return nil, 0, at(err, head+off)
		}
		off += size
		if m[i].Value, size, err = d.value(body[off:], depth-1); err != nil {
			return nil, 0, at(err, head+off)
		}
		off += size
	}
	if off != len(body) {
		return nil, 0, &Error{Op: "map", Reason: reasonSize}
	}
	return m, n, nil
}

func (d *decoder) array(b []byte, depth int) (v any, n int, err error) {
	h, n, err := readArrayHead(b)
	if err != nil {
		return nil, 0, err
	}
	if depth == 0 {
		return nil, 0, &Error{Op: "array", Reason: reasonDepth}
	}
	if err := d.take("array", h.count); err != nil {
		return nil, 0, err
	}
	a := Array{Constructor: h.constructor, Values: make([]any, h.count)}
	for rest := h.descriptors; len(rest) > 0; {
		descriptor, size, err := d.value(rest[1:], depth-1)
		if err != nil {
			return nil, 0, err
		}
		a.Descriptors = append(a.Descriptors, descriptor)
		rest = rest[1+size:]
	}
	off := 0
	for i := range a.Values {
		var size int
		if a.Values[i], size, err = d.element(h.constructor, h.body[off:], depth-1); err != nil {
			return nil, 0, err
		}
		off += size
	}
	if off != len(h.body) {
		return nil, 0, &Error{Op: "array", Reason: reasonSize}
	}
	return a, n, nil
}

// element reads an element of an array, whose constructor stands apart. Scalars
// and texts are put together again in a small buffer; of the rest, only the
// head is needed in front, so that the cost stays in proportion.
func (d *decoder) element(constructor byte, b []byte, depth int) (v any, n int, err error) {
	w := width[constructor]
	if w >= 0 {
		var whole [17]byte
		whole[0] = constructor
		if len(b) < int(w) {
			return nil, 0, short(codeNames[constructor])
		}
		copy(whole[1:], b[:w])
		v, _, err := d.value(whole[:1+int(w)], depth)
		return v, int(w), err
	}
	switch constructor {
	case codeBinary8, codeBinary32:
		return element(constructor, b, d.lim.binary())
	case codeString8, codeString32:
		s, n, err := element(constructor, b, d.lim.string())
		return string(s), n, err
	case codeSymbol8, codeSymbol32:
		s, n, err := element(constructor, b, d.lim.symbol())
		return Symbol(s), n, err
	}
	body, n, err := element(constructor, b, len(b))
	if err != nil {
		return nil, 0, err
	}
	// Compounds in arrays are rare; a copy lets one decoder serve both places.
	whole := bytes.Join([][]byte{{constructor}, b[:n-len(body)], body}, nil)
	v, _, err = d.value(whole, depth)
	return v, n, err
}

// AppendMap appends a map, exact types preserved; nil is null.
func AppendMap(b []byte, m Map) []byte {
	if m == nil {
		return AppendNull(b)
	}
	b, mark := BeginMap(b)
	for _, e := range m {
		b = AppendValue(AppendValue(b, e.Key), e.Value)
	}
	return EndMap(b, mark, len(m))
}
