package engine

// Read buffers are fresh memory, never reused by hand once a message lies in
// them: messages are slices of them (design section 4). An idle connection
// holds a small one.
const (
	smallBuffer = 512
	largeBuffer = 64 << 10
	// hugeBuffer is for a peer that fills large ones: fewer reads, steps and
	// allocations for the same bytes.
	hugeBuffer = 256 << 10
	// minSpace is the least worth reading into.
	minSpace = 4 << 10
)

type input struct {
	buf        []byte
	start, end int
	shared     bool // a message lies in buf
	need       int  // bytes of the frame that is being waited for
	last       int  // size of the last read
	full       bool // it filled all the room it was given
	wary       bool // nobody knows the peer yet: no large buffer for it
}

// space gives the room for the next read.
func (in *input) space() []byte {
	if in.start == in.end && !in.shared && len(in.buf) > 0 {
		in.start, in.end = 0, 0
		if len(in.buf) > smallBuffer && in.last <= smallBuffer/2 {
			in.buf = make([]byte, smallBuffer)
		}
	}
	room := len(in.buf) - in.end
	missing := in.need - (in.end - in.start)
	if room > 0 && missing > 0 && in.slow() {
		return in.buf[in.end:] // a frame that comes in drops gets no better buffer for it
	}
	if room > 0 && room >= missing && (room >= minSpace || (in.last < smallBuffer && room >= smallBuffer/2 && missing <= 0) || (!in.shared && in.end == 0)) {
		return in.buf[in.end:]
	}
	next := make([]byte, in.size())
	n := copy(next, in.buf[in.start:in.end])
	in.buf, in.start, in.end, in.shared = next, 0, n, false
	return next[n:]
}

// slow says that the peer has not shown that it sends much: it is unknown yet, or
// its last bytes were few.
func (in *input) slow() bool { return in.wary || in.last < smallBuffer/2 }

// size is that of the next buffer. Memory is given for bytes that came, not for
// those that a frame's header announces: eight bytes must not cost a whole frame.
func (in *input) size() int {
	have := in.end - in.start
	switch {
	case in.slow():
		return min(max(in.need, have), 3*have) + smallBuffer
	case in.need > largeBuffer/2 && !(in.full && in.last >= minSpace):
		return max(min(in.need+minSpace, 4*have), largeBuffer)
	case in.need > largeBuffer/2:
		return in.need + minSpace
	case in.full && in.last >= minSpace:
		return hugeBuffer
	}
	size := largeBuffer // or less for a peer that sends less at a time: most of a thousand do
	for size/8 >= max(in.last, in.need, have) {
		size /= 2
	}
	return size
}
