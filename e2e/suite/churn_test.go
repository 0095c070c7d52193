package suite

import (
	"context"
	"flag"
	"fmt"
	"sync"
	"testing"

	"github.com/Azure/go-amqp"

	"github.com/tidegate/tidegate/e2e/harness"
)

// churn is how many times over the scenarios below run: 25 is what issue 5
// (acceptance 2) asks for.
var churn = flag.Int("churn", 1, "what is made and closed, in 25ths of 10,000 calls, 1,000 sessions, 5,000 connections")

const (
	churnCalls    = 400 // by churnCallers
	churnCallers  = 100
	churnSessions = 40
	churnCycles   = 200
	// churnKiB and churnObjects are what may live more after it than before: read
	// buffers and pages of tables that are kept, however many calls there were
	// (measured: 0.1 to 0.9 MiB, 100 to 1,700 objects, for 400 as for 10,000).
	churnKiB     = 2048
	churnObjects = 4000
	// churnFiles are the segments that a longer log has, until they are recycled.
	churnFiles = 8
)

// TestChurn: what clients make and close leaves nothing behind: no memory, no
// goroutine, link, queue, socket or file.
func TestChurn(t *testing.T) {
	s := harness.Start(t, "--debug", "127.0.0.1:0")
	jms := harness.Driver(t, "java")
	steps := []struct {
		name string
		run  func(t *testing.T, scale int)
	}{
		{"calls", func(t *testing.T, scale int) { calls(t, s, jms, scale*churnCalls) }},
		{"sessions", func(t *testing.T, scale int) { sessions(t, s, jms, scale*churnSessions) }},
		{"cycles", func(t *testing.T, scale int) { cycles(t, s, jms, scale*churnCycles) }},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			step.run(t, 1) // what is made once and stays
			before := atRest(t, s, nil)
			rss := residentKiB(t, s.PID())
			step.run(t, *churn)
			after := atRest(t, s, &before)
			grown := (after.HeapBytes - before.HeapBytes) >> 10
			t.Logf("heap %d to %d KiB, objects %d to %d, resident %d to %d KiB, goroutines %d to %d, descriptors %d to %d, data files %d to %d, broker %+v",
				before.HeapBytes>>10, after.HeapBytes>>10, before.HeapObjects, after.HeapObjects, rss, residentKiB(t, s.PID()),
				before.Goroutines, after.Goroutines, before.Descriptors, after.Descriptors, before.DataFiles, after.DataFiles, after.Broker)
			if objects := after.HeapObjects - before.HeapObjects; (grown > churnKiB || objects > churnObjects) && !raced() {
				t.Errorf("%d KiB in %d objects more live than before, %d KiB and %d are allowed", grown, objects, churnKiB, churnObjects)
			}
		})
	}
}

// atRest waits until no client is connected and there are no more goroutines and
// descriptors than before, and gives what there is.
func atRest(t *testing.T, s *harness.Server, before *harness.Counts) (c harness.Counts) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("before %+v\nnow %+v", before, c)
		}
	}()
	wait(t, "no connection, and nothing left of one", func() bool {
		c = s.Counts(t)
		b := c.Broker
		if c.Sockets+b.Connections+b.Sessions+b.Producers+b.Consumers+b.TempQueues+b.TempTopics != 0 || b.Msgs != 0 {
			return false
		}
		return before == nil || c.Goroutines <= before.Goroutines && c.Descriptors-c.DataFiles <= before.Descriptors-before.DataFiles &&
			b.Queues <= before.Broker.Queues && b.Topics <= before.Broker.Topics && c.DataFiles <= before.DataFiles+churnFiles
	})
	return c
}

