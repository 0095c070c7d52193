package amqp10_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/gateway"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/server"
	"github.com/tidegate/tidegate/core"
	coreserver "github.com/tidegate/tidegate/core/server"
	"github.com/tidegate/tidegate/e2e/peers"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/amqp10"
	"github.com/tidegate/tidegate/interop/interoptest"
	"github.com/tidegate/tidegate/interop/translate"
	"github.com/tidegate/tidegate/persist/store"
	"github.com/tidegate/tidegate/persist/vfs"
)

// The largest message of the other Tidegate, and a body that is too large for it.
const (
	mostOfTidegate = 4 << 20
	tooLarge       = 5 << 20
)

// tidegate is another server of ours.
type tidegate struct {
	*outside
	broker *coreserver.Server
	proxy  *proxy
}

func startTidegate(t testing.TB) *tidegate {
	t.Helper()
	var ready atomic.Pointer[coreserver.Server]
	st, err := store.Open(store.Options{FS: vfs.OS, Dir: t.TempDir(), SegmentBytes: 8 << 20, OnStable: func() {
		if b := ready.Load(); b != nil {
			b.Stable()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	broker, err := coreserver.New(st, coreserver.Options{
		Name: "other", StoreNeed: core.Sync, Logger: log, Spool: st, Make: message.FromBytes,
		MayCreate: func(d core.Destination) bool { return true },
	})
	if err != nil {
		t.Fatal(err)
	}
	ready.Store(broker)
	g := gateway.New(gateway.Options{Broker: broker, ContainerID: "other", Version: "1", MaxMessageSize: mostOfTidegate, Users: nil, Logger: log})
	front := server.New(server.Config{Engine: g.Engine, New: func(c *server.Conn) server.Handler { return g.Handler(c) }, Logger: log})
	l, err := server.Listen("amqp://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	front.Serve(l)
	t.Cleanup(func() {
		front.Shutdown(time.Second)
		broker.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	o := newOutside(t, l.URL())
	u, err := url.Parse(l.URL())
	if err != nil {
		t.Fatal(err)
	}
	p := newProxy(t, u.Host)
	o.reach = p.behind(t, l.URL())
	return &tidegate{outside: o, broker: broker, proxy: p}
}

func (o *tidegate) Cut(testing.TB) { o.proxy.cut() }

func (o *tidegate) Unconfirmed(t testing.TB, to interop.Destination) (n int) {
	o.broker.Do(func(_ time.Time, b *core.Broker, _ *core.Effects) {
		v, _ := b.QueueView(to.Name)
		n = v.Msgs
	})
	return n
}

// TestTidegate holds amqp10 to the suite, against another Tidegate.
func TestTidegate(t *testing.T) {
	p := startTidegate(t)
	interoptest.Run(t, interoptest.Kit{
		Factory: amqp10.Factory(), Open: func(testing.TB) interoptest.Peer { return p },
		Keys: map[string]string{"encoding": "headers"}, Encodings: []translate.Encoding{translate.Headers},
		Queues: true, TTL: true, TooLarge: tooLarge, RepliesMove: true,
		Wrong: func(t testing.TB, _ interoptest.Peer) []interoptest.Wrong {
			return []interoptest.Wrong{
				{Name: "nobody there", Keys: map[string]string{"url": "amqp://127.0.0.1:1"}, Says: "connection refused"},
				{Name: "no AMQP", Keys: map[string]string{"url": "amqps://" + p.proxy.listener.Addr().String()}, Says: "tls"},
				{Name: "no URL", Keys: map[string]string{"url": "nats://h"}, Says: "write amqp://"},
			}
		},
	})
}

// bytesStay sends messages as no Go client would write them, and wants them to arrive
// byte for byte.
func bytesStay(t *testing.T, o *outside) {
	g := interoptest.NewGateway(t, interoptest.GatewayOptions{Factories: amqp10.Factories()})
	out, in := interop.Destination{Kind: core.Queue, Name: "bytes.out"}, interop.Destination{Kind: core.Queue, Name: "bytes.in"}
	g.Connected(interop.Spec{
		Name: "T", Type: "amqp10", QueueExports: []string{out.Name}, Imports: []interop.Destination{in},
		Keys: map[string]string{"url": o.reach, "mark_imported": "false"},
	})
	box, here := o.Listen(t, out), g.Receive(in)
	head := []byte{0, 0x53, 0x70, 0xc0, 2, 1, 0x41} // durable
	for name, bare := range map[string][]byte{
		"wide numbers": append([]byte{0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x74, 0xd1, 0, 0, 0, 15, 0, 0, 0, 2, 0xb1, 0, 0, 0, 1, 'n', 0x71, 0, 0, 0, 5}, 0, 0x53, 0x77, 0x56, 1),
		"null body":    {0, 0x53, 0x73, 0xc0, 4, 2, 0x53, 7, 0x40, 0, 0x53, 0x77, 0x40},
		"two datas":    {0, 0x53, 0x75, 0xa0, 1, 'a', 0, 0x53, 0x75, 0xb0, 0, 0, 0, 1, 'b', 0, 0x53, 0x78, 0xc1, 1, 0},
		"sequences":    {0, 0x53, 0x76, 0x45, 0, 0x53, 0x76, 0xc0, 3, 1, 0x50, 9},
	} {
		raw := append(slices.Clone(head), bare...)
		o.publishRaw(t, in, [][]byte{raw})
		m, err := message.Index(raw, nil, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		g.Send(out, &m)
		ctx, cancel := context.WithTimeout(t.Context(), interoptest.Patience)
		outside, err := box.(*mailbox).raw(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		for way, got := range map[string]*message.Message{"in": here.Next().Message, "out": outside} {
			var all []byte
			for _, p := range got.Pieces(nil) {
				all = append(all, p...)
			}
			at, err := message.SkipAnnotations(all, nil, got.Offset())
			if err != nil || !bytes.Equal(all[at:], bare) {
				t.Errorf("%s, %s: %x came, not %x", name, way, all[at:], bare)
			}
		}
	}
}

// TestBytesStay: the bare message goes byte for byte in both directions.
func TestBytesStay(t *testing.T) {
	t.Run("Tidegate", func(t *testing.T) { bytesStay(t, startTidegate(t).outside) })
	t.Run("Artemis", func(t *testing.T) { bytesStay(t, newOutside(t, peers.Artemis(t, "", peers.Options{}).URL())) })
}

// mortal is a broker in a process of its own.
type mortal struct {
	*outside
	peer *peers.Peer
}

func newMortal(t testing.TB, p *peers.Peer) *mortal {
	return &mortal{newOutside(t, p.URL()), p}
}

func (m *mortal) Kill(t testing.TB) {
	m.died()
	if err := m.peer.Kill(); err != nil {
		t.Fatal(err)
	}
}

func (m *mortal) Start(t testing.TB) {
	if err := m.peer.Start(); err != nil {
		t.Fatal(err)
	}
	m.revived()
}

// TestArtemis holds amqp10 to the suite, against ActiveMQ Artemis.
func TestArtemis(t *testing.T) {
	p := newMortal(t, peers.Artemis(t, "", peers.Options{}))
	interoptest.Run(t, kitOf(p))
}

// TestActiveMQ holds amqp10 to the suite, against ActiveMQ Classic.
func TestActiveMQ(t *testing.T) {
	p := newMortal(t, peers.ActiveMQ(t, "", peers.Options{}))
	p.prefix = [2]string{interop.Queue - 1: "queue://", interop.Topic - 1: "topic://"}
	interoptest.Run(t, kitOf(p))
}

func kitOf(p *mortal) interoptest.Kit {
	return interoptest.Kit{
		Factory: amqp10.Factory(), Open: func(testing.TB) interoptest.Peer { return p },
		Keys: map[string]string{"encoding": "headers"}, Encodings: []translate.Encoding{translate.Headers},
		Queues: true, TTL: true, RepliesMove: true,
		Wrong: func(t testing.TB, _ interoptest.Peer) []interoptest.Wrong {
			return []interoptest.Wrong{
				{Name: "wrong password", Keys: map[string]string{"url": credentials(t, p.url, "guest", "no")}, Says: "password"},
			}
		},
	}
}
