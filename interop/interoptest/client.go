package interoptest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	coremessage "github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/server"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/translate"
	"github.com/tidegate/tidegate/persist/store"
)

// Client is a program at the broker here.
type Client struct {
	t        testing.TB
	conn     *server.Conn
	spool    *store.Store
	producer core.ProducerID
	woken    chan struct{}
	quit     chan struct{}
	over     sync.WaitGroup

	mu        sync.Mutex
	tag       uint64
	waits     map[uint64]chan error
	receivers map[core.ConsumerID]*Receiver
}

// NewClient connects one.
func NewClient(t testing.TB, b *server.Server, st *store.Store) *Client {
	t.Helper()
	c := &Client{
		t: t, spool: st, woken: make(chan struct{}, 1), quit: make(chan struct{}),
		waits: map[uint64]chan error{}, receivers: map[core.ConsumerID]*Receiver{},
	}
	conn, err := b.Attach(core.ConnectOptions{Room: 64 << 20}, func() {
		select {
		case c.woken <- struct{}{}:
		default:
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	c.conn = conn
	conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		c.producer, _, err = b.OpenProducer(now, conn.ID(), core.ProducerOptions{}, fx)
	})
	if err != nil {
		t.Fatal(err)
	}
	c.over.Go(c.pump)
	return c
}

// Close ends its connection.
func (c *Client) Close() {
	close(c.quit)
	c.over.Wait()
	c.conn.Close()
}

func (c *Client) pump() {
	for {
		select {
		case <-c.woken:
		case <-c.quit:
			return
		}
		for _, out := range c.conn.Take(nil) {
			switch out.Kind {
			case core.OutSettled:
				c.mu.Lock()
				answer := c.waits[out.Tag]
				delete(c.waits, out.Tag)
				c.mu.Unlock()
				if answer != nil {
					answer <- out.Err
				}
			case core.OutDeliver:
				c.take(&out)
			default:
			}
		}
	}
}

// take reads a delivery and settles it.
func (c *Client) take(out *core.Out) {
	got := Got{Count: out.Count}
	got.Notes, _ = out.Ref.([]byte)
	got.Message, got.Err = c.read(out)
	if got.Err == nil {
		got.Err = translate.Read(got.Message, &got.Fields)
	}
	c.mu.Lock()
	r := c.receivers[out.Consumer]
	c.mu.Unlock()
	c.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		b.Wrote(now, out.Consumer, out.Delivery, out.Delivery, fx)
		b.Settle(now, out.Delivery, 0, core.Outcome{Kind: core.Accepted}, false, fx)
		if r != nil {
			r.limit++
			b.Credit(now, out.Consumer, r.limit, false, fx)
		}
	})
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, got)
	select {
	case r.more <- struct{}{}:
	default:
	}
}

func (c *Client) read(out *core.Out) (*message.Message, error) {
	body, file, ok := c.conn.Bytes(out.Message)
	if !ok {
		done := make(chan struct{})
		c.conn.Load([]uint64{out.Message}, func(_ uint64, b [][]byte, f coremessage.File) { body, file, ok = b, f, true }, func() { close(done) })
		<-done
	}
	switch {
	case !ok:
		return nil, fmt.Errorf("the bytes of message %d are gone", out.Message)
	case file.Number != 0:
		c.spool.SpoolOpen(file.Number)
		defer c.spool.SpoolClose(file.Number)
		body = nil
		for at := int64(0); at < file.Size; {
			type piece struct {
				b   []byte
				err error
			}
			came := make(chan piece, 1)
			c.spool.SpoolRead(file.Number, at, int(min(1<<20, file.Size-at)), func(b []byte, err error) { came <- piece{append([]byte(nil), b...), err} })
			p := <-came
			if p.err != nil {
				return nil, p.err
			}
			at += int64(len(p.b))
			body = append(body, p.b)
		}
	}
	whole := []byte{}
	for _, p := range body {
		whole = append(whole, p...)
	}
	m, err := message.Index(whole, nil, nil)
	return &m, err
}

// expect gives the first of n tags whose answers go to a channel that has room for them.
func (c *Client) expect(n int, answer chan error) (first uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first = c.tag + 1
	c.tag += uint64(n)
	for i := range n {
		c.waits[first+uint64(i)] = answer
	}
	return first
}

// Send sends one message, and waits until it is accepted.
func (c *Client) Send(to interop.Destination, m *message.Message) {
	c.t.Helper()
	c.SendAll(to, []*message.Message{m})
}

// SendAll sends messages in order, and waits until all are accepted.
func (c *Client) SendAll(to interop.Destination, all []*message.Message) {
	c.t.Helper()
	answer := make(chan error, len(all))
	first := c.expect(len(all), answer)
	c.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		for i, m := range all {
			tag := first + uint64(i)
			h := m.Header()
			env := coremessage.Envelope{Durable: h.Durable, Priority: h.Priority, Content: m}
			if at := m.AbsoluteExpiryTime(); at.OK {
				env.Expires = int64(at.V)
			}
			b.PublishTo(now, c.producer, to, core.Send{Tag: tag, Check: core.CheckAlways}, env, fx)
		}
	})
	late := time.After(Patience)
	for range all {
		select {
		case err := <-answer:
			if err != nil {
				c.t.Fatalf("sending to %s: %v", to.Name, err)
			}
		case <-late:
			c.t.Fatalf("sending to %s: no answer", to.Name)
		}
	}
}

// Temporary makes a temporary destination.
func (c *Client) Temporary(kind core.DestinationKind) (d interop.Destination) {
	c.t.Helper()
	var err error
	c.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		d, err = b.CreateTemporary(now, c.conn.ID(), kind, fx)
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return d
}

// Got is a message that arrived here.
type Got struct {
	Message *message.Message
	Fields  translate.Message
	Count   uint32 // its header's delivery-count
	Notes   []byte // annotations that were put over its own, encoded
	Err     error
}

// Receiver takes messages as they come.
type Receiver struct {
	t     testing.TB
	limit uint32
	more  chan struct{}
	mu    sync.Mutex
	all   []Got
}

// Receive opens a receiver of a queue or topic.
func (c *Client) Receive(from interop.Destination) *Receiver {
	c.t.Helper()
	r := &Receiver{t: c.t, limit: 4096, more: make(chan struct{}, 1)}
	var err error
	c.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		var id core.ConsumerID
		id, err = b.OpenConsumer(now, c.conn.ID(), core.ConsumerOptions{Destination: from}, fx)
		if err != nil {
			return
		}
		c.mu.Lock()
		c.receivers[id] = r
		c.mu.Unlock()
		b.Credit(now, id, r.limit, false, fx)
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

// Next waits for a message.
func (r *Receiver) Next() *Got {
	r.t.Helper()
	late := time.After(Patience)
	for {
		r.mu.Lock()
		if len(r.all) > 0 {
			got := r.all[0]
			r.all = r.all[1:]
			r.mu.Unlock()
			if got.Err != nil {
				r.t.Fatal(got.Err)
			}
			return &got
		}
		r.mu.Unlock()
		select {
		case <-r.more:
		case <-late:
			r.t.Fatal("no message came")
		}
	}
}

// Empty says whether nothing has come that was not taken.
func (r *Receiver) Empty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all) == 0
}

// next waits for mail.
func next(t testing.TB, box Mailbox) *Mail {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	m, err := box.Next(ctx)
	if err != nil {
		t.Fatalf("nothing arrived outside: %v", err)
	}
	return m
}
