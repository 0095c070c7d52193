package peers

import (
	"bytes"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// TestNATS: a message that JetStream acknowledged is there after SIGKILL, and
// after a clean stop, on the same address.
func TestNATS(t *testing.T) {
	p := NATS(t, "", Options{Config: "max_payload: 8MB"})
	body := bytes.Repeat([]byte("n"), 2<<20) // more than the usual limit: Config counts

	js, end := enterJetStream(t, p)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "s.a", body); err != nil {
		t.Fatal(err)
	}
	end()
	for i, down := range []func() error{p.Kill, p.Stop} {
		restart(t, p, down)
		js, end := enterJetStream(t, p)
		s, err := js.Stream(t.Context(), "S")
		if err != nil {
			t.Fatal(err)
		}
		m, err := s.GetMsg(t.Context(), 1)
		if err != nil || m.Subject != "s.a" || !bytes.Equal(m.Data, body) {
			t.Fatalf("life %d: the message came back as %v, %v", i+2, m, err)
		}
		end()
	}
}

func enterJetStream(t *testing.T, p *Peer) (jetstream.JetStream, func()) {
	t.Helper()
	c, err := nats.Connect(p.URL(), nats.Timeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return js, c.Close
}

// restart takes the broker down and wants the same address afterwards.
func restart(t *testing.T, p *Peer, down func() error) {
	t.Helper()
	url := p.URL()
	if err := down(); err != nil {
		t.Fatal(err)
	}
	if !free(p.port.number) {
		t.Fatalf("somebody still listens at %s", p.Addr())
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	if p.URL() != url {
		t.Fatalf("it was at %s, is at %s", url, p.URL())
	}
}
