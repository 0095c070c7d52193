package suite

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/tidegate/tidegate/e2e/harness"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 || *matrixJoin != "" {
		if err := checkMatrix(); err != nil {
			fmt.Fprintln(os.Stderr, "FAIL:", err)
			code = 1
		}
	}
	harness.StopDrivers()
	harness.Cleanup()
	os.Exit(code)
}

// each runs a scenario, side by side, with every driver that can all of needs; why
// it does not with the others stands in docs/clients.md. At least one must: a
// scenario that nobody can express proves nothing.
func each(t *testing.T, needs []string, scenario func(t *testing.T, c *harness.Client)) {
	t.Helper()
	ran := 0
	for _, name := range harness.Names {
		c := harness.Driver(t, name)
		if leaves(t, c, needs...) {
			continue
		}
		ran++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shows(t, c)
			scenario(t, c)
		})
	}
	if ran == 0 {
		t.Fatalf("no driver can %v", needs)
	}
}

// pairs runs a scenario with every pair of drivers of which the first can all
// of one list and the second all of the other.
func pairs(t *testing.T, first, second []string, scenario func(t *testing.T, a, b *harness.Client)) {
	t.Helper()
	each(t, first, func(t *testing.T, a *harness.Client) {
		each(t, second, func(t *testing.T, b *harness.Client) { scenario(t, a, b) })
	})
}

// next is the driver after c, so that each library meets another.
func next(t *testing.T, c *harness.Client) *harness.Client {
	t.Helper()
	i := slices.Index(harness.Names, c.Name)
	return harness.Driver(t, harness.Names[(i+1)%len(harness.Names)])
}

// with joins fields; later ones win.
func with(all ...harness.Fields) harness.Fields {
	joined := harness.Fields{}
	for _, f := range all {
		maps.Copy(joined, f)
	}
	return joined
}

// send sends as asked and wants every message accepted.
func send(t *testing.T, c *harness.Client, s *harness.Server, address string, more ...harness.Fields) {
	t.Helper()
	f := with(append([]harness.Fields{{"cmd": "send", "url": s.URL, "address": address, "producer": c.Name, "window": 20}}, more...)...)
	done, events := c.Do(t, f).Done(t)
	if want := f["count"].(int); done.Accepted != want || done.Refused != 0 {
		for _, e := range events {
			if e.Event == "outcome" && e.Outcome != "accepted" {
				t.Logf("message %d %s: %s %s", e.Seq, e.Outcome, e.Condition, e.Error)
			}
		}
		t.Fatalf("%s: %d of %d accepted, %d refused", c.Name, done.Accepted, want, done.Refused)
	}
}

// receiving starts to receive and waits until it is attached.
func receiving(t *testing.T, c *harness.Client, s *harness.Server, address string, more ...harness.Fields) *harness.Call {
	t.Helper()
	call := c.Do(t, with(append([]harness.Fields{{"cmd": "receive", "url": s.URL, "address": address}}, more...)...))
	call.Until(t, "attached")
	return call
}

// messages waits for the end of a receive and returns what came.
func messages(t *testing.T, call *harness.Call) []harness.Event {
	t.Helper()
	done, events := call.Done(t)
	var all []harness.Event
	for _, e := range events {
		if e.Event == "message" {
			all = append(all, e)
		}
	}
	if len(all) != done.Received {
		t.Fatalf("%d messages told, %d counted", len(all), done.Received)
	}
	return all
}

// receive receives count messages and returns them.
func receive(t *testing.T, c *harness.Client, s *harness.Server, address string, count int, more ...harness.Fields) []harness.Event {
	t.Helper()
	call := receiving(t, c, s, address, append([]harness.Fields{{"count": count, "idle_ms": 20_000}}, more...)...)
	got := messages(t, call)
	if len(got) != count {
		t.Fatalf("%s: %d of %d messages came", c.Name, len(got), count)
	}
	return got
}

// empty wants nothing in a queue. The look is proton's drain, whose end the
// server tells, so it waits for nothing.
func empty(t *testing.T, s *harness.Server, address string) {
	t.Helper()
	c := harness.Driver(t, "python")
	call := receiving(t, c, s, address, harness.Fields{"drain": true, "credit": 10, "ack": "release"})
	if got := messages(t, call); len(got) != 0 {
		t.Errorf("%s: %d messages left in %s, the first is %s/%d", c.Name, len(got), address, got[0].Producer, got[0].Seq)
	}
}

// inOrder wants exactly messages first... of producer, unaltered and in order.
func inOrder(t *testing.T, got []harness.Event, producer string, first int64, size int) {
	t.Helper()
	for i, e := range got {
		want := first + int64(i)
		if e.Producer != producer || e.Seq != want {
			t.Fatalf("message %d is %s/%d, want %s/%d", i, e.Producer, e.Seq, producer, want)
		}
		if e.Size != size || e.SHA256 != harness.Sum(harness.Filling(producer, want, size)) {
			t.Fatalf("message %s/%d came altered: %d bytes, sha256 %s", producer, want, e.Size, e.SHA256)
		}
	}
}

// wait looks until something that no event tells has come about.
func wait(t testing.TB, what string, come func() bool) {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(harness.Patience); !come(); <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, harness.Patience)
		}
	}
}
