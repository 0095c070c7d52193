package amqp10_test

import (
	"log/slog"
	"net/url"
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

// mortal is a broker in a process of its own.
type mortal struct {
	*outside
	peer *peers.Peer
}

func newMortal(t testing.TB, p *peers.Peer) *mortal {
	return &mortal{newOutside(t, p.URL()), p}
}

func (m *mortal) Kill(t testing.TB) {
	if err := m.peer.Kill(); err != nil {
		t.Fatal(err)
	}
}

func (m *mortal) Start(t testing.TB) {
	if err := m.peer.Start(); err != nil {
		t.Fatal(err)
	}
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
