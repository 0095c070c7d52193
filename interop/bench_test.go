package interop

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	coremessage "github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/property"
	"github.com/tidegate/tidegate/core/server"
	"github.com/tidegate/tidegate/interop/translate"
	"github.com/tidegate/tidegate/persist/store"
	"github.com/tidegate/tidegate/persist/vfs"
)

// void takes everything, and brings in what it is told to: what is measured is the
// runner and the broker.
type void struct {
	sink    Sink
	taken   atomic.Int64
	settled atomic.Int64
	opened  chan struct{}
	moved   chan struct{} // taken or settled grew
}

func (v *void) Open(_ context.Context, sink Sink) (Session, error) {
	v.sink = sink
	close(v.opened)
	return v, nil
}
func (v *void) Close()                                        {}
func (v *void) Imports(context.Context, []Destination) error  { return nil }
func (v *void) Exports(context.Context, []Destination) error  { return nil }
func (v *void) Reply(context.Context, string) (string, error) { return "", nil }
func (v *void) EndReply(string)                               {}
func (v *void) Settle(all []Settlement)                       { v.settled.Add(int64(len(all))); notify(v.moved) }

func (v *void) Send(_ context.Context, all []Outbound) error {
	answers := make([]Sent, len(all))
	for i := range all {
		answers[i].Tag = all[i].Tag
	}
	v.sink.Sent(answers)
	v.taken.Add(int64(len(all)))
	notify(v.moved)
	return nil
}

func benchBroker(b *testing.B) *server.Server {
	b.Helper()
	var ready *server.Server
	st, err := store.Open(store.Options{FS: vfs.OS, Dir: b.TempDir(), OnStable: func() {
		if ready != nil {
			ready.Stable()
		}
	}})
	if err != nil {
		b.Fatal(err)
	}
	broker, err := server.New(st, server.Options{Name: "bench", StoreNeed: core.Write, Spool: st, Make: func(f coremessage.Format, p [][]byte) (coremessage.Content, error) { return message.FromBytes(f, p) }})
	if err != nil {
		b.Fatal(err)
	}
	ready = broker
	b.Cleanup(func() {
		broker.Close()
		_ = st.Close()
	})
	return broker
}

func benchTransport(b *testing.B, broker *server.Server, certified bool, spec Spec) *void {
	b.Helper()
	v := &void{opened: make(chan struct{}), moved: make(chan struct{}, 1)}
	m := NewManager(Options{Broker: broker, Server: "bench", Gateway: "bench", Log: slog.New(slog.DiscardHandler), Factories: Factories{
		"void": {Type: "void", Certified: certified, New: func(Settings) (Transport, error) { return v, nil }},
	}})
	b.Cleanup(m.Close)
	spec.Name, spec.Type = "T", "void"
	m.Apply([]Spec{spec})
	<-v.opened
	return v
}

func sample() *translate.Message {
	return &translate.Message{
		Kind: message.KindBytes, Priority: 4, MessageID: "ID:12345678-1234-1234-1234-123456789012:1:1:1-1", Timestamp: 1764000000000,
		Properties: []translate.Property{{Name: "kind", Value: "order"}, {Name: "n", Value: int32(7)}},
		Body:       translate.Body{Form: translate.Bytes, Bytes: make([]byte, 1024)},
	}
}

// BenchmarkRunnerExport: a backlog of 1 KiB goes out by a transport that costs nothing.
func BenchmarkRunnerExport(b *testing.B) {
	for _, c := range []struct {
		name      string
		certified bool
	}{{"reliable", false}, {"certified", true}} {
		b.Run(c.name, func(b *testing.B) {
			broker := benchBroker(b)
			items, _ := property.ParseList(property.Topic, "export=T")
			def := property.Definition{Name: "a"}
			def.Set = def.Set.With(items[0].Value)
			if err := broker.SetDefinition(Topic, def); err != nil {
				b.Fatal(err)
			}
			v := benchTransport(b, broker, c.certified, Spec{})
			conn, err := broker.Attach(core.ConnectOptions{}, func() {})
			if err != nil {
				b.Fatal(err)
			}
			var p core.ProducerID
			broker.Do(func(now time.Time, br *core.Broker, fx *core.Effects) {
				p, _, err = br.OpenProducer(now, conn.ID(), core.ProducerOptions{Destination: Destination{Kind: Topic, Name: "a"}}, fx)
			})
			m := sample().Build(nil)
			env, err := m.Envelope(m, 0)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(1024)
			b.ResetTimer()
			for sent := 0; sent < b.N; {
				n := min(100, b.N-sent)
				broker.Do(func(now time.Time, br *core.Broker, fx *core.Effects) {
					for range n {
						br.Publish(now, p, core.Send{Settled: true}, env, fx)
					}
				})
				sent += n
				for int64(sent)-v.taken.Load() > 4000 {
					<-v.moved
				}
			}
			for v.taken.Load() < int64(b.N) {
				<-v.moved
			}
		})
	}
}

// BenchmarkRunnerImport: messages of 1 KiB come in to a queue, in batches of 256.
func BenchmarkRunnerImport(b *testing.B) {
	for _, c := range []struct {
		name      string
		certified bool
		mode      string
	}{{"reliable", false, ""}, {"certified", true, ""}, {"persistent", true, "TIBEMS_PERSISTENT"}} {
		b.Run(c.name, func(b *testing.B) {
			broker := benchBroker(b)
			v := benchTransport(b, broker, c.certified, Spec{Keys: map[string]string{"topic_import_dm": c.mode}})
			to := Destination{Kind: Topic, Name: "a"}
			conn, err := broker.Attach(core.ConnectOptions{}, func() {})
			if err != nil {
				b.Fatal(err)
			}
			if c.mode != "" {
				broker.Do(func(now time.Time, br *core.Broker, fx *core.Effects) {
					err = br.Subscribe(now, "c", to, core.SubscriptionOptions{Name: "d", Durable: true}, "", false, fx)
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			_ = conn
			b.ReportAllocs()
			b.SetBytes(1024)
			b.ResetTimer()
			for sent := 0; sent < b.N; {
				n := min(256, b.N-sent)
				batch := make([]Inbound, n)
				for i := range batch {
					sent++
					batch[i] = Inbound{Tag: uint64(sent), To: to, Fields: sample(), Source: "s", Sequence: uint64(sent)}
				}
				v.sink.Deliver(batch)
			}
			for c.certified && v.settled.Load() < int64(b.N) {
				<-v.moved
			}
		})
	}
}
