package amqp091

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/interoptest"
	"github.com/tidegate/tidegate/interop/translate"
)

// rig is a gateway and a RabbitMQ.
type rig struct {
	*rabbit
	g    *interoptest.Gateway
	spec interop.Spec
}

var rigs int

func newRig(t *testing.T, keys ...string) *rig {
	t.Helper()
	rigs++
	r := &rig{rabbit: openRabbit(t), g: interoptest.NewGateway(t, interoptest.GatewayOptions{Factories: []interop.Factory{Factory()}})}
	r.spec = interop.Spec{Name: fmt.Sprintf("R%d", rigs), Type: "amqp091", Keys: r.Keys()}
	r.spec.Keys["queue_import_dm"] = "TIBEMS_PERSISTENT"
	for i := 0; i < len(keys); i += 2 {
		r.spec.Keys[keys[i]] = keys[i+1]
	}
	return r
}

// named makes a destination that no other test has.
func (r *rig) named(t *testing.T, kind interop.Destination) interop.Destination {
	kind.Name = fmt.Sprintf("%s.%s.%s", t.Name(), r.spec.Name, kind.Name)
	return kind
}

func topic(n string) interop.Destination { return interop.Destination{Kind: interop.Topic, Name: n} }

func queue(n string) interop.Destination { return interop.Destination{Kind: interop.Queue, Name: n} }

func said(id, body string) *translate.Message {
	return &translate.Message{
		Kind: message.KindText, MessageID: "ID:" + id, Priority: message.DefaultPriority, Persistent: true, Timestamp: 1_790_000_000_123,
		Body: translate.Body{Form: translate.Text, Text: body},
	}
}

func (r *rig) send(to interop.Destination, m *translate.Message) { r.g.Send(to, m.Build(nil)) }

// noted waits for a note with these words.
func (r *rig) noted(words ...string) {
	r.g.Until(r.spec.Name, "a note of "+strings.Join(words, ", "), func(s interop.Status) bool {
		for _, n := range s.Notes {
			all := true
			for _, w := range words {
				all = all && strings.Contains(n, w)
			}
			if all {
				return true
			}
		}
		return false
	})
}

func heardNext(t *testing.T, box interoptest.Mailbox) *interoptest.Mail {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), interoptest.Patience)
	defer cancel()
	m, err := box.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// exists says whether a queue is there, and how many messages it has ready.
func (r *rabbit) exists(t *testing.T, queue string) (ready int, ok bool) {
	t.Helper()
	conn, err := amqp.Dial(r.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	q, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil)
	if err != nil && code(err) != amqp.NotFound {
		t.Fatal(err)
	}
	return q.Messages, err == nil
}

