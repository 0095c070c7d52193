package suite

import (
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// TestWhereMessagesEndInJMS: some cells of docs/overflow.md as a JMS program sees them,
// through Qpid JMS.
func TestWhereMessagesEndInJMS(t *testing.T) {
	s := harness.Start(t, "--config", emsSet(t, endsSet))
	jms := harness.Driver(t, "java")
	shows := openConsole(t, s, "admin", "")
	preserved := harness.Fields{"properties": harness.Fields{"JMS_TIBCO_PRESERVE_UNDELIVERED": true}}
	to := func(address string, more ...harness.Fields) harness.Fields {
		return with(append([]harness.Fields{{"cmd": "send", "url": s.URL, "address": address, "producer": "p", "count": 1}}, more...)...)
	}
	t.Run("full", func(t *testing.T) {
		shows.t = t
		send(t, jms, s, "msgs.default.jms", harness.Fields{"count": 1})
		done, events := jms.Do(t, to("msgs.default.jms")).Done(t)
		if done.Refused != 1 {
			t.Fatalf("%+v", done)
		}
		for _, e := range events {
			if e.Event == "outcome" && e.Outcome != "rejected" {
				t.Errorf("a send to a full queue is %s", e.Outcome)
			}
		}
		send(t, jms, s, "msgs.default.jms", harness.Fields{"count": 1, "durable": false}) // unchecked: accepted and dropped
		if n := shows.counts("show queue msgs.default.jms"); n["msgs"] != 1 || n["refused_msgs"] != 2 {
			t.Errorf("show queue tells %v", n)
		}
	})
	t.Run("discardOld", func(t *testing.T) {
		shows.t = t
		send(t, jms, s, "msgs.old.jms", harness.Fields{"count": 5})
		if n := shows.counts("show queue msgs.old.jms"); n["discarded_msgs"] != 4 {
			t.Errorf("show queue tells %v", n)
		}
		if got := receive(t, jms, s, "msgs.old.jms", 1); got[0].Seq != 5 {
			t.Errorf("message %d is left of 5", got[0].Seq)
		}
	})
	t.Run("expired", func(t *testing.T) {
		shows.t = t
		send(t, jms, s, "plain.jms", preserved, harness.Fields{"count": 1, "ttl_ms": 30})
		wait(t, "the sweep", func() bool { return shows.counts("show queue $sys.undelivered")["msgs"] == 1 })
		undelivered(t, jms, s)
	})
	t.Run("maxRedelivery", func(t *testing.T) {
		shows.t = t
		send(t, jms, s, "tries.jms", preserved, harness.Fields{"count": 1})
		for range 2 {
			receive(t, jms, s, "tries.jms", 1, harness.Fields{"transaction": "rollback", "credit": 1})
		}
		undelivered(t, jms, s)
	})
}

// undelivered takes the message that a JMS program finds in $sys.undelivered: its client
// must not drop it for being expired.
func undelivered(t *testing.T, jms *harness.Client, s *harness.Server) {
	t.Helper()
	got := receive(t, jms, s, "$sys.undelivered", 1)
	if e := got[0]; e.Seq != 1 || e.Properties["JMS_TIBCO_PRESERVE_UNDELIVERED"] != true {
		t.Errorf("it comes as %+v", e)
	}
}
