package amqp10_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/e2e/peers"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/amqp10"
	"github.com/tidegate/tidegate/interop/interoptest"
	"github.com/tidegate/tidegate/interop/translate"
)

// The benchmarks have a leg of the gateway and go-amqp do the same work at the same
// broker, one after the other in one run: ratio is the leg's messages a second by those
// of go-amqp. An iteration is a message; run them with -benchtime 20000x.

func BenchmarkExport(b *testing.B) { eachPeer(b, benchExport) }
func BenchmarkImport(b *testing.B) { eachPeer(b, benchImport) }

func eachPeer(b *testing.B, run func(b *testing.B, o *outside)) {
	b.Run("artemis", func(b *testing.B) { run(b, newOutside(b, peers.Artemis(b, "", peers.Options{}).URL())) })
	b.Run("tidegate", func(b *testing.B) {
		o := startTidegate(b).outside
		o.reach = o.url // without the proxy
		run(b, o)
	})
}

const bodySize = 256

// sample is the n-th message.
func sample(n int) *message.Message {
	m := translate.Message{
		Kind: message.KindBytes, MessageID: fmt.Sprintf("ID:bench-%d", n), Priority: message.DefaultPriority, Persistent: true, Timestamp: 1,
		Body:       translate.Body{Form: translate.Bytes, Bytes: make([]byte, bodySize)},
		Properties: []translate.Property{{Name: "n", Value: int32(n)}, {Name: "kind", Value: "bench"}},
	}
	return m.Build(nil)
}

func ofGoAMQP(b *testing.B, m *message.Message) *amqp.Message {
	var all []byte
	for _, p := range m.Pieces(nil) {
		all = append(all, p...)
	}
	made := &amqp.Message{}
	if err := made.UnmarshalBinary(all); err != nil {
		b.Fatal(err)
	}
	return made
}

// goAMQP is a session of go-amqp.
func goAMQP(b *testing.B, at string) *amqp.Session {
	b.Helper()
	c, err := amqp.Dial(b.Context(), at, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	s, err := c.NewSession(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// publish has go-amqp send messages, up to window of them under way.
func publish(b *testing.B, at, queue string, all []*amqp.Message) time.Duration {
	b.Helper()
	s, err := goAMQP(b, at).NewSender(b.Context(), queue, &amqp.SenderOptions{TargetCapabilities: []string{"queue"}})
	if err != nil {
		b.Fatal(err)
	}
	const window = 1000
	receipts := make(chan amqp.SendReceipt, window)
	over := make(chan error, 1)
	began := time.Now()
	go func() {
		for r := range receipts {
			if state, err := r.Wait(context.Background()); err != nil {
				over <- err
				return
			} else if _, ok := state.(*amqp.StateAccepted); !ok {
				over <- fmt.Errorf("not accepted: %v", state)
				return
			}
		}
		over <- nil
	}()
	for _, m := range all {
		r, err := s.SendWithReceipt(b.Context(), m, nil)
		if err != nil {
			b.Fatal(err)
		}
		receipts <- r
	}
	close(receipts)
	if err := <-over; err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}

func benchExport(b *testing.B, o *outside) {
	g := interoptest.NewGateway(b, interoptest.GatewayOptions{Factories: amqp10.Factories()})
	from := interop.Destination{Kind: core.Queue, Name: "bench.out"}
	spec := interop.Spec{Name: "T", Type: "amqp10", Keys: map[string]string{"url": o.reach}, QueueExports: []string{from.Name}}
	b.StopTimer()
	theirs := make([]*amqp.Message, b.N)
	for i := range theirs {
		theirs[i] = ofGoAMQP(b, sample(i))
	}
	base := publish(b, o.url, "bench.theirs", theirs)
	const batch = 500
	all := make([]*message.Message, 0, batch)
	for i := range b.N {
		if all = append(all, sample(i)); len(all) == batch || i == b.N-1 {
			g.SendAll(from, all)
			all = all[:0]
		}
	}
	b.ReportAllocs()
	b.StartTimer()
	began := time.Now()
	g.Manager.Apply([]interop.Spec{spec})
	g.Until("T", "all exported", func(s interop.Status) bool { return s.Counts.Exported == uint64(b.N) })
	report(b, time.Since(began), base)
}

func benchImport(b *testing.B, o *outside) {
	g := interoptest.NewGateway(b, interoptest.GatewayOptions{Factories: amqp10.Factories()})
	to := interop.Destination{Kind: core.Queue, Name: "bench.in"}
	spec := interop.Spec{
		Name: "T", Type: "amqp10", Imports: []interop.Destination{to},
		Keys: map[string]string{"url": o.reach, "queue_import_dm": "TIBEMS_PERSISTENT"},
	}
	b.StopTimer()
	for _, q := range []string{"bench.theirs", to.Name} {
		all := make([]*amqp.Message, b.N)
		for i := range all {
			all[i] = ofGoAMQP(b, sample(i))
		}
		publish(b, o.url, q, all)
	}
	r, err := goAMQP(b, o.url).NewReceiver(b.Context(), "bench.theirs", &amqp.ReceiverOptions{Credit: 1000, SourceCapabilities: []string{"queue"}})
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	for range b.N {
		m, err := r.Receive(b.Context(), nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := r.AcceptMessage(b.Context(), m); err != nil {
			b.Fatal(err)
		}
	}
	base := time.Since(began)
	b.ReportAllocs()
	b.StartTimer()
	began = time.Now()
	g.Manager.Apply([]interop.Spec{spec})
	g.Until("T", "all imported", func(s interop.Status) bool { return s.Counts.Imported == uint64(b.N) })
	report(b, time.Since(began), base)
}

func report(b *testing.B, ours, theirs time.Duration) {
	b.StopTimer()
	b.ReportMetric(float64(b.N)/ours.Seconds(), "msg/s")
	b.ReportMetric(float64(b.N)/theirs.Seconds(), "go-amqp-msg/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
}
