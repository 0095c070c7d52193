package load

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

// cut takes bytes apart into transfers and their payloads.
func cut(t *testing.T, b []byte) (transfers []frame.Transfer, payloads [][]byte) {
	t.Helper()
	for len(b) > 0 {
		h, err := frame.ParseHeader(b, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		var tr frame.Transfer
		n, err := tr.Decode(b[h.Offset:h.Size], nil)
		if err != nil {
			t.Fatal(err)
		}
		transfers = append(transfers, tr)
		payloads = append(payloads, b[h.Offset+n:h.Size])
		b = b[h.Size:]
	}
	return transfers, payloads
}

func TestTemplateMakesTransfersThatSayTheirNumber(t *testing.T) {
	o := &Options{Size: 5000, Durable: true, Window: 10, Batch: 3}
	for _, peerFrame := range []uint32{frame.MinMaxFrameSize, 4096, 1 << 20} {
		tp := newTemplate(o, 7, 9, peerFrame)
		if tp.room() != 3 {
			t.Errorf("room for %d", tp.room())
		}
		for i := range 3 {
			tp.patch(i, 1<<40+uint64(i), int64(i)*1000)
		}
		transfers, payloads := cut(t, tp.bytes(3))
		if len(transfers) != 3*tp.frames || peerFrame > 5100 != (tp.frames == 1) {
			t.Fatalf("%d transfers, %d frames a delivery", len(transfers), tp.frames)
		}
		for i := range 3 {
			var message []byte
			for f := range tp.frames {
				tr := &transfers[i*tp.frames+f]
				if first := f == 0; tr.DeliveryID.OK != first || first && tr.DeliveryID.V != uint32(i) || tr.More != (f < tp.frames-1) {
					t.Errorf("frame %d of delivery %d is %v", f, i, tr)
				}
				message = append(message, payloads[i*tp.frames+f]...)
			}
			place, err := locate(message)
			if err != nil || place.size != 5000 || place.redelivered || place.at+place.size != len(message) {
				t.Fatalf("%+v, %v in %d bytes", place, err, len(message))
			}
			_, sum := newBody(7, 9, 5000)
			want := head{run: 7, producer: 9, number: 1<<40 + uint64(i), stamp: int64(i) * 1000, filling: sum}
			if got := readHead(message[place.at:]); got != want {
				t.Errorf("head %+v, not %+v", got, want)
			}
		}
	}
}

func TestHeadShowsDamage(t *testing.T) {
	body, sum := newBody(1, 2, 100)
	patch(body, 3, 4, sum)
	for i := range MinSize {
		body[i] ^= 0x10
		if h := readHead(body); h.filling == sum {
			t.Errorf("byte %d was changed and the sum is right", i)
		}
		body[i] ^= 0x10
	}
	if h := readHead(body); h.filling != sum {
		t.Error("the sum is wrong")
	}
}

func TestEnvelopeFindsBodiesBehindAnySections(t *testing.T) {
	body := make([]byte, 40)
	data := wire.AppendBinary(wire.AppendDescriptor(nil, codeData), body)
	section := func(code uint64) []byte {
		return wire.AppendMap(wire.AppendDescriptor(nil, code), wire.Map{{Key: "x-a", Value: uint64(1)}})
	}
	join := func(parts ...[]byte) (b []byte) {
		for _, p := range parts {
			b = append(b, p...)
		}
		return b
	}
	again := (&frame.Header{Durable: true, Priority: 4, DeliveryCount: 1}).Append(nil)
	first := (&frame.Header{Durable: true, Priority: 4}).Append(nil)
	var e envelope
	for _, c := range []struct {
		before      []byte
		redelivered bool
	}{{nil, false}, {first, false}, {again, true}, {join(first, section(0x71), section(0x72)), false}, {join(again, section(0x74)), true}, {first, false}} {
		for range 2 {
			p, err := e.find(join(c.before, data, section(0x78)))
			if err != nil || p.redelivered != c.redelivered || p.size != len(body) || p.at != len(c.before)+len(data)-len(body) {
				t.Errorf("%+v, %v", p, err)
			}
		}
	}
	for _, foreign := range [][]byte{nil, first, wire.AppendString(wire.AppendDescriptor(nil, 0x77), "text"), {0, 0x53}, {1, 2, 3}} {
		if _, err := locate(foreign); err == nil {
			t.Errorf("% x has a body", foreign)
		}
	}
}

// pipe is a session whose writes go nowhere.
func pipe(t *testing.T) *session {
	t.Helper()
	ours, theirs := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	t.Cleanup(func() { _ = ours.Close() })
	s := &session{conn: &conn{sock: ours, buf: make([]byte, firstRead), peerFrame: 64 << 10}}
	s.begin.IncomingWindow = 1 << 30
	return s
}

func newTestRun(o Options) *Run {
	r := &Run{o: o, number: 5, began: time.Now(), failed: make(chan struct{}), stopped: make(chan struct{})}
	r.book.producers = make([]account, o.Producers)
	for i := range r.book.producers {
		r.book.producers[i].wake = func() {}
	}
	r.book.done = make(chan struct{}, 1)
	r.book.settles = true
	return r
}

// In the steady state neither side may allocate for messages.
func TestMessagesAllocateNothing(t *testing.T) {
	r := newTestRun(Options{Producers: 1, Consumers: 1, Size: 1024, Durable: true, Window: 64, Credit: 100, Batch: 64})
	r.started.Store(1)
	r.measuring.Store(true)
	p, err := newProducer(r, 0, pipe(t))
	if err != nil {
		t.Fatal(err)
	}
	c := newConsumer(r, 0, pipe(t))
	r.book.allow(0, func(int) uint64 { return 1 << 40 })
	id := uint32(0)
	settle := frame.Disposition{Role: frame.RoleReceiver, Settled: true, State: frame.Accepted{}}
	flow := frame.Flow{IncomingWindow: 1 << 20, Handle: wire.Some(uint32(0)), LinkCredit: wire.Some(uint32(64))}
	var answers []byte
	step := func() {
		flow.DeliveryCount, flow.NextIncomingID = wire.Some(id), wire.Some(id)
		p.onFlow(&flow)
		if err := p.act(); err != nil {
			t.Fatal(err)
		}
		for b := p.t.bytes(64); len(b) > 0; {
			h, err := frame.ParseHeader(b, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.frame(frame.CodeTransfer, b[h.Offset:h.Size]); err != nil {
				t.Fatal(err)
			}
			b = b[h.Size:]
		}
		if err := c.act(); err != nil {
			t.Fatal(err)
		}
		settle.First, settle.Last = id, wire.Some(id+63)
		id += 64
		answers = settle.Append(answers[:0])
		if err := p.frame(frame.CodeDisposition, answers); err != nil {
			t.Fatal(err)
		}
	}
	step()
	if n := testing.AllocsPerRun(100, step); n != 0 {
		t.Errorf("%v allocations for 64 messages", n)
	}
	sum := r.book.sum()
	if sum.Sent != uint64(id) || sum.Settled != sum.Sent || sum.Received != sum.Sent || c.latency.Count() != sum.Sent || p.accepted.Count() != sum.Sent {
		t.Errorf("%+v of %d, %d latencies", sum, id, c.latency.Count())
	}
	if p := r.book.close(); p.Any() {
		t.Errorf("%+v", p)
	}
}

func BenchmarkConsume(b *testing.B) {
	r := newTestRun(Options{Producers: 1, Consumers: 1, Size: 1024, Durable: true, Window: 64, Credit: 100, Batch: 64})
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	c := newConsumer(r, 0, &session{conn: &conn{sock: ours}})
	tp := newTemplate(&r.o, r.number, 0, 64<<10)
	r.book.allow(0, func(int) uint64 { return 1 << 40 })
	number := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		if number%64 == 0 {
			r.book.claim(0, 64)
			for i := range 64 {
				tp.patch(i, number+uint64(i), 1)
			}
		}
		one := tp.buf[number%64*uint64(tp.length):][:tp.length]
		number++
		if err := c.frame(frame.CodeTransfer, one[frame.HeaderSize:]); err != nil {
			b.Fatal(err)
		}
		if number%64 == 0 {
			if err := c.act(); err != nil {
				b.Fatal(err)
			}
		}
	}
}
