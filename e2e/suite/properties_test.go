package suite

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"github.com/tidegate/tidegate/core/property"
	"github.com/tidegate/tidegate/e2e/harness"
)

// propertySet has a destination for what each script below shows.
var propertySet = map[string]string{
	"tibemsd.conf": "server = P\nflow_control = enabled\nnpsend_check_mode = always\n",
	"queues.conf": `>
few maxmsgs=2
small maxbytes=3000
old maxmsgs=2,overflowPolicy=discardOld
reject maxmsgs=1,overflowPolicy=rejectIncoming
alone exclusive
fair prefetch=2
each prefetch=none
short expiration=1sec
long expiration=2hour
ever expiration=0
tries maxRedelivery=2
later redeliveryDelay=10min
flow flowControl=1KB
named sender_name
enforced sender_name_enforced
traced trace
body trace=body
safe store=$sys.failsafe
oldsafe failsafe
fast store=$sys.nonfailsafe
routed global,secure,tibrv_import,tibrvcm_import
in.> maxmsgs=1
`,
	"topics.conf": `>
reject maxmsgs=1,overflowPolicy=rejectIncoming
miss maxmsgs=1
cast channel=c1
outer import="RV1,RV2",export=RV1,global,tibrv_export,tibrvcm_export
`,
	"channels.conf":   "[c1]\n  address=239.1.1.1:7500\n",
	"transports.conf": "[RV1]\n  type=tibrv\n[RV2]\n  type=tibrv\n",
}

