package client_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/gateway"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/sasl"
	"github.com/tidegate/tidegate/amqp/server"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
	coremessage "github.com/tidegate/tidegate/core/message"
	coreserver "github.com/tidegate/tidegate/core/server"
	"github.com/tidegate/tidegate/persist/store"
	"github.com/tidegate/tidegate/persist/vfs"
)

// gate is a running gateway.
type gate struct {
	url   string
	front *server.Server
}

func (g *gate) login(user, password string) string {
	return strings.Replace(g.url, "//", "//"+user+":"+password+"@", 1)
}

func start(t *testing.T, users sasl.Users) *gate {
	t.Helper()
	var broker *coreserver.Server
	st, err := store.Open(store.Options{FS: vfs.NewMem(), Dir: "d", SegmentBytes: 1 << 20, OnStable: func() { broker.Stable() }})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	broker, err = coreserver.New(st, coreserver.Options{
		Name: "gate", StoreNeed: core.Sync, Logger: log,
		MayCreate: func(d core.Destination) bool { return d.Name != "unknown" },
		Make:      func(f coremessage.Format, p [][]byte) (coremessage.Content, error) { return message.FromBytes(f, p) },
	})
	if err != nil {
		t.Fatal(err)
	}
	g := gateway.New(gateway.Options{Broker: broker, ContainerID: "gate", Version: "0", MaxMessageSize: 1 << 20, Users: users, Logger: log})
	front := server.New(server.Config{Engine: g.Engine, New: func(c *server.Conn) server.Handler { return g.Handler(c) }, Logger: log})
	l, err := server.Listen("amqp://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	front.Serve(l)
	t.Cleanup(func() {
		front.Shutdown(time.Second)
		broker.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return &gate{l.URL(), front}
}

func dial(t *testing.T, g *gate) *client.Conn {
	t.Helper()
	c, err := client.Dial(t.Context(), g.url, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func text(s string) []byte {
	b := message.NewBuilder()
	b.SetText(s)
	b.Header.Durable = true
	b.SetProperty("kind", s)
	return b.Append(nil)
}

func send(t *testing.T, c *client.Conn, address string, settled bool, bodies ...string) {
	t.Helper()
	s, err := c.NewSender(address, nil, settled)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bodies {
		if err := s.Send(t.Context(), text(b)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// drain gives what is there, accepting it.
func drain(t *testing.T, r *client.Receiver) (bodies []string) {
	t.Helper()
	for {
		d, more, err := r.Drain(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return bodies
		}
		body, _ := d.Message.Text()
		bodies = append(bodies, body)
		r.Settle(d, nil)
	}
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("received %v, want %v", got, want)
	}
}

func receiver(t *testing.T, c *client.Conn, o client.ReceiverOptions) *client.Receiver {
	t.Helper()
	if o.Credit == 0 {
		o.Credit = 10
	}
	r, err := c.NewReceiver(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSendAndReceive(t *testing.T) {
	c := dial(t, start(t, nil))
	send(t, c, "q", false, "one", "two", "three")
	r := receiver(t, c, client.ReceiverOptions{Address: "q"})
	d, err := r.Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := d.Message.Text(); body != "one" || d.Settled {
		t.Errorf("received %q, settled %v", body, d.Settled)
	}
	r.Settle(d, frame.Released{})
	r.Close()
	again := receiver(t, c, client.ReceiverOptions{Address: "q"})
	want(t, drain(t, again), "one", "two", "three")
	want(t, drain(t, again))
}

// More than the window and the credit of one go through.
func TestSendMany(t *testing.T) {
	c := dial(t, start(t, nil))
	bodies := strings.Fields(strings.Repeat("m ", 5000))
	send(t, c, "q", false, bodies...)
	if got := drain(t, receiver(t, c, client.ReceiverOptions{Address: "q", Credit: 100})); len(got) != len(bodies) {
		t.Errorf("received %d messages of %d", len(got), len(bodies))
	}
}

func TestSettledAndBrowse(t *testing.T) {
	c := dial(t, start(t, nil))
	send(t, c, "q", true, "one", "two")
	want(t, drain(t, receiver(t, c, client.ReceiverOptions{Address: "q", Browse: true})), "one", "two")
	want(t, drain(t, receiver(t, c, client.ReceiverOptions{Address: "q", Settled: true})), "one", "two")
	want(t, drain(t, receiver(t, c, client.ReceiverOptions{Address: "q", Browse: true})))
}

func TestSelector(t *testing.T) {
	c := dial(t, start(t, nil))
	send(t, c, "q", false, "one", "two", "three")
	want(t, drain(t, receiver(t, c, client.ReceiverOptions{Address: "q", Selector: "kind IN ('two', 'four')"})), "two")
}

func TestDynamic(t *testing.T) {
	c := dial(t, start(t, nil))
	r := receiver(t, c, client.ReceiverOptions{Dynamic: true})
	if !strings.HasPrefix(r.Address, core.TemporaryPrefix) {
		t.Fatal("the address is ", r.Address)
	}
	send(t, c, r.Address, false, "reply")
	d, err := r.Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := d.Message.Text(); body != "reply" {
		t.Errorf("received %q", body)
	}
}

func condition(t *testing.T, err error, want wire.Symbol) {
	t.Helper()
	var e *client.Error
	if !errors.As(err, &e) || e.E == nil || e.E.Condition != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestRefusedLinks(t *testing.T) {
	c := dial(t, start(t, nil))
	_, err := c.NewSender("unknown", nil, false)
	condition(t, err, frame.ConditionNotFound)
	_, err = c.NewReceiver(client.ReceiverOptions{Address: "unknown", Credit: 1})
	condition(t, err, frame.ConditionNotFound)
	_, err = c.NewReceiver(client.ReceiverOptions{Address: "q", Selector: "=", Credit: 1})
	condition(t, err, frame.ConditionInvalidField)
	send(t, c, "q", false, "x") // the session lives
}

func TestRefusedMessage(t *testing.T) {
	c := dial(t, start(t, nil))
	s, err := c.NewSender("q", nil, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), []byte("no message")); err != nil {
		t.Fatal(err)
	}
	condition(t, s.Flush(t.Context()), frame.ConditionDecodeError)
	condition(t, s.Send(t.Context(), text("x")), frame.ConditionDecodeError)
}

func TestLogin(t *testing.T) {
	verifier := sasl.NewVerifier("secret", []byte("0123456789abcdef"), sasl.MinIterations)
	g := start(t, sasl.UserMap{"ann": verifier})
	c, err := client.Dial(t.Context(), g.login("ann", "secret"), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if c, err = client.Dial(t.Context(), g.url, client.Options{User: "ann", Password: "secret"}); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	for _, url := range []string{g.login("ann", "wrong"), g.login("bob", "secret"), g.url} {
		if _, err := client.Dial(t.Context(), url, client.Options{}); err == nil {
			t.Errorf("%s is let in", url)
		}
	}
}

func TestBadURLs(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:1", "http://h", "amqp://", "amqp://h:port", "amqp://127.0.0.1:1"} {
		if _, err := client.Dial(t.Context(), url, client.Options{}); err == nil {
			t.Errorf("%q is dialled", url)
		}
	}
}

// Who waits hears of the end: of its own context, of the server, of its own
// connection.
func TestWaitsEnd(t *testing.T) {
	for name, end := range map[string]func(g *gate, c *client.Conn, cancel func()){ // order: irrelevant
		"context": func(_ *gate, _ *client.Conn, cancel func()) { cancel() },
		"server":  func(g *gate, _ *client.Conn, _ func()) { g.front.Shutdown(time.Minute) },
		"close":   func(_ *gate, c *client.Conn, _ func()) { _ = c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			g := start(t, nil)
			c := dial(t, g)
			r := receiver(t, c, client.ReceiverOptions{Address: "q"})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			got := make(chan error, 1)
			go func() {
				_, err := r.Receive(ctx)
				got <- err
			}()
			end(g, c, cancel)
			err := <-got
			switch {
			case err == nil:
				t.Error("a message out of nothing")
			case name == "context" && !errors.Is(err, context.Canceled):
				t.Error(err)
			case name == "server":
				condition(t, err, frame.ConditionConnectionForced)
			}
		})
	}
}

// A connection that ends behind the last answer takes nothing back: the server that
// was told to shut down says so, and goes.
func TestAnswersCountBehindTheEnd(t *testing.T) {
	g := start(t, nil)
	c := dial(t, g)
	s, err := c.NewSender("q", nil, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), text("x")); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := receiver(t, c, client.ReceiverOptions{Address: "nothing comes here", Credit: 1})
	g.front.Shutdown(time.Minute)
	if _, err := r.Receive(t.Context()); err == nil {
		t.Fatal("the connection has not ended")
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Errorf("all was answered, and then: %v", err)
	}
	if err := s.Send(t.Context(), text("y")); err == nil {
		t.Error("sent behind the end")
	}
}

func TestErrorTexts(t *testing.T) {
	for want, e := range map[string]*client.Error{ // order: irrelevant
		"closed by the server":       {},
		"amqp:not-found":             {E: &frame.Error{Condition: frame.ConditionNotFound}},
		"no such q (amqp:not-found)": {E: &frame.Error{Condition: frame.ConditionNotFound, Description: "no such q"}},
	} {
		if e.Error() != want {
			t.Errorf("%q, want %q", e.Error(), want)
		}
	}
}
