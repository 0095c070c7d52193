package suite

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"github.com/tidegate/tidegate/e2e/harness"
)

// TestRestart: what is persistent is there after a restart, gentle or not; what
// is not is gone.
func TestRestart(t *testing.T) {
	for name, killed := range map[string]bool{"SIGTERM": false, "SIGKILL": true} {
		t.Run(name, func(t *testing.T) {
			shows(t, everybody(t)...)
			s := harness.Start(t)
			for _, name := range harness.Names {
				c := harness.Driver(t, name)
				send(t, c, s, "kept."+name, harness.Fields{"count": 100})
				send(t, c, s, "gone."+name, harness.Fields{"count": 10, "durable": false})
				inOrder(t, receive(t, c, s, "kept."+name, 30), name, 1, 64)
			}
			if killed {
				s.Kill(t)
			} else {
				s.Stop(t)
			}
			s.Run(t)
			for _, name := range harness.Names {
				got := messages(t, receiving(t, harness.Driver(t, "python"), s, "kept."+name, harness.Fields{"drain": true, "credit": 200}))
				if killed {
					// An answer settled first is no promise: what it was for may
					// come again, but only flagged.
					got = slices.DeleteFunc(got, func(e harness.Event) bool { return e.Seq <= 30 && e.Redelivered })
				}
				if len(got) != 70 {
					t.Fatalf("%s: %d of 70 messages were kept", name, len(got))
				}
				inOrder(t, got, name, 31, 64)
				empty(t, s, "gone."+name)
			}
		})
	}
}

// TestRedeliveredAfterCrash: a message that was delivered and not confirmed
// before a crash comes back flagged; one that never left does not.
func TestRedeliveredAfterCrash(t *testing.T) {
	s := harness.Start(t)
	step(t, "before", func(t *testing.T) {
		each(t, nil, func(t *testing.T, c *harness.Client) {
			send(t, c, s, "flagged."+c.Name, harness.Fields{"count": 10})
			send(t, c, s, "fresh."+c.Name, harness.Fields{"count": 10})
			receive(t, c, s, "flagged."+c.Name, 10, harness.Fields{"ack": "none", "credit": 10})
		})
	})
	s.Kill(t)
	s.Run(t)
	step(t, "after", func(t *testing.T) {
		each(t, nil, func(t *testing.T, c *harness.Client) {
			for _, e := range receive(t, c, s, "flagged."+c.Name, 10) {
				if !e.Redelivered || e.DeliveryCount < 1 {
					t.Errorf("message %d was offered before the crash and comes back unflagged", e.Seq)
				}
			}
			for _, e := range receive(t, c, s, "fresh."+c.Name, 10) {
				if e.Redelivered {
					t.Errorf("message %d was never offered and comes flagged", e.Seq)
				}
			}
		})
	})
}

// TestShutdown: SIGTERM tells every client why, and the exit code is 0.
func TestShutdown(t *testing.T) {
	s := harness.Start(t)
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	conn, err := amqp.Dial(ctx, s.URL, &amqp.ConnOptions{SASLType: amqp.SASLTypeAnonymous()})
	if err != nil {
		t.Fatal(err)
	}
	session, err := conn.NewSession(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.NewReceiver(ctx, "idle", nil); err != nil {
		t.Fatal(err)
	}
	s.Stop(t)
	select {
	case <-conn.Done():
	case <-time.After(harness.Patience):
		t.Fatal("the connection stayed open")
	}
	var closed *amqp.ConnError
	if !errors.As(conn.Err(), &closed) || closed.RemoteErr == nil || closed.RemoteErr.Condition != "amqp:connection:forced" {
		t.Errorf("closed with %v, want amqp:connection:forced", conn.Err())
	}
}

// TestSecondServer: two gateways never share a store; the second says who has it.
func TestSecondServer(t *testing.T) {
	s := harness.Start(t)
	r := s.Tool(t, "", "serve", "--listen", "amqp://127.0.0.1:0", "--data", "{data}", "--console", "off")
	if r.Code == 0 {
		t.Fatal("a second server ran on the same data")
	}
	if !strings.Contains(r.Stderr, strconv.Itoa(s.PID())) {
		t.Errorf("the refusal does not name process %d: %q", s.PID(), r.Stderr)
	}
	send(t, harness.Driver(t, "go"), s, "q", harness.Fields{"count": 1})
}
