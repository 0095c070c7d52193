package amqp10

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/sasl"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/interop"
)

// script is a peer that does what a test says, which no real broker can be made to do:
// outcomes, missing credit, links that are refused, promises that are not kept.
type script struct {
	t        testing.TB
	listener net.Listener
	over     sync.WaitGroup
	once     sync.Once
	open     frame.Open // what it says of itself

	credit  func(address string) uint32                               // nil: 100
	outcome func(address, text string) frame.DeliveryState            // nil: accepted
	refuse  func(address string, receives bool) *frame.Error          // nil: nothing is refused
	largest uint64                                                    // message
	answer  func(ours, theirs *frame.Attach)                          // changes what is answered
	lets    func(l *scripted, m *message.Message, now time.Time) bool // through; nil: all
	destroy bool                                                      // whoever looks at a message takes it

	mu      sync.Mutex
	changed chan struct{}
	conns   map[net.Conn]*engine.Conn
	got     []string             // ADDRESS:TEXT
	nodes   map[string][]waiting // what waits in them
	links   []*scripted          // that receive
	made    int                  // nodes
}

type waiting struct {
	m    *message.Message
	came time.Time
}

type scripted struct {
	l       *engine.Link
	address string
	attach  frame.Attach
	next    uint64
}

func newScript(t testing.TB) *script {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &script{t: t, listener: l, changed: make(chan struct{}), conns: map[net.Conn]*engine.Conn{}, nodes: map[string][]waiting{}}
	t.Cleanup(func() {
		_ = l.Close()
		p.mu.Lock()
		for sock := range p.conns {
			_ = sock.Close()
		}
		p.mu.Unlock()
		p.over.Wait()
	})
	return p
}

func (p *script) accept() {
	for {
		sock, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.over.Go(func() { p.serve(sock) })
	}
}

func (p *script) serve(sock net.Conn) {
	defer func() { _ = sock.Close() }()
	e := engine.New(engine.Config{ContainerID: "script", SASL: &sasl.Server{}, Properties: p.open.Properties}, time.Now())
	p.mu.Lock()
	p.conns[sock] = e
	p.mu.Unlock()
	for {
		p.mu.Lock()
		space := e.Space()
		p.mu.Unlock()
		n, err := sock.Read(space)
		p.mu.Lock()
		if err != nil {
			delete(p.conns, sock)
			p.mu.Unlock()
			return
		}
		_ = e.Input(time.Now(), n)
		for _, v := range e.Events() {
			p.event(e, v)
		}
		for _, l := range p.links {
			p.pump(l)
		}
		for sock, e := range p.conns {
			for parts := e.Output(time.Now(), nil); len(parts) > 0; parts = e.Output(time.Now(), nil) {
				bufs := net.Buffers(parts)
				if _, err := bufs.WriteTo(sock); err != nil {
					break
				}
			}
		}
		close(p.changed)
		p.changed = make(chan struct{})
		p.mu.Unlock()
	}
}

func (p *script) event(c *engine.Conn, e engine.Event) {
	switch e.Kind {
	case engine.EventOpen:
		c.Open(nil)
	case engine.EventAttach:
		p.attach(e)
	case engine.EventDelivery:
		m, err := message.Index(e.Payload, e.Rest, nil)
		if err != nil {
			p.t.Error(err)
			return
		}
		address := e.Link.Ref.(*scripted).address
		text, _ := m.Text()
		p.got = append(p.got, address+":"+text)
		p.nodes[address] = append(p.nodes[address], waiting{&m, time.Now()})
		var state frame.DeliveryState = frame.Accepted{}
		if p.outcome != nil {
			state = p.outcome(address, text)
		}
		e.Session.Settle(e.ID, e.ID, state, true)
	case engine.EventDetach:
		for i, l := range p.links {
			if l.l == e.Link {
				p.links = append(p.links[:i:i], p.links[i+1:]...)
				break
			}
		}
		if !e.Local {
			e.Link.Detach(e.Closed, nil)
		}
	case engine.EventEnd:
		e.Session.End(nil)
	case engine.EventClose:
		c.Close(nil)
	default:
	}
}

func (p *script) attach(e engine.Event) {
	l := &scripted{l: e.Link, attach: *e.Attach}
	answer := frame.Attach{Source: e.Attach.Source, Target: e.Attach.Target, MaxMessageSize: p.largest}
	if e.Link.Sending {
		if l.address = e.Attach.Source.Address; e.Attach.Source.Dynamic {
			p.made++
			l.address = fmt.Sprintf("node-%d", p.made)
			source := *e.Attach.Source
			source.Address = l.address
			answer.Source = &source
		}
	} else if t, ok := e.Attach.Target.(*frame.Target); ok {
		l.address = t.Address
	}
	if p.refuse != nil {
		if why := p.refuse(l.address, e.Link.Sending); why != nil {
			e.Link.Refuse(why, e.Attach)
			return
		}
	}
	if p.answer != nil {
		p.answer(&answer, e.Attach)
	}
	e.Link.Ref = l
	e.Link.Accept(answer)
	if e.Link.Sending {
		p.links = append(p.links, l)
		return
	}
	credit := uint32(100)
	if p.credit != nil {
		credit = p.credit(l.address)
	}
	e.Link.Grant(credit, false)
}

// pump sends what waits in a node to who receives from it.
func (p *script) pump(l *scripted) {
	all := p.nodes[l.address]
	var kept []waiting
	for i, w := range all {
		if l.l.Room() <= 0 {
			kept = append(kept, all[i:]...)
			break
		}
		if p.lets != nil && !p.lets(l, w.m, w.came) {
			continue
		}
		l.next++
		pieces := w.m.Pieces(nil)
		l.l.Send(engine.Delivery{Ref: l.next, Tag: []byte{byte(l.next >> 8), byte(l.next)}, First: pieces[0], Rest: pieces[1:]})
		if l.attach.Source.DistributionMode == "copy" && !p.destroy {
			kept = append(kept, w)
		}
	}
	p.nodes[l.address] = kept
}

// texts waits until n messages came, and gives them.
func (p *script) texts(n int) []string {
	p.t.Helper()
	late := time.After(30 * time.Second)
	for {
		p.mu.Lock()
		got, changed := append([]string(nil), p.got...), p.changed
		p.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-changed:
		case <-late:
			p.t.Fatalf("%d messages were to come, and %q did", n, got)
		}
	}
}

// meets opens a session at the script.
func (p *script) meets(t *testing.T, more ...string) (*session, *tape) {
	t.Helper()
	made, err := Factory().New(p.settings(more...))
	if err != nil {
		t.Fatal(err)
	}
	made.(*transport).probed = "the peer" // or it would meet the probe as well
	sink := newTape(t)
	s, err := made.Open(t.Context(), sink)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s.(*session), sink
}

// settings lead to it. With the first it begins to listen: what it does is not changed
// any more.
func (p *script) settings(more ...string) interop.Settings {
	p.once.Do(func() { p.over.Go(p.accept) })
	keys := map[string]string{"url": "amqp://" + p.listener.Addr().String()}
	for i := 0; i < len(more); i += 2 {
		keys[more[i]] = more[i+1]
	}
	return interop.Settings{Name: "T", Server: "S", Gateway: "G", Keys: keys}
}

func condition(c wire.Symbol, words string) *frame.Error {
	return &frame.Error{Condition: c, Description: words}
}
