package suite

import (
	"testing"

	"github.com/Azure/go-amqp"

	"github.com/tidegate/tidegate/e2e/harness"
)

// TestTokens: a token of tidegate.yaml is its user's by SASL XOAUTH2, and at $cbs on
// a connection without a name; permissions are that user's (docs/ecosystems.md).
func TestTokens(t *testing.T) {
	s := harness.Start(t, "--config", config(t, `
users: `+users(t)+`
anonymous: true
claims: true
tokens: [{user: bob, token: shown}]
secure-queues: [bobs]
permissions:
  - {queue: bobs, user: bob, allow: [send, receive]}
  - {queue: made, user: bob, allow: [create, delete]}
`))
	bob := session(t, s, &amqp.ConnOptions{SASLType: amqp.SASLTypeXOAUTH2("bob", "shown", 512)})
	if _, err := bob.NewSender(t.Context(), "bobs", nil); err != nil {
		t.Errorf("by XOAUTH2: %v", err)
	}
	if _, err := amqp.Dial(t.Context(), s.URL, &amqp.ConnOptions{SASLType: amqp.SASLTypeXOAUTH2("bob", "guessed", 512)}); err == nil {
		t.Error("a wrong token is let in")
	}

	nobody := session(t, s, &amqp.ConnOptions{SASLType: amqp.SASLTypeAnonymous()})
	if _, err := nobody.NewSender(t.Context(), "bobs", nil); err == nil {
		t.Error("without a token anonymous may send to bobs")
	}
	put := func(token string) any {
		m := amqp.NewMessage(nil)
		m.Data, m.Value = nil, token
		m.ApplicationProperties = map[string]any{"operation": "put-token", "type": "jwt", "name": "amqp://host/bobs"}
		return ask(t, nobody, "$cbs", m).ApplicationProperties["status-code"]
	}
	if code := put("guessed"); code != int32(401) {
		t.Errorf("a wrong token is answered %v", code)
	}
	if code := put("shown"); code != int32(200) {
		t.Errorf("the token is answered %v", code)
	}
	if _, err := nobody.NewSender(t.Context(), "bobs", nil); err != nil {
		t.Errorf("after put-token: %v", err)
	}
	for _, c := range []struct {
		operation, name string
		want            int32
	}{{"CREATE", "made", 201}, {"READ", "made", 200}, {"CREATE", "other", 403}, {"DELETE", "bobs", 403}} {
		m := amqp.NewMessage(nil)
		m.Data, m.Value = nil, map[string]any{}
		m.ApplicationProperties = map[string]any{"operation": c.operation, "type": "org.amqp.queue", "name": c.name}
		if got := ask(t, nobody, "$management", m).ApplicationProperties["statusCode"]; got != c.want {
			t.Errorf("%s %s is answered %v, want %d", c.operation, c.name, got, c.want)
		}
	}
	s.Kill(t)
	s.Run(t) // what was made is there, unused
	bob = session(t, s, &amqp.ConnOptions{SASLType: amqp.SASLTypeXOAUTH2("bob", "shown", 512)})
	m := amqp.NewMessage(nil)
	m.Data, m.Value = nil, map[string]any{}
	m.ApplicationProperties = map[string]any{"operation": "DELETE", "type": "org.amqp.queue", "name": "made"}
	if got := ask(t, bob, "$management", m).ApplicationProperties["statusCode"]; got != int32(204) {
		t.Errorf("after a kill DELETE is answered %v", got)
	}
}

// session is one of a connection of its own.
func session(t *testing.T, s *harness.Server, o *amqp.ConnOptions) *amqp.Session {
	t.Helper()
	c, err := amqp.Dial(t.Context(), s.URL, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	opened, err := c.NewSession(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// ask sends a request to a node of the server's, and gives the answer.
func ask(t *testing.T, session *amqp.Session, node string, m *amqp.Message) *amqp.Message {
	t.Helper()
	out, err := session.NewSender(t.Context(), node, nil)
	if err != nil {
		t.Fatal(err)
	}
	in, err := session.NewReceiver(t.Context(), node, &amqp.ReceiverOptions{TargetAddress: "answers"})
	if err != nil {
		t.Fatal(err)
	}
	to := "answers"
	m.Properties = &amqp.MessageProperties{MessageID: "request", ReplyTo: &to}
	if err := out.Send(t.Context(), m, nil); err != nil {
		t.Fatal(err)
	}
	answer, err := in.Receive(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Properties.CorrelationID != "request" {
		t.Errorf("the answer is to %v", answer.Properties.CorrelationID)
	}
	if err := in.AcceptMessage(t.Context(), answer); err != nil {
		t.Fatal(err)
	}
	for _, close := range []func() error{func() error { return in.Close(t.Context()) }, func() error { return out.Close(t.Context()) }} {
		if err := close(); err != nil {
			t.Fatal(err)
		}
	}
	return answer
}