// until waits for what nobody tells of.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	late := time.After(interoptest.Patience)
	for !holds() {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestQuorum: the default type of queues, both ways; what is made is of that type.
func TestQuorum(t *testing.T) {
	r := newRig(t)
	out, in := r.named(t, queue("out")), r.named(t, topic("in"))
	r.spec.QueueExports, r.spec.Imports = []string{out.Name}, []interop.Destination{in}
	r.g.Connected(r.spec)
	here := r.g.Receive(in)
	for i := range 20 {
		r.send(out, said(fmt.Sprint(i), "out"))
		r.Publish(t, in, &interoptest.Mail{Fields: *said(fmt.Sprint(i), "in")})
	}
	box := r.Listen(t, out)
	for i := range 20 {
		if m := heardNext(t, box); m.ID != fmt.Sprintf("ID:%d", i) {
			t.Fatalf("message %s came where %d should", m.ID, i)
		}
		if m := here.Next(); m.Fields.MessageID != fmt.Sprintf("ID:%d", i) {
			t.Fatalf("message %v came here where %d should", m.Fields.MessageID, i)
		}
	}
	ch := r.channel(t)
	for q, args := range map[string]amqp.Table{
		out.Name:                                {amqp.QueueTypeArg: amqp.QueueTypeQuorum},
		"ems.gw." + r.spec.Name + "." + in.Name: {amqp.QueueTypeArg: amqp.QueueTypeQuorum, amqp.SingleActiveConsumerArg: true},
	} {
		if _, err := ch.QueueDeclare(q, true, false, false, false, args); err != nil {
			t.Errorf("queue %s is not as it should be: %v", q, err)
		}
	}
}

// TestTopicThatNobodyHears: as in JMS, its messages are done with; a note says so.
func TestTopicThatNobodyHears(t *testing.T) {
	r := newRig(t)
	to := r.named(t, topic("out"))
	r.spec.Exports = []interop.Destination{to}
	r.g.Topic(to.Name, r.spec.Name)
	r.g.Connected(r.spec)
	r.send(to, said("1", "to nobody"))
	r.noted("nothing is bound", to.Name)
	r.g.Until(r.spec.Name, "it to be done with", func(s interop.Status) bool { return s.Counts.Exported == 1 && s.Counts.Refused == 0 })
}

// TestExportedQueueDeleted: a queue that was deleted outside is declared again, and
// nothing is lost.
func TestExportedQueueDeleted(t *testing.T) {
	r := newRig(t, "queue_type", "classic")
	to := r.named(t, queue("out"))
	r.spec.QueueExports = []string{to.Name}
	r.g.Connected(r.spec)
	if _, err := r.channel(t).QueueDelete(to.Name, false, false, false); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		r.send(to, said(fmt.Sprint(i), "kept"))
	}
	r.g.Until(r.spec.Name, "all to go out", func(s interop.Status) bool { return s.Counts.Exported == 3 })
	box := r.Listen(t, to)
	for i := range 3 {
		if m := heardNext(t, box); m.ID != fmt.Sprintf("ID:%d", i) {
			t.Errorf("message %s came where %d should", m.ID, i)
		}
	}
}

// TestQueueThatCannotBe: a message to a queue that RabbitMQ lets nobody declare is
// refused, and those to others go out.
func TestQueueThatCannotBe(t *testing.T) {
	r := newRig(t, "queue_type", "classic", "subject_prefix", "amq.", "on_error", "drop")
	to := r.named(t, queue("out"))
	r.spec.QueueExports = []string{to.Name}
	r.g.Connected(r.spec)
	r.noted("amq.", "set subject_prefix")
	r.send(to, said("1", "refused"))
	r.g.Until(r.spec.Name, "it to be refused", func(s interop.Status) bool { return s.Counts.Refused == 1 })
}

// TestHeadersTooLarge: what does not fit into a frame is refused with words, not by the
// broker's hanging up.
func TestHeadersTooLarge(t *testing.T) {
	r := newRig(t)
	to := r.named(t, topic("out"))
	r.spec.Exports = []interop.Destination{to}
	r.g.Topic(to.Name, r.spec.Name)
	r.g.Connected(r.spec)
	dead := r.g.Receive(queue("$sys.undelivered"))
	large := said("large", "body")
	large.Set("large", strings.Repeat("x", 200_000))
	r.send(to, large)
	got := dead.Next()
	why, _ := got.Message.Annotation(message.UndeliveredAnnotation)
	if text := fmt.Sprint(why) + string(got.Notes); !strings.Contains(text, "frame_max") || !strings.Contains(text, "ems-json") {
		t.Errorf("it says %q: want the limit and the way out", text)
	}
	box := r.Listen(t, to)
	r.send(to, said("small", "body"))
	if m := heardNext(t, box); m.ID != "ID:small" {
		t.Errorf("message %s came", m.ID)
	}
	if s := r.g.Status(r.spec.Name); s.Connects != 1 {
		t.Errorf("it connected %d times", s.Connects)
	}
}

