package amqp10

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/interop"
)

// tape is a Sink that keeps what it is told.
type tape struct {
	t       testing.TB
	mu      sync.Mutex
	changed chan struct{}
	sent    []interop.Sent
	came    []interop.Inbound
	failed  []error
	notes   []string
}

func newTape(t testing.TB) *tape { return &tape{t: t, changed: make(chan struct{})} }

func (s *tape) tell(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *tape) Sent(all []interop.Sent)       { s.tell(func() { s.sent = append(s.sent, all...) }) }
func (s *tape) Deliver(all []interop.Inbound) { s.tell(func() { s.came = append(s.came, all...) }) }
func (s *tape) Lost(int, bool, error)         {}
func (s *tape) Failed(err error)              { s.tell(func() { s.failed = append(s.failed, err) }) }
func (s *tape) Note(text string)              { s.tell(func() { s.notes = append(s.notes, text) }) }

func (s *tape) until(what string, holds func() bool) {
	s.t.Helper()
	late := time.After(30 * time.Second)
	for {
		s.mu.Lock()
		ok, changed := holds(), s.changed
		s.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-late:
			s.t.Fatalf("waited in vain for %s: sent %v, failed %v, notes %q", what, s.sent, s.failed, s.notes)
		}
	}
}

// texts are the bodies of what came.
func (s *tape) texts() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, in := range s.came {
		text, _ := in.Message.Text()
		all = append(all, text)
	}
	return all
}

func azureSettings(b *bus, more ...string) interop.Settings {
	keys := map[string]string{"url": b.url()}
	for i := 0; i < len(more); i += 2 {
		keys[more[i]] = more[i+1]
	}
	return interop.Settings{Name: "AZ", Server: "EMS1", Gateway: "gw", Keys: keys}
}

// connected opens a session at the double.
func connected(t *testing.T, b *bus, more ...string) (*session, *tape) {
	t.Helper()
	made, err := Azure().New(azureSettings(b, more...))
	if err != nil {
		t.Fatal(err)
	}
	s := newTape(t)
	opened, err := made.Open(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	return opened.(*session), s
}

func queueOf(n string) interop.Destination { return interop.Destination{Kind: interop.Queue, Name: n} }

func topicOf(n string) interop.Destination { return interop.Destination{Kind: interop.Topic, Name: n} }

func outbound(tag uint64, to interop.Destination, text string) interop.Outbound {
	b := message.NewBuilder()
	b.SetText(text)
	return interop.Outbound{Tag: tag, To: to, Message: b.Message(), Origin: "gw;AZ"}
}

// TestAzureTokens: each entity is used with a token of its own, tokens are renewed
// before they end, and frames are no larger than Service Bus takes.
func TestAzureTokens(t *testing.T) {
	b := newBus(t, &entity{name: "orders", lock: time.Minute}, &entity{name: "news", copies: []string{"news/Subscriptions/EMS1-AZ"}}, &entity{name: "news/Subscriptions/EMS1-AZ", lock: time.Minute})
	s, sink := connected(t, b)
	if err := s.Send(t.Context(), []interop.Outbound{outbound(1, queueOf("orders"), "a"), outbound(2, topicOf("news"), "b")}); err != nil {
		t.Fatal(err)
	}
	sink.until("both to be sent", func() bool { return len(sink.sent) == 2 })
	for _, a := range sink.sent {
		if a.Refused != nil {
			t.Error(a.Refused)
		}
	}
	if err := s.Imports(t.Context(), []interop.Destination{topicOf("news"), queueOf("orders")}); err != nil {
		t.Fatal(err)
	}
	sink.until("both to come", func() bool { return len(sink.came) == 2 })
	s.Settle([]interop.Settlement{{Tag: sink.came[0].Tag, Outcome: interop.Taken}, {Tag: sink.came[1].Tag, Outcome: interop.Taken}})
	b.until("both to be settled", func() bool {
		return len(b.entities["orders"].waiting) == 0 && len(b.entities["news/Subscriptions/EMS1-AZ"].waiting) == 0
	})
	b.mu.Lock()
	before := b.puts["orders"]
	if b.largest > 64<<10 {
		t.Errorf("the connection offers frames of %d bytes", b.largest)
	}
	b.mu.Unlock()
	s.azure.tend(time.Now().Add(tokenLife * 3 / 4))
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.puts["orders"] != before+1 || b.puts["news/Subscriptions/EMS1-AZ/$management"] != 2 {
		t.Errorf("tokens were put %v, and all were to be put again", b.puts)
	}
}

// TestAzureWrongKey: the error names what cannot be used, and nothing is given up.
func TestAzureWrongKey(t *testing.T) {
	b := newBus(t, &entity{name: "orders", lock: time.Minute})
	s, sink := connected(t, b, "url", "amqp://"+b.listener.Addr().String(), "username", b.policy, "password", "d3Jvbmc=")
	err := s.Send(t.Context(), []interop.Outbound{outbound(1, queueOf("orders"), "a")})
	if err == nil || !strings.Contains(err.Error(), "no right to use orders") || !strings.Contains(err.Error(), "401") {
		t.Errorf("the error is %v", err)
	}
	if len(sink.sent) > 0 {
		t.Errorf("answered %v", sink.sent)
	}
	if _, err := Azure().New(azureSettings(b, "url", "amqps://ns.servicebus.windows.net")); err == nil || !strings.Contains(err.Error(), "access policy") {
		t.Errorf("without a key: %v", err)
	}
}

// TestAzureMissingEntity: what is sent to an entity that is not there is refused with its
// name, and the others go on.
func TestAzureMissingEntity(t *testing.T) {
	b := newBus(t, &entity{name: "orders", lock: time.Minute})
	s, sink := connected(t, b)
	if err := s.Send(t.Context(), []interop.Outbound{outbound(1, queueOf("nowhere"), "a"), outbound(2, queueOf("orders"), "b")}); err != nil {
		t.Fatal(err)
	}
	sink.until("both to be answered", func() bool { return len(sink.sent) == 2 })
	for _, a := range sink.sent {
		if (a.Tag == 1) != (a.Refused != nil) || a.Refused != nil && !strings.Contains(a.Refused.Error(), "no entity nowhere") {
			t.Errorf("message %d: %v", a.Tag, a.Refused)
		}
	}
}

// TestAzureIdleLinks: links that the bus closes because nothing passed them are attached
// again, within the session.
func TestAzureIdleLinks(t *testing.T) {
	b := newBus(t, &entity{name: "out", lock: time.Minute}, &entity{name: "in", lock: time.Minute})
	s, sink := connected(t, b)
	if err := s.Imports(t.Context(), []interop.Destination{queueOf("in")}); err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		if err := s.Send(t.Context(), []interop.Outbound{outbound(uint64(round), queueOf("out"), "a")}); err != nil {
			t.Fatal(err)
		}
		b.put("in", fmt.Sprint(round), "")
		sink.until("a message each way", func() bool { return len(sink.sent) == round+1 && len(sink.came) == round+1 })
		s.Settle([]interop.Settlement{{Tag: sink.came[round].Tag, Outcome: interop.Taken}})
		b.until("it to be settled", func() bool { return len(b.entities["in"].waiting) == 0 })
		b.idle()
		b.until("it to be noticed", func() (noticed bool) {
			if err := s.conn.Do(func() { noticed = len(s.senders) == 0 && !s.imports[queueOf("in")].attached }); err != nil {
				t.Fatal(err)
			}
			return noticed
		})
	}
	if len(sink.failed) > 0 || len(sink.notes) > 0 {
		t.Errorf("failed %v, notes %q: such an end is no news", sink.failed, sink.notes)
	}
}

