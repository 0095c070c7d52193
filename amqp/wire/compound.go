package wire

import (
	"encoding/binary"
	"math"
)

// The heads of lists and maps: constructor, size, count.
const (
	narrowHead = 3
	wideHead   = 9
)

// BeginList appends room for the head of a list; the elements follow, then
// EndList with the mark given here.
func BeginList(b []byte) (with []byte, mark int) { return append(b, 0, 0, 0), len(b) }

// EndList writes the head of the list begun at mark, in the narrowest form that
// holds its count elements.
func EndList(b []byte, mark, count int) []byte {
	if count == 0 {
		return append(b[:mark], codeList0)
	}
	return endCompound(b, mark, count, codeList8)
}

// BeginMap is BeginList for a map: keys and values follow in turn.
func BeginMap(b []byte) (with []byte, mark int) { return BeginList(b) }

// EndMap is EndList for a map of that many pairs.
func EndMap(b []byte, mark, pairs int) []byte { return endCompound(b, mark, 2*pairs, codeMap8) }

// endCompound moves the elements only where they need the wide head: those of
// hot frames never do.
func endCompound(b []byte, mark, count int, code byte) []byte {
	size := len(b) - mark - narrowHead
	if size+1 <= math.MaxUint8 && count <= math.MaxUint8 {
		b[mark], b[mark+1], b[mark+2] = code, byte(size+1), byte(count)
		return b
	}
	b = append(b, 0, 0, 0, 0, 0, 0)
	copy(b[mark+wideHead:], b[mark+narrowHead:mark+narrowHead+size])
	b[mark] = code + 0x10
	binary.BigEndian.PutUint32(b[mark+1:], uint32(size+4))
	binary.BigEndian.PutUint32(b[mark+5:], uint32(count))
	return b
}

// AppendSymbols appends an array of symbols.
func AppendSymbols(b []byte, v []Symbol) []byte {
	longest, total := 0, 0
	for _, s := range v {
		longest, total = max(longest, len(s)), total+len(s)
	}
	if longest > math.MaxUint8 {
		b = appendArrayHead(b, total+4*len(v), len(v), codeSymbol32)
		for _, s := range v {
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
		}
		return b
	}
	b = appendArrayHead(b, total+len(v), len(v), codeSymbol8)
	for _, s := range v {
		b = append(append(b, byte(len(s))), s...)
	}
	return b
}

// appendArrayHead appends the head of an array of count elements that take size
// bytes without their plain constructor, which is appended too.
func appendArrayHead(b []byte, size, count int, constructor byte) []byte {
	if size+2 <= math.MaxUint8 && count <= math.MaxUint8 {
		return append(b, codeArray8, byte(size+2), byte(count), constructor)
	}
	b = binary.BigEndian.AppendUint32(append(b, codeArray32), uint32(size+5))
	b = binary.BigEndian.AppendUint32(b, uint32(count))
	return append(b, constructor)
}
