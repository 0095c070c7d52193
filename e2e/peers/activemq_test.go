package peers

import (
	"context"
	"testing"
	"time"

	"github.com/Azure/go-amqp"
)

// TestArtemis and TestActiveMQ: what each broker accepted for a queue, and for a
// durable subscription of a topic, is there after SIGKILL, and after a clean
// stop, on the same address.
func TestArtemis(t *testing.T) { jmsBrokerKeeps(t, Artemis(t, "", Options{})) }

func TestActiveMQ(t *testing.T) { jmsBrokerKeeps(t, ActiveMQ(t, "", Options{})) }

func jmsBrokerKeeps(t *testing.T, p *Peer) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	durable := &amqp.ReceiverOptions{
		Name: "sub", SourceDurability: amqp.DurabilityUnsettledState, SourceExpiryPolicy: amqp.ExpiryPolicyNever,
		SourceCapabilities: []string{"topic"}, Credit: 10,
	}
	queue := &amqp.ReceiverOptions{SourceCapabilities: []string{"queue"}, Credit: 10}

	s, end := enterSession(ctx, t, p)
	if _, err := s.NewReceiver(ctx, "some.topic", durable); err != nil {
		t.Fatal(err)
	}
	sendKept(ctx, t, s, "some.queue", "queue")
	sendKept(ctx, t, s, "some.topic", "topic")
	end() // the connection alone: a closed link would end the subscription

	for _, down := range []func() error{p.Kill, p.Stop} {
		restart(t, p, down)
		s, end := enterSession(ctx, t, p)
		for address, options := range map[string]*amqp.ReceiverOptions{"some.queue": queue, "some.topic": durable} {
			r, err := s.NewReceiver(ctx, address, options)
			if err != nil {
				t.Fatal(err)
			}
			m, err := r.Receive(ctx, nil)
			if err != nil {
				t.Fatalf("the message of %s did not come back: %v", address, err)
			}
			if string(m.GetData()) != "kept" {
				t.Errorf("%s gave back %q", address, m.GetData())
			}
			if err := r.ReleaseMessage(ctx, m); err != nil {
				t.Fatal(err)
			}
		}
		end()
	}
}

// TestArtemisAnonymous: a client without a name gets in, one with a wrong
// password does not.
func TestArtemisAnonymous(t *testing.T) { asksForPasswords(t, Artemis(t, "", Options{})) }

// TestActiveMQAnonymous: as Artemis.
func TestActiveMQAnonymous(t *testing.T) { asksForPasswords(t, ActiveMQ(t, "", Options{})) }

func asksForPasswords(t *testing.T, p *Peer) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := amqp.Dial(ctx, "amqp://"+p.Addr(), &amqp.ConnOptions{SASLType: amqp.SASLTypeAnonymous()})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if c, err := amqp.Dial(ctx, "amqp://guest:wrong@"+p.Addr(), nil); err == nil {
		_ = c.Close()
		t.Error("a wrong password got in")
	}
}

func enterSession(ctx context.Context, t *testing.T, p *Peer) (*amqp.Session, func()) {
	t.Helper()
	c, err := amqp.Dial(ctx, p.URL(), &amqp.ConnOptions{ContainerID: "peers-test"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.NewSession(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s, func() { _ = c.Close() }
}

func sendKept(ctx context.Context, t *testing.T, s *amqp.Session, address, capability string) {
	t.Helper()
	to, err := s.NewSender(ctx, address, &amqp.SenderOptions{TargetCapabilities: []string{capability}})
	if err != nil {
		t.Fatal(err)
	}
	m := amqp.NewMessage([]byte("kept"))
	m.Header = &amqp.MessageHeader{Durable: true}
	if err := to.Send(ctx, m, nil); err != nil {
		t.Fatal(err)
	}
}
