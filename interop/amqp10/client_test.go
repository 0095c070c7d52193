package amqp10_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/interoptest"
	"github.com/tidegate/tidegate/interop/translate"
)

// outside is a broker of AMQP 1.0 as its own clients see it: bytes of messages are sent
// and compared as they are.
type outside struct {
	url    string // of its own clients
	reach  string // of transports
	prefix [2]string

	life sync.Mutex
	dead chan struct{} // closed when it is there again; nil: it is

	mu   sync.Mutex
	conn *client.Conn
	to   map[interop.Destination]*client.Sender
}

func newOutside(t testing.TB, at string) *outside {
	o := &outside{url: at, reach: at, to: map[interop.Destination]*client.Sender{}}
	t.Cleanup(func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.hangUp()
	})
	return o
}

// died says that it was killed, and revived that it is there again.
func (o *outside) died() {
	o.life.Lock()
	defer o.life.Unlock()
	o.dead = make(chan struct{})
}

func (o *outside) revived() {
	o.life.Lock()
	defer o.life.Unlock()
	close(o.dead)
	o.dead = nil
}

// lives waits until it is there.
func (o *outside) lives(ctx context.Context) {
	o.life.Lock()
	dead := o.dead
	o.life.Unlock()
	if dead == nil {
		return
	}
	select {
	case <-dead:
	case <-ctx.Done():
	}
}

func (o *outside) Keys() map[string]string { return map[string]string{"url": o.reach} }
func (o *outside) Shared() map[string]any  { return nil }
func (o *outside) address(d interop.Destination) (string, []wire.Symbol) {
	kind := wire.Symbol("queue")
	if d.Kind == interop.Topic {
		kind = "topic"
	}
	return o.prefix[d.Kind-1] + d.Name, []wire.Symbol{kind}
}

// hangUp forgets the connection. The caller holds mu.
func (o *outside) hangUp() {
	if o.conn != nil {
		_ = o.conn.Close()
	}
	o.conn = nil
	clear(o.to)
}

func dial(ctx context.Context, at, container string) (*client.Conn, error) {
	return client.Dial(ctx, at, client.Options{ContainerID: container})
}

// sender gives a link to a destination, or address.
func (o *outside) sender(d interop.Destination) (*client.Sender, error) {
	if o.conn != nil && o.conn.Err() != nil {
		o.hangUp()
	}
	if o.conn == nil {
		ctx, cancel := context.WithTimeout(context.Background(), interoptest.Patience)
		defer cancel()
		c, err := dial(ctx, o.url, "")
		if err != nil {
			return nil, err
		}
		o.conn = c
	}
	if s := o.to[d]; s != nil {
		return s, nil
	}
	address, capabilities := d.Name, []wire.Symbol(nil)
	if d.Kind != 0 {
		address, capabilities = o.address(d)
	}
	s, err := o.conn.NewSender(address, capabilities, false)
	if err == nil {
		o.to[d] = s
	}
	return s, err
}

func (o *outside) encoded(to interop.Destination, m *interoptest.Mail) []byte {
	f := m.Fields
	if to.Kind != 0 { // as JMS clients say where they send, less the prefix of the connection
		f.Destination = translate.Destination{Name: to.Name, Kind: translate.KindOf(to.Kind == interop.Topic, false)}
	}
	if m.Origin != "" {
		f.Annotations = wire.Map{{Key: wire.Symbol(interop.AnnotationOrigin), Value: m.Origin}}
	}
	if m.ReplyTo != "" {
		f.ReplyTo = translate.Destination{Name: m.ReplyTo, Kind: translate.Queue}
	}
	var all []byte
	for _, p := range f.Build(nil).Pieces(nil) {
		all = append(all, p...)
	}
	return all
}

func (o *outside) Publish(t testing.TB, to interop.Destination, m *interoptest.Mail) {
	t.Helper()
	o.PublishAll(t, to, []*interoptest.Mail{m})
}

func (o *outside) PublishAll(t testing.TB, to interop.Destination, all []*interoptest.Mail) {
	t.Helper()
	raw := make([][]byte, len(all))
	for i, m := range all {
		raw[i] = o.encoded(to, m)
	}
	o.publishRaw(t, to, raw)
}

func (o *outside) publishRaw(t testing.TB, to interop.Destination, all [][]byte) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), interoptest.Patience)
	defer cancel()
	for {
		o.lives(ctx)
		err := o.send(ctx, to, all)
		if err == nil {
			return
		}
		if o.conn != nil && o.conn.Err() == nil || ctx.Err() != nil {
			t.Errorf("publishing to %s: %v", to.Name, err)
			return
		}
	}
}