// TestImportedQueueDeleted: an import whose queue is deleted goes on with a new one; the
// others do not notice.
func TestImportedQueueDeleted(t *testing.T) {
	r := newRig(t, "queue_type", "classic")
	one, two := r.named(t, queue("one")), r.named(t, queue("two"))
	r.spec.Imports = []interop.Destination{one, two}
	r.g.Connected(r.spec)
	ones, twos := r.g.Receive(one), r.g.Receive(two)
	if _, err := r.channel(t).QueueDelete(one.Name, false, false, false); err != nil {
		t.Fatal(err)
	}
	r.noted(one.Name, "was deleted")
	r.Publish(t, two, &interoptest.Mail{Fields: *said("two", "meanwhile")})
	twos.Next()
	until(t, "the queue to be there again", func() bool { _, ok := r.exists(t, one.Name); return ok })
	r.Publish(t, one, &interoptest.Mail{Fields: *said("one", "again")})
	ones.Next()
	if s := r.g.Status(r.spec.Name); s.Connects != 1 {
		t.Errorf("it connected %d times", s.Connects)
	}
}

// TestImportTakenAway: the queue that was made for a topic goes with its import, but not
// with messages in it.
func TestImportTakenAway(t *testing.T) {
	r := newRig(t)
	in := r.named(t, topic("in"))
	own := "ems.gw." + r.spec.Name + "." + in.Name
	r.spec.Imports = []interop.Destination{in}
	r.g.Connected(r.spec)
	r.Publish(t, in, &interoptest.Mail{Fields: *said("1", "in")})
	r.g.Until(r.spec.Name, "it here", func(s interop.Status) bool { return s.Counts.Imported == 1 })
	if _, ok := r.exists(t, own); !ok {
		t.Fatalf("there is no queue %s", own)
	}
	without := r.spec
	without.Imports = nil
	r.g.Manager.Apply([]interop.Spec{without})
	until(t, "its queue to be deleted", func() bool { _, ok := r.exists(t, own); return !ok })
	if s := r.g.Status(r.spec.Name); s.Connects != 1 {
		t.Errorf("it connected %d times", s.Connects)
	}
}

// TestImportTakenAwayAndBack: an import that is there again at once is not undone by the
// end of the one before.
func TestImportTakenAwayAndBack(t *testing.T) {
	r := newRig(t, "queue_type", "classic")
	in := r.named(t, topic("in"))
	r.spec.Imports = []interop.Destination{in}
	r.g.Connected(r.spec)
	here := r.g.Receive(in)
	without := r.spec
	without.Imports = nil
	for range 5 {
		r.g.Manager.Apply([]interop.Spec{without})
		r.g.Manager.Apply([]interop.Spec{r.spec})
	}
	until(t, "messages to come in", func() bool {
		r.Publish(t, in, &interoptest.Mail{Fields: *said("knock", "in")})
		return !here.Empty()
	})
	if s := r.g.Status(r.spec.Name); s.Connects != 1 {
		t.Errorf("it connected %d times", s.Connects)
	}
}

// TestMessagesKeptWhileAway: what comes for an imported topic while nobody is connected
// comes in later.
func TestMessagesKeptWhileAway(t *testing.T) {
	r := newRig(t)
	in := r.named(t, topic("in"))
	r.spec.Imports = []interop.Destination{in}
	r.g.Connected(r.spec)
	here := r.g.Receive(in)
	if err := r.g.Manager.Suspend(r.spec.Name); err != nil {
		t.Fatal(err)
	}
	r.g.Until(r.spec.Name, "it suspended", func(s interop.Status) bool { return s.State == interop.Suspended })
	r.Publish(t, in, &interoptest.Mail{Fields: *said("meanwhile", "in")})
	if err := r.g.Manager.Resume(r.spec.Name); err != nil {
		t.Fatal(err)
	}
	if got := here.Next(); got.Fields.MessageID != "ID:meanwhile" {
		t.Errorf("message %v came", got.Fields.MessageID)
	}
}

