package gateway_test

import (
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/gateway"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/server"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin"
	coremessage "github.com/tidegate/tidegate/core/message"
	coreserver "github.com/tidegate/tidegate/core/server"
	"github.com/tidegate/tidegate/persist/store"
	"github.com/tidegate/tidegate/persist/vfs"
)

// world is a real gateway: front, broker and a store over a disk in memory. It
// lives in a synctest bubble, so that once everybody waits all answers are
// there, and what is there is all that comes.
type world struct {
	t       testing.TB
	options gateway.Options
	core    coreserver.Options
	disk    *vfs.Mem
	slow    func(op string) // called before each operation on the disk; nil: none
	fault   func(c vfs.Call) error
	store   *store.Store
	broker  *coreserver.Server
	front   *server.Server
	door    *door

	administered bool // it answers at $sys.admin
	admin        *admin.Service
}

// conform runs a conformance test; change, if any, sets up the gateway.
func conform(t *testing.T, do func(w *world), change ...func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, disk: vfs.NewMem()}
		w.options = gateway.Options{ContainerID: "gate", Version: "0", MaxMessageSize: 1 << 20, Logger: slog.New(slog.DiscardHandler)}
		w.core = coreserver.Options{
			Name: "gate", StoreNeed: core.Sync, Logger: w.options.Logger,
			Make: func(f coremessage.Format, p [][]byte) (coremessage.Content, error) { return message.FromBytes(f, p) },
		}
		for _, c := range change {
			c(w)
		}
		w.start()
		defer w.stop()
		do(w)
	})
}

