package engine

import (
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
)

// BenchmarkReceiveTransfers takes 64 messages of 1 KiB an Input; what it
// allocates is read buffers, which the messages lie in.
func BenchmarkReceiveTransfers(b *testing.B) {
	p := openPeer(b, plain())
	l := p.sender("in", 0, 0)
	l.maxSize = 0
	body := make([]byte, 1024)
	id := uint32(0)
	buf := make([]byte, 0, 128<<10)
	b.SetBytes(64 * 1024)
	b.ReportAllocs()
	var parts [][]byte
	t := frame.Transfer{DeliveryTag: []byte("tagtagta")}
	for b.Loop() {
		buf = buf[:0]
		l.Grant(64, false)
		for range 64 {
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
				b.Fatal(err)
			}
		}
		parts = p.c.Output(p.now, parts[:0])
	}
	if l.detached {
		b.Fatal("detached")
	}
}

// BenchmarkSendTransfers sends 64 messages of 1 KiB an Output and takes one
// disposition for all.
func BenchmarkSendTransfers(b *testing.B) {
	p := openPeer(b, plain())
	l := p.receiver("out", 0, 100)
	p.c.maxFrame = 64 << 10
	d := delivery(1, 1024)
	s := l.session
	var parts [][]byte
	settle := frame.Disposition{Role: frame.RoleReceiver, Settled: true, State: frame.Accepted{}}
	b.SetBytes(64 * 1024)
	b.ReportAllocs()
	for b.Loop() {
		s.remoteWindow, l.limit = 100, l.count+64
		settle.First = s.nextDeliveryID
		for range 64 {
			l.Send(d)
		}
		parts = p.c.Output(p.now, parts[:0])
		p.c.Progress(func(*Link, uint64, uint64) {})
		settle.Last.V, settle.Last.OK = s.nextDeliveryID-1, true
		p.c.events, p.c.settled = p.c.events[:0], p.c.settled[:0]
		if err := s.onDisposition(&settle); err != nil || len(p.c.events) != 1 {
			b.Fatal(err, len(p.c.events)) // one event for the range
		}
	}
}
