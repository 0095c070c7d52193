package interoptest

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	coremessage "github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/translate"
)

// Fast is a Peer whose own client can be measured.
type Fast interface {
	// Pour sends n messages like m to where imports of to listen, as fast as the client
	// does, with what the certified need; it returns when the peer has all.
	Pour(t testing.TB, to interop.Destination, m *Mail, n int)
	// Drink begins to take what goes out from a destination (and what Pour sends there),
	// confirming it where that is done; the answer waits until n have come.
	Drink(t testing.TB, from interop.Destination, n int) (all func())
}

// benchSize is the body of a benchmark's message, in bytes.
const benchSize = 1024

// gcPercent is what the server sets for itself (cmd/tidegate); the client has it too.
const gcPercent = 1000

// A program here sends benchBatch messages at a time, and has up to benchBatches of those
// unanswered.
const (
	benchBatch   = 128
	benchBatches = 8
)

// benchMail is a message with the headers and a few properties that JMS clients send.
func benchMail(persistent bool) *translate.Message {
	m := plain("bench", strings.Repeat("x", benchSize))
	m.Persistent = persistent
	m.Properties = []translate.Property{{Name: "color", Value: "red"}, {Name: "price", Value: 1.5}, {Name: "count", Value: int32(3)}}
	return m
}

// Bench compares both legs of a type of transport with the peer's own client, which
// publishes and consumes the same messages in the same run. The metric "ratio" is how
// many times its rate the leg has (issue 7, acceptance 5: 0.6).
func Bench(b *testing.B, k Kit) {
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	b.Run("export", func(b *testing.B) { benchExport(b, k) })
	b.Run("import", func(b *testing.B) { benchImport(b, k) })
}

func (k Kit) bench(b *testing.B) (*suite, Peer, Fast) {
	b.Helper()
	p := k.Open(b)
	f, ok := p.(Fast)
	if !ok {
		b.Fatal("this peer's own client cannot be measured")
	}
	return &suite{Kit: k}, p, f
}

// alone measures the peer's own client with n messages.
func alone(b *testing.B, f Fast, d interop.Destination, m *translate.Message, n int) time.Duration {
	b.Helper()
	all := f.Drink(b, d, n)
	began := time.Now()
	f.Pour(b, d, &Mail{Fields: *m}, n)
	all()
	return time.Since(began)
}

// benchRounds is how many times the client and the leg take turns: what else the machine
// does meanwhile is to be the same for both.
const benchRounds = 8

// turns has the client and the leg take turns with b.N messages in all, and reports both.
func turns(b *testing.B, client func(n int) time.Duration, leg func(n int) time.Duration) {
	b.Helper()
	var own, ours time.Duration
	allocs, left := uint64(0), b.N
	for round := range benchRounds {
		n := left / (benchRounds - round)
		left -= n
		if n == 0 {
			continue
		}
		own += client(n)
		before := mallocs()
		ours += leg(n)
		allocs += mallocs() - before
	}
	report(b, own, ours, allocs)
}

func benchDestination(kind core.DestinationKind, what string) interop.Destination {
	return interop.Destination{Kind: kind, Name: "bench." + what + string(rune('a'+serial.Add(1)%26)) + time.Now().Format("150405.000000000")[7:]}
}

func report(b *testing.B, own, ours time.Duration, allocs uint64) {
	b.Helper()
	b.ReportMetric(float64(b.N)/own.Seconds(), "client-msgs/s")
	b.ReportMetric(float64(b.N)/ours.Seconds(), "msgs/s")
	b.ReportMetric(own.Seconds()/ours.Seconds(), "ratio")
	b.ReportMetric(float64(allocs)/float64(b.N), "allocs/msg")
	b.ReportMetric(0, "ns/op")
}

func mallocs() uint64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.Mallocs
}

func benchExport(b *testing.B, k Kit) {
	_, p, f := k.bench(b)
	g := NewGateway(b, GatewayOptions{Factories: []interop.Factory{k.Factory}, Shared: p.Shared()})
	to := benchDestination(core.Topic, "out")
	spec := interop.Spec{Name: "BENCH", Type: k.Factory.Type, Keys: keys(k.Keys, p.Keys()), Exports: []interop.Destination{to}}
	g.Topic(to.Name, spec.Name)
	g.Connected(spec)
	m := benchMail(k.Factory.Certified)
	built := addressed(m, to)
	turns(b, func(n int) time.Duration { return alone(b, f, to, m, n) }, func(n int) time.Duration {
		if k.Factory.Certified { // what waits is measured as it goes out
			if err := g.Manager.Suspend(spec.Name); err != nil {
				b.Fatal(err)
			}
			g.Until(spec.Name, "it suspended", func(s interop.Status) bool { return s.State == interop.Suspended })
			g.pour(to, built, n)
		}
		all := f.Drink(b, to, n)
		began := time.Now()
		if k.Factory.Certified {
			if err := g.Manager.Resume(spec.Name); err != nil {
				b.Fatal(err)
			}
		} else {
			g.pour(to, built, n)
		}
		all()
		return time.Since(began)
	})
	if s := g.Status(spec.Name); s.Counts.LostOut > 0 {
		b.Errorf("lost: %s", describe(s))
	}
}

// pour sends n messages in batches, as a program does that has several under way.
func (g *Gateway) pour(to interop.Destination, m *message.Message, n int) {
	g.t.Helper()
	h := m.Header()
	env := coremessage.Envelope{Durable: h.Durable, Priority: h.Priority, Content: m}
	answers := make(chan error, benchBatch*benchBatches)
	for sent, answered := 0, 0; answered < n; {
		for sent < n && sent-answered <= benchBatch*(benchBatches-1) {
			batch := min(n-sent, benchBatch)
			sent += batch
			first := g.client.expect(batch, answers)
			g.client.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
				for i := range batch {
					b.PublishTo(now, g.client.producer, to, core.Send{Tag: first + uint64(i), Check: core.CheckAlways}, env, fx)
				}
			})
		}
		if err := <-answers; err != nil {
			g.t.Fatal(err)
		}
		answered++
	}
}

func benchImport(b *testing.B, k Kit) {
	_, p, f := k.bench(b)
	g := NewGateway(b, GatewayOptions{Factories: []interop.Factory{k.Factory}, Shared: p.Shared()})
	in, other := benchDestination(core.Queue, "in"), benchDestination(core.Topic, "other")
	mode := "TIBEMS_NON_PERSISTENT"
	if k.Factory.Certified {
		mode = "TIBEMS_PERSISTENT"
	}
	spec := interop.Spec{
		Name: "BENCH", Type: k.Factory.Type, Keys: keys(k.Keys, p.Keys(), map[string]string{"queue_import_dm": mode}),
		Imports: []interop.Destination{in}, Exports: []interop.Destination{other},
	}
	m := benchMail(k.Factory.Certified)
	g.Connected(spec)
	// nothing is imported from other
	poured := 0
	turns(b, func(n int) time.Duration { return alone(b, f, other, m, n) }, func(n int) time.Duration {
		began := time.Now()
		f.Pour(b, in, &Mail{Fields: *m}, n)
		poured += n
		g.Until(spec.Name, "all messages here", func(s interop.Status) bool { return int(s.Counts.Imported+s.Counts.LostIn) >= poured })
		return time.Since(began)
	})
	if s := g.Status(spec.Name); s.Counts.LostIn > 0 {
		b.Errorf("lost: %s", describe(s))
	}
}
