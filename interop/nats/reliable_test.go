package nats

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/tidegate/tidegate/e2e/peers"
	"github.com/tidegate/tidegate/interop"
)

// TestQueueGroup: two gateways that import the same subjects in a queue group share what
// comes (migration 3.3: a distributed queue).
func TestQueueGroup(t *testing.T) {
	p := startEmbedded(t, false)
	keys := maps.Clone(p.Keys())
	keys["queue_group"] = "workers"
	_, r := session(t, reliableType, keys, p.Shared())
	for i, s := range []interop.Session{importing(t, r, keys, p), importing(t, r, keys, p)} {
		if s == nil {
			t.Fatal(i)
		}
	}
	const n = 50
	for i := range n {
		if err := p.nc.Publish("work", []byte(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	r.until(t, "all of them", func() bool { return len(r.in) >= n })
	p.flush(t)
	seen := map[string]bool{}
	r.do(func() {
		for _, in := range r.in {
			seen[in.Fields.Body.Text] = true
		}
	})
	if len(seen) != n || len(r.in) != n {
		t.Errorf("%d messages came, %d different ones: want %d", len(r.in), len(seen), n)
	}
}

// importing opens a session that imports work, and tells r.
func importing(t *testing.T, r *recorder, keys map[string]string, p *inside) interop.Session {
	t.Helper()
	tr, err := New(interop.Settings{Name: "T", Server: "S", Gateway: "gw", Keys: keys, Shared: p.Shared()})
	if err != nil {
		t.Fatal(err)
	}
	s, err := tr.Open(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.Imports(within(t), []interop.Destination{topic("work")}); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestDroppedIsCounted: what comes faster than it is taken here is dropped by NATS's client,
// and each of those is counted as lost.
func TestDroppedIsCounted(t *testing.T) {
	p := startEmbedded(t, false)
	s, r := session(t, reliableType, p.Keys(), p.Shared())
	if err := s.Imports(within(t), []interop.Destination{topic("in")}); err != nil {
		t.Fatal(err)
	}
	own := s.(*reliable)
	if err := own.imports[0].sub.SetPendingLimits(10, pendingBytes); err != nil {
		t.Fatal(err)
	}
	own.inbox.mu.Lock() // nothing is taken
	const n = 100
	for range n {
		if err := p.nc.Publish("in", []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	p.flush(t)
	if err := own.nc.FlushTimeout(flushTime); err != nil { // all of it is with the client
		t.Fatal(err)
	}
	own.inbox.mu.Unlock()
	r.until(t, "what was kept", func() bool { return len(r.in) >= 10 })
	s.Close() // the last of them are counted then at the latest
	if r.lost[0] == 0 || len(r.in)+r.lost[0] != n {
		t.Errorf("%d came, and %d are counted as lost, of %d", len(r.in), r.lost[0], n)
	}
}

// TestForbidden: what the account may not do is told.
func TestForbidden(t *testing.T) {
	guarded := peers.NATS(t, "", peers.Options{Config: `authorization { users: [{user: u, password: p, permissions: {publish: "free.>", subscribe: ["free.>", "_INBOX.>"]}}] }`})
	s, r := session(t, reliableType, map[string]string{"url": guarded.URL(), "credentials": "u/p"}, nil)
	ctx := within(t)
	if err := s.Imports(ctx, []interop.Destination{topic("closed.in")}); err != nil {
		t.Fatal(err)
	}
	if err := s.Send(ctx, []interop.Outbound{out(1, topic("closed.out"), "id", "x")}); err != nil {
		t.Fatal(err)
	}
	r.until(t, "two notes", func() bool { return len(r.notes) >= 2 })
	for _, word := range []string{"closed.in", "closed.out"} {
		if !strings.Contains(strings.Join(r.notes, "\n"), word) {
			t.Errorf("the notes are %q, and should tell of %s", r.notes, word)
		}
	}
}

// TestImportsChange: an import that is taken away brings nothing any more, and one that
// stays misses nothing.
func TestImportsChange(t *testing.T) {
	p := startEmbedded(t, false)
	s, r := session(t, reliableType, p.Keys(), p.Shared())
	ctx := within(t)
	if err := s.Imports(ctx, []interop.Destination{topic("a.*"), topic("b")}); err != nil {
		t.Fatal(err)
	}
	for i, imports := range [][]interop.Destination{{topic("a.>")}, {topic("a.>"), topic("a.*")}, {topic("a.*")}} {
		if err := s.Imports(ctx, imports); err != nil {
			t.Fatal(err)
		}
		for _, subject := range []string{"b", "a.x"} {
			if err := p.nc.PublishMsg(&nats.Msg{Subject: subject, Data: []byte(fmt.Sprint(i))}); err != nil {
				t.Fatal(err)
			}
		}
		p.flush(t)
		r.until(t, "a.x", func() bool { return len(r.in) == i+1 })
		taken := make(chan struct{}) // by each subscription: one that overlaps passes it over
		if err := s.(*reliable).nc.Barrier(func() { close(taken) }); err != nil {
			t.Fatal(err)
		}
		<-taken
		if got := r.in[i]; got.To.Name != "a.x" || got.Fields.Body.Text != fmt.Sprint(i) {
			t.Errorf("round %d brought %s for %s", i, got.Fields.Body.Text, got.To.Name)
		}
	}
}