// scripts show the effect of each property through the real binary and a real client
// (docs/properties.md links them).
var scripts = map[property.ID]func(t *testing.T, s *harness.Server, f *field){
	property.MaxMsgs: func(_ *testing.T, _ *harness.Server, f *field) {
		few, in := f.sender("few"), f.sender("in.x") // by a wildcard as well
		f.wantPut(few, "1", "")
		f.wantPut(few, "2", "")
		f.wantPut(few, "3", "amqp:resource-limit-exceeded")
		r := f.receiver("few")
		f.take(r)
		f.wantPut(few, "4", "")
		f.wantRest(r, "2", "4")
		f.wantPut(in, "1", "")
		f.wantPut(in, "2", "amqp:resource-limit-exceeded")
	},
	property.MaxBytes: func(_ *testing.T, _ *harness.Server, f *field) {
		s, text := f.sender("small"), strings.Repeat("x", 1200)
		f.wantPut(s, text, "")
		f.wantPut(s, text, "")
		f.wantPut(s, text, "amqp:resource-limit-exceeded")
		f.wantPut(s, "y", "")
	},
	property.OverflowPolicy: func(_ *testing.T, _ *harness.Server, f *field) {
		s := f.sender("old")
		for i := range 4 {
			f.wantPut(s, fmt.Sprint(i), "")
		}
		f.wantRest(f.receiver("old"), "2", "3")
		s = f.sender("reject")
		f.wantPut(s, "1", "")
		f.wantPut(s, "2", "amqp:resource-limit-exceeded")
		// Of a topic each subscription has its own limit: the full one misses the
		// message, or all do and the producer hears of it.
		for topic, want := range map[string]string{"miss": "", "reject": "amqp:resource-limit-exceeded"} { // order: irrelevant
			full, free := f.receiver("topic:"+topic, durableAs("full."+topic)), f.receiver("topic:"+topic, durableAs("free."+topic))
			s := f.sender("topic:" + topic)
			f.wantPut(s, "1", "")
			f.take(free)
			f.wantPut(s, "2", want)
			f.wantTake(full, "1")
			if want == "" {
				f.wantTake(free, "2")
			}
			f.wantPut(s, "3", "")
			f.wantTake(full, "3")
			f.wantTake(free, "3")
		}
	},
	property.Exclusive: func(_ *testing.T, _ *harness.Server, f *field) {
		one, two := f.receiver("alone"), f.receiver("alone")
		f.credit(one, 10)
		f.turn()
		f.credit(two, 10)
		f.turn()
		s := f.sender("alone")
		f.wantPut(s, "1", "")
		f.wantPut(s, "2", "")
		f.wantNext(one, "1")
		f.wantNext(one, "2")
		if m := two.Prefetched(); m != nil {
			f.t.Errorf("%v comes to who stands by", m.Value)
		}
		if err := one.Close(f.t.Context()); err != nil {
			f.t.Fatal(err)
		}
		f.wantPut(s, "3", "")
		for _, want := range []string{"1", "2", "3"} {
			f.wantNext(two, want)
		}
	},
	property.Prefetch: func(_ *testing.T, _ *harness.Server, f *field) {
		for queue, hold := range map[string]int{"fair": 2, "each": 1} { // order: irrelevant
			busy, idle, s := f.receiver(queue), f.receiver(queue), f.sender(queue)
			f.credit(busy, 100)
			for i := range 4 {
				f.wantPut(s, fmt.Sprint(i), "")
				f.wantNext(busy, fmt.Sprint(i))
			}
			f.credit(idle, 100)
			f.turn() // behind the credit
			for i := range hold {
				f.wantPut(s, fmt.Sprint("idle ", i), "")
				f.wantNext(idle, fmt.Sprint("idle ", i))
			}
		}
	},
	property.Expiration: func(t *testing.T, _ *harness.Server, f *field) {
		m := textMessage("old")
		m.ApplicationProperties = map[string]any{"JMS_TIBCO_PRESERVE_UNDELIVERED": true}
		m.Header.TTL = time.Hour
		if c := f.put(f.sender("short"), m); c != "" {
			t.Fatal(c)
		}
		undelivered := f.receiver("$sys.undelivered")
		m = f.next(undelivered)
		if err := undelivered.AcceptMessage(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if m.Value != "old" || m.Annotations["x-opt-tidegate-undelivered"] != "expired" {
			t.Errorf("%v %v is undelivered", m.Value, m.Annotations)
		}
		for queue, hours := range map[string]float64{"long": 2, "ever": 0} { // order: irrelevant
			m = textMessage("x")
			soon := time.Now().Add(time.Minute)
			m.Header.TTL, m.Properties = time.Minute, &amqp.MessageProperties{AbsoluteExpiryTime: &soon}
			before := time.Now()
			if c := f.put(f.sender(queue), m); c != "" {
				t.Fatal(c)
			}
			m = f.next(f.receiver(queue))
			at := m.Properties.AbsoluteExpiryTime
			switch {
			case hours == 0 && (at != nil || m.Header.TTL != 0):
				t.Errorf("%s: expires at %v, in %v", queue, at, m.Header.TTL)
			case hours != 0 && (at == nil || at.Sub(before) < time.Hour || m.Header.TTL < time.Hour):
				t.Errorf("%s: expires at %v, in %v", queue, at, m.Header.TTL)
			}
		}
	},
	property.MaxRedelivery: func(t *testing.T, _ *harness.Server, f *field) {
		s, r := f.sender("tries"), f.receiver("tries")
		for _, preserve := range []bool{false, true} {
			m := textMessage(fmt.Sprint("preserve ", preserve))
			m.ApplicationProperties = map[string]any{"JMS_TIBCO_PRESERVE_UNDELIVERED": preserve}
			if c := f.put(s, m); c != "" {
				t.Fatal(c)
			}
			for try := range 2 {
				m := f.next(r)
				if int(m.Header.DeliveryCount) != try {
					t.Errorf("delivery-count %d at try %d", m.Header.DeliveryCount, try)
				}
				if err := r.ModifyMessage(t.Context(), m, &amqp.ModifyMessageOptions{DeliveryFailed: true}); err != nil {
					t.Fatal(err)
				}
			}
			f.wantRest(r)
		}
		if got := f.take(f.receiver("$sys.undelivered")); got != "preserve true" {
			t.Errorf("%q is undelivered", got)
		}
	},
	property.RedeliveryDelay: func(t *testing.T, _ *harness.Server, f *field) {
		s, r := f.sender("later"), f.receiver("later")
		f.wantPut(s, "1", "")
		if err := r.ModifyMessage(t.Context(), f.next(r), &amqp.ModifyMessageOptions{DeliveryFailed: true}); err != nil {
			t.Fatal(err)
		}
		f.wantPut(s, "2", "")
		f.wantRest(r, "2") // what came back waits, and holds nothing up
		if shown := f.admin("show queue $sys.redelivery.delay"); !strings.Contains(shown, "Pending Msgs:") {
			t.Error(shown)
		}
		out := tool(t, f.server, "", 0, "browse", "--url", f.server.URL, "--queue", "$sys.redelivery.delay")
		if !strings.Contains(out, "1") {
			t.Errorf("it is not shown: %q", out)
		}
	},
	property.FlowControl: func(t *testing.T, _ *harness.Server, f *field) {
		s, r := f.sender("flow"), f.receiver("flow")
		f.wantPut(s, strings.Repeat("x", 900), "")
		answered := make(chan error, 1)
		go func() { answered <- s.Send(t.Context(), textMessage(strings.Repeat("y", 900)), nil) }()
		f.credit(r, 2)
		first, second := f.received(r), f.received(r)
		select {
		case err := <-answered:
			t.Fatalf("a send above the target is answered: %v", err)
		default:
		}
		for _, m := range []*amqp.Message{first, second} {
			if err := r.AcceptMessage(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		if err := <-answered; err != nil {
			t.Error(err)
		}
	},
	property.SenderName: func(t *testing.T, s *harness.Server, _ *field) {
		ann := signedIn(t, s)
		if got := ann.senderOf("named", nil); got != "ann" {
			t.Errorf("it is of %v", got)
		}
		if got := ann.senderOf("named", map[string]any{"JMS_TIBCO_DISABLE_SENDER": true}); got != nil {
			t.Errorf("who opted out is named: %v", got)
		}
	},
	property.SenderNameEnforced: func(t *testing.T, s *harness.Server, _ *field) {
		ann := signedIn(t, s)
		if got := ann.senderOf("enforced", map[string]any{"JMS_TIBCO_DISABLE_SENDER": true, "JMS_TIBCO_SENDER": "bob"}); got != "ann" {
			t.Errorf("it is of %v", got)
		}
		m := &amqp.Message{Data: [][]byte{make([]byte, 1<<20+1000)}, ApplicationProperties: map[string]any{"JMS_TIBCO_SENDER": "bob", "n": int32(7)}}
		if c := ann.put(ann.sender("enforced"), m); c != "" {
			t.Fatal(c)
		}
		m = ann.next(ann.receiver("enforced"))
		if len(m.Data) == 0 {
			t.Fatalf("%+v comes", m)
		}
		if m.ApplicationProperties["JMS_TIBCO_SENDER"] != "ann" || m.ApplicationProperties["n"] != int32(7) || len(m.Data[0]) != 1<<20+1000 {
			t.Errorf("a large one has %v", m.ApplicationProperties)
		}
	},
	property.Trace: func(t *testing.T, s *harness.Server, f *field) {
		for queue, body := range map[string]bool{"traced": false, "body": true, "plain": true} { // order: irrelevant
			m := textMessage("the text of " + queue)
			m.Properties = &amqp.MessageProperties{MessageID: "ID:" + queue}
			if queue == "plain" {
				m.ApplicationProperties = map[string]any{"JMS_TIBCO_MSG_TRACE": "body"}
			}
			if c := f.put(f.sender(queue), m); c != "" {
				t.Fatal(c)
			}
			f.take(f.receiver(queue))
			for _, step := range []string{"Received message", "Sent message", "Acknowledged message"} {
				wantLogged(t, s, step+" 'ID:"+queue+"'")
			}
			if got := strings.Contains(s.Log(), "the text of "+queue); got != body {
				t.Errorf("%s: its body is printed: %v", queue, got)
			}
		}
	},
	property.Store:    func(t *testing.T, _ *harness.Server, _ *field) { stores(t, "safe", "fast") },
	property.Failsafe: func(t *testing.T, _ *harness.Server, _ *field) { stores(t, "oldsafe", "fast") },
	property.Secure:   func(t *testing.T, _ *harness.Server, _ *field) { secureWorks(t) },
	property.Global:   listed("queue", "routed", "global"),
	property.Channel:  listed("topic", "cast", "channel=c1"),
	property.Import:   listed("topic", "outer", `import="RV1,RV2"`),
	property.Export:   listed("topic", "outer", "export=RV1"),

	property.TibrvImport: listed("queue", "routed", "tibrv_import"), property.TibrvcmImport: listed("queue", "routed", "tibrvcm_import"),
	property.TibrvExport: listed("topic", "outer", "tibrv_export"), property.TibrvcmExport: listed("topic", "outer", "tibrvcm_export"),
}

// TestProperty shows the effect of every property of destinations (ems 2).
func TestProperty(t *testing.T) {
	s := harness.Start(t, "--config", emsSet(t, propertySet))
	for i := range property.Table {
		p := &property.Table[i]
		t.Run(p.Name, func(t *testing.T) {
			script := scripts[p.ID]
			if script == nil {
				t.Fatal("it has no script")
			}
			f := dialField(t, s.URL, nil)
			f.server = s
			script(t, s, f)
		})
	}
}

// listed wants a property among those that the admin tool shows.
func listed(kind, name, property string) func(t *testing.T, s *harness.Server, f *field) {
	return func(t *testing.T, _ *harness.Server, f *field) {
		out := f.admin("show " + kind + " " + name)
		if !slices.ContainsFunc(strings.FieldsFunc(out, func(r rune) bool { return strings.ContainsRune(" \n", r) }), func(w string) bool {
			return strings.Contains(","+strings.ReplaceAll(w, `",`, "\",")+",", property)
		}) {
			t.Errorf("%q is not in:\n%s", property, out)
		}
	}
}

// stores wants a send to the flushed store to be answered behind one to the other that
// was sent after it, while each flush takes long.
func stores(t *testing.T, safe, fast string) {
	t.Helper()
	s := harness.Start(t, "--config", emsSet(t, propertySet), "--flush-delay", "2s")
	f := dialField(t, s.URL, nil)
	one, two := f.sender(safe), f.sender(fast)
	answers := make(chan string, 2)
	send := func(s *amqp.Sender) {
		if err := s.Send(t.Context(), textMessage("x"), nil); err != nil {
			answers <- err.Error()
		} else {
			answers <- s.Address()
		}
	}
	sent, err := one.SendWithReceipt(t.Context(), textMessage("x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if _, err := sent.Wait(t.Context()); err != nil {
			answers <- err.Error()
		} else {
			answers <- one.Address()
		}
	}()
	go send(two)
	if got := []string{<-answers, <-answers}; got[0] != fast || got[1] != safe {
		t.Errorf("answered in the order %q", got)
	}
}

// signedIn is a connection with a user name.
func signedIn(t *testing.T, s *harness.Server) *field {
	t.Helper()
	return dialField(t, s.URL, &amqp.ConnOptions{SASLType: amqp.SASLTypePlain("ann", "secret")})
}

// senderOf sends, and gives the JMS_TIBCO_SENDER that comes.
func (f *field) senderOf(queue string, properties map[string]any) any {
	f.t.Helper()
	m := textMessage("x")
	m.ApplicationProperties = properties
	if c := f.put(f.sender(queue), m); c != "" {
		f.t.Fatal(c)
	}
	r := f.receiver(queue)
	m = f.next(r)
	if err := r.AcceptMessage(f.t.Context(), m); err != nil {
		f.t.Fatal(err)
	}
	return m.ApplicationProperties["JMS_TIBCO_SENDER"]
}

func (f *field) wantPut(s *amqp.Sender, text, want string) {
	f.t.Helper()
	if got := f.put(s, textMessage(text)); got != want {
		f.t.Errorf("%s: %.10q is answered %q, want %q", s.Address(), text, got, want)
	}
}

func (f *field) wantTake(r *amqp.Receiver, want string) {
	f.t.Helper()
	if got := f.take(r); got != want {
		f.t.Errorf("%s has %q, want %q", f.addresses[r], got, want)
	}
}

func (f *field) credit(r *amqp.Receiver, n uint32) {
	f.t.Helper()
	if err := r.IssueCredit(n); err != nil {
		f.t.Fatal(err)
	}
}

// received waits for a message that there is credit for.
func (f *field) received(r *amqp.Receiver) *amqp.Message {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), harness.Patience)
	defer cancel()
	m, err := r.Receive(ctx, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return m
}

// wantNext wants a message for the credit there is, and leaves it unsettled.
func (f *field) wantNext(r *amqp.Receiver, want string) {
	f.t.Helper()
	if got := f.received(r).Value; got != want {
		f.t.Errorf("%v comes, not %q", got, want)
	}
}

// admin runs a command of the admin tool.
func (f *field) admin(command string) string {
	f.t.Helper()
	t, ok := f.t.(*testing.T)
	if !ok {
		f.t.Fatal("only in tests")
	}
	return tool(t, f.server, "", 0, "admin", "-server", f.server.URL, "-user", "admin", command)
}
