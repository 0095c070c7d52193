package engine

import (
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
)

// burst is how many messages a step moves, of 1 KiB each.
const burst = 64

// transfersIn gives a step that takes a burst, and tells how many deliveries the
// engine made of it.
func transfersIn(tb testing.TB) (step func() (deliveries int)) {
	p := openPeer(tb, plain())
	l := p.sender("in", 0, 0)
	l.maxSize = 0
	body := make([]byte, 1024)
	id := uint32(0)
	buf := make([]byte, 0, 128<<10)
	var parts [][]byte
	t := frame.Transfer{DeliveryTag: []byte("tagtagta")}
	return func() (deliveries int) {
		buf = buf[:0]
		l.Grant(burst, false)
		for range burst {
			t.DeliveryID.V, t.DeliveryID.OK = id, true
			id++
			var at int
			buf, at = frame.BeginFrame(buf, frame.TypeAMQP, 0)
			buf = append(t.Append(buf), body...)
			buf = frame.EndFrame(buf, at, 0)
		}
		for rest := buf; len(rest) > 0; {
			n := copy(p.c.Space(), rest)
			rest = rest[n:]
			if err := p.c.Input(p.now, n); err != nil {
				tb.Fatal(err)
			}
			for _, e := range p.c.Events() {
				if e.Kind == EventDelivery {
					deliveries++
				}
			}
		}
		parts = p.c.Output(p.now, parts[:0])
		return deliveries
	}
}

// transfersOut gives a step that sends a burst and takes one disposition for all;
// it tells how many bytes it wrote.
func transfersOut(tb testing.TB) (step func() (written int)) {
	p := openPeer(tb, plain())
	l := p.receiver("out", 0, 100)
	p.c.maxFrame = 64 << 10
	d := delivery(1, 1024)
	s := l.session
	var parts [][]byte
	settle := frame.Disposition{Role: frame.RoleReceiver, Settled: true, State: frame.Accepted{}}
	return func() (written int) {
		s.remoteWindow, l.limit = 100, l.count+burst
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
		if err := s.onDisposition(&settle); err != nil || len(p.c.events) != 1 {
			tb.Fatal(err, len(p.c.events)) // one event for the range
		}
		return written
	}
}

// BenchmarkReceiveTransfers takes 64 messages of 1 KiB; what it allocates is
// read buffers, which the messages lie in.
func BenchmarkReceiveTransfers(b *testing.B) {
	step := transfersIn(b)
	b.SetBytes(burst * 1024)
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
}

// BenchmarkSendTransfers sends 64 messages of 1 KiB an Output and takes one
// disposition for all.
func BenchmarkSendTransfers(b *testing.B) {
	step := transfersOut(b)
	b.SetBytes(burst * 1024)
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
}

// Transfers in allocate nothing but the buffers that the messages lie in: 64 of
// 1 KiB fill two at the most, and the list of buffers grows now and then.
func TestTransfersInAllocateBuffersOnly(t *testing.T) {
	step, taken := transfersIn(t), 0
	if n := testing.AllocsPerRun(200, func() { taken += step() }); n > 4 {
		t.Errorf("%v allocations for %d messages", n, burst)
	}
	if want := 201 * burst; taken != want {
		t.Errorf("%d deliveries of %d", taken, want)
	}
}

// Transfers out, and the disposition that settles them, allocate nothing.
func TestTransfersOutAllocateNothing(t *testing.T) {
	step, written := transfersOut(t), 0
	if n := testing.AllocsPerRun(200, func() { written += step() }); n > 0 {
		t.Errorf("%v allocations for %d messages", n, burst)
	}
	if written < 201*burst*1024 {
		t.Errorf("%d bytes written", written)
	}
}
