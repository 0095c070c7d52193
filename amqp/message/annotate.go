package message

import (
	"bytes"
	"iter"

	"github.com/tidegate/tidegate/amqp/wire"
)

// Replies says whether the message has a reply-to.
func (m *Message) Replies() bool { return m.field(fieldReplyTo) != nil }

// HasAnnotation says whether there is a message annotation of that name.
func (m *Message) HasAnnotation(name string) bool {
	return lookup(m.value(annotationSection), name) != nil
}

// WithAnnotations makes a copy whose message annotations have those of extra as
// well, in place of those under the same names. All other bytes are the same.
func (m *Message) WithAnnotations(extra wire.Map) (*Message, error) {
	front := append([]byte(nil), m.bytes(0, m.Offset())...)
	front, behind, err := Annotate(front, m.first, m.rest, m.Offset(), wire.AppendValue(nil, extra))
	if err != nil {
		return nil, err
	}
	return m.before(front, behind)
}

// before is a message of other bytes, and behind them those of m from an offset on.
func (m *Message) before(front []byte, behind int) (*Message, error) {
	var rest [][]byte
	c := m.cursor()
	c.ranges(behind, m.size(), func(part []byte) { rest = append(rest, part) })
	n, err := Index(front, rest, nil)
	return &n, err
}

// Annotate appends to dst the message annotations of a message with those of
// extra, an encoded map, in place of those under the same names. at is behind
// header and delivery annotations (SkipHeader); the offset that it gives is where
// the message goes on. Errors are *Error.
func Annotate(dst, first []byte, rest [][]byte, at int, extra []byte) (with []byte, offset int, err error) {
	p := pieces{first, rest}
	have, end, err := p.sectionAt(at, annotationSection)
	if err != nil {
		return dst, at, err
	}
	return MergeMaps(wire.AppendDescriptor(dst, codeAnnotations), have, extra), end, nil
}

// SkipAnnotations gives the offset behind the message annotations, if they are at at.
func SkipAnnotations(first []byte, rest [][]byte, at int) (int, error) {
	p := pieces{first, rest}
	_, end, err := p.sectionAt(at, annotationSection)
	return end, err
}

// sectionAt is the value of the section that begins at an offset, and where it ends;
// where another one begins, or none, it is nil, and ends where it began.
func (p *pieces) sectionAt(at int, want section) (value []byte, end int, err error) {
	size := p.size()
	if at >= size {
		return nil, at, nil
	}
	c := p.cursor()
	var buf [windowSize]byte
	s, _, head, err := begin(c.window(at, &buf), at)
	if err != nil || s != want {
		return nil, at, err
	}
	if end, err = c.valueEnd(at+head, size); err != nil {
		return nil, at, &Error{Section: sectionNames[s], Offset: at, Err: err}
	}
	return c.bytes(at+head, end), end, nil
}

// MergeMaps appends to dst an encoded map that has the pairs of more, and those of
// have whose keys more does not have; nil is an empty map. Values stay byte by
// byte as they are.
func MergeMaps(dst, have, more []byte) []byte {
	dst, mark := wire.BeginMap(dst)
	count := 0
	for key, value := range pairs(have) {
		if !hasKey(more, key) {
			dst = append(append(dst, key...), value...)
			count++
		}
	}
	for key, value := range pairs(more) {
		dst = append(append(dst, key...), value...)
		count++
	}
	return wire.EndMap(dst, mark, count)
}

func hasKey(m, key []byte) bool {
	for other := range pairs(m) {
		if sameKey(key, other) {
			return true
		}
	}
	return false
}

// sameKey compares encoded keys; a symbol and a string of one text are the same.
func sameKey(a, b []byte) bool {
	if isText(a[0]) && isText(b[0]) {
		x, _, _ := wire.TextBytes(a, unlimited)
		y, _, _ := wire.TextBytes(b, unlimited)
		return bytes.Equal(x, y)
	}
	return bytes.Equal(a, b)
}

// pairs goes over an encoded map's keys and values as they are encoded.
func pairs(m []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		body, count, _, err := wire.MapHead(m)
		if m == nil || err != nil {
			return
		}
		for range count / 2 {
			keySize, err := wire.Skip(body)
			if err != nil {
				return
			}
			size, err := wire.Skip(body[keySize:])
			if err != nil || !yield(body[:keySize], body[keySize:keySize+size]) {
				return
			}
			body = body[keySize+size:]
		}
	}
}
