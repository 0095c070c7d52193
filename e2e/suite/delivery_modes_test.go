package suite

import (
	"testing"

	"github.com/Azure/go-amqp"

	"github.com/tidegate/tidegate/e2e/harness"
)

// anonymous gives a sender without a target, over a connection of its own.
func anonymous(t *testing.T, s *harness.Server, o *amqp.SenderOptions) *amqp.Sender {
	t.Helper()
	sender, err := session(t, s, nil).NewSender(t.Context(), "", o)
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

// sendTo sends to an address, and gives the condition of a refusal.
func sendTo(t *testing.T, sender *amqp.Sender, to string, durable bool) string {
	t.Helper()
	m := amqp.NewMessage([]byte("x"))
	m.Properties = &amqp.MessageProperties{To: &to}
	m.Header = &amqp.MessageHeader{Durable: durable, Priority: 4}
	return condition(t, sender.Send(t.Context(), m, nil))
}

// TestNonPersistentUnchecked: with npsend_check_mode never a forbidden non-persistent
// send is accepted and dropped, and a link that asks for the truth hears it (ems 7.2).
func TestNonPersistentUnchecked(t *testing.T) {
	s := harness.Start(t, "--config", config(t, "secure-queues: [forbidden.>]\nnpsend_check_mode: never\n"))
	sender := anonymous(t, s, nil)
	if c := sendTo(t, sender, "forbidden.q", false); c != "" {
		t.Errorf("a non-persistent send is refused: %s", c)
	}
	if c := sendTo(t, sender, "forbidden.q", true); c != "amqp:unauthorized-access" {
		t.Errorf("a persistent send is answered %q", c)
	}
	checked := anonymous(t, s, &amqp.SenderOptions{Properties: map[string]any{"ems-npsend-check-mode": "always"}})
	if c := sendTo(t, checked, "forbidden.q", false); c != "amqp:unauthorized-access" {
		t.Errorf("a send that is to be checked is answered %q", c)
	}
	reliable := anonymous(t, s, &amqp.SenderOptions{Capabilities: []string{"x"}, Properties: map[string]any{"ems-delivery-mode": int32(22)}})
	if c := sendTo(t, reliable, "forbidden.q", true); c != "" {
		t.Errorf("a reliable send is refused: %s", c)
	}
	if c := sendTo(t, reliable, "free.q", true); c != "" {
		t.Errorf("a reliable send is refused: %s", c)
	}
	s.Kill(t)
	s.Run(t)
	empty(t, s, "free.q") // it was not stored
}
