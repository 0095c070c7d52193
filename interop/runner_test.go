package interop

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/interop/translate"
)

func certified(change ...func(s *Spec)) Spec {
	s := Spec{Name: "T", Type: "certified", Keys: map[string]string{}}
	for _, c := range change {
		c(&s)
	}
	return s
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	g, _ := got.([]string)
	w, ok := want.([]string)
	if ok && !slices.Equal(g, w) || !ok && got != want {
		t.Fatalf("%s: %.2000s, not %.2000s", what, fmt.Sprint(got), fmt.Sprint(want))
	}
}

// TestExportWaitsForTheOutside: what was sent while the outside was away goes out in
// order, and what it did not confirm goes out again, said to be so.
func TestExportWaitsForTheOutside(t *testing.T) {
	rigged(t, func(g *rig) {
		g.define(topic("a.>"), "export=T")
		g.outside.set(func(o *outside) { o.up = false })
		g.manager.Apply([]Spec{certified()})
		for i := range 5 {
			g.send(topic("a.x"), itoa(i))
		}
		if s := g.status("T"); s.State != Connecting || s.Error != "connection refused" {
			t.Fatalf("status %+v", s)
		}
		g.outside.set(func(o *outside) { o.up, o.holds = true, true })
		time.Sleep(time.Minute)
		synctest.Wait()
		equal(t, "sent", g.outside.texts(), numbered(5, "a.x:%d"))
		if s := g.status("T"); s.State != Connected || s.UnderWay != 5 || s.Counts.Exported != 0 {
			t.Fatalf("status %+v", s)
		}
		g.outside.set(func(o *outside) { o.holds, o.got = false, nil })
		g.outside.fail("broken pipe")
		time.Sleep(time.Minute)
		g.send(topic("a.y"), "5")
		equal(t, "sent again", g.outside.texts(), append(numbered(5, "a.x:%d+"), "a.y:5"))
		s := g.status("T")
		if s.Counts.Exported != 6 || s.Counts.Resent != 5 || s.UnderWay != 0 {
			t.Fatalf("counts %+v", s.Counts)
		}
		equal(t, "left", g.texts("$sys.export.T"), []string(nil))
	})
}

// TestExportSurvivesARestart: the same id goes out before and after.
func TestExportSurvivesARestart(t *testing.T) {
	rigged(t, func(g *rig) {
		g.define(topic("a"), "export=T")
		g.outside.set(func(o *outside) { o.holds = true })
		g.manager.Apply([]Spec{certified()})
		g.send(topic("a"), "x")
		first := g.outside.got[0]
		g.stop()
		g.outside.set(func(o *outside) { o.holds, o.got = false, nil })
		g.start()
		g.define(topic("a"), "export=T")
		g.manager.Apply([]Spec{certified()})
		synctest.Wait()
		again := g.outside.got
		if len(again) != 1 || again[0].id != first.id || !again[0].again {
			t.Fatalf("%+v, was %+v", again, first)
		}
	})
}

// TestReliableLosesAndCounts: while it is not connected; nothing waits.
func TestReliableLosesAndCounts(t *testing.T) {
	rigged(t, func(g *rig) {
		g.define(topic("a"), "export=T")
		g.outside.set(func(o *outside) { o.up = false })
		g.manager.Apply([]Spec{certified(func(s *Spec) { s.Type = "reliable" })})
		for i := range 10_000 {
			g.send(topic("a"), itoa(i))
		}
		if s := g.status("T"); s.Counts.LostOut != 10_000 {
			t.Fatalf("counts %+v", s.Counts)
		}
		g.outside.set(func(o *outside) { o.up = true })
		time.Sleep(time.Minute)
		g.send(topic("a"), "x")
		equal(t, "sent", g.outside.texts(), []string{"a:x"})
		equal(t, "left", g.texts("$sys.export.T"), []string(nil))
	})
}

// TestReliableCutWhileFull: a session that ends with all it may have under way costs that
// and no more, however often.
func TestReliableCutWhileFull(t *testing.T) {
	rigged(t, func(g *rig) {
		g.define(topic("a"), "export=T")
		g.manager.Apply([]Spec{certified(func(s *Spec) { s.Type = "reliable" })})
		synctest.Wait()
		const round = 5000
		sent := uint64(0)
		for range 4 {
			g.outside.set(func(o *outside) { o.stuck = true })
			for i := range round {
				g.send(topic("a"), itoa(i))
			}
			sent += round
			g.outside.fail("broken pipe")
			g.outside.set(func(o *outside) { o.stuck = false })
			time.Sleep(time.Minute)
			synctest.Wait()
			if c := g.status("T").Counts; c.Exported+c.LostOut != sent {
				t.Fatalf("of %d messages %d went out and %d were lost", sent, c.Exported, c.LostOut)
			}
		}
		before := len(g.outside.texts())
		for i := range round {
			g.send(topic("a"), itoa(i))
		}
		synctest.Wait()
		if n := len(g.outside.texts()) - before; n != round {
			t.Fatalf("%d of %d messages went out", n, round)
		}
		equal(t, "left", g.texts("$sys.export.T"), []string(nil))
	})
}

