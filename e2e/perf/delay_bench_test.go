package perf

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/e2e/harness"
)

// BenchmarkDelayLateness is how late a delayed message is in the hands of a
// client, of b.N that are due one after the other, or all at once: the time of
// the receive less the delivery time, with the way to the client in it. On an
// idle machine the issue wants less than 50 ms. Run with -benchtime 200x.
func BenchmarkDelayLateness(b *testing.B) {
	for _, c := range []struct {
		name    string
		durable bool
		apart   time.Duration
	}{
		{"one by one", false, 10 * time.Millisecond},
		{"one by one durable", true, 10 * time.Millisecond},
		{"at once durable", true, 0},
	} {
		b.Run(c.name, func(b *testing.B) { lateness(b, c.durable, c.apart) })
	}
}

func lateness(b *testing.B, durable bool, apart time.Duration) {
	ctx, cancel := context.WithTimeout(b.Context(), harness.Patience+time.Duration(b.N)*apart)
	defer cancel()
	s := harness.Start(b)
	conn, err := client.Dial(ctx, s.URL, client.Options{ContainerID: "lateness"})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	receiver, err := conn.NewReceiver(client.ReceiverOptions{Address: "late", Credit: 1000})
	if err != nil {
		b.Fatal(err)
	}
	sender, err := conn.NewSender("late", nil, false)
	if err != nil {
		b.Fatal(err)
	}
	first := time.Now().Add(300*time.Millisecond + time.Duration(b.N)*20*time.Microsecond) // when all have been sent
	for i := range b.N {
		m := message.NewBuilder()
		m.Header.Durable = durable
		m.Annotations = wire.Map{{Key: wire.Symbol(message.DeliveryTimeAnnotation), Value: first.Add(time.Duration(i) * apart).UnixMilli()}}
		m.SetText("late")
		if err := sender.Send(ctx, m.Append(nil)); err != nil {
			b.Fatal(err)
		}
	}
	if err := sender.Flush(ctx); err != nil {
		b.Fatal(err)
	}
	late := make([]time.Duration, 0, b.N)
	for range b.N {
		d, err := receiver.Receive(ctx)
		if err != nil {
			b.Fatal(err)
		}
		due, err := d.Message.DeliveryTime(0)
		if err != nil {
			b.Fatal(err)
		}
		late = append(late, time.Since(time.UnixMilli(due)))
		receiver.Settle(d, frame.Accepted{})
	}
	slices.Sort(late)
	if late[0] < 0 {
		b.Fatalf("a message came %v early", -late[0])
	}
	ms := func(at float64) float64 { return float64(late[int(at*float64(b.N-1))]) / float64(time.Millisecond) }
	b.ReportMetric(0, "ns/op") // which is the delay itself
	b.ReportMetric(ms(0.5), "p50-ms")
	b.ReportMetric(ms(0.99), "p99-ms")
	b.ReportMetric(ms(1), "max-ms")
}
