package suite

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/e2e/harness"
)

// peer speaks AMQP by hand, so that it can do what no library would. It has no
// goroutine: what it does not read stays in the socket. Its errors end the test,
// but for those of the connection's end, which the caller looks at.
type peer struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
	out  []byte
}

// window is a session window that never closes.
const window = 1<<31 - 1

// connectPeer opens a socket and says nothing.
func connectPeer(t testing.TB, s *harness.Server) *peer {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &peer{t: t, conn: conn, in: bufio.NewReaderSize(conn, 4<<10)}
}

// openPeer opens a connection and so many sessions, without SASL.
func openPeer(t testing.TB, s *harness.Server, sessions int) *peer {
	t.Helper()
	p := connectPeer(t, s)
	p.out = append(p.out, header...)
	p.frame(0, &frame.Open{ContainerID: "hostile-" + p.conn.LocalAddr().String(), MaxFrameSize: 1 << 20, ChannelMax: 65535})
	for ch := range sessions {
		p.begin(uint16(ch))
	}
	p.flush()
	if _, err := io.ReadFull(p.in, make([]byte, len(header))); err != nil {
		t.Fatal(err)
	}
	for range sessions + 1 {
		p.read()
	}
	return p
}

func (p *peer) begin(channel uint16) {
	p.frame(channel, &frame.Begin{IncomingWindow: window, OutgoingWindow: window, HandleMax: 1<<32 - 1})
}

// sender and receiver attach a link of that name and handle to an address.
func (p *peer) sender(channel uint16, handle uint32, address string) {
	p.frame(channel, &frame.Attach{
		Name: fmt.Sprintf("s%d", handle), Handle: handle, Role: frame.RoleSender, InitialDeliveryCount: wire.Some(uint32(0)),
		Source: &frame.Source{}, Target: &frame.Target{Address: address},
	})
}

func (p *peer) receiver(channel uint16, handle uint32, address string) {
	p.frame(channel, &frame.Attach{
		Name: fmt.Sprintf("r%d", handle), Handle: handle, Role: frame.RoleReceiver,
		Source: &frame.Source{Address: address}, Target: &frame.Target{},
	})
}

// credit lets the server send n deliveries on a link that got none yet.
func (p *peer) credit(channel uint16, handle, n uint32) {
	p.frame(channel, &frame.Flow{
		NextIncomingID: wire.Some(uint32(0)), IncomingWindow: window, OutgoingWindow: window,
		Handle: wire.Some(handle), DeliveryCount: wire.Some(uint32(0)), LinkCredit: wire.Some(n),
	})
}

// transfer sends delivery id of a link.
func (p *peer) transfer(channel uint16, handle, id uint32, settled bool, message []byte) {
	p.frame(channel, &frame.Transfer{
		Handle: handle, DeliveryID: wire.Some(id), DeliveryTag: binary.BigEndian.AppendUint32(nil, id),
		MessageFormat: wire.Some(uint32(0)), Settled: wire.Some(settled),
	}, message...)
}

// data is a message with nothing but n bytes.
func data(n int) []byte {
	b := binary.BigEndian.AppendUint32([]byte{0, 0x53, 0x75, 0xb0}, uint32(n))
	return append(b, make([]byte, n)...)
}

// frame puts a frame among what flush writes.
func (p *peer) frame(channel uint16, f frame.Performative, payload ...byte) {
	b, at := frame.BeginFrame(p.out, frame.TypeAMQP, channel)
	b = append(f.Append(b), payload...)
	p.out = frame.EndFrame(b, at, 0)
}

// flush writes what was gathered; a server that has hung up is seen at the next
// read.
func (p *peer) flush() {
	_ = p.conn.SetWriteDeadline(time.Now().Add(harness.Patience))
	if _, err := p.conn.Write(p.out); errors.Is(err, os.ErrDeadlineExceeded) {
		p.t.Fatal("the server takes nothing more")
	}
	p.out = p.out[:0]
}

// next is the next frame that is no heartbeat.
func (p *peer) next() (frame.Performative, error) {
	f, _, err := p.nextWith()
	return f, err
}

// nextWith gives its payload as well.
func (p *peer) nextWith() (frame.Performative, []byte, error) {
	_ = p.conn.SetReadDeadline(time.Now().Add(harness.Patience))
	for {
		var head [frame.HeaderSize]byte
		if _, err := io.ReadFull(p.in, head[:]); err != nil {
			return nil, nil, err
		}
		body := make([]byte, binary.BigEndian.Uint32(head[:])-frame.HeaderSize)
		if _, err := io.ReadFull(p.in, body); err != nil {
			return nil, nil, err
		}
		if len(body) > 0 {
			return frame.Parse(body, nil)
		}
	}
}

func (p *peer) read() frame.Performative {
	p.t.Helper()
	f, err := p.next()
	if err != nil {
		p.t.Fatal(err)
	}
	return f
}

// until reads to the first frame of type T.
func until[T frame.Performative](p *peer) T {
	p.t.Helper()
	for {
		if f, ok := p.read().(T); ok {
			return f
		}
	}
}

// condition is the first error that the server tells, or how the connection ends
// without one.
func (p *peer) condition() string {
	p.t.Helper()
	for {
		f, err := p.next()
		if err != nil {
			return err.Error()
		}
		var e *frame.Error
		switch f := f.(type) {
		case *frame.Detach:
			e = f.Error
		case *frame.End:
			e = f.Error
		case *frame.Close:
			e = f.Error
		}
		if e != nil {
			return string(e.Condition)
		}
	}
}

func (p *peer) close() { _ = p.conn.Close() }

// gone waits until the server has hung up.
func (p *peer) gone(ctx context.Context) bool {
	stop := context.AfterFunc(ctx, p.close)
	defer stop()
	_, err := io.Copy(io.Discard, p.conn)
	return ctx.Err() == nil && (err == nil || !errors.Is(err, os.ErrDeadlineExceeded))
}
