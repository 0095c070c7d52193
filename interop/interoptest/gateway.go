package interoptest

import (
	"context"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/property"
	"github.com/tidegate/tidegate/core/server"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/persist/store"
	"github.com/tidegate/tidegate/persist/vfs"
)

// Gateway is a server of ours with its transports.
type Gateway struct {
	Broker  *server.Server
	Manager *interop.Manager
	Name    string

	t      testing.TB
	o      GatewayOptions
	store  *store.Store
	broker atomic.Pointer[server.Server]
	client *Client
	closed bool

	mu     sync.Mutex
	events chan struct{} // closed at the next event
}

// GatewayOptions say what a gateway is made of.
type GatewayOptions struct {
	Name      string // unlike that of others in the same test; "" gw
	Dir       string // of its data; "" one of the test's own
	FS        vfs.FS // nil: the system's
	Factories []interop.Factory
	Shared    map[string]any
}

// NewGateway starts one, which ends with the test.
func NewGateway(t testing.TB, o GatewayOptions) *Gateway {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Name == "" {
		o.Name = "gw"
	}
	g := &Gateway{t: t, o: o, Name: o.Name, events: make(chan struct{})}
	g.start()
	t.Cleanup(g.Close)
	return g
}

func (g *Gateway) start() {
	g.t.Helper()
	st, err := store.Open(store.Options{
		FS: g.o.FS, Dir: g.o.Dir, SegmentBytes: 8 << 20,
		OnStable: func() {
			if b := g.broker.Load(); b != nil {
				b.Stable()
			}
		},
	})
	if err != nil {
		g.t.Fatal(err)
	}
	b, err := server.New(st, server.Options{Name: g.Name, StoreNeed: core.Sync, Make: message.FromBytes, Spool: st})
	if err != nil {
		g.t.Fatal(err)
	}
	g.store, g.Broker = st, b
	g.broker.Store(b)
	factories := interop.Factories{}
	for _, f := range g.o.Factories {
		factories[f.Type] = f
	}
	g.Manager = interop.NewManager(interop.Options{
		Broker: b, Factories: factories, Server: g.Name, Gateway: g.Name, Shared: g.o.Shared,
		Event: func(core.Event) { g.happened() },
	})
	g.client = NewClient(g.t, b, st)
	g.closed = false
}

// Restart ends it in good order, and starts it again on its data, without transports.
func (g *Gateway) Restart() {
	g.t.Helper()
	g.Close()
	g.broker.Store(nil)
	g.start()
}

// Close ends it.
func (g *Gateway) Close() {
	if g.closed {
		return
	}
	g.closed = true
	g.Manager.Close()
	g.client.Close()
	g.Broker.Close()
	if err := g.store.Close(); err != nil {
		g.t.Error(err)
	}
}

func (g *Gateway) happened() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.events)
	g.events = make(chan struct{})
}

// Topic defines a topic that goes out by transports.
func (g *Gateway) Topic(name string, exports ...string) {
	g.t.Helper()
	var props property.Set
	if len(exports) > 0 {
		props = property.Set{{ID: property.Export, Text: strings.Join(exports, ",")}}
	}
	var err error
	g.Broker.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		err = b.SetDefinition(now, core.Topic, property.Definition{Name: name, Set: props}, fx)
	})
	if err != nil {
		g.t.Fatal(err)
	}
}

// Send puts a message into a destination of ours, and waits until it is accepted.
func (g *Gateway) Send(to interop.Destination, m *message.Message) {
	g.t.Helper()
	g.client.Send(to, m)
}

// SendAll is Send for many, in order.
func (g *Gateway) SendAll(to interop.Destination, all []*message.Message) {
	g.t.Helper()
	g.client.SendAll(to, all)
}

// Receive opens a receiver, which takes messages as they come.
func (g *Gateway) Receive(from interop.Destination) *Receiver {
	g.t.Helper()
	return g.client.Receive(from)
}

// Status is that of a transport.
func (g *Gateway) Status(name string) interop.Status {
	g.t.Helper()
	s, err := g.Manager.Status(name)
	if err != nil {
		g.t.Fatal(err)
	}
	return s
}

// lookEvery is how often a count is looked at that nobody tells of.
const lookEvery = 2 * time.Millisecond

// Until waits for a transport to be as wanted.
func (g *Gateway) Until(name, what string, wanted func(s interop.Status) bool) interop.Status {
	g.t.Helper()
	var s interop.Status
	until(g.t, func() bool { s = g.Status(name); return wanted(s) }, func() string { return what + ", but " + describe(s) })
	return s
}

// Connected applies specs and waits until all of them are connected.
func (g *Gateway) Connected(specs ...interop.Spec) {
	g.t.Helper()
	g.Manager.Apply(specs)
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := g.Manager.Started(ctx); err != nil {
		g.t.Fatal(err)
	}
	for _, s := range specs {
		g.Until(s.Name, s.Name+" connected", func(s interop.Status) bool { return s.State == interop.Connected })
	}
}

// until waits until a condition holds that nobody tells of.
func until(t testing.TB, holds func() bool, what func() string) {
	t.Helper()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	late := time.After(Patience)
	for !holds() {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("waited in vain for %s", what())
		}
	}
}

func describe(s interop.Status) string {
	b := strings.Builder{}
	b.WriteString("it is " + string(s.State))
	if s.Error != "" {
		b.WriteString(": " + s.Error)
	}
	b.WriteString(counts(s.Counts))
	return b.String()
}

// keys are settings on top of others.
func keys(all ...map[string]string) map[string]string {
	k := map[string]string{}
	for _, m := range all {
		maps.Copy(k, m)
	}
	return k
}
