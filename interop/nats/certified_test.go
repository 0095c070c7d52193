package nats

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidegate/tidegate/interop"
)

// TestStreamIsMade: the stream of certified messages is made as migration 3.7 says, grows
// with what is exported, and a message sent twice is in it once.
func TestStreamIsMade(t *testing.T) {
	p := startEmbedded(t, true)
	s, r := session(t, certifiedType, p.Keys(), p.Shared())
	ctx := within(t)
	if err := s.Exports(ctx, []interop.Destination{topic("a.b"), topic("c d")}); err != nil {
		t.Fatal(err)
	}
	if err := s.Exports(ctx, []interop.Destination{topic("a.>")}); err != nil {
		t.Fatal(err)
	}
	st, err := p.js.Stream(ctx, "EMS_EXPORT")
	if err != nil {
		t.Fatal(err)
	}
	c := st.CachedInfo().Config
	if c.Retention != jetstream.InterestPolicy || c.Storage != jetstream.FileStorage || !slices.Equal(slices.Sorted(slices.Values(c.Subjects)), []string{"a.>", "c%20d"}) {
		t.Fatalf("the stream is %v, %v, of %v", c.Retention, c.Storage, c.Subjects)
	}
	if _, err := st.CreateConsumer(ctx, jetstream.ConsumerConfig{Durable: "keeper", AckPolicy: jetstream.AckExplicitPolicy}); err != nil {
		t.Fatal(err)
	}
	if err := s.Send(ctx, []interop.Outbound{out(1, topic("a.b"), "id1", "x"), out(2, topic("a.b"), "id1", "x"), out(3, topic("a.b"), "id2", "y")}); err != nil {
		t.Fatal(err)
	}
	r.until(t, "three confirmations", func() bool { return len(r.sent) == 3 })
	if i, err := st.Info(ctx); err != nil || i.State.Msgs != 2 {
		t.Errorf("the stream has %d messages, %v: want 2", i.State.Msgs, err)
	}
}

// TestStreamOfOthers: a subject that another stream has goes there, and that is noted; with
// no stream left nothing is confirmed, and the session ends.
func TestStreamOfOthers(t *testing.T) {
	p := startEmbedded(t, true)
	ctx := within(t)
	if _, err := p.js.CreateStream(ctx, jetstream.StreamConfig{Name: "THEIRS", Subjects: []string{"a.>"}}); err != nil {
		t.Fatal(err)
	}
	s, r := session(t, certifiedType, p.Keys(), p.Shared())
	if err := s.Exports(ctx, []interop.Destination{topic("a.b")}); err != nil {
		t.Fatal(err)
	}
	r.until(t, "a note", func() bool { return len(r.notes) == 1 && strings.Contains(r.notes[0], "THEIRS") })
	if _, err := p.js.Stream(ctx, "EMS_EXPORT"); err == nil {
		t.Error("EMS_EXPORT was made, and nothing needs it")
	}
	if err := s.Send(ctx, []interop.Outbound{out(1, topic("a.b"), "id1", "x")}); err != nil {
		t.Fatal(err)
	}
	r.until(t, "a confirmation", func() bool { return len(r.sent) == 1 })
	if err := p.js.DeleteStream(ctx, "THEIRS"); err != nil {
		t.Fatal(err)
	}
	if err := s.Send(ctx, []interop.Outbound{out(2, topic("a.b"), "id2", "x")}); err != nil {
		t.Fatal(err)
	}
	r.until(t, "the session to end", func() bool { return r.failure != nil })
	if len(r.sent) != 1 || !strings.Contains(r.failure.Error(), "no stream") {
		t.Errorf("%d were confirmed, and it ended with %v", len(r.sent), r.failure)
	}
}

// TestStreamLimits: what the stream alone refuses is refused, by what it says; what is full
// now may have room later, and ends the session.
func TestStreamLimits(t *testing.T) {
	p := startEmbedded(t, true)
	ctx := within(t)
	_, err := p.js.CreateStream(ctx, jetstream.StreamConfig{Name: "SMALL", Subjects: []string{"a"}, MaxMsgSize: 500, MaxMsgs: 1, Discard: jetstream.DiscardNew})
	if err != nil {
		t.Fatal(err)
	}
	s, r := session(t, certifiedType, p.Keys(), p.Shared())
	if err := s.Exports(ctx, []interop.Destination{topic("a")}); err != nil {
		t.Fatal(err)
	}
	if err := s.Send(ctx, []interop.Outbound{out(1, topic("a"), "id1", strings.Repeat("x", 600))}); err != nil {
		t.Fatal(err)
	}
	r.until(t, "a refusal", func() bool { return len(r.sent) == 1 && r.sent[0].Refused != nil })
	if !strings.Contains(r.sent[0].Refused.Error(), "max_msg_size") {
		t.Errorf("it is refused with %q", r.sent[0].Refused)
	}
	if err := s.Send(ctx, []interop.Outbound{out(2, topic("a"), "id2", "x"), out(3, topic("a"), "id3", "x")}); err != nil {
		t.Fatal(err)
	}
	r.until(t, "the session to end", func() bool { return r.failure != nil })
	if len(r.sent) != 2 || r.sent[1].Refused != nil {
		t.Errorf("answers %v: want one more confirmation", r.sent)
	}
}