// TestAzureLocks: while a message waits here its lock is renewed, so that it does not come
// again; one that is given back does.
func TestAzureLocks(t *testing.T) {
	b := newBus(t, &entity{name: "in", lock: 800 * time.Millisecond})
	s, sink := connected(t, b)
	if err := s.Imports(t.Context(), []interop.Destination{queueOf("in")}); err != nil {
		t.Fatal(err)
	}
	b.put("in", "slow", "")
	b.until("its lock to be renewed three times", func() bool { return b.renewed >= 3 })
	sink.until("it to come", func() bool { return len(sink.came) > 0 })
	if all := sink.texts(); len(all) != 1 {
		t.Fatalf("it came %d times; notes %q", len(all), sink.notes)
	}
	s.Settle([]interop.Settlement{{Tag: sink.came[0].Tag, Outcome: interop.Again}})
	sink.until("it to come again", func() bool { return len(sink.came) == 2 })
	if !sink.came[1].Again {
		t.Error("it came again, and does not say so")
	}
	s.Settle([]interop.Settlement{{Tag: sink.came[1].Tag, Outcome: interop.Taken}})
	b.until("it to be settled", func() bool { return len(b.entities["in"].waiting) == 0 })
	s.azure.mu.Lock()
	defer s.azure.mu.Unlock()
	if len(s.azure.locks) > 0 {
		t.Errorf("%d locks are kept of messages that are settled", len(s.azure.locks))
	}
}

// TestAzureSessions: an entity that needs sessions gives them one after the other, each in
// order, and the lock of one that lasts is renewed.
func TestAzureSessions(t *testing.T) {
	b := newBus(t, &entity{name: "in", lock: time.Second, grouped: true})
	for i := range 9 {
		b.put("in", fmt.Sprintf("%c%d", "abc"[i%3], i/3), string("abc"[i%3]))
	}
	s, sink := connected(t, b)
	if err := s.conn.Do(func() { s.azure.sessionIdle = 200 * time.Millisecond }); err != nil {
		t.Fatal(err)
	}
	if err := s.Imports(t.Context(), []interop.Destination{queueOf("in")}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for len(got) < 9 {
		sink.until("another message", func() bool { return len(sink.came) > len(got) })
		if len(got) == 0 {
			b.until("the lock of the session to be renewed", func() bool { return b.sessions > 0 })
		}
		sink.mu.Lock()
		in := sink.came[len(got)]
		sink.mu.Unlock()
		text, _ := in.Message.Text()
		got = append(got, text)
		s.Settle([]interop.Settlement{{Tag: in.Tag, Outcome: interop.Taken}})
	}
	if want := strings.Fields("a0 a1 a2 b0 b1 b2 c0 c1 c2"); !slices.Equal(got, want) {
		t.Errorf("%v came, not %v", got, want)
	}
	if len(sink.failed) > 0 {
		t.Errorf("failed: %v", sink.failed)
	}
}

// TestAzureReplies: there are none, which the operator is told once; the message goes out.
func TestAzureReplies(t *testing.T) {
	b := newBus(t, &entity{name: "out", lock: time.Minute})
	s, sink := connected(t, b)
	address, err := s.Reply(context.Background(), "t1")
	if err != nil || address != "" || len(sink.notes) != 1 {
		t.Errorf("the address is %q, %v; notes %q", address, err, sink.notes)
	}
}