// TestImportOnce: what is here and comes again, because the outside never heard of it,
// is confirmed and not taken twice; over a restart too.
func TestImportOnce(t *testing.T) {
	rigged(t, func(g *rig) {
		spec := certified(func(s *Spec) {
			s.Keys["queue_import_dm"] = "TIBEMS_PERSISTENT"
			s.Imports = []Destination{queue("q.*")}
		})
		g.manager.Apply([]Spec{spec})
		synctest.Wait()
		tags := g.outside.deliver(text(queue("q.a"), "1", 1), text(queue("q.b"), "2", 2), text(queue("q.a"), "3", 3))
		synctest.Wait()
		for _, tag := range tags {
			if g.outside.outcome(tag) != Taken {
				t.Fatalf("message %d was not confirmed", tag)
			}
		}
		g.stop()
		g.start()
		g.manager.Apply([]Spec{spec})
		synctest.Wait()
		tags = g.outside.deliver(text(queue("q.a"), "3", 3), text(queue("q.a"), "4", 4))
		synctest.Wait()
		equal(t, "q.a", g.texts("q.a"), []string{"1", "3", "4"})
		equal(t, "q.b", g.texts("q.b"), []string{"2"})
		s := g.status("T")
		if g.outside.outcome(tags[0]) != Taken || s.Counts.Duplicates != 1 || s.Counts.Imported != 1 {
			t.Fatalf("counts %+v", s.Counts)
		}
		m := g.messages("q.a")[0]
		if v, _ := m.ApplicationProperty("JMS_TIBCO_IMPORTED"); v != true {
			t.Error("it is not marked as imported")
		}
		if v, _ := m.ApplicationProperty("JMS_TIBCO_CM_SEQUENCE"); v != int64(1) {
			t.Errorf("its sequence is %v", v)
		}
		if m.MessageID() == nil || !m.CreationTime().OK {
			t.Error("it has no id, or no time")
		}
	})
}

// TestImportWaitsForRoom: a full queue holds the outside back, and nothing is lost.
func TestImportWaitsForRoom(t *testing.T) {
	rigged(t, func(g *rig) {
		g.define(queue("q"), "maxmsgs=2")
		g.manager.Apply([]Spec{certified(func(s *Spec) { s.Imports = []Destination{queue("q")} })})
		synctest.Wait()
		tags := g.outside.deliver(text(queue("q"), "1", 0), text(queue("q"), "2", 0), text(queue("q"), "3", 0))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		equal(t, "q", g.texts("q"), []string{"1", "2"})
		if g.outside.outcome(tags[2]) != 0 {
			t.Fatal("what is not here was confirmed")
		}
		if s := g.status("T"); !strings.Contains(s.Error, "limit") {
			t.Fatalf("status says %q", s.Error)
		}
		g.define(queue("q"), "maxmsgs=0")
		time.Sleep(10 * time.Second)
		equal(t, "q", g.texts("q"), []string{"1", "2", "3"})
		if g.outside.outcome(tags[2]) != Taken {
			t.Fatal("it was not confirmed")
		}
	})
}

// TestImportIsSlowed: flow control holds an import back as it does producers.
func TestImportIsSlowed(t *testing.T) {
	rigged(t, func(g *rig) {
		g.broker.FlowControl(true, false)
		g.define(queue("q"), "flowControl=2KB")
		g.manager.Apply([]Spec{certified()})
		synctest.Wait()
		long := strings.Repeat("x", 3000)
		g.outside.deliver(text(queue("q"), long, 1))
		synctest.Wait()
		tags := g.outside.deliver(text(queue("q"), "next", 2))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if g.outside.outcome(tags[0]) != 0 {
			t.Fatal("it came in")
		}
		g.broker.FlowControl(false, false)
		time.Sleep(10 * time.Second)
		equal(t, "q", g.texts("q"), []string{long, "next"})
		if g.outside.outcome(tags[0]) != Taken {
			t.Fatal("it was not confirmed")
		}
	})
}

