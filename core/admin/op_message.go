package admin

import (
	"context"
	"strings"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/server"
)

// MaxFound is how many messages `show messages` lists.
const MaxFound = 1000

var messageOperations = []Operation{
	{Usage: "show message ID", Help: "One message by its JMSMessageID.", Right: Right{Global: "view-message"}, Run: showMessage},
	{Usage: "show messages CORRELATIONID", Help: "Messages by their JMSCorrelationID.", Right: Right{Global: "view-message"}, Run: showMessages},
	{Usage: "delete message ID", Help: "Remove a message by its JMSMessageID from the queues that have it.", Right: Right{Global: "change-message"}, Asks: true, Run: deleteMessage},
}

// search looks through queues for messages, as a browser or a consumer with a
// selector does: in slices, and with what is on disk read in. EMS wants
// track_message_ids for it, and keeps an index; nothing is kept here
// (docs/decisions/0067-messages-are-looked-for.md).
type search struct {
	c        *Call
	conn     *server.Conn
	wake     chan struct{}
	selector string
	take     bool // consume what is found
}

func (c *Call) search(property, value string, take bool) (*search, error) {
	s := &search{c: c, wake: make(chan struct{}, 1), take: take, selector: property + " = '" + strings.ReplaceAll(value, "'", "''") + "'"}
	conn, err := c.o.Broker.Attach(core.ConnectOptions{User: c.User}, func() {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return nil, err
	}
	s.conn = conn
	c.step(func(_ time.Time, b *core.Broker, _ *core.Effects) { b.Admin(conn.ID()) })
	return s, nil
}

// each looks through all queues that hold something.
func (s *search) each(ctx context.Context, most int, found func(queue string, o *core.Out, m message.Content)) error {
	names, err := parts(ctx, s.c.Service, (*core.Broker).QueueNames)
	if err != nil {
		return err
	}
	left := most
	for _, n := range names {
		if left == 0 {
			return nil
		}
		n, err := s.queue(ctx, n.Name, left, found)
		if err != nil {
			return err
		}
		left -= n
	}
	return nil
}

// queue looks through one. Queues that this user may not look into are passed
// over, and so are those that are gone.
func (s *search) queue(ctx context.Context, name string, most int, found func(queue string, o *core.Out, m message.Content)) (n int, err error) {
	var k core.ConsumerID
	s.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		if v, ok := b.QueueView(name); !ok || v.Msgs == 0 {
			return
		}
		k, err = b.OpenConsumer(now, s.conn.ID(), core.ConsumerOptions{
			Destination: core.Destination{Kind: core.Queue, Name: name}, Selector: s.selector, Browse: !s.take, Settled: !s.take,
		}, fx)
		if err == nil {
			b.Credit(now, k, uint32(most), true, fx)
		}
	})
	if err != nil || k == 0 {
		return 0, nil //nolint:nilerr // not to be looked into
	}
	defer s.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) { b.CloseConsumer(now, k, fx) })
	for {
		for _, o := range s.conn.Take(nil) {
			switch {
			case o.Consumer != k:
			case o.Kind == core.OutDrained, o.Kind == core.OutConsumerGone:
				return n, nil
			case o.Kind == core.OutDeliver:
				n++
				found(name, &o, s.content(ctx, o.Message))
				s.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
					b.Wrote(now, k, o.Delivery, o.Delivery, fx)
					if s.take {
						b.Settle(now, o.Delivery, 0, core.Outcome{Kind: core.Accepted}, false, fx)
					}
				})
			}
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return n, ctx.Err()
		}
	}
}

// content reads a message in; nil: it is gone meanwhile.
func (s *search) content(ctx context.Context, id uint64) (m message.Content) {
	read := make(chan struct{})
	s.conn.Load([]uint64{id}, func(uint64, [][]byte, message.File) {}, func() { close(read) })
	select {
	case <-read:
	case <-ctx.Done():
		return nil
	}
	s.conn.Do(func(time.Time, *core.Broker, *core.Effects) { m, _ = s.c.o.Broker.Content(id) })
	return m
}

// header is a JMS header field as text.
func header(m message.Content, name string) string {
	if m == nil {
		return ""
	}
	v, ok := m.Property(name)
	switch {
	case !ok:
		return ""
	case v.Kind == message.String:
		return v.Str
	case v.Kind == message.Int:
		return decimal(int(v.I))
	}
	return ""
}

func (c *Call) messages(ctx context.Context, property, value string, most int, t *screen.Table) error {
	s, err := c.search(property, value, false)
	if err != nil {
		return err
	}
	defer s.conn.Close()
	return s.each(ctx, most, func(queue string, o *core.Out, m message.Content) {
		expires := ""
		if o.Expires != 0 {
			expires = time.UnixMilli(o.Expires).UTC().Format(time.RFC3339)
		}
		t.Add(header(m, "JMSMessageID"), queue, header(m, "JMSCorrelationID"), header(m, "JMSType"), header(m, "JMSDeliveryMode"),
			header(m, "JMSPriority"), header(m, "JMSTimestamp"), expires, o.Count > 0, o.Size)
	})
}

const messageColumns = "id text Message ID;queue text Queue;correlation_id text Correlation ID;type text Type;mode text Delivery Mode;priority text Priority;timestamp text Timestamp;expires text Expiration;redelivered bool Redelivered;bytes bytes Size"

func showMessage(ctx context.Context, c *Call) (*screen.Result, error) {
	t := newTable("message", messageColumns)
	t.Single = true
	if err := c.messages(ctx, "JMSMessageID", c.Get("id"), 1, t); err != nil {
		return nil, err
	}
	if len(t.Rows) == 0 {
		return nil, refuse(core.NotFound, "message '%s' is in no queue", c.Get("id"))
	}
	return shown(t), nil
}

func showMessages(ctx context.Context, c *Call) (*screen.Result, error) {
	t := newTable("messages", messageColumns)
	t.Empty = "No messages."
	if err := c.messages(ctx, "JMSCorrelationID", c.Get("correlationid"), MaxFound, t); err != nil {
		return nil, err
	}
	return shown(t), nil
}

func deleteMessage(ctx context.Context, c *Call) (*screen.Result, error) {
	s, err := c.search("JMSMessageID", c.Get("id"), true)
	if err != nil {
		return nil, err
	}
	defer s.conn.Close()
	n := 0
	if err := s.each(ctx, MaxFound, func(string, *core.Out, message.Content) { n++ }); err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, refuse(core.NotFound, "message '%s' is in no queue, or with a consumer", c.Get("id"))
	}
	return screen.Said("Message '%s' has been deleted", c.Get("id")), nil
}
