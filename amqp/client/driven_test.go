package client_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/sasl"
)

// heard are the events of a link, told as they come.
type heard chan string

func (h heard) event(e client.Event) {
	switch e.Kind {
	case client.Attached:
		h <- "attached"
	case client.Settled:
		for _, s := range e.Sent {
			h <- fmt.Sprintf("settled %d %T", s.Ref, e.State)
		}
	case client.Delivered:
		m, err := message.Index(e.Payload, e.Rest, nil)
		if err != nil {
			h <- err.Error()
			return
		}
		body, _ := m.Text()
		h <- body
	case client.Detached:
		e.Link.Detach(true, nil)
		h <- "detached: " + string(e.Error.Condition)
	default:
	}
}

func (h heard) want(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		select {
		case got := <-h:
			if got != w {
				t.Fatalf("heard %q, not %q", got, w)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("never heard %q", w)
		}
	}
}

// attach attaches a link in a session of its own.
func attach(t *testing.T, c *client.Conn, a frame.Attach) (*client.Session, *client.Link, heard) {
	t.Helper()
	s, err := c.Begin(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	h := make(heard, 100)
	var l *client.Link
	if err := c.Do(func() { l, err = s.Attach(a, h.event, nil) }); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s, l, h
}

// TestDriven: many deliveries are under way on links of several sessions, and each
// outcome and message is an event of its link.
func TestDriven(t *testing.T) {
	c := dial(t, start(t, nil))
	_, out, sent := attach(t, c, frame.Attach{Name: "out", Role: frame.RoleSender, Source: &frame.Source{}, Target: &frame.Target{Address: "q"}})
	in, from, came := attach(t, c, frame.Attach{Name: "in", Role: frame.RoleReceiver, Source: &frame.Source{Address: "q"}, Target: &frame.Target{}})
	sent.want(t, "attached")
	came.want(t, "attached")
	if product := c.Peer().ContainerID; product != "gate" {
		t.Errorf("the server calls itself %q", product)
	}
	var bodies, outcomes []string
	if err := c.Do(func() {
		from.Grant(20, false)
		for i := range 20 {
			body := fmt.Sprint("m", i)
			bodies, outcomes = append(bodies, body), append(outcomes, fmt.Sprintf("settled %d frame.Accepted", i+1))
			out.Send(client.Outgoing{Ref: uint64(i + 1), Tag: []byte{byte(i)}, First: text(body)})
		}
	}); err != nil {
		t.Fatal(err)
	}
	sent.want(t, outcomes...)
	came.want(t, bodies...)
	if err := c.Do(func() { in.Settle(0, 19, frame.Accepted{}) }); err != nil {
		t.Fatal(err)
	}
	_, _, refused := attach(t, c, frame.Attach{Name: "bad", Role: frame.RoleSender, Source: &frame.Source{}, Target: &frame.Target{Address: "unknown"}})
	refused.want(t, "attached", "detached: amqp:not-found")
	if err := c.Do(func() { in.End() }); err != nil {
		t.Fatal(err)
	}
	if got := drain(t, receive(t, c, "q")); len(got) > 0 {
		t.Errorf("%v are there still, and were accepted", got)
	}
}

func receive(t *testing.T, c *client.Conn, address string) *client.Receiver {
	t.Helper()
	r, err := c.NewReceiver(client.ReceiverOptions{Address: address, Credit: 10})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSilentServer: a server that says nothing any more, with its connection open, is given
// up, and so is one that does not read when the connection is to be closed.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	held := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		held <- c
		e := engine.New(engine.Config{SASL: &sasl.Server{}}, time.Now())
		for begun := false; !begun; {
			n, err := c.Read(e.Space())
			if err != nil {
				return
			}
			_ = e.Input(time.Now(), n)
			for _, v := range e.Events() {
				if v.Kind == engine.EventOpen {
					e.Open(nil)
				}
				begun = begun || v.Kind == engine.EventBegin
			}
			for _, part := range e.Output(time.Now(), nil) {
				_, _ = c.Write(part)
			}
		}
		// and nobody reads or writes any more
	}()
	c, err := client.Dial(t.Context(), "amqp://"+l.Addr().String(), client.Options{IdleTimeOut: 50 * time.Millisecond, CloseTimeOut: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.Ended():
	case <-time.After(30 * time.Second):
		t.Fatal("it was not noticed")
	}
	if err := c.Err(); err == nil || !strings.Contains(err.Error(), "nothing was received") {
		t.Errorf("it ended by %v", err)
	}
	if err := c.Do(func() { t.Error("a step was done") }); err == nil {
		t.Error("the connection is over, and a step was done")
	}
	_ = c.Close()
	_ = (<-held).Close()
}