// TestEditedWhileItConnects: what is changed while a session is being prepared counts.
func TestEditedWhileItConnects(t *testing.T) {
	rigged(t, func(g *rig) {
		with := func(d ...Destination) []Spec {
			return []Spec{certified(func(s *Spec) { s.Imports = d })}
		}
		g.outside.set(func(o *outside) { o.meanwhile = func() { g.manager.Apply(with(queue("new"))) } })
		g.manager.Apply(with(queue("old")))
		synctest.Wait()
		if i := g.outside.imports; len(i) != 1 || i[0].Name != "new" {
			t.Fatalf("it imports %v", i)
		}
	})
}

// TestLargeMessages: above 1 MiB they lie in files, both ways; what is too large to go out
// is kept as it is.
func TestLargeMessages(t *testing.T) {
	rigged(t, func(g *rig) {
		g.define(topic("a"), "export=T")
		g.manager.Apply([]Spec{certified(func(s *Spec) { s.Keys["queue_import_dm"] = "TIBEMS_PERSISTENT" })})
		synctest.Wait()
		big := strings.Repeat("0123456789abcdef", 200_000)
		tags := g.outside.deliver(text(queue("q"), "small", 1), text(queue("q"), big, 2))
		synctest.Wait()
		if g.outside.outcome(tags[1]) != Taken {
			t.Fatal("it was not confirmed")
		}
		g.define(queue("q"), "")
		if err := g.broker.SetBridges(nil); err != nil {
			t.Fatal(err)
		}
		g.manager.Apply([]Spec{certified(func(s *Spec) { s.QueueExports = []string{"q"} })})
		synctest.Wait()
		if out := g.outside.got; len(out) != 2 || out[0].text != "small" || out[1].text != big {
			t.Fatalf("%d messages came out", len(out))
		}
		g.outside.set(func(o *outside) {
			o.refuses = func(o *Outbound) error { return errors.New("too large") }
		})
		tags = g.outside.deliver(text(queue("q"), big, 3))
		synctest.Wait()
		s := g.status("T")
		if g.outside.outcome(tags[0]) != Taken || s.Counts.Refused != 1 {
			t.Fatalf("counts %+v", s.Counts)
		}
		g.do(func(_ time.Time, b *core.Broker, _ *core.Effects) {
			if v, _ := b.QueueView(core.UndeliveredQueue); v.Msgs != 1 || v.Bytes < int64(len(big)) {
				t.Errorf("undelivered: %+v", v)
			}
		})
	})
}

// TestRefused: what can never go out is among the undelivered, with the reason.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		onError  string
		left     []string
		state    State
		outgoing []string
	}{
		{"undelivered", []string{"bad"}, Connected, nil},
		{"drop", nil, Connected, nil},
		{"stop", nil, Stopped, []string{"bad", "good"}},
	} {
		t.Run(c.onError, func(t *testing.T) {
			rigged(t, func(g *rig) {
				g.define(topic("a"), "export=T")
				g.outside.refuses = func(o *Outbound) error {
					if text, _ := o.Message.Text(); text == "bad" {
						return errors.New("it is too large: 8 MB are allowed")
					}
					return nil
				}
				g.manager.Apply([]Spec{certified(func(s *Spec) { s.Keys["on_error"] = c.onError })})
				g.send(topic("a"), "bad")
				synctest.Wait()
				g.send(topic("a"), "good")
				equal(t, "undelivered", g.texts(core.UndeliveredQueue), c.left)
				equal(t, "waits", g.texts("$sys.export.T"), c.outgoing)
				s := g.status("T")
				if s.State != c.state || s.Counts.Refused == 0 {
					t.Fatalf("status %+v", s)
				}
				if c.left != nil && !strings.Contains(g.notes, "too large") {
					t.Errorf("its reason is %q", g.notes)
				}
			})
		})
	}
}

// TestLoopGuards: what came in by a topic does not leave by it; what has left a gateway
// once leaves none again; what has been here is not taken again.
func TestLoopGuards(t *testing.T) {
	rigged(t, func(g *rig) {
		g.define(topic("a"), "import=T,export=T")
		g.define(topic("b"), "export=T")
		if err := g.broker.SetBridges([]core.Bridge{{Source: topic("a"), Target: topic("b")}}); err != nil {
			t.Fatal(err)
		}
		g.manager.Apply([]Spec{certified(func(s *Spec) { s.Imports = []Destination{topic("a")} })})
		synctest.Wait()
		g.outside.deliver(text(topic("a"), "native", 0)) // goes out by b, to which it is bridged
		synctest.Wait()
		equal(t, "sent", g.outside.texts(), []string{"b:native"})
		other := text(topic("a"), "far", 0)
		other.Origin = "elsewhere;X"
		g.outside.deliver(other)
		synctest.Wait()
		back := text(topic("a"), "back", 0)
		back.Origin = "rig-1;T"
		tags := g.outside.deliver(back)
		synctest.Wait()
		equal(t, "sent", g.outside.texts(), []string{"b:native"})
		if s := g.status("T"); s.Counts.LoopDropped != 4 || g.outside.outcome(tags[0]) != Taken {
			t.Fatalf("counts %+v", s.Counts)
		}
		if by := g.outside.got[0].by; by != "rig-1;T" {
			t.Fatalf("its origin is %q", by)
		}
		equal(t, "waits", g.texts("$sys.export.T"), []string(nil))
	})
}

