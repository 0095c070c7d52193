package core

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tidegate/tidegate/core/message"
)

// text is a content whose bytes are a label, with integer properties.
type text struct {
	label string
	size  int64
	props map[string]int64
}

func (t *text) Format() message.Format { return message.FormatAMQP }
func (t *text) Size() int64            { return t.size }
func (t *text) Property(n string) (message.Value, bool) {
	v, ok := t.props[n]
	return message.Value{Kind: message.Int, I: v}, ok
}
func (t *text) Pieces(dst [][]byte) [][]byte { return append(dst, []byte(t.label)) }

// logged is a record as the journal has it.
type logged struct {
	at Pos
	r  Record
}

// env runs a broker as core/server does: it keeps contents by id, records with
// positions, and reads the outs.
type env struct {
	b        *Broker
	now      time.Time
	fx       Effects
	log      []logged
	contents map[uint64]message.Content
	released map[uint64]int
	durable  bool // records become stable at the end of the step
	events   []string
}

func newEnv() *env {
	e := &env{now: time.UnixMilli(1_000_000), contents: map[uint64]message.Content{}, released: map[uint64]int{}, durable: true}
	e.b = NewBroker(Options{Contents: e, Server: "test"})
	e.b.Recovered(0)
	return e
}

func event(v Event) string {
	line := v.Kind + ": " + v.Name
	if t := v.Trace; t != nil {
		line += fmt.Sprintf(" %s user=%q size=%d body=%v", [...]string{"", "received", "sent", "acknowledged", "left"}[t.Step], t.User, t.Size, t.Body)
		if t.Why != ReasonNone {
			line += " " + t.Why.String()
		}
	}
	return line
}

func (e *env) Content(id uint64) (message.Content, bool) {
	c, ok := e.contents[id]
	return c, ok
}

// step runs one call and gives its outs; it panics where the effects break a
// rule that holds for every step.
func (e *env) step(f func(fx *Effects)) []Out {
	first := e.b.Next()
	for call := f; ; call = func(fx *Effects) { e.b.Continue(e.now, fx) } {
		e.fx.More = false
		call(&e.fx)
		if !e.fx.More {
			break
		}
	}
	if e.b.Next() != first+Pos(len(e.fx.Records)) {
		panic("records and positions differ in number")
	}
	for i, r := range e.fx.Records {
		if r.Kind == RecMessage || r.Kind == RecBody {
			e.contents[r.ID] = r.Content
			if r.ID&HeldBit != 0 {
				panic("a record of a message that is not stored")
			}
		}
		r.More, r.Runs = slices.Clone(r.More), slices.Clone(r.Runs)
		e.log = append(e.log, logged{first + Pos(i), r})
	}
	for _, h := range e.fx.Holds {
		e.contents[h.ID] = h.Content
		if h.ID&HeldBit == 0 {
			panic("a message that is not stored has an id of those that are")
		}
	}
	for _, v := range e.fx.Events {
		e.events = append(e.events, event(v))
	}
	outs := slices.Clone(e.fx.Outs)
	for _, o := range outs {
		if o.After >= e.b.Next() {
			panic("an out waits for a record that is not there")
		}
		if o.Kind == OutDeliver && e.contents[o.Message] == nil {
			panic("a delivery without content")
		}
	}
	for _, id := range e.fx.Released {
		if e.released[id]++; e.released[id] > 1 || e.contents[id] == nil {
			panic(fmt.Sprintf("id %d released twice, or unknown", id))
		}
		delete(e.contents, id)
	}
	e.fx.Reset()
	if e.durable {
		e.b.Stable(e.b.Next()-1, e.b.Next()-1)
	}
	return outs
}

// rebuilt is a broker made from the log alone, as after a crash.
func (e *env) rebuilt() *Broker {
	b := NewBroker(Options{Contents: e, Server: "test"})
	for _, l := range e.log {
		b.Apply(l.at, l.r)
	}
	b.Recovered(e.b.Next() - 1)
	return b
}

// fromCheckpoint is a broker made as core/server does: slices first, each at the
// position it stands for, and then the whole log, which they partly contain.
func (e *env) fromCheckpoint(slices []logged) *Broker {
	b := NewBroker(Options{Contents: e, Server: "test"})
	for _, l := range slices {
		b.Apply(l.at, l.r)
	}
	for _, l := range e.log {
		b.Apply(l.at, l.r)
	}
	b.Recovered(e.b.Next() - 1)
	return b
}

func (e *env) slices() (all []logged) {
	for k := range e.b.nextQueue {
		for _, r := range e.b.Slice(Key(k)) {
			all = append(all, logged{e.b.Next() - 1, r})
		}
	}
	return all
}

// check compares the live broker with one rebuilt from its records.
func (e *env) check() error {
	live := e.b.Durable()
	if got := e.rebuilt().Durable(); got != live {
		return fmt.Errorf("rebuilt from the log:\n%slive:\n%s", got, live)
	}
	if got := e.fromCheckpoint(e.slices()).Durable(); got != live {
		return fmt.Errorf("rebuilt from a checkpoint:\n%slive:\n%s", got, live)
	}
	return nil
}

// crash goes on with the rebuilt broker; contents that nobody holds go.
func (e *env) crash() error {
	if err := e.check(); err != nil {
		return err
	}
	e.b = e.rebuilt()
	live := map[uint64]message.Content{}
	for id := range e.b.Live() {
		if e.contents[id] == nil {
			return fmt.Errorf("id %d lives without content", id)
		}
		live[id] = e.contents[id]
	}
	e.contents, e.released = live, map[uint64]int{} // held ids begin again
	return nil
}

func kindOfError(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind.String()
	}
	return fmt.Sprint(err)
}

func TestErrorsSayWhatAndWhere(t *testing.T) {
	err := &Error{Op: "send to", Kind: NotFound, Name: "q", Err: errors.New("gone")}
	if got := err.Error(); got != "send to q: not found: gone" {
		t.Fatal(got)
	}
}

// TestOfferedMarkSurvivesTwoCrashes: what was delivered after a first crash is
// flagged after a second one.
func TestOfferedMarkSurvivesTwoCrashes(t *testing.T) {
	e := newEnv()
	d := Destination{Kind: Queue, Name: "q"}
	c, _ := e.b.Connect(e.now, ConnectOptions{}, &e.fx)
	p, _, _ := e.b.OpenProducer(e.now, c, ProducerOptions{Destination: d}, &e.fx)
	e.step(func(fx *Effects) {
		e.b.Publish(e.now, p, Send{}, message.Envelope{Durable: true, Content: &text{size: 1}}, fx)
	})
	receive := func() Out {
		c, _ := e.b.Connect(e.now, ConnectOptions{}, &e.fx)
		k, err := e.b.OpenConsumer(e.now, c, ConsumerOptions{Destination: d}, &e.fx)
		if err != nil {
			t.Fatal(err)
		}
		outs := e.step(func(fx *Effects) { e.b.Credit(e.now, k, 1, false, fx) })
		if len(outs) != 1 || outs[0].Kind != OutDeliver {
			t.Fatalf("outs %+v", outs)
		}
		return outs[0]
	}
	for life := range 3 {
		if err := e.crash(); err != nil {
			t.Fatal(err)
		}
		o := receive()
		if first := life == 0; o.First != first || (o.Count == 0) != first {
			t.Fatalf("life %d: first %v, count %d", life, o.First, o.Count)
		}
	}
}
