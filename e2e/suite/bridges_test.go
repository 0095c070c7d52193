package suite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"github.com/tidegate/tidegate/e2e/harness"
)

// bridgeSet is a configuration with bridges for each driver, its own.
func bridgeSet(t *testing.T) string {
	t.Helper()
	var bridges strings.Builder
	for _, n := range harness.Names {
		fmt.Fprintf(&bridges, "[queue:in.%[1]s]\n  queue=copy.%[1]s\n  topic=news.%[1]s.big selector=\"seq > 8\"\n  queue=narrow.%[1]s selector=\"producer = 'flood'\"\n", n)
		fmt.Fprintf(&bridges, "[topic:told.%[1]s.*]\n  queue=kept.%[1]s\n", n)
		fmt.Fprintf(&bridges, "[queue:copy.%[1]s]\n  queue=never.%[1]s\n", n)
	}
	queues := ">\n"
	for _, n := range harness.Names {
		queues += "narrow." + n + " maxmsgs=3\n"
	}
	return emsSet(t, map[string]string{
		"tibemsd.conf": "server = bridges\n", "queues.conf": queues, "topics.conf": ">\n", "bridges.conf": bridges.String(),
	})
}

// TestBridges: what is sent to a source comes to its targets as well, in order and
// unaltered; in transactions all or none of it; what is persistent outlives a kill in
// every place.
func TestBridges(t *testing.T) {
	s := harness.Start(t, "--config", bridgeSet(t))
	topic := harness.Fields{"kind": "topic"}
	away := func(c *harness.Client) harness.Fields {
		return with(topic, harness.Fields{"subscription": "sub", "container": "bridges." + c.Name})
	}
	step(t, "before", func(t *testing.T) {
		each(t, []string{"transactions", "durable"}, func(t *testing.T, c *harness.Client) {
			in := "in." + c.Name
			// a durable subscription with a wildcard, which is away meanwhile
			receiving(t, c, s, "news."+c.Name+".>", away(c), harness.Fields{"count": 1, "idle_ms": 1}).Done(t)
			send(t, c, s, in, harness.Fields{"count": 5})
			send(t, c, s, in, harness.Fields{"count": 5, "first": 6, "transaction": "commit"})
			send(t, c, s, in, harness.Fields{"count": 5, "transaction": "rollback", "producer": "undone"})
			send(t, c, s, "told."+c.Name+".x", topic, harness.Fields{"count": 3})
			send(t, c, s, "told."+c.Name+".x.y", topic, harness.Fields{"count": 3, "producer": "deeper"})
		})
	})
	s.Kill(t)
	s.Run(t)
	step(t, "after", func(t *testing.T) {
		each(t, []string{"transactions", "durable"}, func(t *testing.T, c *harness.Client) {
			n := c.Name
			inOrder(t, receive(t, c, s, "in."+n, 10), n, 1, 64)
			inOrder(t, receive(t, c, s, "copy."+n, 10), n, 1, 64)
			inOrder(t, receive(t, c, s, "news."+n+".>", 2, away(c)), n, 9, 64)
			inOrder(t, receive(t, c, s, "kept."+n, 3), n, 1, 64)
			for _, q := range []string{"in.", "copy.", "kept.", "never.", "narrow."} {
				empty(t, s, q+n)
			}
		})
	})
}

// TestBridgeRefuses: a target that is full refuses a send for all, and its sender is
// told; in a transaction the commit fails, and nothing of it is anywhere.
func TestBridgeRefuses(t *testing.T) {
	s := harness.Start(t, "--config", bridgeSet(t))
	each(t, []string{"transactions"}, func(t *testing.T, c *harness.Client) {
		flood := harness.Fields{"cmd": "send", "url": s.URL, "address": "in." + c.Name, "producer": "flood", "count": 5, "window": 1}
		done, _ := c.Do(t, flood).Done(t)
		if done.Accepted != 3 || done.Refused != 2 {
			t.Errorf("%d accepted, %d refused", done.Accepted, done.Refused)
		}
		failed, all := c.Do(t, with(flood, harness.Fields{"transaction": "commit", "count": 1})).Until(t, "error")
		if failed.Error == "" {
			t.Errorf("a commit with a target that is full: %+v", all)
		}
		inOrder(t, receive(t, c, s, "in."+c.Name, 3), "flood", 1, 64)
		inOrder(t, receive(t, c, s, "narrow."+c.Name, 3), "flood", 1, 64)
		inOrder(t, receive(t, c, s, "copy."+c.Name, 3), "flood", 1, 64)
		for _, q := range []string{"in.", "narrow.", "copy."} {
			empty(t, s, q+c.Name)
		}
	})
}

