package core

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/property"
)

var rewritePages = flag.Bool("pages", false, "write testdata/ends.md anew")

// way is one combination of testdata/ends.md, and of docs/overflow.md.
type way struct {
	reason, destination, mode string
	transacted                bool
}

// reasons are why a message may not arrive, with the properties that bring it about.
var reasons = []struct {
	name, properties string
	topics           bool
}{
	{"maxmsgs reached, overflowPolicy default", "maxmsgs=1", true},
	{"maxmsgs reached, discardOld", "maxmsgs=1,overflowPolicy=discardOld", true},
	{"maxmsgs reached, rejectIncoming", "maxmsgs=1,overflowPolicy=rejectIncoming", true},
	{"maxbytes reached, overflowPolicy default", "maxbytes=150", true},
	{"larger than maxbytes, discardOld", "maxbytes=50,overflowPolicy=discardOld", true},
	{"flowControl exceeded", "flowControl=150", true},
	{"expired", "", true},
	{"expired, to be preserved", "", true},
	{"maxRedelivery reached", "maxRedelivery=2", false},
	{"maxRedelivery reached, to be preserved", "maxRedelivery=2", false},
	{"delayed into a full destination, overflowPolicy default", "maxmsgs=1", true},
	{"delayed into a full destination, discardOld", "maxmsgs=1,overflowPolicy=discardOld", true},
	{"delayed into a full destination, rejectIncoming", "maxmsgs=1,overflowPolicy=rejectIncoming", true},
	{"delayed into a full destination, rejectIncoming, to be preserved", "maxmsgs=1,overflowPolicy=rejectIncoming", true},
}

var modes = []string{"persistent", "non-persistent", "non-persistent, not checked", "settled (RELIABLE)"}

func ways() (all []way) {
	for _, r := range reasons {
		for _, destination := range []string{"queue", "topic"} {
			if destination == "topic" && !r.topics {
				continue
			}
			for _, mode := range modes {
				for _, transacted := range []bool{false, true} {
					all = append(all, way{r.name, destination, mode, transacted})
				}
			}
		}
	}
	return all
}

