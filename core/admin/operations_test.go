package admin

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/config"
	coremessage "github.com/tidegate/tidegate/core/message"
)

// Purges take all but what consumers hold.
func TestPurgeCommands(t *testing.T) {
	o := newOffice(t, memory{"queues.conf": ">\n"})
	c := o.client("ann")
	for _, q := range []string{"a.one", "a.two", "b"} {
		o.send(c, q, 3000)
	}
	o.does("purge queue b")
	o.does("purge all queues a.>")
	if got := o.does("show server"); !strings.Contains(got, "Pending Messages:         0\n") {
		t.Error(got)
	}
	o.refuses("purge queue none", core.NotFound, "queue 'none' does not exist")
	o.refuses("purge topic none", core.NotFound, "topic 'none' does not exist")
	o.refuses("purge durable none", core.NotFound, "durable 'none' does not exist")
}

// `first=`, `next=` and `last=` step through what matches.
func TestPages(t *testing.T) {
	var conf strings.Builder
	for i := range 2500 {
		fmt.Fprintf(&conf, "q%04d\n", i)
	}
	o := newOffice(t, memory{"queues.conf": conf.String()})
	var names []string
	after := ""
	for command := "show queues q* first=1000"; ; command = "show queues q* next=1000" {
		r, err := o.Do(t.Context(), Request{Command: strings.Replace(command, "q*", ">", 1) + " static", After: after})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range r.Tables[0].Rows {
			if n := row[0].(string); n[0] == 'q' {
				names = append(names, n)
			}
		}
		if after = r.Last; !r.More {
			break
		}
	}
	if len(names) != 2500 || !slices.IsSorted(names) {
		t.Errorf("%d names", len(names))
	}
	if got := o.does("show queues > static last=1"); !strings.Contains(got, "q2499") {
		t.Error(got)
	}
	o.refuses("show queues first=3 next=3", core.Invalid, "write one of first=, next=, last=")
	o.refuses("show topics next=3 last=3", core.Invalid, "write one of first=, next=, last=")
}

func TestSetServer(t *testing.T) {
	o := newOffice(t, memory{})
	var told []string
	o.o.Definitions.Watch(func(c *config.Config, what Change) { told = append(told, what.Name+"="+c.Param(what.Name)) })
	o.does("set server statistics=disabled track_message_ids=enabled")
	if got := strings.Join(told, " "); got != "statistics=disabled track_message_ids=enabled" {
		t.Error(got)
	}
	o.refuses("show stat queues", core.Invalid, "statistics are disabled")
	o.refuses("set server nonsense=1", core.NotFound, "no parameter")
	o.refuses("set server store=/tmp", core.Invalid, "cannot be changed while the server runs")
	o.refuses("set server statistics=perhaps", core.Invalid, "statistics")
	if got := o.does("set server statistics=disabled"); got != "Server parameters have been changed\n" {
		t.Error(got)
	}
	if got := o.does("set server client_trace=enabled msg_swapping=enabled"); strings.Count(got, "\n") != 3 || !strings.Contains(got, "client_trace is stored and has no effect here") || !strings.Contains(got, "msg_swapping takes effect when") {
		t.Error(got)
	}
	for _, items := range []string{"+CONNECT", "-ACL,+TX", "+connect", "-TX", "+CONNECT"} {
		o.does("set server log_trace=" + items)
	}
	if got := o.files["tibemsd.conf"]; !strings.HasSuffix(got, "= DEFAULT,-ACL,-TX,+CONNECT\n") {
		t.Errorf("items go on: %q", got)
	}
	o.does("set server log_trace=")
	o.does("set server client_trace= msg_swapping=")
	if got := o.files["tibemsd.conf"]; !strings.HasPrefix(got, "server = test\nstatistics = disabled\ntrack_message_ids = enabled\n") || strings.Contains(got, "client_trace      = enabled") {
		t.Errorf("tibemsd.conf is %q", got)
	}
}

// detailed_statistics counts by destination what anonymous producers send and what
// comes to wildcards.
func TestDetailedStatistics(t *testing.T) {
	o := newOffice(t, memory{"queues.conf": ">\n", "topics.conf": ">\n"})
	c := o.client("ann")
	send := func(to core.Destination) {
		c.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
			p, _, err := b.OpenProducer(now, c.ID(), core.ProducerOptions{}, fx)
			if err != nil {
				t.Fatal(err)
			}
			m := message.NewBuilder()
			m.SetText("x")
			b.PublishTo(now, p, to, core.Send{Settled: true}, coremessage.Envelope{Content: m.Message()}, fx)
		})
	}
	c.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		if _, err := b.OpenConsumer(now, c.ID(), core.ConsumerOptions{Destination: core.Destination{Kind: core.Topic, Name: "news.>"}}, fx); err != nil {
			t.Fatal(err)
		}
	})
	send(core.Destination{Kind: core.Queue, Name: "before"})
	o.does("set server detailed_statistics=PRODUCERS,CONSUMERS")
	send(core.Destination{Kind: core.Queue, Name: "q"})
	send(core.Destination{Kind: core.Topic, Name: "news.a"})
	send(core.Destination{Kind: core.Topic, Name: "news.b"})
	if got := o.does("show stat consumers"); !strings.Contains(got, "  T  news.>  ") || !strings.Contains(got, "  T  news.a                                 1") || !strings.Contains(got, "  T  news.b  ") {
		t.Error(got)
	}
	if got := o.does("show stat producers total"); !strings.Contains(got, "  Q  q  ") || !strings.Contains(got, "  T  news.a  ") || strings.Contains(got, "before") || strings.Contains(got, "Rate") {
		t.Error(got)
	}
	o.does("set server detailed_statistics=NONE")
	if got := o.does("show stat consumers"); strings.Contains(got, "news.a") {
		t.Error(got)
	}
}