// TestBridgedDestination: who receives from a target sees that as JMSDestination, in
// `to` and in the annotation of its kind, and the same message otherwise; who receives
// from the source sees what was sent.
func TestBridgedDestination(t *testing.T) {
	s := harness.Start(t)
	for _, b := range []string{"source=queue:in target=queue:copy", "source=queue:in target=topic:news.all", "source=topic:alarm.* target=queue:copy"} {
		if got := admin(t, s, 0, "create bridge "+b); got != "Bridge has been created\n" {
			t.Fatal(got)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*harness.Patience)
	defer cancel()
	link := session(t, s, &amqp.ConnOptions{SASLType: amqp.SASLTypeAnonymous()})
	receivers := map[string]*amqp.Receiver{}
	var err error
	for _, from := range []string{"queue://in", "queue://copy", "topic://news.>", "topic://alarm.fire"} {
		if receivers[from], err = link.NewReceiver(ctx, from, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		address, to string
		kind        any
		want        map[string]string // by receiver: `to` and the kind
	}{
		{"queue://in", "in", int8(0), map[string]string{"queue://in": "in 0", "queue://copy": "copy 0", "topic://news.>": "news.all 1"}},
		{"queue://in", "queue://in", nil, map[string]string{"queue://in": "queue://in <nil>", "queue://copy": "queue://copy 0", "topic://news.>": "topic://news.all 1"}},
		{"queue://in", "", nil, map[string]string{"queue://in": "<nil> <nil>", "queue://copy": "<nil> 0", "topic://news.>": "<nil> 1"}},
		{"topic://alarm.fire", "alarm.fire", int8(1), map[string]string{"topic://alarm.fire": "alarm.fire 1", "queue://copy": "copy 0"}},
	} {
		for _, size := range []int{100, 2 << 20} { // in memory, and in a file
			sender, err := link.NewSender(ctx, c.address, nil)
			if err != nil {
				t.Fatal(err)
			}
			body := strings.Repeat("x", size)
			m := &amqp.Message{
				Header:     &amqp.MessageHeader{Durable: true},
				Properties: &amqp.MessageProperties{MessageID: "id", CreationTime: new(time.Time), Subject: new(string)},
				Value:      body,
			}
			if c.to != "" {
				m.Properties.To = &c.to
			}
			if c.kind != nil {
				m.Annotations = amqp.Annotations{"x-opt-jms-dest": c.kind}
			}
			if err := sender.Send(ctx, m, nil); err != nil {
				t.Fatal(err)
			}
			for from, want := range c.want { // order: irrelevant
				got, err := receivers[from].Receive(ctx, nil)
				if err != nil {
					t.Fatalf("sent to %s with `to` %q and %d bytes, nothing came from %s: %v", c.address, c.to, size, from, err)
				}
				to := "<nil>"
				if got.Properties.To != nil {
					to = *got.Properties.To
				}
				if said := fmt.Sprintf("%s %v", to, got.Annotations["x-opt-jms-dest"]); said != want {
					t.Errorf("sent to %s with `to` %q, received from %s: %s, want %s", c.address, c.to, from, said, want)
				}
				if got.Value != body || got.Properties.MessageID != "id" || *got.Properties.Subject != "" {
					t.Errorf("received from %s: it is another message", from)
				}
				if err := receivers[from].AcceptMessage(ctx, got); err != nil {
					t.Fatal(err)
				}
			}
			if err := sender.Close(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	c := harness.Driver(t, "java")
	call := receiving(t, c, s, "copy", harness.Fields{"count": 2, "typed": true, "idle_ms": 20_000})
	news := receiving(t, c, s, "news.>", harness.Fields{"kind": "topic", "count": 1, "typed": true, "idle_ms": 20_000})
	send(t, c, s, "in", harness.Fields{"count": 1})
	send(t, c, s, "alarm.flood", harness.Fields{"count": 1, "kind": "topic"})
	for _, e := range messages(t, call) {
		if e.Destination != "queue:copy" {
			t.Errorf("JMSDestination of a queue's is %s", e.Destination)
		}
	}
	for _, e := range messages(t, news) {
		if e.Destination != "topic:news.all" {
			t.Errorf("JMSDestination of a topic's is %s", e.Destination)
		}
	}
}

// TestBridgesAdministered: bridges are made and ended while clients are at work, are
// kept with `commit`, and protect their sources.
func TestBridgesAdministered(t *testing.T) {
	s := harness.Start(t)
	c := harness.Driver(t, "go")
	for _, command := range []string{"create queue in", "create queue out", "create bridge source=queue:in target=queue:out"} {
		admin(t, s, 0, command)
	}
	send(t, c, s, "in", harness.Fields{"count": 2})
	for command, want := range map[string]string{ // order: irrelevant
		"create bridge source=queue:in target=queue:out":                     "there is a bridge from queue:in to queue:out already",
		"create bridge source=queue:in target=queue:o.*":                     "not a wildcard",
		"create bridge source=queue:$TMP$.> target=queue:out":                "temporary destinations cannot be bridged",
		"create bridge source=queue:in target=queue:in":                      "the target of a bridge is its source",
		"create bridge source=queue:in target=queue:$sys.admin":              "are the server's",
		"create bridge source=queue:in target=queue:other selector=\"x = \"": "selector",
		"create bridge source=in target=queue:out":                           "write queue:NAME or topic:NAME",
		"delete bridge source=queue:in target=queue:other":                   "there is no bridge from queue:in to queue:other",
		"delete queue in": "is the source of a bridge",
		"create bridge source=queue:in target=queue:other selector=\"seq LIKE 2\"": "selector",
	} {
		r := s.Tool(t, "", "admin", "-server", "{url}", command)
		if r.Code != 1 || !strings.Contains(r.Stdout+r.Stderr, want) {
			t.Errorf("%s: exit code %d, want %q in\n%s%s", command, r.Code, want, r.Stdout, r.Stderr)
		}
	}
	admin(t, s, 0, "commit")
	if text, err := os.ReadFile(filepath.Join(s.Data, "conf", "bridges.conf")); err != nil || !strings.Contains(string(text), "queue = out") {
		t.Errorf("bridges.conf is %q, %v", text, err)
	}
	s.Kill(t)
	s.Run(t)
	send(t, c, s, "in", harness.Fields{"count": 2, "first": 3})
	inOrder(t, receive(t, c, s, "out", 4), c.Name, 1, 64)
	admin(t, s, 0, "delete bridge source=queue:in target=queue:out")
	send(t, c, s, "in", harness.Fields{"count": 2, "first": 5})
	empty(t, s, "out")
	inOrder(t, receive(t, c, s, "in", 6), c.Name, 1, 64)
	admin(t, s, 0, "delete queue in")
}

// TestBridgePermission: who may not send to a target may not send to its source while
// the bridge is there (ems 4.6), persistent or not; others do.
func TestBridgePermission(t *testing.T) {
	dir := emsSet(t, map[string]string{
		"tibemsd.conf": "server = bridges\nauthorization = enabled\n", "queues.conf": ">\nin\naudit secure\n", "topics.conf": ">\n",
		"users.conf": "admin:\nann:a\nben:b\n", "groups.conf": "", "acl.conf": "QUEUE=audit USER=ann PERM=send,receive\n",
		"bridges.conf": "[queue:in]\n  queue=audit selector=\"kind = 'x'\"\n",
	})
	s := harness.Start(t, "--config", dir)
	for _, c := range []struct {
		user, kind string
		want       amqp.ErrCond
	}{{"ann", "x", ""}, {"ben", "y", ""}, {"ben", "x", amqp.ErrCondUnauthorizedAccess}} {
		password := c.user[:1]
		for _, durable := range []bool{false, true} {
			sender, err := as(t, s, c.user, password, "").NewSender(t.Context(), "in", nil)
			if err != nil {
				t.Fatal(err)
			}
			m := amqp.NewMessage([]byte(c.user))
			m.Header = &amqp.MessageHeader{Durable: durable}
			m.ApplicationProperties = map[string]any{"kind": c.kind}
			if got := conditionOf(sender.Send(t.Context(), m, nil)); got != c.want {
				t.Errorf("%s sends a message of kind %s, durable %v: %q, want %q", c.user, c.kind, durable, got, c.want)
			}
		}
	}
	for queue, want := range map[string]int{"in": 4, "audit": 2} { // order: irrelevant
		rows := scraped(t, admin(t, s, 0, "-user", "admin", "show queues "+queue), "Queue Name", "SNFGXIBCT", "Pre", "Rcvrs", "Msgs")
		if len(rows) != 1 || rows[0]["Msgs"] != itoa(want) {
			t.Errorf("%s holds %v, want %d messages", queue, rows, want)
		}
	}
}
