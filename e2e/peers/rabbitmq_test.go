package peers

import (
	"net"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// TestRabbitMQ: a persistent message in a durable queue that RabbitMQ confirmed
// is there after SIGKILL, and after a clean stop, on the same address.
func TestRabbitMQ(t *testing.T) {
	p := RabbitMQ(t, "", Options{})
	ch, end := enterChannel(t, p)
	if _, err := ch.QueueDeclare("q", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	// Killed at once, RabbitMQ may forget the last thing that was declared
	// (DESIGN.md): that is not what this test is about.
	if _, err := ch.QueueDeclare("fence", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	confirm, err := ch.PublishWithDeferredConfirmWithContext(t.Context(), "", "q", true, false, amqp.Publishing{DeliveryMode: amqp.Persistent, Body: []byte("kept")})
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := confirm.WaitContext(t.Context()); err != nil || !ok {
		t.Fatalf("confirmed: %v, %v", ok, err)
	}
	end()
	for i, down := range []func() error{p.Kill, p.Stop} {
		restart(t, p, down)
		ch, end := enterChannel(t, p)
		m, ok, err := ch.Get("q", false)
		if err != nil || !ok || string(m.Body) != "kept" {
			t.Fatalf("life %d: the message came back as %q, %v, %v", i+2, m.Body, ok, err)
		}
		end() // unacknowledged: it goes back
	}
	if log := p.Log(); strings.Count(log, "Server startup complete") != 3 {
		t.Errorf("the log does not show three lives:\n%s", log)
	}
}

// TestRabbitMQApart: two at once, with a plugin in one, share nothing; closed,
// nothing of them listens, epmd neither.
func TestRabbitMQApart(t *testing.T) {
	a, b := twoRabbits(t)
	inA, endA := enterChannel(t, a)
	defer endA()
	if _, err := inA.QueueDeclare("only in a", false, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	inB, endB := enterChannel(t, b)
	defer endB()
	if _, err := inB.QueueDeclarePassive("only in a", false, false, false, false, nil); err == nil {
		t.Error("b has a's queue")
	}
	for _, p := range []*Peer{a, b} {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, p := range []*Peer{a, b} {
		for _, port := range []string{p.port.String(), epmdPort(t, p)} {
			if c, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
				_ = c.Close()
				t.Errorf("%s still listens at %s", p.kind.name, port)
			}
		}
	}
}

func twoRabbits(t *testing.T) (a, b *Peer) {
	t.Helper()
	made := make(chan error)
	go func() {
		var err error
		b, err = StartRabbitMQ(t.TempDir(), Options{Plugins: []string{"rabbitmq_amqp1_0"}})
		made <- err
	}()
	a = RabbitMQ(t, "", Options{})
	return a, forTest(t, b, <-made)
}

func enterChannel(t *testing.T, p *Peer) (*amqp.Channel, func()) {
	t.Helper()
	c, err := amqp.Dial(p.URL())
	if err != nil {
		t.Fatal(err)
	}
	ch, err := c.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return ch, func() { _ = c.Close() }
}
