package wire

import "encoding/binary"

// width is, for each known constructor, the bytes that follow it where they are
// fixed, or -1 and -4 for a size of that many bytes, or unknownWidth.
var width = func() (w [256]int8) {
	for c := range w {
		w[c] = unknownWidth
		if codeNames[c] == "" || c == codeDescribed {
			continue
		}
		switch c >> 4 {
		case 0x4:
			w[c] = 0
		case 0x5:
			w[c] = 1
		case 0x6:
			w[c] = 2
		case 0x7:
			w[c] = 4
		case 0x8:
			w[c] = 8
		case 0x9:
			w[c] = 16
		case 0xa, 0xc, 0xe:
			w[c] = -1
		case 0xb, 0xd, 0xf:
			w[c] = -4
		}
	}
	return w
}()

const unknownWidth = -128

// HeadSize is how many bytes Size needs at most to tell a value's size.
const HeadSize = 5

// Size gives the bytes of the value at the start of b, constructor included,
// from its head alone: the value itself need not be complete. A described value
// has no such head; use Skip.
func Size(b []byte) (n int, err error) {
	if len(b) == 0 {
		return 0, short("value")
	}
	switch w := width[b[0]]; {
	case w >= 0:
		return 1 + int(w), nil
	case w == -1:
		if len(b) < 2 {
			return 0, short(codeNames[b[0]])
		}
		return 2 + int(b[1]), nil
	case w == -4:
		if len(b) < 5 {
			return 0, short(codeNames[b[0]])
		}
		return 5 + int(binary.BigEndian.Uint32(b[1:])), nil
	}
	if b[0] == codeDescribed {
		return 0, mismatch("value", codeDescribed)
	}
	return 0, unknown("value", b[0])
}

// Skip gives the bytes of the value at the start of b, which must be complete.
// What a compound holds is not looked at.
func Skip(b []byte) (n int, err error) {
	// A described value is two values behind a mark, and the first may again be
	// described: what counts is how many are still due.
	for due := 1; due > 0; {
		if n < len(b) && b[n] == codeDescribed {
			due++
			n++
			continue
		}
		size, err := Size(b[n:])
		if err != nil {
			return 0, at(err, n)
		}
		if size > len(b)-n {
			return 0, at(short(codeNames[b[n]]), n)
		}
		n += size
		due--
	}
	return n, nil
}

// IsNull tells whether b begins with null.
func IsNull(b []byte) bool { return len(b) > 0 && b[0] == codeNull }

// IsDescribed tells whether b begins with a described value.
func IsDescribed(b []byte) bool { return len(b) > 0 && b[0] == codeDescribed }
