package suite

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// Programs as users of two frameworks write them (issue 5, acceptance 6), seen
// from outside: what they print, and what lies in the queues that they leave.

const fieldOrders = 60 // Desk.ORDERS of the Spring program

// noCache has Spring open a connection for each call of a JmsTemplate: by default
// the starter keeps one with its sessions (and no client id can be set on it).
const noCache = "--spring.jms.cache.enabled=false"

// TestSpringBoot: amqp-10-jms-spring-boot-starter with its defaults. JmsTemplate,
// transacted listeners, @Transactional, request and reply, and topics by
// spring.jms.pub-sub-domain.
func TestSpringBoot(t *testing.T) {
	t.Run("defaults", func(t *testing.T) {
		t.Parallel()
		// The template's sends go by the connection that it keeps, not by the
		// listener's session: they are done although the order comes again.
		springQueues(t, fieldOrders/10)
	})
	t.Run("a connection a call", func(t *testing.T) {
		t.Parallel()
		springQueues(t, 0, noCache)
	})
	t.Run("topics", func(t *testing.T) {
		t.Parallel()
		springTopics(t)
	})
}

func springQueues(t *testing.T, strays int, settings ...string) {
	s := harness.Start(t)
	outside := harness.Driver(t, "go")
	sendOrders(t, outside, s)
	p := harness.StartProgram(t, "spring", append([]string{s.URL, "queues"}, settings...)...)
	p.End(t)
	sameTexts(t, p.Told("greeted"), numbered("greeting %d", 1, 10))
	sameTexts(t, texts(receive(t, outside, s, "field.greetings", 10)), numbered("greeting %d", 11, 20))
	sameTexts(t, p.Told("map"), []string{"{name=Ems, open=true, tides=2}"})
	sameTexts(t, p.Told("answered"), numbered("answer to question %d", 1, 50))
	ordersHandled(t, p, outside, s, strays)
	for _, queue := range []string{"field.debits", "field.credits"} {
		sameTexts(t, texts(receive(t, outside, s, queue, 15)), p.Told("transferred"))
	}
	sameTexts(t, p.Told("undone"), []string{"transfer 4", "transfer 8", "transfer 12", "transfer 16", "transfer 20"})
	if n := len(p.Told("stayed")); n != 5 {
		t.Errorf("%d moves were undone, want 5", n)
	}
	sameTexts(t, p.Told("moved"), numbered("moved %d", 1, 5))
	sameTexts(t, texts(receive(t, outside, s, "field.out", 5)), numbered("moved %d", 1, 5))
	fieldIsEmpty(t, s)
}

func springTopics(t *testing.T) {
	s := harness.Start(t)
	outside := harness.Driver(t, "go")
	bulletins := receiving(t, outside, s, "field.bulletins", harness.Fields{"kind": "topic", "count": 40, "idle_ms": 60_000})
	p := harness.StartProgram(t, "spring", s.URL, "topics", "--spring.jms.pub-sub-domain=true", noCache)
	p.Until(t, "subscribed", 1)
	publish(t, outside, s, 1, 20)
	enough(t, outside, s)
	p.Until(t, "away", 1)
	newsHeard(t, p, 20, 20)
	publish(t, outside, s, 21, 10)
	p.Go(t)
	p.Until(t, "subscribed", 2)
	enough(t, outside, s)
	p.End(t)
	newsHeard(t, p, 20, 30)
	sameTexts(t, texts(messages(t, bulletins)), append(numbered("bulletin %d", 1, 20), numbered("bulletin %d", 1, 20)...))
}