// send sends all, or what of it came before the connection's end. The caller holds mu.
func (o *outside) send(ctx context.Context, to interop.Destination, all [][]byte) error {
	s, err := o.sender(to)
	if err != nil {
		return err
	}
	for _, m := range all {
		if err := s.Send(ctx, m); err != nil {
			return err
		}
	}
	return s.Flush(ctx)
}

func (o *outside) Answer(t testing.TB, address string, m *interoptest.Mail) {
	t.Helper()
	o.Publish(t, interop.Destination{Name: address}, m)
}

// mailbox is a receiver that comes back when its connection ends: of a queue, or of a
// durable subscription.
type mailbox struct {
	o    *outside
	from interop.Destination
	name string
	came chan letter
	quit context.Context //nolint:containedctx // its life: the end of the test ends it
	up   chan struct{}
}

type letter struct {
	m      message.Message
	settle func()
}

func (o *outside) Listen(t testing.TB, from interop.Destination) interoptest.Mailbox {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	b := &mailbox{o: o, from: from, name: "box-" + from.Name, came: make(chan letter, 20_000), quit: ctx, up: make(chan struct{})}
	var over sync.WaitGroup
	over.Go(b.run)
	t.Cleanup(func() {
		cancel()
		over.Wait()
	})
	select {
	case <-b.up:
	case <-time.After(interoptest.Patience):
		t.Fatalf("nobody listens to %s", from.Name)
	}
	return b
}

// run receives, over one connection after the other.
func (b *mailbox) run() {
	once := sync.OnceFunc(func() { close(b.up) })
	for b.quit.Err() == nil {
		b.o.lives(b.quit)
		_ = b.receive(once) // and again
	}
}

func (b *mailbox) receive(attached func()) error {
	c, err := dial(b.quit, b.o.url, b.name)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	address, capabilities := b.o.address(b.from)
	source := &frame.Source{Address: address, Capabilities: capabilities}
	if b.from.Kind == interop.Topic {
		source.Durable, source.ExpiryPolicy = frame.TerminusDurabilityUnsettledState, "never"
	}
	s, err := c.Begin(b.quit, nil)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	gone := func(err error) {
		select {
		case ended <- err:
		default:
		}
	}
	var link *client.Link
	err = c.Do(func() {
		link, err = s.Attach(frame.Attach{Name: b.name, Role: frame.RoleReceiver, Source: source, Target: &frame.Target{}}, func(e client.Event) {
			switch e.Kind {
			case client.Attached:
				if e.Attach.Source != nil {
					e.Link.Grant(500, false)
					attached()
				}
			case client.Delivered:
				id := e.ID
				var l letter
				if err := l.m.Index(e.Payload, e.Rest, nil); err != nil {
					gone(err)
					return
				}
				l.settle = func() {
					_ = c.Do(func() {
						s.Settle(id, id, frame.Accepted{})
						if link.Credit() < 250 {
							link.Grant(500, false)
						}
					})
				}
				select {
				case b.came <- l:
				default:
					gone(errors.New("more came than there is room for"))
				}
			case client.Detached:
				e.Link.Detach(true, nil)
				gone(fmt.Errorf("detached: %v", e.Error))
			}
		}, nil)
	})
	if err != nil {
		return err
	}
	select {
	case err := <-ended:
		return err
	case <-c.Ended():
		return c.Err()
	case <-b.quit.Done():
		return nil
	}
}

func (b *mailbox) Next(ctx context.Context) (*interoptest.Mail, error) {
	m, err := b.raw(ctx)
	if err != nil {
		return nil, err
	}
	mail := &interoptest.Mail{ReplyTo: m.ReplyTo(), ID: message.MessageIDString(m.MessageID())}
	if v, ok := m.Annotation(interop.AnnotationOrigin); ok {
		mail.Origin, _ = wire.Text(v)
	}
	mail.Body, _ = m.Bytes()
	return mail, translate.Read(m, &mail.Fields)
}

func (b *mailbox) raw(ctx context.Context) (*message.Message, error) {
	select {
	case l := <-b.came:
		l.settle()
		return &l.m, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// credentials gives a URL another user.
func credentials(t testing.TB, at, user, password string) string {
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(user, password)
	return u.String()
}
