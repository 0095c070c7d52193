package suite

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"github.com/tidegate/tidegate/e2e/harness"
)

// steady is a well-behaved client at work: one message after the other, sent,
// answered, received and answered.
type steady struct {
	t        testing.TB
	conn     *amqp.Conn
	sender   *amqp.Sender
	receiver *amqp.Receiver
	done     atomic.Int64
	cancel   context.CancelFunc
	ended    chan error
}

var steadies atomic.Int64

// startSteady connects it, with a queue of its own; work begins with begin.
func startSteady(t testing.TB, s *harness.Server, o *amqp.ConnOptions) *steady {
	t.Helper()
	c := &steady{t: t, ended: make(chan error, 1)}
	var err error
	if c.conn, err = amqp.Dial(t.Context(), s.URL, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.conn.Close() })
	session, err := c.conn.NewSession(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	queue := "steady." + itoa(int(steadies.Add(1)))
	if c.sender, err = session.NewSender(t.Context(), queue, nil); err != nil {
		t.Fatal(err)
	}
	if c.receiver, err = session.NewReceiver(t.Context(), queue, nil); err != nil {
		t.Fatal(err)
	}
	return c
}

// turn is one message's way.
func (c *steady) turn(ctx context.Context) error {
	m := amqp.NewMessage([]byte("steady"))
	m.Header = &amqp.MessageHeader{Durable: false}
	if err := c.sender.Send(ctx, m, nil); err != nil {
		return err
	}
	got, err := c.receiver.Receive(ctx, nil)
	if err != nil {
		return err
	}
	if err := c.receiver.AcceptMessage(ctx, got); err != nil {
		return err
	}
	c.done.Add(1)
	return nil
}

// aSecond is one, or on a slow machine what a thousand turns take with nobody else there,
// if that is more: how long any one of them takes says nothing of the server there.
func (c *steady) aSecond() time.Duration {
	c.t.Helper()
	const turns = 100
	began := time.Now()
	for range turns {
		if err := c.turn(c.t.Context()); err != nil {
			c.t.Fatal(err)
		}
	}
	return max(time.Second, time.Since(began)*1000/turns)
}

// begin sets it to work, and looks once a second whether it got on.
func (c *steady) begin() {
	c.t.Helper()
	aSecond := c.aSecond()
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	var work sync.WaitGroup
	c.t.Cleanup(func() {
		cancel()
		work.Wait()
	})
	work.Go(func() {
		for {
			if err := c.turn(ctx); err != nil {
				if ctx.Err() != nil {
					err = nil
				}
				c.ended <- err
				return
			}
		}
	})
	work.Go(func() {
		second := time.NewTicker(aSecond)
		defer second.Stop()
		before := c.done.Load()
		for {
			looked := time.Now()
			select {
			case <-second.C:
			case <-ctx.Done():
				return
			}
			now := c.done.Load()
			// A tick that comes late says that this process had no processor either.
			if now == before && time.Since(looked) < aSecond*3/2 {
				c.t.Errorf("the well-behaved client got nothing done for %v, after %d messages", aSecond, now)
			}
			before = now
		}
	})
}

// end stops it and wants it to have worked to the end.
func (c *steady) end() {
	c.t.Helper()
	at := c.done.Load() // it still works now, whatever was done to the server
	wait(c.t, "the well-behaved client's next message", func() bool { return c.done.Load() > at || len(c.ended) > 0 })
	c.cancel()
	if err := <-c.ended; err != nil {
		c.t.Errorf("the well-behaved client failed: %v", err)
	}
}