// TestExpirationIsTheirs: JMSExpiration and default_ttl become a time to live, the shorter
// of the two.
func TestExpirationIsTheirs(t *testing.T) {
	p := startEmbedded(t, true)
	keys := maps.Clone(p.Keys())
	keys["default_ttl"] = "600"
	s, r := session(t, certifiedType, keys, p.Shared())
	ctx := within(t)
	if err := s.Exports(ctx, []interop.Destination{topic("a")}); err != nil {
		t.Fatal(err)
	}
	box := p.follow(t, "a").(*streamBox)
	soon, late := out(1, topic("a"), "id1", "x"), out(2, topic("a"), "id2", "x")
	soon.Expires, late.Expires = time.Now().Add(30*time.Second).UnixMilli(), time.Now().Add(time.Hour).UnixMilli()
	if err := s.Send(ctx, []interop.Outbound{soon, late, out(3, topic("a"), "id3", "x")}); err != nil {
		t.Fatal(err)
	}
	r.until(t, "confirmations", func() bool { return len(r.sent) == 3 })
	for i, most := range []string{"30", "600", "600"} {
		m, err := box.st.GetMsg(ctx, box.next+uint64(i))
		if err != nil {
			t.Fatal(err)
		}
		if ttl := m.Header.Get("Nats-TTL"); ttl != most {
			t.Errorf("message %d lives %s s, want %s", i+1, ttl, most)
		}
	}
}

// TestTakenUpWhereItWas: messages that a session had and did not settle, because it was
// killed, come before newer ones in the next, in order, and flagged.
func TestTakenUpWhereItWas(t *testing.T) {
	p := startEmbedded(t, true)
	ctx := within(t)
	dead, first := session(t, certifiedType, p.Keys(), p.Shared())
	if err := dead.Imports(ctx, []interop.Destination{topic("in")}); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"1", "2", "3"} {
		p.send(t, &nats.Msg{Subject: "in", Data: []byte(text)})
	}
	first.until(t, "three messages", func() bool { return len(first.in) == 3 })
	dead.Settle([]interop.Settlement{{Tag: first.in[1].Tag, Outcome: interop.Taken}})
	dead.(*certified).nc.Close() // without a word
	p.send(t, &nats.Msg{Subject: "in", Data: []byte("4")})

	s, r := session(t, certifiedType, p.Keys(), p.Shared())
	if err := s.Imports(ctx, []interop.Destination{topic("in")}); err != nil {
		t.Fatal(err)
	}
	r.until(t, "message 4", func() bool { return len(r.in) > 0 && r.in[len(r.in)-1].Fields.Body.Text == "4" })
	last := uint64(0)
	for _, in := range r.in {
		if in.Sequence <= last {
			t.Errorf("sequence %d came behind %d", in.Sequence, last)
		}
		last = in.Sequence
		// 4 is flagged as well where the server gave it to the dead session, before it saw
		// that this was gone.
		if in.Sequence < 4 && !in.Again || in.Source != first.in[0].Source {
			t.Errorf("message %d: again %v, of %s", in.Sequence, in.Again, in.Source)
		}
	}
	if r.in[0].Sequence != 1 || !slices.ContainsFunc(r.in, func(in interop.Inbound) bool { return in.Sequence == 3 }) {
		t.Errorf("sequences %v came: want 1 and 3 among them", r.in)
	}
}

// TestGivenBack: what is given back comes again at once.
func TestGivenBack(t *testing.T) {
	p := startEmbedded(t, true)
	ctx := within(t)
	s, r := session(t, certifiedType, p.Keys(), p.Shared())
	if err := s.Imports(ctx, []interop.Destination{topic("in")}); err != nil {
		t.Fatal(err)
	}
	p.send(t, &nats.Msg{Subject: "in", Data: []byte("1")})
	r.until(t, "it", func() bool { return len(r.in) == 1 })
	s.Settle([]interop.Settlement{{Tag: r.in[0].Tag, Outcome: interop.Again}})
	r.until(t, "it again", func() bool { return len(r.in) == 2 && r.in[1].Again && r.in[1].Sequence == r.in[0].Sequence })
}

