package engine

import (
	"bytes"
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
)

// TestLend: what is gathered in a lent buffer is what would be gathered in the
// connection's own, and the buffer comes back, larger if it had to grow.
func TestLend(t *testing.T) {
	for _, size := range []int{10, 5000, gatherAbove, 3 * gatherAbove} {
		want, got := bytesOf(t, size, false), bytesOf(t, size, true)
		if !bytes.Equal(want, got) {
			t.Errorf("payloads of %d bytes: %d bytes lent, %d without", size, len(got), len(want))
		}
	}
}

// bytesOf is the output of three rounds of deliveries, with frames made before,
// between and behind.
func bytesOf(t *testing.T, size int, lend bool) (all []byte) {
	p := openPeer(t, plain())
	l := p.receiver("out", 0, 100)
	p.lines()
	buf := make([]byte, 0, 1024)
	for round := range uint64(3) {
		p.c.frame(0, &frame.Flow{IncomingWindow: 1, OutgoingWindow: 2, NextOutgoingID: uint32(round)})
		if lend {
			p.c.Lend(buf)
		}
		for i := range uint64(3) {
			l.Send(delivery(round*3+i+1, size))
		}
		parts := p.c.Output(p.now, nil)
		if lend {
			back := p.c.TakeBack()
			if cap(back) < cap(buf) {
				t.Fatalf("lent %d bytes, %d came back", cap(buf), cap(back))
			}
			if size < gatherAbove && size*3 > cap(buf) && cap(back) <= cap(buf) {
				t.Errorf("the buffer came back with %d bytes, though %d were gathered", cap(back), size*3)
			}
			buf = back
		}
		// Frames made while the writer writes must not reach into what it has.
		before := bytes.Join(parts, nil)
		p.c.frame(0, &frame.Flow{IncomingWindow: 3, OutgoingWindow: 4, NextOutgoingID: uint32(round)})
		after := bytes.Join(parts, nil)
		if !bytes.Equal(before, after) {
			t.Fatal("what was handed out changed")
		}
		all = append(all, after...)
	}
	return append(all, p.output()...)
}