func TestDurables(t *testing.T) {
	o := newOffice(t, memory{"topics.conf": "news\n", "durables.conf": "news old [clientid=c]\n"})
	o.does(`create durable news mine clientid=c2,nolocal,selector="kind IN ('a','b')"`)
	o.refuses("create durable news mine clientid=c2", core.Exists, "exists already")
	o.refuses("create durable news x color=red", core.Invalid, "no property of a durable")
	o.refuses(`create durable news x selector="="`, core.Invalid, "")
	got := o.does("show durables")
	for _, want := range []string{"\n  news  ", "  mine  ", "  old  "} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing:\n%s", want, got)
		}
	}
	o.does("delete durable mine c2")
	o.refuses("delete durable mine", core.NotFound, "does not exist")
	if got := o.files["durables.conf"]; got != "news old [clientid=c]\n" {
		t.Errorf("durables.conf is %q", got)
	}
	o.does("delete all durables")
	if got := o.does("show durables"); got != "No durables.\n" {
		t.Error(got)
	}
}

// Messages are found by id and correlation id wherever they are queued, shown, and
// taken away.
func TestMessagesByID(t *testing.T) {
	o := newOffice(t, memory{"queues.conf": ">\n"})
	c := o.client("ann")
	c.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		p, _, err := b.OpenProducer(now, c.ID(), core.ProducerOptions{}, fx)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 40 {
			m := message.NewBuilder()
			m.Properties.MessageID, m.Properties.CorrelationID = fmt.Sprint("ID:", i), fmt.Sprint("order ", i%4)
			m.SetText("x")
			to := core.Destination{Kind: core.Queue, Name: fmt.Sprint("q", i%3)}
			b.PublishTo(now, p, to, core.Send{Settled: true}, coremessage.Envelope{Durable: i%2 == 0, Priority: 4, Content: m.Message()}, fx)
		}
	})
	if got := o.does("show message ID:17"); !strings.Contains(got, " Message ID:            ID:17\n Queue:                 q2\n Correlation ID:        order 1\n") || !strings.Contains(got, "NON_PERSISTENT") {
		t.Error(got)
	}
	if got := strings.Count(o.does(`show messages "order 3"`), "order 3"); got != 10 {
		t.Errorf("%d messages of an order, want 10", got)
	}
	o.does("delete message ID:17")
	o.refuses("show message ID:17", core.NotFound, "is in no queue")
	o.refuses("delete message it's", core.NotFound, "is in no queue")
	if got := o.does("show server"); !strings.Contains(got, "Pending Messages:         39\n") || !strings.Contains(got, "Consumers:                0\n") {
		t.Error(got)
	}
}

// BenchmarkShowQueues is a page of a hundred out of 100,000 queues.
func BenchmarkShowQueues(b *testing.B) {
	var conf strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&conf, "many.q%06d\n", i)
	}
	o := newOffice(b, memory{"queues.conf": conf.String()})
	for b.Loop() {
		if _, err := o.Do(b.Context(), Request{Command: "show queues many.> next=100", After: "many.q050000"}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPurge is of 100,000 messages, 1024 a step.
func BenchmarkPurge(b *testing.B) {
	o := newOffice(b, memory{"queues.conf": ">\n"})
	c := o.client("ann")
	for b.Loop() {
		b.StopTimer()
		o.send(c, "q", 100_000)
		b.StartTimer()
		if _, err := o.Do(b.Context(), Request{Command: "purge queue q"}); err != nil {
			b.Fatal(err)
		}
	}
}

// A store's mode is said in any case, and where nobody says it $sys.failsafe is sync
// and every other async (ems 12.1).
func TestStoreModes(t *testing.T) {
	o := newOffice(t, memory{
		"queues.conf": "a store=one\nb store=two\nc store=$sys.failsafe\nd store=$sys.nonfailsafe\n",
		"stores.conf": "[one]\n type=file\n file=1\n mode=SYNC\n[two]\n type=file\n file=2\n[$sys.failsafe]\n type=file\n file=3\n",
	})
	if got, want := o.does("show stores"), "Store Name        Type  Access Mode\n$sys.meta         log   async\n$sys.nonfailsafe  log   async\n$sys.failsafe     log   sync\none               log   sync\ntwo               log   async\n"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	got := o.does("show queues")
	for n, flags := range map[string]string{"a": "--+------", "b": "---------", "c": "--+------", "d": "---------"} { // order: irrelevant
		if !strings.Contains(got, "\n  "+n+strings.Repeat(" ", 33)+flags) {
			t.Errorf("%s has not %s:\n%s", n, flags, got)
		}
	}
}