// TestCamel: routes on Camel's AMQP component, made from the URL alone.
func TestCamel(t *testing.T) {
	s := harness.Start(t)
	outside := harness.Driver(t, "go")
	bulletins := receiving(t, outside, s, "field.bulletins", harness.Fields{"kind": "topic", "count": 20, "idle_ms": 60_000})
	sendOrders(t, outside, s)

	p := harness.StartProgram(t, "camel", s.URL)
	p.Until(t, "subscribed", 1)
	publish(t, outside, s, 1, 20)
	sameTexts(t, p.Until(t, "answered", 50), numbered("answer to question %d", 1, 50))
	ordersHandled(t, p, outside, s, 0)
	jobs := texts(receive(t, outside, s, "field.done", 200))
	slices.Sort(jobs)
	want := numbered("job %d", 1, 200)
	slices.Sort(want)
	sameTexts(t, jobs, want) // five consumers: each once, in any order
	sameTexts(t, texts(messages(t, bulletins)), numbered("bulletin %d", 1, 20))
	for _, reader := range []string{"first", "second", "archive"} {
		p.Until(t, reader, 20)
	}
	p.Go(t)
	p.Until(t, "away", 1)
	newsHeard(t, p, 20, 20)
	publish(t, outside, s, 21, 10)
	p.Go(t)
	p.Until(t, "archive", 30)
	p.Go(t)
	p.End(t)
	newsHeard(t, p, 20, 30)
	fieldIsEmpty(t, s)
}

// sendOrders puts into a queue what the program's transacted listener takes.
func sendOrders(t *testing.T, c *harness.Client, s *harness.Server) {
	t.Helper()
	for _, order := range numbered("order %d", 1, fieldOrders) {
		send(t, c, s, "field.orders", harness.Fields{"count": 1, "body": "text", "text": order})
	}
}

// ordersHandled waits until each order was handled once, every tenth after it
// came again, and wants one invoice for each: those of refused orders went with
// their transaction, but for so many strays.
func ordersHandled(t *testing.T, p *harness.Program, c *harness.Client, s *harness.Server, strays int) {
	t.Helper()
	var want, again []string
	for i, order := range numbered("order %d", 1, fieldOrders) {
		delivery := 1
		if (i+1)%10 == 0 {
			again, delivery = append(again, order), 2
		}
		want = append(want, fmt.Sprintf("%s delivery %d", order, delivery))
	}
	got := slices.Clone(p.Until(t, "handled", fieldOrders))
	slices.Sort(got)
	slices.Sort(want)
	sameTexts(t, got, want)
	sameTexts(t, p.Told("refused"), again)
	invoices := texts(receive(t, c, s, "field.invoices", fieldOrders+strays))
	slices.Sort(invoices)
	bills := numbered("invoice for order %d", 1, fieldOrders)
	for _, order := range again[:strays] {
		bills = append(bills, "invoice for "+order)
	}
	slices.Sort(bills)
	sameTexts(t, invoices, bills)
}

// publish sends news number first and the n-1 after it.
func publish(t *testing.T, c *harness.Client, s *harness.Server, first, n int) {
	t.Helper()
	for _, news := range numbered("news %d", first, first+n-1) {
		send(t, c, s, "field.news", harness.Fields{"kind": "topic", "producer": "wire", "count": 1, "body": "text", "text": news})
	}
}

// enough ends the Spring program's readers.
func enough(t *testing.T, c *harness.Client, s *harness.Server) {
	t.Helper()
	send(t, c, s, "field.news", harness.Fields{"kind": "topic", "producer": "wire", "count": 1, "body": "text", "text": "enough"})
}

// newsHeard wants news 1 to n heard by the readers that were there, and up to
// kept by the durable one.
func newsHeard(t *testing.T, p *harness.Program, n, kept int) {
	t.Helper()
	sameTexts(t, p.Told("first"), numbered("news %d", 1, n))
	sameTexts(t, p.Told("second"), numbered("news %d", 1, n))
	sameTexts(t, p.Told("archive"), numbered("news %d", 1, kept))
}

// fieldIsEmpty wants nothing left in any queue that the programs use.
func fieldIsEmpty(t *testing.T, s *harness.Server) {
	t.Helper()
	for _, queue := range strings.Fields("orders invoices greetings maps questions debits credits in out busy done") {
		empty(t, s, "field."+queue)
	}
}

func numbered(format string, first, last int) []string {
	var all []string
	for i := first; i <= last; i++ {
		all = append(all, fmt.Sprintf(format, i))
	}
	return all
}

func texts(events []harness.Event) []string {
	var all []string
	for _, e := range events {
		if e.Text != nil {
			all = append(all, *e.Text)
		} else {
			all = append(all, "not a text")
		}
	}
	return all
}

func sameTexts(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %d: %q\nwant %d: %q", len(got), got, len(want), want)
	}
}
