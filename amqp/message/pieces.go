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
	c := p.cursor()
	return c.bytes(start, end)
}

func (p *pieces) cursor() cursor { return cursor{pieces: p} }

// cursor remembers the piece it was in last, so that going through a message
// from front to back costs no more than its bytes, in however many pieces and
// sections they are. A copy goes on by itself.
type cursor struct {
	*pieces
	i  int // of the current piece: 0 is the first, i-1 the index among the rest
	at int // where that piece starts
}

// piece gives the i-th piece, or false behind the last.
func (c *cursor) piece(i int) ([]byte, bool) {
	if i == 0 {
		return c.first, true
	}
	if i > len(c.rest) {
		return nil, false
	}
	return c.rest[i-1], true
}

// seek moves forward to the piece that holds the byte at start.
func (c *cursor) seek(start int) {
	for {
		piece, ok := c.piece(c.i)
		if !ok || start < c.at+len(piece) {
			return
		}
		c.at += len(piece)
		c.i++
	}
}

// ranges calls f with the parts of the bytes from start to end, in order. The
// cursor stays at start.
func (c *cursor) ranges(start, end int, f func(part []byte)) {
	c.seek(start)
	at := c.at
	for i := c.i; at < end; i++ {
		piece, ok := c.piece(i)
		if !ok {
			return
		}
		from, to := max(start-at, 0), min(end-at, len(piece))
		if from < to {
			f(piece[from:to:to])
		}
		at += len(piece)
	}
}

// bytes gives the bytes from start to end, like that of pieces.
func (c *cursor) bytes(start, end int) []byte {
	c.seek(start)
	if piece, ok := c.piece(c.i); ok && end <= c.at+len(piece) {
		return piece[start-c.at : end-c.at : end-c.at]
	}
	joined := make([]byte, 0, end-start)
	c.ranges(start, end, func(part []byte) { joined = append(joined, part...) })
	return joined
}

// windowSize is more than the longest descriptor of a section and the head of
// its value take.
const windowSize = 64

// window gives the bytes from start on: all of them in its piece if that holds
// enough, else up to windowSize collected in buf.
func (c *cursor) window(start int, buf *[windowSize]byte) []byte {
	c.seek(start)
	piece, ok := c.piece(c.i)
	if !ok {
		return nil
	}
	if from := start - c.at; len(piece)-from >= windowSize || c.i == len(c.rest) {
		return piece[from:]
	}
	n, at := 0, c.at
	for i := c.i; n < windowSize; i++ {
		piece, ok := c.piece(i)
		if !ok {
			break
		}
		n += copy(buf[n:], piece[start+n-at:])
		at += len(piece)
	}
	return buf[:n]
}
