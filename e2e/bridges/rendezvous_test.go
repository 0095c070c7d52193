package bridges

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/go-amqp"
	"github.com/nats-io/nats.go"

	"github.com/tidegate/tidegate/e2e/harness"
	"github.com/tidegate/tidegate/e2e/peers"
)

// rendezvousSet is what a set of EMS's with Rendezvous looks like.
var rendezvousSet = map[string]string{
	"tibemsd.conf": "server = harbour\ntibrv_transports = enabled\n",
	"queues.conf":  ">\nsettle import=CM\n",
	"topics.conf":  ">\nquotes.* import=RV\norders.out export=RV7650\nconfirms export=CM\n",
	"transports.conf": `[RV]
  type    = tibrv
  service =
  network =
  daemon  = tcp:7500

[RV7650]
  type    = tibrv
  service = 7650
  network = ;239.17.9.1
  daemon  = tcp:rv-gw1.example:7500

[CM]
  type        = tibrvcm
  rv_tport    = RV
  cm_name     = HARBOUR.CM
  ledger_file = cm.ldg
  request_old = true
  queue_import_dm = TIBEMS_PERSISTENT
`,
	"tibrvcm.conf": "CM  office  confirms\n",
}

// TestRendezvousStandIn: an EMS set with Rendezvous and nothing else loads, says of each
// of its transports what stands in for it, and its messages pass over the NATS server
// within the process, which programs outside reach; what is certified outlives a kill.
func TestRendezvousStandIn(t *testing.T) {
	port := peers.Port(t)
	// tidegate.yaml is looked for where the gateway is started.
	t.Chdir(configuration(t, map[string]string{"tidegate.yaml": "nats:\n  listen: 127.0.0.1:" + port + "\n"}))
	dir := configuration(t, rendezvousSet)
	check := harness.Tool(t, "", "config", "check", dir)
	if check.Code != 0 || strings.Count(check.Stdout+check.Stderr, "warning") < 3 {
		t.Errorf("config check ended with %d and said\n%s%s", check.Code, check.Stdout, check.Stderr)
	}
	s := harness.Start(t, "--config", dir)
	for name, as := range map[string]string{
		"RV": "is of type tibrv and is opened as nats", "RV7650": "is of type tibrv and is opened as nats", "CM": "is of type tibrvcm and is opened as natsjs",
	} { // order: irrelevant
		connected(t, s, name)
		if log := s.Log(); !strings.Contains(log, "warning: "+name+" "+as+" at the NATS server in this process") {
			t.Errorf("the log says nothing of what stands in for %s:\n%s", name, log)
		}
	}
	if row := transport(t, s, "CM"); row["type"] != "tibrvcm" || row["stand_in"] != "natsjs" {
		t.Errorf("show transport CM says %v, opened as %v", row["type"], row["stand_in"])
	}
	url := "nats://127.0.0.1:" + port

	t.Run("reliable", func(t *testing.T) { rendezvousReliable(t, s, url) })
	t.Run("certified", func(t *testing.T) { rendezvousCertified(t, s, url) })
}

// rendezvousReliable: out by one service, in by another.
func rendezvousReliable(t *testing.T, s *harness.Server, url string) {
	out := subscribed(t, url, "rv.7650.orders.out")
	hand(t, &amqp10{url: s.URL, address: "orders.out", topic: true}, "a", 20)
	out.await(t, 20)

	hears := &amqp10{url: s.URL, address: "quotes.*", topic: true}
	conn, session, err := hears.session(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r, err := hears.receiver(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	c, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Publish("quotes.oil", []byte("71.20")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	m, err := r.Receive(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if m.Value != "71.20" || *m.Properties.To != "quotes.oil" || m.ApplicationProperties["JMS_TIBCO_IMPORTED"] != true {
		t.Errorf("it came as %v to %s with %v", m.Value, *m.Properties.To, m.ApplicationProperties)
	}
}

// rendezvousCertified: the listener of tibrvcm.conf gets what was sent before it came;
// what JetStream has confirmed to a program outside is in the queue after a kill.
func rendezvousCertified(t *testing.T, s *harness.Server, url string) {
	const each = 50
	hand(t, &amqp10{url: s.URL, address: "confirms", topic: true}, "a", each)
	office := &stream{url: url, subject: "settle", name: "EMS_EXPORT", consumer: "office"}
	g := newLedger(each, "a")
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	receiving, received := context.WithCancel(ctx)
	var receiver sync.WaitGroup
	receiver.Go(func() { g.receiveAll(receiving, office) })
	if err := g.until(ctx, g.all); err != nil {
		b := g.balance()
		t.Errorf("the listener: %s; %v", &b, b.altered)
	}
	received()
	receiver.Wait()

	hand(t, office, "b", each) // to settle, confirmed by JetStream
	s.Kill(t)
	s.Run(t)
	connected(t, s, "CM")
	wait(t, "what was confirmed is in the queue", func() bool { return depth(t, s, "settle") >= each })
	settle := &amqp10{url: s.URL, address: "settle"}
	conn, session, err := settle.session(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r, err := settle.receiver(ctx, session)
	if err != nil {
		t.Fatal(err)
	}
	for seq := 1; seq <= each; seq++ {
		m, err := r.Receive(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := (letter{"b", seq}).body(); m.Value != want || !durable(m) {
			t.Fatalf("message %d is %v, persistent: %v", seq, m.Value, durable(m))
		}
		for _, property := range []string{"JMS_TIBCO_CM_PUBLISHER", "JMS_TIBCO_CM_SEQUENCE"} {
			if m.ApplicationProperties[property] == nil {
				t.Errorf("message %d has no %s", seq, property)
			}
		}
		if err := r.AcceptMessage(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	if n := depth(t, s, "settle"); n != 0 {
		t.Errorf("%d more are in the queue", n)
	}
}

func durable(m *amqp.Message) bool { return m.Header != nil && m.Header.Durable }