// TestWhatIsThereIsUsed: a queue and an exchange of other properties are used as they
// are, and a note says so.
func TestWhatIsThereIsUsed(t *testing.T) {
	r := newRig(t, "exchange", "their.fanout")
	ch := r.channel(t)
	in, out := r.named(t, queue("in")), r.named(t, topic("out"))
	if _, err := ch.QueueDeclare(in.Name, true, false, false, false, amqp.Table{"x-max-length": 1000}); err != nil {
		t.Fatal(err)
	}
	if err := ch.ExchangeDeclare("their.fanout", amqp.ExchangeFanout, true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	q, err := ch.QueueDeclare("", false, false, true, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.QueueBind(q.Name, "", "their.fanout", false, nil); err != nil {
		t.Fatal(err)
	}
	r.spec.Imports, r.spec.Exports = []interop.Destination{in}, []interop.Destination{out}
	r.g.Topic(out.Name, r.spec.Name)
	r.g.Connected(r.spec)
	r.noted("queue "+in.Name, "used as it is")
	r.noted("exchange their.fanout", "used as it is")
	r.Publish(t, in, &interoptest.Mail{Fields: *said("1", "in")})
	r.g.Receive(in).Next()
	r.send(out, said("2", "out"))
	from, err := ch.Consume(q.Name, "", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := <-from; d.MessageId != "ID:2" || d.RoutingKey != out.Name {
		t.Errorf("message %s came with key %s", d.MessageId, d.RoutingKey)
	}
}

// TestAlarm: a broker that blocks what publishes does not stop what comes in; what waits
// goes out when the alarm is over.
func TestAlarm(t *testing.T) {
	r := newRig(t)
	out, in := r.named(t, topic("out")), r.named(t, queue("in"))
	r.spec.Exports, r.spec.Imports = []interop.Destination{out}, []interop.Destination{in}
	r.g.Topic(out.Name, r.spec.Name)
	r.g.Connected(r.spec)
	box, here := r.Listen(t, out), r.g.Receive(in)
	r.proxy.inject(60, append([]byte{byte(len("low on disk"))}, "low on disk"...)) // connection.blocked
	r.noted("low on disk", "wait here")
	for i := range 5 {
		r.send(out, said(fmt.Sprint(i), "waits"))
		r.Publish(t, in, &interoptest.Mail{Fields: *said(fmt.Sprint(i), "comes")})
		here.Next()
	}
	if s := r.g.Status(r.spec.Name); s.Counts.Exported > 0 || s.State != interop.Connected {
		t.Errorf("it is %s, and %d went out", s.State, s.Counts.Exported)
	}
	r.proxy.inject(61, nil) // connection.unblocked
	for i := range 5 {
		if m := heardNext(t, box); m.ID != fmt.Sprintf("ID:%d", i) {
			t.Errorf("message %s came where %d should", m.ID, i)
		}
	}
}

// hoarder is a Sink that settles nothing.
type hoarder struct {
	mu   sync.Mutex
	got  []interop.Inbound
	sent map[uint64]error
	more chan struct{}
}

func (h *hoarder) Deliver(all []interop.Inbound) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got = append(h.got, all...)
	select {
	case h.more <- struct{}{}:
	default:
	}
}

// Sent is Sink's.
func (h *hoarder) Sent(all []interop.Sent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range all {
		if h.sent == nil {
			h.sent = map[uint64]error{}
		}
		h.sent[s.Tag] = s.Refused
	}
}
func (*hoarder) Lost(int, bool, error) {}
func (*hoarder) Failed(error)          {}
func (*hoarder) Note(string)           {}

func (h *hoarder) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.got)
}

