package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/tidegate/tidegate/e2e/peers"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/interoptest"
	"github.com/tidegate/tidegate/interop/translate"
)

// native is NATS as its own client sees it.
type native struct {
	nc        *nats.Conn
	js        jetstream.JetStream
	certified bool
}

func newNative(t testing.TB, certified bool, url string, more ...nats.Option) native {
	t.Helper()
	more = append(more, nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond), nats.ReconnectJitter(0, 0), nats.Name("the test"))
	nc, err := nats.Connect(url, more...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return native{nc, js, certified}
}

func (n native) message(t testing.TB, to interop.Destination, m *interoptest.Mail) *nats.Msg {
	t.Helper()
	headers, body, err := m.Encoding.Out(&m.Fields, defaults)
	if err != nil {
		t.Fatal(err)
	}
	msg := &nats.Msg{Subject: names{}.subject(to.Name), Header: nats.Header{}, Data: body}
	for _, h := range headers {
		msg.Header[h.Name] = append(msg.Header[h.Name], h.Value)
	}
	switch {
	case m.ReplyTo == "":
	case n.certified:
		msg.Header.Set("Ems-Reply-To", m.ReplyTo)
	default:
		msg.Reply = m.ReplyTo
	}
	return msg
}

func (n native) Publish(t testing.TB, to interop.Destination, m *interoptest.Mail) {
	t.Helper()
	n.PublishAll(t, to, []*interoptest.Mail{m})
}

func (n native) PublishAll(t testing.TB, to interop.Destination, all []*interoptest.Mail) {
	t.Helper()
	for _, m := range all {
		n.send(t, n.message(t, to, m))
	}
	n.flush(t)
}

// send publishes, by JetStream where that is under test.
func (n native) send(t testing.TB, m *nats.Msg) {
	t.Helper()
	if !n.certified {
		if err := n.nc.PublishMsg(m); err != nil {
			t.Fatal(err)
		}
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), interoptest.Patience)
	defer cancel()
	id := jetstream.WithMsgID(nuid.Next())
	for {
		try, end := context.WithTimeout(ctx, time.Second)
		_, err := n.js.PublishMsg(try, m, id)
		end()
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		_ = n.nc.FlushTimeout(time.Second)
	}
}

func (n native) flush(t testing.TB) {
	t.Helper()
	late := time.Now().Add(interoptest.Patience)
	for {
		err := n.nc.FlushTimeout(time.Second)
		if err == nil {
			return
		}
		if time.Now().After(late) {
			t.Fatal(err)
		}
	}
}

func (n native) publishRaw(t testing.TB, to interop.Destination, headers map[string]string, body []byte) {
	t.Helper()
	m := &nats.Msg{Subject: names{}.subject(to.Name), Header: nats.Header{}, Data: body}
	for k, v := range headers {
		m.Header.Set(k, v)
	}
	n.send(t, m)
	n.flush(t)
}

func (n native) Answer(t testing.TB, address string, m *interoptest.Mail) {
	t.Helper()
	msg := n.message(t, interop.Destination{Kind: interop.Queue, Name: "x"}, m)
	msg.Subject = address
	if err := n.nc.PublishMsg(msg); err != nil {
		t.Fatal(err)
	}
	n.flush(t)
}

func (n native) Listen(t testing.TB, from interop.Destination) interoptest.Mailbox {
	t.Helper()
	subject := names{}.subject(from.Name)
	if n.certified {
		return n.follow(t, subject)
	}
	sub, err := n.nc.SubscribeSync(subject)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Unsubscribe() })
	n.flush(t)
	return plainBox{sub, n}
}

type plainBox struct {
	sub *nats.Subscription
	n   native
}

func (b plainBox) Next(ctx context.Context) (*interoptest.Mail, error) {
	m, err := b.sub.NextMsgWithContext(ctx)
	if err != nil {
		return nil, err
	}
	return mailOf(m, m.Reply)
}

// mailOf reads a message: the encoding is seen from its headers.
func mailOf(m *nats.Msg, reply string) (*interoptest.Mail, error) {
	mail := &interoptest.Mail{Body: m.Data, ReplyTo: reply, Origin: m.Header.Get(interop.HeaderOrigin), ID: m.Header.Get(jetstream.MsgIDHeader)}
	switch {
	case m.Header.Get("JMS-Body") != "":
		mail.Encoding = 0
	case m.Header.Get("Content-Type") == "application/json":
		mail.Encoding = 1
	default:
		mail.Encoding = 2
	}
	in := (&reader{c: &settings{encoding: mail.Encoding, options: defaults}}).read(&nats.Msg{Subject: m.Subject, Header: m.Header, Data: m.Data})
	if in.Err != nil {
		return nil, in.Err
	}
	mail.Fields = *in.Fields
	return mail, nil
}

