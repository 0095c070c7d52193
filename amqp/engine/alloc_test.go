package engine

import (
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
)

// burst is how many messages a step of these tests moves.
const burst = 64

// Transfers in allocate nothing but the buffers that the messages lie in: 64 of
// 1 KiB fill two at the most, and the buffer list grows now and then.
func TestTransfersInAllocateBuffersOnly(t *testing.T) {
	p := openPeer(t, plain())
	l := p.sender("in", 0, 0)
	l.maxSize = 0
	body := make([]byte, 1024)
	id, taken := uint32(0), 0
	buf := make([]byte, 0, 128<<10)
	var parts [][]byte
	tr := frame.Transfer{DeliveryTag: []byte("tagtagta")}
	step := func() {
		buf = buf[:0]
		l.Grant(burst, false)
		for range burst {
			tr.DeliveryID.V, tr.DeliveryID.OK = id, true
			id++
			var at int
			buf, at = frame.BeginFrame(buf, frame.TypeAMQP, 0)
			buf = append(tr.Append(buf), body...)
			buf = frame.EndFrame(buf, at, 0)
		}
		for rest := buf; len(rest) > 0; {
			n := copy(p.c.Space(), rest)
			rest = rest[n:]
			if err := p.c.Input(p.now, n); err != nil {
				t.Fatal(err)
			}
			for _, e := range p.c.Events() {
				if e.Kind == EventDelivery {
					taken++
				}
			}
		}
		parts = p.c.Output(p.now, parts[:0])
	}
	step()
	if n := testing.AllocsPerRun(200, step); n > 4 {
		t.Errorf("%v allocations for %d messages", n, burst)
	}
	if want := 202 * burst; taken != want {
		t.Errorf("%d deliveries of %d", taken, want)
	}
}

// Transfers out, and the disposition that settles them, allocate nothing.
func TestTransfersOutAllocateNothing(t *testing.T) {
	p := openPeer(t, plain())
	l := p.receiver("out", 0, 100)
	p.c.maxFrame = 64 << 10
	d := delivery(1, 1024)
	s := l.session
	var parts [][]byte
	settle := frame.Disposition{Role: frame.RoleReceiver, Settled: true, State: frame.Accepted{}}
	written, settled := 0, 0
	step := func() {
		s.remoteWindow, l.limit = burst, l.count+burst
		settle.First = s.nextDeliveryID
		for range burst {
			l.Send(d)
		}
		parts = p.c.Output(p.now, parts[:0])
		for _, part := range parts {
			written += len(part)
		}
		p.c.Progress(func(*Link, uint64, uint64) {})
		settle.Last.V, settle.Last.OK = s.nextDeliveryID-1, true
		p.c.events, p.c.settled = p.c.events[:0], p.c.settled[:0]
		if err := s.onDisposition(&settle); err != nil {
			t.Fatal(err)
		}
		settled += len(p.c.settled)
	}
	step()
	written, settled = 0, 0
	if n := testing.AllocsPerRun(200, step); n > 0 {
		t.Errorf("%v allocations for %d messages", n, burst)
	}
	if written < 201*burst*1024 || settled != 201*burst {
		t.Errorf("%d bytes written, %d deliveries settled", written, settled)
	}
}