// TestWhereMessagesEnd is every cell of testdata/ends.md: what the producer sees, and
// where its message ends. A topic has one durable subscription, and nobody consumes.
func TestWhereMessagesEnd(t *testing.T) {
	var page strings.Builder
	page.WriteString(endsPage)
	for _, w := range ways() {
		name := fmt.Sprintf("%s/%s/%s/transacted=%v", w.reason, w.destination, w.mode, w.transacted)
		t.Run(name, func(t *testing.T) {
			l := newLast(t, w)
			l.happen()
			yes := "no"
			if w.transacted {
				yes = "yes"
			}
			fmt.Fprintf(&page, "| %s | %s | %s | %s | %s | %s |\n", w.reason, w.destination, w.mode, yes, l.sees(), l.end())
			if err := l.check(); err != nil {
				t.Error(err)
			}
		})
	}
	const file = "testdata/ends.md"
	if *rewritePages {
		if err := os.WriteFile(file, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(file); err != nil || string(have) != page.String() {
		t.Errorf("%s does not say what happens: go test ./core -run TestWhereMessagesEnd -pages, and read the difference (%v)", file, err)
	}
}

const endsPage = `# Where messages end

What a producer sees, and where its message ends, if a limit, its time or its consumers
keep it from being delivered (ems 2.3, 7.2, 7.5). Each row is a run of the broker:
` + "`go test ./core -run TestWhereMessagesEnd`" + ` wants this very page, each row being a subtest of
that name. The topic has one durable subscription without a consumer; limits hold for each
subscription by itself. "Not checked" is npsend_check_mode=never, or a link that says so.
"To be preserved" is JMS_TIBCO_PRESERVE_UNDELIVERED=true. In a transaction, what the commit
answers stands behind the answer to the send.

| reason | destination | delivery mode | transacted | the producer sees | the message ends |
| --- | --- | --- | --- | --- | --- |
`

// last is the run of one way.
type last struct {
	*env
	t    *testing.T
	way  way
	conn ConnID
	prod ProducerID
	to   Destination
	outs []Out // about the message
	old  bool  // there was one before it
}

func newLast(t *testing.T, w way) *last {
	l := &last{env: newEnv(), t: t, way: w, to: Destination{Kind: Queue, Name: "q"}}
	kind := property.Queue
	if w.destination == "topic" {
		l.to, kind = Destination{Kind: Topic, Name: "t"}, property.Topic
	}
	i := slices.IndexFunc(reasons, func(r struct {
		name, properties string
		topics           bool
	},
	) bool {
		return r.name == w.reason
	})
	items, wrong := property.ParseList(kind, reasons[i].properties)
	if len(wrong) > 0 {
		t.Fatal(wrong[0])
	}
	d := property.Definition{Name: l.to.Name}
	for _, item := range items {
		d.Set = d.Set.With(item.Value)
	}
	l.step(func(fx *Effects) {
		l.b.SetFlowControl(l.now, true, false, fx)
		if err := l.b.SetDefinition(l.now, l.to.Kind, d, fx); err != nil {
			t.Fatal(err)
		}
		l.conn, _ = l.b.Connect(l.now, ConnectOptions{ClientID: "c"}, fx)
		l.prod, _, _ = l.b.OpenProducer(l.now, l.conn, ProducerOptions{Destination: l.to}, fx)
		if l.to.Kind == Topic {
			k, err := l.b.OpenConsumer(l.now, l.conn, ConsumerOptions{Destination: l.to, Subscription: &SubscriptionOptions{Name: "d", Durable: true}}, fx)
			if err != nil {
				t.Fatal(err)
			}
			l.b.CloseConsumer(l.now, k, fx)
		}
	})
	return l
}

// before puts a message there that is in the way.
func (l *last) before() {
	l.old = true
	l.step(func(fx *Effects) {
		l.b.Publish(l.now, l.prod, Send{Tag: 1}, message.Envelope{Durable: true, Priority: 4, Content: &text{label: "old", size: 100}}, fx)
	})
}

// send sends the message, in the way's mode.
func (l *last) send(change func(m *message.Envelope)) {
	m := message.Envelope{Durable: l.way.mode == "persistent", Priority: 4, Content: &text{label: "it", size: 100}}
	if strings.Contains(l.way.reason, "preserved") {
		m.Marks |= message.PreserveUndelivered
	}
	if change != nil {
		change(&m)
	}
	s := Send{Tag: 2, Settled: strings.HasPrefix(l.way.mode, "settled")}
	if strings.HasSuffix(l.way.mode, "not checked") {
		s.Check = CheckNever
	}
	if l.way.transacted {
		var err error
		l.step(func(fx *Effects) { s.Txn, err = l.b.Begin(l.now, l.conn, fx) })
		if err != nil {
			l.t.Fatal(err)
		}
	}
	l.outs = l.step(func(fx *Effects) { l.b.Publish(l.now, l.prod, s, m, fx) })
	if l.way.transacted {
		l.outs = append(l.outs, l.step(func(fx *Effects) { l.b.Discharge(l.now, l.conn, s.Txn, false, 3, fx) })...)
	}
}

func (l *last) tick(by time.Duration) {
	l.now = l.now.Add(by)
	l.step(func(fx *Effects) { l.b.Expire(l.now, fx) })
}

func (l *last) happen() {
	switch r := l.way.reason; {
	case strings.HasPrefix(r, "larger"):
		l.send(nil)
	case strings.HasPrefix(r, "expired"):
		l.send(func(m *message.Envelope) { m.Expires = l.now.UnixMilli() + 1000 })
		l.tick(2 * time.Second)
	case strings.HasPrefix(r, "maxRedelivery"):
		l.send(nil)
		l.fail(2)
	case strings.HasPrefix(r, "delayed"):
		l.send(func(m *message.Envelope) { m.Due = l.now.UnixMilli() + 1000 })
		l.before()
		l.tick(2 * time.Second)
	default:
		l.before()
		l.send(nil)
	}
}

// fail has a consumer fail with the message so often.
func (l *last) fail(times int) {
	var k ConsumerID
	l.step(func(fx *Effects) { k, _ = l.b.OpenConsumer(l.now, l.conn, ConsumerOptions{Destination: l.to}, fx) })
	for i := range times {
		outs := l.step(func(fx *Effects) { l.b.Credit(l.now, k, uint32(i+1), false, fx) })
		for _, o := range outs {
			if o.Kind == OutDeliver {
				l.step(func(fx *Effects) {
					l.b.Settle(l.now, o.Delivery, 0, Outcome{Kind: Modified, DeliveryFailed: true}, false, fx)
				})
			}
		}
	}
	l.step(func(fx *Effects) { l.b.CloseConsumer(l.now, k, fx) })
}

// sees is what the producer was told.
func (l *last) sees() string {
	answer, commit := "no answer", ""
	if strings.HasPrefix(l.way.mode, "settled") {
		answer = "nothing"
	}
	credit := ""
	for _, o := range l.outs {
		switch {
		case o.Kind == OutSettled && o.Err != nil:
			answer = "rejected: " + kindOfError(o.Err)
		case o.Kind == OutSettled:
			answer = "accepted"
		case o.Kind == OutAllow && o.Limit == 0:
			credit = ", and its credit goes"
		case o.Kind == OutDischarged && o.Err != nil:
			commit = "; the commit: rolled back"
		case o.Kind == OutDischarged:
			commit = "; the commit: done"
		case o.Kind == OutProducerGone:
			answer = "its link is closed"
		}
	}
	if answer == "no answer" {
		answer = "no answer until there is room"
	}
	return answer + credit + commit
}

// end is where the message is, and what became of the one before it.
func (l *last) end() string {
	where := map[string]string{}
	for _, q := range l.b.all {
		for _, r := range q.order {
			for seq := r.base; seq < r.next; seq++ {
				if e := r.at(seq); e != nil {
					where[l.contents[e.id].(*text).label] = placeName(q)
				}
			}
		}
	}
	end, ok := where["it"]
	if !ok {
		end = "nowhere"
	}
	if _, ok := where["old"]; l.old && !ok {
		end += "; the oldest is discarded"
	}
	return end
}

func placeName(q *queue) string {
	switch {
	case q.sub != nil:
		return "in the subscription"
	case q.dest.Name == "q":
		return "in the queue"
	}
	return "in `" + q.dest.Name + "`"
}
