package engine

import (
	"bytes"
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/sasl"
)

// pair is a client's engine and a server's, joined.
type pair struct {
	client, server *peer
}

func newPair(t testing.TB) *pair {
	cfg := Config{Client: true, ContainerID: "c", Login: &sasl.Client{}}
	p := &pair{newPeer(t, cfg), newPeer(t, Config{SASL: saslServer(), ContainerID: "s"})}
	p.run()
	return p
}

// run carries bytes over until neither has any.
func (p *pair) run() {
	for p.client.c.Pending() || p.server.c.Pending() {
		p.server.bytes(p.client.output())
		p.client.bytes(p.server.output())
	}
}

// attach gives the client's and the server's end of a link on which the client
// sends, or receives.
func (p *pair) attach(name string, role frame.Role) (*Link, *Link) {
	s := p.client.last
	if s == nil {
		s = p.client.c.Begin()
	}
	l := s.Attach(frame.Attach{Name: name, Role: role, Source: &frame.Source{Address: "q"}, Target: &frame.Target{Address: "q"}})
	p.run()
	return l, p.server.links[name]
}

func TestPair(t *testing.T) {
	p := newPair(t)
	if !p.client.c.Authenticated() || p.server.c.User() != sasl.AnonymousUser {
		t.Fatal("not logged in", p.client.errs, p.server.errs)
	}
	out, in := p.attach("a", frame.RoleSender)
	if out.Credit() != 10 || in.Credit() != 10 {
		t.Fatalf("credit %d and %d", out.Credit(), in.Credit())
	}
	in.maxSize = 0
	big := bytes.Repeat([]byte("0123456789"), 50_000)
	out.Send(Delivery{Ref: 1, Tag: []byte("t"), First: big[:3], Rest: [][]byte{nil, big[3:9000], big[9000:]}})
	p.run()
	if len(p.server.bodies) != 1 || p.server.bodies[0] != string(big) {
		t.Fatal("the body came otherwise")
	}
	in.Session().Settle(0, 0, frame.Accepted{}, true)
	p.run()
	want(t, "client", p.client.events[len(p.client.events)-1:], "settle 0 ref=1 settled=true")
	back, from := p.attach("b", frame.RoleReceiver)
	back.Grant(50, true)
	p.run()
	if back.Credit() != 0 || from.Credit() != 0 || back.Count() != 50 {
		t.Errorf("credit %d, %d; count %d after a drain", back.Credit(), from.Credit(), back.Count())
	}
	out.Detach(true, nil)
	p.client.c.Close(nil)
	p.run()
	if !p.client.c.Done() || !p.server.c.Done() || len(p.client.errs)+len(p.server.errs) > 0 {
		t.Error("not done", p.client.errs, p.server.errs)
	}
}