// TestReplyComesBack: to a temporary destination, by an address outside.
func TestReplyComesBack(t *testing.T) {
	rigged(t, func(g *rig) {
		g.define(topic("a"), "export=T")
		g.manager.Apply([]Spec{certified()})
		var temp core.Destination
		g.do(func(now time.Time, b *core.Broker, fx *core.Effects) {
			var err error
			if temp, err = b.CreateTemporary(now, g.conn.ID(), core.Queue, fx); err != nil {
				t.Fatal(err)
			}
		})
		g.send(topic("a"), "ask", func(m *translate.Message) {
			m.ReplyTo = translate.Destination{Name: temp.Name, Kind: translate.TemporaryQueue}
		})
		synctest.Wait()
		reply := g.outside.got[0].reply
		token, ok := strings.CutPrefix(reply, "reply.")
		if !ok {
			t.Fatalf("its address is %q", reply)
		}
		answer := text(queue("?"), "answer", 0)
		answer.Token = token
		g.outside.deliver(answer)
		equal(t, "answers", g.texts(temp.Name), []string{"answer"})
		late := text(queue("?"), "late", 0)
		late.Token = "999"
		tags := g.outside.deliver(late)
		synctest.Wait()
		if s := g.status("T"); s.Counts.LateReplies != 1 || s.Leases != 1 || g.outside.outcome(tags[0]) != Taken {
			t.Fatalf("status %+v", s)
		}
	})
}

// TestWrongSettings: what is no value keeps a transport from starting, and is said.
func TestWrongSettings(t *testing.T) {
	for key, value := range map[string]string{ // order: irrelevant
		"prefetch": "0", "max_hops": "many", "max_reconnect_delay": "-1", "temp_destination_timeout": "1h",
		"export_imported": "perhaps", "mark_imported": "2", "on_error": "retry",
	} {
		t.Run(key, func(t *testing.T) {
			rigged(t, func(g *rig) {
				g.manager.Apply([]Spec{certified(func(s *Spec) { s.Keys[key] = value })})
				if s := g.status("T"); s.State != Stopped || !strings.Contains(s.Error, key) || !strings.Contains(s.Error, "write") {
					t.Fatalf("status %+v", s)
				}
			})
		})
	}
}

// TestSuspendAndEdit: while it is suspended messages wait; new destinations count at once.
func TestSuspendAndEdit(t *testing.T) {
	rigged(t, func(g *rig) {
		g.define(topic("a"), "export=T")
		spec := certified(func(s *Spec) { s.Imports = []Destination{queue("x")} })
		broken := Spec{Name: "B", Type: "broken"}
		g.manager.Apply([]Spec{broken, spec})
		g.send(topic("a"), "1")
		if err := g.manager.Suspend("T"); err != nil {
			t.Fatal(err)
		}
		g.send(topic("a"), "2")
		if s := g.status("T"); s.State != Suspended {
			t.Fatalf("status %+v", s)
		}
		equal(t, "sent", g.outside.texts(), []string{"a:1"})
		if err := g.manager.Resume("T"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		equal(t, "sent", g.outside.texts(), []string{"a:1", "a:2"})
		spec.Imports = []Destination{queue("x"), queue("y.>"), queue("y.z")}
		spec.QueueExports = []string{"out"}
		g.manager.Apply([]Spec{broken, spec})
		g.send(queue("out"), "3")
		equal(t, "sent", g.outside.texts(), []string{"a:1", "a:2", "out:3"})
		if i := g.outside.imports; len(i) != 2 || i[1].Name != "y.>" {
			t.Fatalf("imports %v", i)
		}
		if s := g.status("B"); s.State != Stopped || !strings.Contains(s.Error, "url: write one") {
			t.Fatalf("status %+v", s)
		}
		if g.outside.opens != 2 {
			t.Fatalf("it connected %d times", g.outside.opens)
		}
		g.manager.Apply(nil)
		if _, err := g.manager.Status("T"); !errors.Is(err, ErrUnknown) {
			t.Fatal(err)
		}
		g.send(topic("a"), "nobody")
		equal(t, "waits", g.texts("$sys.export.T"), []string(nil))
	})
}