func (w *world) start() {
	w.t.Helper()
	var hook func(func(*coreserver.Server))
	st, err := store.Open(store.Options{
		FS: w.fs(), Dir: "d", SegmentBytes: 1 << 20,
		OnStable: func() { hook((*coreserver.Server).Stable) },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	hook = func(do func(*coreserver.Server)) {
		if w.broker != nil {
			do(w.broker)
		}
	}
	w.core.Spool = st
	broker, err := coreserver.New(st, w.core)
	if err != nil {
		w.t.Fatal(err)
	}
	w.store, w.broker = st, broker
	o := w.options
	o.Broker = broker
	if w.administered {
		w.admin = admin.New(admin.Options{Broker: broker, Name: "gate"})
		o.Admin = w.admin
	}
	g := gateway.New(o)
	w.front = server.New(server.Config{Engine: g.Engine, New: func(c *server.Conn) server.Handler { return g.Handler(c) }, Logger: o.Logger})
	w.door = &door{conns: make(chan net.Conn), closed: make(chan struct{})}
	w.front.Serve(&server.Listener{Listener: w.door})
}

func (w *world) fs() vfs.FS {
	return vfs.Inject(w.disk, func(c vfs.Call) error {
		if w.slow != nil {
			w.slow(c.Op)
		}
		if w.fault != nil {
			return w.fault(c)
		}
		return nil
	})
}

func (w *world) stop() {
	w.front.Shutdown(time.Second)
	if w.admin != nil {
		w.admin.Close()
	}
	w.broker.Close()
	if err := w.store.Close(); err != nil {
		w.t.Error(err)
	}
	w.broker = nil
}

func (w *world) restart() {
	w.stop()
	w.start()
}

// do runs an operator's step on the broker.
func (w *world) do(step func(now time.Time, b *core.Broker, fx *core.Effects)) { w.broker.Do(step) }

// depth is how many messages a queue holds; -1: there is no such queue.
func (w *world) depth(queue string) int {
	synctest.Wait()
	for _, q := range w.broker.Queues() {
		if q.Name == queue {
			return q.Messages
		}
	}
	return -1
}

func (w *world) wantDepth(queue string, n int) {
	w.t.Helper()
	if got := w.depth(queue); got != n {
		w.t.Errorf("queue %s holds %d messages, want %d", queue, got, n)
	}
}

// door is a listener whose connections are pipes.
type door struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

func (d *door) Accept() (net.Conn, error) {
	select {
	case c := <-d.conns:
		return c, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

func (d *door) Close() error {
	d.once.Do(func() { close(d.closed) })
	return nil
}

func (d *door) Addr() net.Addr { return pipeAddr{} }

// peer is a client that speaks frames and checks each answer.
type peer struct {
	w    *world
	t    testing.TB
	sock net.Conn

	sent map[uint16]uint32 // transfer frames, by channel

	mu    sync.Mutex
	got   []byte        // not looked at yet
	gate  chan struct{} // nothing is read before it is closed; nil: everything
	ended bool          // the gateway closed the connection
}

func (w *world) dial() *peer {
	ours, theirs := net.Pipe()
	w.door.conns <- theirs
	p := &peer{w: w, t: w.t, sock: ours, sent: map[uint16]uint32{}}
	go p.read()
	return p
}

func (p *peer) read() {
	b := make([]byte, 64<<10)
	for {
		n, err := p.sock.Read(b)
		p.mu.Lock()
		p.got = append(p.got, b[:n]...)
		p.ended = err != nil
		gate := p.gate
		p.mu.Unlock()
		if gate != nil {
			<-gate
		}
		if err != nil {
			_ = p.sock.Close()
			return
		}
	}
}

// bytes sends b as it is. A gateway that has closed does not take it.
func (p *peer) bytes(b ...[]byte) {
	for _, b := range b {
		_, _ = p.sock.Write(b)
	}
}

// pause reads no further, until the channel is closed: what the gateway writes
// stays under way.
func (p *peer) pause() chan struct{} {
	p.t.Helper()
	gate := make(chan struct{})
	p.mu.Lock()
	p.gate = gate
	p.mu.Unlock()
	p.send(0, &frame.Flow{NextIncomingID: wire.Some(uint32(0)), IncomingWindow: 10, OutgoingWindow: 10, Echo: true})
	p.want("flow") // the read that was under way has taken it
	p.mu.Lock()
	p.gate = nil
	p.mu.Unlock()
	return gate
}

// drop cuts the connection without a word.
func (p *peer) drop() {
	_ = p.sock.Close()
	synctest.Wait()
}

func header(id frame.ProtocolID) []byte { return frame.Version1(id).Append(nil) }

func encode(channel uint16, f frame.Performative, payload ...[]byte) []byte {
	b, at := frame.BeginFrame(nil, frame.TypeAMQP, channel)
	b = f.Append(b)
	for _, part := range payload {
		b = append(b, part...)
	}
	return frame.EndFrame(b, at, 0)
}

func saslFrame(f frame.Performative) []byte { return frame.Append(nil, frame.TypeSASL, 0, f) }

// raw is a frame whose performative has just these fields.
func raw(channel uint16, code uint64, fields ...any) []byte {
	b, at := frame.BeginFrame(nil, frame.TypeAMQP, channel)
	b, mark := wire.BeginList(wire.AppendDescriptor(b, code))
	for _, f := range fields {
		b = wire.AppendValue(b, f)
	}
	return frame.EndFrame(wire.EndList(b, mark, len(fields)), at, 0)
}

// send sends one frame; a flow says how many transfers went before.
func (p *peer) send(channel uint16, f frame.Performative, payload ...[]byte) {
	switch f := f.(type) {
	case *frame.Transfer:
		p.sent[channel]++
	case *frame.Flow:
		f.NextOutgoingID = p.sent[channel]
	}
	p.bytes(encode(channel, f, payload...))
}

// lines is all that has come, a frame a line.
func (p *peer) lines() []string {
	p.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	b := p.got
	p.got = nil
	ended := p.ended
	p.mu.Unlock()
	var lines []string
	for len(b) > 0 {
		line, n := p.line(b)
		lines = append(lines, line)
		b = b[n:]
	}
	if ended {
		lines = append(lines, "EOF")
	}
	return lines
}

func (p *peer) line(b []byte) (string, int) {
	p.t.Helper()
	if h, ok := frame.ParseProtocolHeader(b); ok {
		return h.String(), frame.ProtocolHeaderSize
	}
	h, err := frame.ParseHeader(b, 1<<24)
	if err != nil || int(h.Size) > len(b) {
		p.t.Fatalf("not a frame: %v, % x", err, b)
	}
	body, channel := b[h.Offset:h.Size], ""
	if h.Channel > 0 {
		channel = fmt.Sprintf(" channel=%d", h.Channel)
	}
	if len(body) == 0 {
		return "empty" + channel, int(h.Size)
	}
	parse := frame.Parse
	if h.Type == frame.TypeSASL {
		parse = frame.ParseSASL
	}
	f, rest, err := parse(body, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	line := f.String() + channel
	if len(rest) > 0 {
		line += described(rest)
	}
	return line, int(h.Size)
}

// described is what a whole message says; of a part, its length.
func described(payload []byte) string {
	m, err := message.Index(payload, nil, nil)
	if err != nil {
		return fmt.Sprintf(" bytes=%d", len(payload))
	}
	h := m.Header()
	text, _ := m.Text()
	if len(text) > 20 {
		text = fmt.Sprintf("%d", len(text))
	}
	line := fmt.Sprintf(" text=%s count=%d first=%v", text, h.DeliveryCount, h.FirstAcquirer)
	for name, v := range m.Annotations() {
		line += fmt.Sprintf(" %s:%T=%v", name, v, v)
	}
	return line
}

// want checks that the frames that came are these and no more. Of each the
// first word is its name; the others stand in it, those with ! do not.
func (p *peer) want(want ...string) {
	p.t.Helper()
	got := p.lines()
	ok := len(got) == len(want)
	for i := 0; ok && i < len(want); i++ {
		ok = matches(got[i], want[i])
	}
	if !ok {
		p.t.Errorf("came:\n  %s\nwanted:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func matches(line, want string) bool {
	words := strings.Fields(want)
	if name, _, _ := strings.Cut(line, "{"); words[0] != name && !strings.HasPrefix(line, words[0]+" ") {
		return false
	}
	for _, word := range words[1:] {
		not := strings.HasPrefix(word, "!")
		if holds(line, strings.TrimPrefix(word, "!")) == not {
			return false
		}
	}
	return true
}

// holds finds a word that is not part of a longer one.
func holds(line, word string) bool {
	part := func(c byte) bool {
		return c == '-' || c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	for at := 0; ; {
		i := strings.Index(line[at:], word)
		if i < 0 {
			return false
		}
		from, to := at+i, at+i+len(word)
		if (from == 0 || !part(line[from-1])) && (to == len(line) || !part(line[to]) || !part(word[len(word)-1])) {
			return true
		}
		at = to
	}
}