// TestPrefetchBoundsAll: of all imports together no more than prefetch are not settled.
func TestPrefetchBoundsAll(t *testing.T) {
	p := startEmbedded(t, true)
	ctx := within(t)
	keys := maps.Clone(p.Keys())
	keys["prefetch"] = "5"
	s, r := session(t, certifiedType, keys, p.Shared())
	if err := s.Imports(ctx, []interop.Destination{topic("a"), topic("b"), topic("c")}); err != nil {
		t.Fatal(err)
	}
	const n = 30
	for i := range n {
		p.send(t, &nats.Msg{Subject: string(rune('a' + i%3)), Data: []byte("x")})
	}
	for settled := 0; settled < n; settled++ {
		r.until(t, "as many as may come", func() bool { return len(r.in) >= min(n, settled+5) })
		var tag uint64
		r.do(func() {
			if len(r.in) > settled+5 {
				t.Errorf("%d messages came, and %d were settled", len(r.in), settled)
			}
			tag = r.in[settled].Tag
		})
		s.Settle([]interop.Settlement{{Tag: tag, Outcome: interop.Taken}})
	}
}

// TestManySubjects: thousands of exported topics are prepared with a few questions, in the
// next session too.
func TestManySubjects(t *testing.T) {
	p := startEmbedded(t, true)
	ctx := within(t)
	if _, err := p.js.CreateStream(ctx, jetstream.StreamConfig{Name: "THEIRS", Subjects: []string{"many.7.>"}}); err != nil {
		t.Fatal(err)
	}
	s, r := session(t, certifiedType, p.Keys(), p.Shared())
	var all []interop.Destination
	for i := range 3000 { // the server itself compares all with all
		all = append(all, topic(fmt.Sprintf("many.%d.%d", i%100, i/100)))
	}
	asked := s.(*certified).nc.Stats().OutMsgs
	for range 2 {
		if err := s.Exports(ctx, all); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.(*certified).nc.Stats().OutMsgs - asked; n > 50 {
		t.Errorf("it took %d questions", n)
	}
	st, err := p.js.Stream(ctx, "EMS_EXPORT")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(st.CachedInfo().Config.Subjects); n != 2970 {
		t.Errorf("the stream has %d subjects, and 30 of 3000 are another's", n)
	}
	if err := s.Send(ctx, []interop.Outbound{out(1, topic("many.7.7"), "id1", "x"), out(2, topic("many.8.7"), "id2", "x")}); err != nil {
		t.Fatal(err)
	}
	r.until(t, "confirmations", func() bool { return len(r.sent) == 2 && r.sent[0].Refused == nil && r.sent[1].Refused == nil })
	if len(r.notes) != 2 {
		t.Errorf("the notes are %q: want one of the other stream, one of the one made", r.notes)
	}
	again, _ := session(t, certifiedType, p.Keys(), p.Shared())
	if err := again.Exports(ctx, all); err != nil {
		t.Fatal(err)
	}
}

// TestOneByOne: with sync_ledger each message is confirmed before the next goes out, so
// what a full stream refuses for now has nothing behind it in the stream.
func TestOneByOne(t *testing.T) {
	p := startEmbedded(t, true)
	ctx := within(t)
	st, err := p.js.CreateStream(ctx, jetstream.StreamConfig{
		Name: "FULL", Subjects: []string{"a", "b"}, MaxMsgsPerSubject: 1, DiscardNewPerSubject: true, Discard: jetstream.DiscardNew, MaxMsgs: 100,
	})
	if err != nil {
		t.Fatal(err)
	}
	keys := maps.Clone(p.Keys())
	keys["sync_ledger"] = "true"
	s, r := session(t, certifiedType, keys, p.Shared())
	sending, stop := context.WithCancel(ctx)
	sent := make(chan error, 1)
	go func() {
		sent <- s.Send(sending, []interop.Outbound{out(1, topic("a"), "id1", "x"), out(2, topic("a"), "id2", "x"), out(3, topic("b"), "id3", "x")})
	}()
	r.until(t, "the session to end", func() bool { return r.failure != nil })
	stop() // as the runner does
	err = <-sent
	if i, e := st.Info(ctx); e != nil || len(r.sent) != 1 || i.State.Msgs != 1 || err == nil {
		t.Errorf("%d confirmed, %d in the stream, %v, %v", len(r.sent), i.State.Msgs, err, e)
	}
}
