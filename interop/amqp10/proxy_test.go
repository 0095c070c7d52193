package amqp10_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// proxy stands between transports and a broker, and can break all connections.
type proxy struct {
	listener net.Listener
	target   string
	over     sync.WaitGroup
	mu       sync.Mutex
	open     map[net.Conn]bool
}

func newProxy(t testing.TB, target string, around ...func(net.Listener) net.Listener) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for _, with := range around {
		l = with(l)
	}
	p := &proxy{listener: l, target: target, open: map[net.Conn]bool{}}
	p.over.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.cut()
		p.over.Wait()
	})
	return p
}

// behind gives a URL that leads through the proxy.
func (p *proxy) behind(t testing.TB, at string) string {
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = p.listener.Addr().String()
	return u.String()
}

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = c.Close()
			continue
		}
		p.mu.Lock()
		p.open[c], p.open[to] = true, true
		p.mu.Unlock()
		for _, way := range [][2]net.Conn{{c, to}, {to, c}} {
			p.over.Go(func() {
				_, _ = io.Copy(way[0], way[1])
				p.mu.Lock()
				defer p.mu.Unlock()
				for _, c := range way {
					_ = c.Close()
					delete(p.open, c)
				}
			})
		}
	}
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		_ = c.Close()
	}
}
