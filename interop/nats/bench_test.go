package nats

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/interoptest"
)

// BenchmarkLegs: go test ./interop/nats -bench Legs -benchtime 50000x
func BenchmarkLegs(b *testing.B) {
	for _, f := range []interop.Factory{reliableType, certifiedType} {
		b.Run(f.Type, func(b *testing.B) {
			p := startServer(b, f.Certified)
			interoptest.Bench(b, kit(f, func(testing.TB) interoptest.Peer { return p }))
		})
	}
}

// Pour is interoptest.Fast's.
func (n native) Pour(t testing.TB, to interop.Destination, m *interoptest.Mail, count int) {
	t.Helper()
	msg := n.message(t, to, m)
	if !n.certified {
		for i := range count {
			if err := n.nc.PublishMsg(fresh(msg, i)); err != nil {
				t.Fatal(err)
			}
			if i%4096 == 4095 { // no more than a consumer's client keeps
				n.flush(t)
			}
		}
		n.flush(t)
		return
	}
	js, err := jetstream.New(n.nc, jetstream.WithPublishAsyncMaxPending(1000))
	if err != nil {
		t.Fatal(err)
	}
	for i := range count {
		if _, err := js.PublishMsgAsync(fresh(msg, i), jetstream.WithMsgID(nuid.Next()), jetstream.WithStallWait(interoptest.Patience)); err != nil {
			t.Fatal(err)
		}
	}
	<-js.PublishAsyncComplete()
}

// fresh makes the message anew, as each is one of its own: with an id and a time.
func fresh(m *nats.Msg, i int) *nats.Msg {
	one := nats.NewMsg(m.Subject)
	one.Data = m.Data
	for k, v := range m.Header {
		one.Header[k] = v
	}
	one.Header.Set("JMS-Message-Id", "ID:bench-"+strconv.Itoa(i))
	one.Header.Set("JMS-Timestamp", strconv.FormatInt(time.Now().UnixMilli(), 10))
	return one
}

// Drink is interoptest.Fast's.
func (n native) Drink(t testing.TB, from interop.Destination, count int) (all func()) {
	t.Helper()
	subject := names{}.subject(from.Name)
	came, done := atomic.Int64{}, make(chan struct{})
	one := func() {
		if came.Add(1) == int64(count) {
			close(done)
		}
	}
	var stop func()
	if n.certified {
		ctx, cancel := context.WithTimeout(context.Background(), interoptest.Patience)
		defer cancel()
		name, err := n.js.StreamNameBySubject(ctx, subject)
		if err != nil {
			t.Fatal(err)
		}
		c, err := n.js.CreateConsumer(ctx, name, jetstream.ConsumerConfig{Durable: nuid.Next(), FilterSubject: subject, AckPolicy: jetstream.AckExplicitPolicy, DeliverPolicy: jetstream.DeliverNewPolicy, MaxAckPending: 1000})
		if err != nil {
			t.Fatal(err)
		}
		running, err := c.Consume(func(m jetstream.Msg) {
			_ = m.Ack()
			one()
		}, jetstream.PullMaxMessages(1000))
		if err != nil {
			t.Fatal(err)
		}
		stop = func() {
			running.Stop()
			_ = n.js.DeleteConsumer(context.Background(), name, c.CachedInfo().Name)
		}
	} else {
		// a connection of its own, as a consumer has
		nc, err := nats.Connect(n.nc.ConnectedUrl())
		if err != nil {
			t.Fatal(err)
		}
		sub, err := nc.Subscribe(subject, func(*nats.Msg) { one() })
		if err != nil {
			t.Fatal(err)
		}
		_ = sub.SetPendingLimits(-1, -1)
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
		stop = nc.Close
	}
	return func() {
		<-done
		stop()
	}
}
