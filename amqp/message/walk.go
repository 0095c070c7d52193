package message

import (
	"fmt"

	"github.com/tidegate/tidegate/amqp/wire"
)

// MaxFooter is the longest footer section of a large message, in bytes: it is
// checked whole, as the sections before the body are.
const MaxFooter = 64 << 10

// Walk goes over body and footer of a large message while they come, piece by
// piece, and checks what Index checks, without keeping them.
type Walk struct {
	lim    *wire.Limits
	pos    int64 // in the message, of head[0]
	head   [windowSize]byte
	n      int   // bytes in head: the beginning of what comes next
	skip   int64 // bytes that need no look
	due    int   // values that belong to the section and have not begun
	first  bool  // the next of them is the section's own
	in     section
	kind   BodyKind
	body   bool
	footer []byte // of a footer, as far as it came; nil outside of one
}

// Take goes on over p. Errors are *Error; after one the message is over.
func (w *Walk) Take(p []byte) error {
	for {
		if w.skip > 0 {
			n := min(w.skip, int64(w.n))
			w.drop(int(n))
			w.skip -= n
			n = min(w.skip, int64(len(p)))
			p = w.pass(p, n)
			w.skip -= n
			if w.skip > 0 {
				return nil
			}
		}
		got := copy(w.head[w.n:], p)
		w.n += got
		p = p[got:]
		if w.n == 0 {
			return nil
		}
		if err := w.step(); err != nil {
			if w.n == len(w.head) {
				return err
			}
			return nil // for all that is known, only more bytes are missing
		}
	}
}

// pass goes over n bytes of p without a look; those of a footer are kept.
func (w *Walk) pass(p []byte, n int64) []byte {
	if w.footer != nil {
		w.footer = append(w.footer, p[:n]...)
	}
	w.pos += n
	return p[n:]
}

// drop takes n bytes from the front of head.
func (w *Walk) drop(n int) {
	w.pass(w.head[:w.n], int64(n))
	w.n = copy(w.head[:], w.head[n:w.n])
}

// End says whether the message may end here.
func (w *Walk) End() error {
	if w.n > 0 {
		if err := w.step(); err != nil { // what looked like too few bytes was that, or wrong
			return err
		}
	}
	if w.skip > 0 || w.due > 0 || w.n > 0 {
		return w.fault("the message ends before the section does")
	}
	return w.endFooter()
}

// step reads what head begins with: a section's descriptor, or the head of a
// value. An error may mean that bytes are missing.
func (w *Walk) step() error {
	window := w.head[:w.n]
	if w.due == 0 {
		return w.begin(window)
	}
	if w.first {
		if err := w.expect(window); err != nil {
			return err
		}
		w.first = false
	}
	if wire.IsDescribed(window) { // two values behind a mark
		w.due++
		w.drop(1)
		return nil
	}
	n, err := wire.Size(window)
	if err != nil {
		return &Error{Section: sectionNames[w.in], Offset: int(w.pos), Err: err}
	}
	if w.footer != nil && len(w.footer)+n > MaxFooter {
		return w.fault(fmt.Sprintf("a footer of more than %d bytes", MaxFooter))
	}
	w.due--
	w.skip = int64(n)
	return nil
}

func (w *Walk) begin(window []byte) error {
	if err := w.endFooter(); err != nil {
		return err
	}
	s, kind, head, err := begin(window, int(w.pos))
	if err != nil {
		return err
	}
	again := w.body && w.in == bodySection && s == bodySection && kind == w.kind && kind != BodyValue
	if s < bodySection || (s == bodySection && (w.body || w.in == footerSection) && !again) || (s == footerSection && w.in == footerSection) {
		return outOfOrder(s, int(w.pos))
	}
	w.drop(head)
	w.in, w.kind, w.due, w.first = s, kind, 1, true
	w.body = w.body || s == bodySection
	if s == footerSection {
		w.footer = []byte{}
	}
	return nil
}

// expect checks the type of a section's value.
func (w *Walk) expect(window []byte) (err error) {
	switch {
	case w.in == footerSection:
		err = expect(window, "map", 0xc1, 0xd1)
	case w.kind == BodyData:
		err = expect(window, "binary", 0xa0, 0xb0)
	case w.kind == BodySequence:
		err = expect(window, "list", 0x45, 0xc0, 0xd0)
	}
	if err != nil {
		return &Error{Section: sectionNames[w.in], Offset: int(w.pos), Err: err}
	}
	return nil
}

func (w *Walk) endFooter() error {
	if w.footer == nil || w.due > 0 {
		return nil
	}
	b := w.footer
	w.footer = nil
	if _, err := wire.Check(b, w.lim); err != nil {
		return &Error{Section: sectionNames[footerSection], Offset: int(w.pos) - len(b), Err: err}
	}
	return nil
}

func (w *Walk) fault(reason string) error {
	return &Error{Section: sectionNames[w.in], Offset: int(w.pos), Reason: reason}
}