// calls makes n requests in all, of churnCallers at a time: half by Qpid JMS, each
// over a session and a temporary queue of its own, half by go-amqp likewise.
func calls(t *testing.T, s *harness.Server, jms *harness.Client, n int) {
	t.Helper()
	const patience = 600_000 // ms, for all calls: the machine may be slow
	each := n / churnCallers
	responders := []*harness.Call{
		harness.Driver(t, "go").Do(t, harness.Fields{"cmd": "respond", "url": s.URL, "address": "churn.go", "count": n / 2, "timeout_ms": patience}),
		jms.Do(t, harness.Fields{"cmd": "respond", "url": s.URL, "address": "churn.jms", "count": n / 2, "timeout_ms": patience}),
	}
	for _, r := range responders {
		r.Until(t, "attached")
	}
	var callers []*harness.Call
	for i := range churnCallers / 2 {
		callers = append(callers, jms.Do(t, harness.Fields{
			"cmd": "calls", "url": s.URL, "address": "churn.go", "producer": fmt.Sprint("caller-", i), "count": each, "timeout_ms": patience,
		}))
	}
	together(t, churnCallers/2, func(ctx context.Context) error { return callByGo(ctx, s.URL, "churn.jms", each) })
	for _, c := range append(responders, callers...) {
		c.Done(t)
	}
}

// callByGo makes n requests on one connection, each with a session and a
// temporary queue of its own.
func callByGo(ctx context.Context, url, address string, n int) error {
	conn, err := amqp.Dial(ctx, url, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	for i := range n {
		session, err := conn.NewSession(ctx, nil)
		if err != nil {
			return err
		}
		replies, err := session.NewReceiver(ctx, "", &amqp.ReceiverOptions{DynamicAddress: true})
		if err != nil {
			return err
		}
		sender, err := session.NewSender(ctx, address, nil)
		if err != nil {
			return err
		}
		to, id := replies.Address(), fmt.Sprint("call-", i)
		m := amqp.NewMessage([]byte("question"))
		m.Properties = &amqp.MessageProperties{MessageID: id, ReplyTo: &to}
		if err := sender.Send(ctx, m, nil); err != nil {
			return err
		}
		reply, err := replies.Receive(ctx, nil)
		if err != nil {
			return err
		}
		if reply.Properties == nil || reply.Properties.CorrelationID != any(id) {
			return fmt.Errorf("%s was answered by %+v", id, reply.Properties)
		}
		if err := replies.AcceptMessage(ctx, reply); err != nil {
			return err
		}
		if err := session.Close(ctx); err != nil {
			return err
		}
	}
	return nil
}

// sessions has n sessions open on one connection, and closes them.
func sessions(t *testing.T, s *harness.Server, jms *harness.Client, n int) {
	t.Helper()
	jms.Do(t, harness.Fields{"cmd": "sessions", "url": s.URL, "address": "churn.session", "count": n, "timeout_ms": 600_000}).Done(t)
}

// cycles sends n messages, each over a connection of its own, ten at a time: half
// by Qpid JMS, half by go-amqp; and takes them.
func cycles(t *testing.T, s *harness.Server, jms *harness.Client, n int) {
	t.Helper()
	const at = 5 // of each library
	var senders []*harness.Call
	for i := range at {
		senders = append(senders, jms.Do(t, harness.Fields{
			"cmd": "cycles", "url": s.URL, "address": "churn.cycle", "producer": fmt.Sprint("sender-", i), "count": n / 2 / at, "timeout_ms": 600_000,
		}))
	}
	together(t, at, func(ctx context.Context) error {
		for range n / 2 / at {
			if err := cycleByGo(ctx, s.URL, "churn.cycle"); err != nil {
				return err
			}
		}
		return nil
	})
	for _, c := range senders {
		c.Done(t)
	}
	receive(t, harness.Driver(t, "go"), s, "churn.cycle", n)
}

func cycleByGo(ctx context.Context, url, address string) error {
	conn, err := amqp.Dial(ctx, url, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	session, err := conn.NewSession(ctx, nil)
	if err != nil {
		return err
	}
	sender, err := session.NewSender(ctx, address, nil)
	if err != nil {
		return err
	}
	m := amqp.NewMessage([]byte("hello"))
	m.Header = &amqp.MessageHeader{Durable: true}
	if err := sender.Send(ctx, m, nil); err != nil {
		return err
	}
	if err := sender.Close(ctx); err != nil {
		return err
	}
	return session.Close(ctx)
}

// together runs n of them and wants each to succeed.
func together(t *testing.T, n int, do func(ctx context.Context) error) {
	t.Helper()
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			if err := do(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
