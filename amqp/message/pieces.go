package message

// pieces are the bytes of a message as they came. The first stands apart,
// because nearly every message has only that one.
type pieces struct {
	first []byte
	rest  [][]byte
}

func (p *pieces) size() int {
	n := len(p.first)
	for _, piece := range p.rest {
		n += len(piece)
	}
	return n
}

// bytes gives the bytes from start to end: in place where one piece holds them
// all, else a copy.
func (p *pieces) bytes(start, end int) []byte {
	if end <= len(p.first) {
		return p.first[start:end:end]
	}
	at := len(p.first)
	for _, piece := range p.rest {
		if start >= at && end <= at+len(piece) {
			return piece[start-at : end-at : end-at]
		}
		at += len(piece)
	}
	joined := make([]byte, 0, end-start)
	p.ranges(start, end, func(part []byte) { joined = append(joined, part...) })
	return joined
}

// ranges calls f with the parts of the bytes from start to end, in order.
func (p *pieces) ranges(start, end int, f func(part []byte)) {
	at := 0
	for i := -1; i < len(p.rest) && at < end; i++ {
		piece := p.first
		if i >= 0 {
			piece = p.rest[i]
		}
		from, to := max(start-at, 0), min(end-at, len(piece))
		if from < to {
			f(piece[from:to:to])
		}
		at += len(piece)
	}
}

// windowSize is more than the longest descriptor of a section and the head of
// its value take.
const windowSize = 64

// window gives the bytes from start on: all of them in its piece if that holds
// enough, else up to windowSize collected in buf.
func (p *pieces) window(start int, buf *[windowSize]byte) []byte {
	if len(p.first)-start >= windowSize || len(p.rest) == 0 {
		return p.first[min(start, len(p.first)):]
	}
	n, at := 0, 0
	for i := -1; i < len(p.rest) && n < windowSize; i++ {
		piece := p.first
		if i >= 0 {
			piece = p.rest[i]
		}
		if from := start + n - at; from < len(piece) {
			n += copy(buf[n:], piece[from:])
		}
		at += len(piece)
	}
	return buf[:n]
}
