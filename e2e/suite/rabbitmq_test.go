package suite

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// TestRabbitMQClient: a program on RabbitMQ's own AMQP 1.0 client declares a queue,
// publishes to it, consumes, gives back, purges and deletes (docs/ecosystems.md).
func TestRabbitMQClient(t *testing.T) {
	s := harness.Start(t)
	p := harness.StartProgram(t, "rabbitmq", s.URL)
	for event, want := range map[string]string{ // order: irrelevant
		"declared": "orders/new € durable=true messages=0 consumers=0", "again": "orders/new € durable=true messages=0 consumers=0",
		"published": "orders/new € durable=true messages=50 consumers=0",
	} {
		if got := p.Until(t, event, 1)[0]; got != want {
			t.Errorf("%s: %q, want %q", event, got, want)
		}
	}
	c := harness.Driver(t, "go")
	if browsed := receive(t, c, s, "orders/new €", 50, harness.Fields{"browse": true}); len(browsed) != 50 {
		t.Errorf("another client sees %d messages", len(browsed))
	}
	p.Go(t)
	got := slices.Clone(p.Until(t, "got", 50)) // the client asks for the next before it has given the first back
	want := []string{"order 1 tries=1"}
	for i := 2; i <= 50; i++ {
		want = append(want, "order "+strconv.Itoa(i)+" tries=null")
	}
	slices.Sort(got)
	slices.Sort(want)
	sameTexts(t, got, want)
	for _, answer := range p.Until(t, "answer", 100) {
		if answer != "ACCEPTED" {
			t.Errorf("a message is answered %s", answer)
		}
	}
	if got := p.Until(t, "purged", 1)[0]; got != "50" {
		t.Errorf("purged %s", got)
	}
	p.Until(t, "deleted", 1)
	refused := p.Until(t, "refused", 4)
	for i, what := range []string{"info", "exchange", "exclusive", "consumer"} {
		if !strings.HasPrefix(refused[i], what+" ") || strings.HasSuffix(refused[i], " is not") {
			t.Errorf("%s: %q", what, refused[i])
		}
	}
	p.End(t)
	empty(t, s, "orders/new €")
}
