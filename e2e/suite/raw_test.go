package suite

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/e2e/harness"
)

// rawPeer speaks AMQP frame by frame, so that nothing of a message need be in
// its memory. It has one session, on channel 0.
type rawPeer struct {
	t      *testing.T
	sock   net.Conn
	in     *bufio.Reader
	out    *bufio.Writer
	buf    []byte
	next   uint32 // next-outgoing-id
	window uint32 // frames the server still takes
	taken  uint32 // next-incoming-id
}

// rawFrame is the largest frame the peer takes and sends.
const rawFrame = 64 << 10

// dialRaw opens a connection and a session.
func dialRaw(t *testing.T, s *harness.Server) *rawPeer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	sock, err := new(net.Dialer).DialContext(ctx, "tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sock.Close() })
	p := &rawPeer{t: t, sock: sock, in: bufio.NewReaderSize(sock, 2*rawFrame), out: bufio.NewWriterSize(sock, 2*rawFrame)}
	if _, err := p.out.Write(amqp.Version1(amqp.ProtocolAMQP).Append(nil)); err != nil {
		t.Fatal(err)
	}
	p.write(&amqp.Open{ContainerID: t.Name(), MaxFrameSize: rawFrame, ChannelMax: 1})
	p.write(&amqp.Begin{IncomingWindow: 1 << 20, OutgoingWindow: 1 << 20, HandleMax: 10})
	p.flush()
	var header [8]byte
	if _, err := io.ReadFull(p.in, header[:]); err != nil || string(header[:4]) != "AMQP" {
		t.Fatalf("answered %q, %v", header, err)
	}
	p.until(func(f amqp.Performative, _ []byte) bool {
		b, ok := f.(*amqp.Begin)
		if ok {
			p.window = b.IncomingWindow
		}
		return ok
	})
	return p
}

func (p *rawPeer) write(f amqp.Performative, payload ...[]byte) {
	n := 0
	for _, b := range payload {
		n += len(b)
	}
	head, mark := amqp.BeginFrame(p.buf[:0], amqp.TypeAMQP, 0)
	p.buf = amqp.EndFrame(f.Append(head), mark, n)
	_, err := p.out.Write(p.buf)
	for _, b := range payload {
		if err == nil {
			_, err = p.out.Write(b)
		}
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *rawPeer) flush() {
	p.t.Helper()
	if err := p.out.Flush(); err != nil {
		p.t.Fatal(err)
	}
}

// read gives the next frame; its payload is valid until the next.
func (p *rawPeer) read() (amqp.Performative, []byte) {
	p.t.Helper()
	if err := p.sock.SetReadDeadline(time.Now().Add(harness.Patience)); err != nil {
		p.t.Fatal(err)
	}
	for {
		head, err := p.in.Peek(amqp.HeaderSize)
		if err != nil {
			p.t.Fatal(err)
		}
		h, err := amqp.ParseHeader(head, rawFrame)
		if err != nil {
			p.t.Fatal(err)
		}
		b, err := p.in.Peek(int(h.Size))
		if err != nil {
			p.t.Fatal(err)
		}
		if _, err := p.in.Discard(int(h.Size)); err != nil {
			p.t.Fatal(err)
		}
		if body := b[h.Offset:]; len(body) > 0 {
			f, payload, err := amqp.Parse(body, nil)
			if err != nil {
				p.t.Fatal(err)
			}
			p.note(f)
			return f, payload
		}
	}
}

// note keeps the session's state, and takes an end for a failure.
func (p *rawPeer) note(f amqp.Performative) {
	p.t.Helper()
	switch f := f.(type) {
	case *amqp.Flow:
		p.window = f.NextIncomingID.Or(0) + f.IncomingWindow - p.next
	case *amqp.Transfer:
		p.taken++
	case *amqp.End:
		p.t.Fatalf("the session ended: %v", f.Error)
	case *amqp.Close:
		p.t.Fatalf("the connection was closed: %v", f.Error)
	}
}

func (p *rawPeer) until(ok func(amqp.Performative, []byte) bool) {
	p.t.Helper()
	for {
		if ok(p.read()) {
			return
		}
	}
}

// transfer sends one, as the session's window lets it.
func (p *rawPeer) transfer(t *amqp.Transfer, payload ...[]byte) {
	p.t.Helper()
	for p.window == 0 || p.in.Buffered() > 0 {
		p.flush()
		p.read()
	}
	p.write(t, payload...)
	p.next++
	p.window--
}

// sender attaches as one and waits for credit.
func (p *rawPeer) sender(handle uint32, address string) {
	p.t.Helper()
	p.write(&amqp.Attach{
		Name: "to " + address, Handle: handle, Role: amqp.RoleSender, InitialDeliveryCount: wire.Some(uint32(0)),
		Source: &amqp.Source{}, Target: &amqp.Target{Address: address},
	})
	p.flush()
	p.until(func(f amqp.Performative, _ []byte) bool {
		flow, ok := f.(*amqp.Flow)
		return ok && flow.Handle.OK
	})
}

// receiver attaches as one and gives credit.
func (p *rawPeer) receiver(handle uint32, address string, credit uint32) {
	p.write(&amqp.Attach{Name: "from " + address, Handle: handle, Role: amqp.RoleReceiver, Source: &amqp.Source{Address: address}, Target: &amqp.Target{}})
	p.credit(handle, 0, credit)
}

// credit gives a link credit behind the deliveries that it has had.
func (p *rawPeer) credit(handle, count, credit uint32) {
	p.t.Helper()
	p.write(&amqp.Flow{
		NextIncomingID: wire.Some(p.taken), IncomingWindow: 1 << 20, NextOutgoingID: p.next, OutgoingWindow: 1 << 20,
		Handle: wire.Some(handle), DeliveryCount: wire.Some(count), LinkCredit: wire.Some(credit),
	})
	p.flush()
}

// outcome waits for the server's disposition for what was sent.
func (p *rawPeer) outcome() amqp.DeliveryState {
	p.t.Helper()
	var state amqp.DeliveryState
	p.until(func(f amqp.Performative, _ []byte) bool {
		d, ok := f.(*amqp.Disposition)
		if ok {
			state = d.State
		}
		return ok
	})
	return state
}

func accepted(state amqp.DeliveryState) bool {
	switch state.(type) {
	case amqp.Accepted, *amqp.Accepted:
		return true
	}
	return false
}

// accept accepts a delivery and waits until the server has it settled as well.
func (p *rawPeer) accept(id uint32) {
	p.t.Helper()
	p.write(&amqp.Disposition{Role: amqp.RoleReceiver, First: id, State: &amqp.Accepted{}})
	p.flush()
	p.until(func(f amqp.Performative, _ []byte) bool {
		d, ok := f.(*amqp.Disposition)
		return ok && d.Role == amqp.RoleSender && d.Settled && d.First == id
	})
}

// peakKiB is the most resident memory a process has had.
func peakKiB(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile("/proc/" + itoa(pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(status), "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "VmHWM:") })
	if i < 0 {
		t.Fatalf("no VmHWM in %s", status)
	}
	return atoi(t, strings.Fields(lines[i])[1])
}