// follow reads a stream by sequences, which no break puts out of order. A consumer that
// takes nothing has the stream keep the messages.
func (n native) follow(t testing.TB, subject string) interoptest.Mailbox {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), interoptest.Patience)
	defer cancel()
	name, err := n.js.StreamNameBySubject(ctx, subject)
	if err != nil {
		t.Fatalf("no stream has %s: %v", subject, err)
	}
	anchor := "test-" + nuid.Next()
	if _, err := n.js.CreateConsumer(ctx, name, jetstream.ConsumerConfig{Durable: anchor, FilterSubject: subject, AckPolicy: jetstream.AckExplicitPolicy}); err != nil {
		t.Fatal(err)
	}
	st, err := n.js.Stream(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	return &streamBox{st: st, subject: subject, next: st.CachedInfo().State.LastSeq + 1}
}

type streamBox struct {
	st      jetstream.Stream
	subject string
	next    uint64
}

func (b *streamBox) Next(ctx context.Context) (*interoptest.Mail, error) {
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for {
		try, end := context.WithTimeout(ctx, 2*time.Second)
		m, err := b.st.GetMsg(try, b.next, jetstream.WithGetMsgSubject(b.subject))
		end()
		if err == nil {
			b.next = m.Sequence + 1
			return mailOf(&nats.Msg{Subject: m.Subject, Header: m.Header, Data: m.Data}, m.Header.Get("Ems-Reply-To"))
		}
		if ctx.Err() != nil {
			return nil, errors.Join(ctx.Err(), err)
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Unconfirmed is interoptest.Witness's.
func (n native) Unconfirmed(t testing.TB, to interop.Destination) (unconfirmed int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), interoptest.Patience)
	defer cancel()
	subject := names{}.subject(to.Name)
	name, err := n.js.StreamNameBySubject(ctx, subject)
	if err != nil {
		t.Fatal(err)
	}
	st, err := n.js.Stream(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	list := st.ListConsumers(ctx)
	for c := range list.Info() {
		if c.Config.FilterSubject == subject {
			unconfirmed += int(c.NumPending) + c.NumAckPending
		}
	}
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return unconfirmed
}

// process is a nats-server that can be killed.
type process struct {
	native
	server *peers.Peer
}

func startServer(t testing.TB, certified bool) *process {
	t.Helper()
	p := peers.NATS(t, "", peers.Options{Config: fmt.Sprintf("max_payload: %d\n", maxPayload)})
	return &process{newNative(t, certified, p.URL()), p}
}

func (p *process) Keys() map[string]string { return map[string]string{"url": p.server.URL()} }
func (p *process) Shared() map[string]any  { return nil }

// Kill and Start are interoptest.Mortal's.
func (p *process) Kill(t testing.TB) {
	t.Helper()
	if err := p.server.Kill(); err != nil {
		t.Fatal(err)
	}
}

func (p *process) Start(t testing.TB) {
	t.Helper()
	if err := p.server.Start(); err != nil {
		t.Fatal(err)
	}
	p.flush(t) // the test's own client is connected again
}

// inside is the server in this process.
type inside struct {
	native
	e *Embedded
}

func startEmbedded(t testing.TB, certified bool) *inside {
	t.Helper()
	e := NewEmbedded(EmbeddedOptions{Dir: t.TempDir()})
	t.Cleanup(e.Close)
	return &inside{newNative(t, certified, "", nats.InProcessServer(e)), e}
}

func (i *inside) Keys() map[string]string { return map[string]string{"url": "embedded"} }
func (i *inside) Shared() map[string]any  { return map[string]any{SharedName: i.e} }

// Cut is interoptest.Cutter's.
func (i *inside) Cut(t testing.TB) {
	t.Helper()
	s, err := i.e.running()
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.Connz(&server.ConnzOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all.Conns {
		if strings.HasPrefix(c.Name, "tidegate") {
			_ = s.DisconnectClientByID(c.Cid)
		}
	}
}

var defaults = translate.DefaultOptions()
