package engine

import (
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

// transcript is a whole connection as a client writes it.
func transcript() []byte {
	var b []byte
	b = append(b, header1(frame.ProtocolAMQP)...)
	add := func(p frame.Performative, payload ...byte) { b = append(b, encode(0, p, payload...)...) }
	add(&frame.Open{ContainerID: "p", MaxFrameSize: 512, ChannelMax: 10, IdleTimeOut: 1000})
	add(begin())
	add(&frame.Attach{Name: "in", Role: frame.RoleSender, Source: &frame.Source{}, Target: &frame.Target{Address: "q"}, InitialDeliveryCount: wire.Some(uint32(0))})
	add(&frame.Attach{Name: "out", Handle: 1, Role: frame.RoleReceiver, Source: &frame.Source{Address: "q"}, Target: &frame.Target{}})
	add(transfer(0, 0, true), 1, 2, 3)
	add(&frame.Transfer{}, 4)
	add(&frame.Flow{IncomingWindow: 10, OutgoingWindow: 10, NextOutgoingID: 2, Handle: wire.Some(uint32(1)), LinkCredit: wire.Some(uint32(5)), Drain: true, Echo: true})
	add(&frame.Disposition{Role: frame.RoleReceiver, Last: wire.Some(uint32(9)), Settled: true, State: frame.Accepted{}})
	add(&frame.Detach{Handle: 0, Closed: true})
	add(&frame.End{})
	add(&frame.Close{})
	return b
}

// FuzzInput: no bytes make the engine panic, write what is no frame, or hold
// more than it was sent and its buffers. Each three bytes of edits change one
// byte of a good transcript.
func FuzzInput(f *testing.F) {
	good := transcript()
	f.Add(good, []byte{}, uint8(0))
	f.Add(good, []byte{}, uint8(1))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), []byte{}, uint8(0))
	f.Add([]byte{}, []byte{0, 40, 0xff, 0, 90, 0x40}, uint8(3))
	f.Add(append(header1(frame.ProtocolAMQP), 0, 2, 0, 0, 2, 0, 0, 0), []byte{}, uint8(0))
	f.Fuzz(func(t *testing.T, raw, edits []byte, chunk uint8) {
		b := raw
		if len(edits) > 0 {
			b = transcript()
			for ; len(edits) >= 3; edits = edits[3:] {
				b[(int(edits[0])<<8|int(edits[1]))%len(b)] = edits[2]
			}
		}
		cfg := plain()
		cfg.Large = int64(chunk % 4) // of what the transcript sends, some or all in pieces
		p := newPeer(t, cfg)
		p.chunk = int(chunk)
		p.bytes(b)
		for _, l := range p.links {
			l.Send(fromSource(0, 700, &parts{ready: [][]byte{make([]byte, 300), make([]byte, 400)}}))
			l.Send(Delivery{Ref: 1, Tag: []byte{1}, First: make([]byte, 700)})
		}
		p.tick(DefaultAuthTimeOut)
		p.lines()
		if n := len(p.c.in.buf); n > DefaultMaxFrameSize+minSpace+largeBuffer {
			t.Errorf("a read buffer of %d bytes for %d", n, len(b))
		}
	})
}
