package amqp091

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
)

// proxy stands between a transport and the broker: it can break all connections, and
// counts what the broker has delivered and what was acknowledged to it.
type proxy struct {
	listener net.Listener
	to       string
	over     sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]*channels
	hung  chan struct{} // closed when it passes something on again; nil: it does
}

// channels are a connection's, and count.
type channels struct {
	client    net.Conn
	writing   sync.Mutex        // to client, a frame at a time
	delivered map[uint16]uint64 // the last tag
	acked     map[uint16]map[uint64]bool
}

func newProxy(t testing.TB, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, to: to, conns: map[net.Conn]*channels{}}
	p.over.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.resume()
		p.cut()
		p.over.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.to)
		if err != nil {
			_ = in.Close()
			continue
		}
		c := &channels{client: in, delivered: map[uint16]uint64{}, acked: map[uint16]map[uint64]bool{}}
		p.mu.Lock()
		p.conns[in], p.conns[out] = c, c
		p.mu.Unlock()
		p.over.Go(func() { p.pass(in, out, c, 8) })
		p.over.Go(func() { p.pass(out, in, c, 0) })
	}
}

func (c *channels) write(frame []byte) {
	c.writing.Lock()
	defer c.writing.Unlock()
	_, _ = c.client.Write(frame)
}

// pass copies frames, and counts those that matter; first is how long the head is that
// is no frame.
func (p *proxy) pass(from, to net.Conn, c *channels, first int64) {
	defer func() {
		_ = from.Close()
		_ = to.Close()
		p.mu.Lock()
		delete(p.conns, from)
		p.mu.Unlock()
	}()
	r := bufio.NewReader(from)
	if _, err := io.CopyN(to, r, first); err != nil {
		return
	}
	head := make([]byte, 7)
	for {
		if _, err := io.ReadFull(r, head); err != nil {
			return
		}
		frame := make([]byte, binary.BigEndian.Uint32(head[3:])+1)
		if _, err := io.ReadFull(r, frame); err != nil {
			return
		}
		p.mu.Lock()
		for p.hung != nil {
			hung := p.hung
			p.mu.Unlock()
			<-hung
			p.mu.Lock()
		}
		if head[0] == 1 {
			c.count(binary.BigEndian.Uint16(head[1:]), frame)
		}
		p.mu.Unlock()
		whole := append(append([]byte(nil), head...), frame...)
		if to == c.client {
			c.write(whole)
		} else if _, err := to.Write(whole); err != nil {
			return
		}
	}
}

// count reads basic.deliver (60, 60) and basic.ack (60, 80).
func (c *channels) count(channel uint16, method []byte) {
	switch binary.BigEndian.Uint32(method) {
	case 60<<16 | 60:
		tag := 5 + int(method[4])
		c.delivered[channel] = binary.BigEndian.Uint64(method[tag:])
	case 60<<16 | 80:
		all := c.acked[channel]
		if all == nil {
			all = map[uint64]bool{}
			c.acked[channel] = all
		}
		tag := binary.BigEndian.Uint64(method[4:])
		all[tag] = true
		for multiple := method[12]&1 != 0; multiple && tag > 1 && !all[tag-1]; tag-- {
			all[tag-1] = true
		}
	}
}

// unconfirmed is how many deliveries are not acknowledged, of the connections there are.
func (p *proxy) unconfirmed() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := map[*channels]bool{}
	for _, c := range p.conns {
		if seen[c] {
			continue
		}
		seen[c] = true
		for channel, last := range c.delivered {
			n += int(last) - len(c.acked[channel])
		}
	}
	return n
}

// hang passes nothing on, either way, until resume.
func (p *proxy) hang() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hung = make(chan struct{})
}

func (p *proxy) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hung != nil {
		close(p.hung)
		p.hung = nil
	}
}

// cut breaks all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
}

// inject says something on channel 0 to the transport on all connections, as the broker
// would: a method of the class connection, and its arguments.
func (p *proxy) inject(method uint16, arguments []byte) {
	payload := append([]byte{0, 10, byte(method >> 8), byte(method)}, arguments...)
	frame := append([]byte{1, 0, 0}, binary.BigEndian.AppendUint32(nil, uint32(len(payload)))...)
	frame = append(append(frame, payload...), 0xce)
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn, c := range p.conns {
		if conn == c.client {
			c.write(frame)
		}
	}
}