// TestPrefetch: no more than prefetch messages are with the runner, of all imports
// together; room comes by settling, and what was not settled is there after Close.
func TestPrefetch(t *testing.T) {
	r := openRabbit(t)
	ch := r.channel(t)
	n := unique(t)
	queues := []interop.Destination{queue(n + ".one"), queue(n + ".two")}
	const each, prefetch = 50, 10
	for _, q := range queues {
		if _, err := ch.QueueDeclare(q.Name, true, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
		all := make([]*interoptest.Mail, each)
		for i := range all {
			all[i] = &interoptest.Mail{Fields: *said(fmt.Sprint(i), "in")}
		}
		r.PublishAll(t, q, all)
	}
	tr, err := newTransport(interop.Settings{Name: "R", Server: "gw", Keys: map[string]string{"url": r.URL(), "prefetch": fmt.Sprint(prefetch), "queue_type": "classic"}})
	if err != nil {
		t.Fatal(err)
	}
	h := &hoarder{more: make(chan struct{}, 1)}
	s, err := tr.Open(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Imports(t.Context(), queues); err != nil {
		t.Fatal(err)
	}
	until(t, "as many as may be under way", func() bool { return h.count() == prefetch })
	s.Settle([]interop.Settlement{{Tag: h.got[0].Tag, Outcome: interop.Taken}, {Tag: h.got[1].Tag, Outcome: interop.Refused}, {Tag: h.got[2].Tag, Outcome: interop.Again}})
	until(t, "three more", func() bool { return h.count() == prefetch+3 })
	s.Close()
	ready := func() (n int) {
		for _, q := range queues {
			m, _ := r.exists(t, q.Name)
			n += m
		}
		return n
	}
	until(t, "all that was not taken to be back", func() bool { return ready() == 2*each-2 })
	if n := h.count(); n != prefetch+3 {
		t.Errorf("%d messages came, and %d may be under way", n-3, prefetch)
	}
}

// TestPeerHangs: a broker that says nothing any more is noticed by its heartbeats, and
// what was on its way goes out when it is back.
func TestPeerHangs(t *testing.T) {
	r := newRig(t, "queue_type", "classic")
	r.spec.Keys["url"] += "?heartbeat=1"
	to, in := r.named(t, topic("out")), r.named(t, queue("in"))
	r.spec.Exports, r.spec.Imports = []interop.Destination{to}, []interop.Destination{in}
	r.g.Topic(to.Name, r.spec.Name)
	r.g.Connected(r.spec)
	box := r.Listen(t, to)
	r.proxy.hang()
	for i := range 10 {
		r.send(to, said(fmt.Sprint(i), "waits"))
	}
	r.g.Until(r.spec.Name, "it to be noticed", func(s interop.Status) bool { return s.State != interop.Connected && s.Error != "" })
	r.proxy.resume()
	seen := map[string]bool{}
	for len(seen) < 10 {
		seen[heardNext(t, box).ID] = true
	}
	r.Publish(t, in, &interoptest.Mail{Fields: *said("in", "again")})
	r.g.Receive(in).Next()
}

// TestCloseHearsConfirmations: what the broker confirms while a session is closed in good
// order is answered, and need not go out again.
func TestCloseHearsConfirmations(t *testing.T) {
	r := openRabbit(t)
	tr, err := newTransport(interop.Settings{Name: "R", Server: "gw", Keys: map[string]string{"url": r.URL(), "queue_type": "classic"}})
	if err != nil {
		t.Fatal(err)
	}
	h := &hoarder{more: make(chan struct{}, 1)}
	s, err := tr.Open(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	to := queue(unique(t))
	if err := s.Exports(t.Context(), []interop.Destination{to}); err != nil {
		t.Fatal(err)
	}
	all := make([]interop.Outbound, 200)
	for i := range all {
		all[i] = interop.Outbound{Tag: uint64(i), To: to, ID: fmt.Sprint(i), Message: said(fmt.Sprint(i), "out").Build(nil)}
	}
	if err := s.Send(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	s.(*session).close(interoptest.Patience)
	if len(h.sent) != len(all) {
		t.Errorf("%d of %d messages are answered", len(h.sent), len(all))
	}
	if ready, _ := r.exists(t, to.Name); ready != len(all) {
		t.Errorf("%d of %d messages are there", ready, len(all))
	}
}

var runs atomic.Int64

// unique is a name of this run of a test alone: all share one RabbitMQ, with -count too.
func unique(t *testing.T) string { return fmt.Sprintf("%s.%d", t.Name(), runs.Add(1)) }
