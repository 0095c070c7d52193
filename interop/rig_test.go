package interop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	coremessage "github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/property"
	"github.com/tidegate/tidegate/core/server"
	"github.com/tidegate/tidegate/interop/translate"
	"github.com/tidegate/tidegate/persist/store"
	"github.com/tidegate/tidegate/persist/vfs"
)

// rig is a broker over a disk in memory, and an outside in memory: what it does, and
// when, is the test's to say, which no real system lets it (those are in the packages
// of the transports).
type rig struct {
	t       *testing.T
	disk    *vfs.Mem
	store   *store.Store
	broker  *server.Server
	manager *Manager
	outside *outside
	events  []string
	notes   string // of the message that messages saw last
	conn    *server.Conn
	publish core.ProducerID
	mu      sync.Mutex
}

// rigged runs a test on a rig, in a bubble.
func rigged(t *testing.T, do func(g *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := &rig{t: t, disk: vfs.NewMem(), outside: newOutside()}
		g.start()
		defer g.stop()
		do(g)
	})
}

func (g *rig) start() {
	g.t.Helper()
	var ready *server.Server
	st, err := store.Open(store.Options{FS: g.disk, Dir: "d", SegmentBytes: 1 << 20, OnStable: func() {
		if ready != nil {
			ready.Stable()
		}
	}})
	if err != nil {
		g.t.Fatal(err)
	}
	broker, err := server.New(st, server.Options{
		Name: "rig", StoreNeed: core.Sync, Spool: st, Make: func(f coremessage.Format, p [][]byte) (coremessage.Content, error) { return message.FromBytes(f, p) },
	})
	if err != nil {
		g.t.Fatal(err)
	}
	ready, g.store, g.broker = broker, st, broker
	g.manager = NewManager(Options{
		Broker: broker, Server: "rig", Gateway: "rig-1", Log: slog.New(slog.DiscardHandler),
		Factories: Factories{
			"certified": {Type: "certified", Certified: true, New: func(Settings) (Transport, error) { return g.outside, nil }},
			"reliable":  {Type: "reliable", New: func(Settings) (Transport, error) { return g.outside, nil }},
			"broken":    {Type: "broken", New: func(Settings) (Transport, error) { return nil, errors.New("url: write one") }},
		},
		Event: func(e core.Event) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.events = append(g.events, e.Kind)
		},
	})
	if g.conn, err = broker.Attach(core.ConnectOptions{}, func() {}); err != nil {
		g.t.Fatal(err)
	}
	g.do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		g.publish, _, err = b.OpenProducer(now, g.conn.ID(), core.ProducerOptions{}, fx)
	})
	if err != nil {
		g.t.Fatal(err)
	}
}

func (g *rig) stop() {
	g.manager.Close()
	g.conn.Close()
	g.broker.Close()
	if err := g.store.Close(); err != nil {
		g.t.Error(err)
	}
}

func (g *rig) do(step func(now time.Time, b *core.Broker, fx *core.Effects)) { g.broker.Do(step) }

// define gives a destination properties.
func (g *rig) define(d Destination, properties string) {
	g.t.Helper()
	kind := property.Queue
	if d.Kind == Topic {
		kind = property.Topic
	}
	items, wrong := property.ParseList(kind, properties)
	if len(wrong) > 0 {
		g.t.Fatal(wrong[0])
	}
	def := property.Definition{Name: d.Name}
	for _, i := range items {
		def.Set = def.Set.With(i.Value)
	}
	if err := g.broker.SetDefinition(d.Kind, def); err != nil {
		g.t.Fatal(err)
	}
}

func topic(n string) Destination { return Destination{Kind: Topic, Name: n} }
func queue(n string) Destination { return Destination{Kind: Queue, Name: n} }

// send publishes a message and waits until it is durable.
func (g *rig) send(to Destination, text string, change ...func(m *translate.Message)) {
	g.t.Helper()
	f := translate.Message{Kind: message.KindText, Persistent: true, Priority: 4, Body: translate.Body{Form: translate.Text, Text: text}}
	for _, c := range change {
		c(&f)
	}
	m := f.Build(nil)
	env, err := m.Envelope(m, time.Now().UnixMilli())
	if err != nil {
		g.t.Fatal(err)
	}
	g.do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		b.PublishTo(now, g.publish, to, core.Send{}, env, fx)
	})
	synctest.Wait()
	for _, o := range g.conn.Take(nil) {
		if o.Kind == core.OutSettled && o.Err != nil {
			g.t.Fatal(o.Err)
		}
	}
}

// texts are those of a queue's messages.
func (g *rig) texts(q string) (all []string) {
	g.t.Helper()
	for _, m := range g.messages(q) {
		text, _ := m.Text()
		all = append(all, text)
	}
	return all
}

func (g *rig) messages(q string) (all []*message.Message) {
	g.t.Helper()
	synctest.Wait()
	var k core.ConsumerID
	var err error
	g.do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		if _, ok := b.QueueView(q); !ok {
			return
		}
		k, err = b.OpenConsumer(now, g.conn.ID(), core.ConsumerOptions{Destination: queue(q), Browse: true}, fx)
		if err == nil {
			b.Credit(now, k, 1000, false, fx)
		}
	})
	if err != nil {
		g.t.Fatal(err)
	}
	synctest.Wait()
	for _, o := range g.conn.Take(nil) {
		if o.Kind != core.OutDeliver {
			continue
		}
		notes, _ := o.Ref.([]byte)
		g.notes = string(notes)
		body, _, _ := g.conn.Bytes(o.Message)
		m, err := message.Index(body[0], body[1:], nil)
		if err != nil {
			g.t.Fatal(err)
		}
		all = append(all, &m)
	}
	g.do(func(now time.Time, b *core.Broker, fx *core.Effects) { b.CloseConsumer(now, k, fx) })
	return all
}

func (g *rig) status(n string) Status {
	g.t.Helper()
	synctest.Wait()
	s, err := g.manager.Status(n)
	if err != nil {
		g.t.Fatal(err)
	}
	return s
}

// outside is a system in memory.
type outside struct {
	mu      sync.Mutex
	up      bool // it can be connected to
	holds   bool // it confirms nothing
	stuck   bool // it takes nothing, until the session ends
	refuses func(o *Outbound) error
	// meanwhile is called once, while a session is told what to bring in.
	meanwhile func()
	sink      Sink // nil: nobody is connected
	session   *outsideSession
	got       []sent
	imports   []Destination
	settled   map[uint64]Outcome
	tag       uint64
	opens     int
	ended     []string
	// registered are listeners, and what had been sent when they came; nil: it has none.
	registered map[Registration]int
	full       bool // it takes no listener
}

type sent struct {
	to            string
	text          string
	again         bool
	id, reply, by string
}

func newOutside() *outside { return &outside{up: true, settled: map[uint64]Outcome{}} }

func (o *outside) set(change func(o *outside)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	change(o)
}

func (o *outside) Open(_ context.Context, sink Sink) (Session, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.opens++
	if !o.up {
		return nil, errors.New("connection refused")
	}
	o.sink, o.session = sink, &outsideSession{o: o}
	return o.session, nil
}

func (o *outside) Close() {}

// fail breaks the connection.
func (o *outside) fail(why string) {
	o.mu.Lock()
	sink := o.sink
	o.mu.Unlock()
	if sink != nil {
		sink.Failed(errors.New(why))
	}
}

// texts are what came out, in order, as TO:TEXT, with a + where it may have come before.
func (o *outside) texts() (all []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.got {
		text := s.to + ":" + s.text
		if s.again {
			text += "+"
		}
		all = append(all, text)
	}
	return all
}

// deliver has messages come in; the answer is their tags.
func (o *outside) deliver(all ...Inbound) (tags []uint64) {
	o.mu.Lock()
	for i := range all {
		o.tag++
		all[i].Tag = o.tag
		tags = append(tags, o.tag)
	}
	sink := o.sink
	o.mu.Unlock()
	sink.Deliver(all)
	return tags
}

func (o *outside) outcome(tag uint64) Outcome {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.settled[tag]
}

func text(to Destination, s string, sequence uint64) Inbound {
	in := Inbound{To: to, Fields: &translate.Message{Kind: message.KindText, Priority: 4, Body: translate.Body{Form: translate.Text, Text: s}}, Sequence: sequence}
	if sequence > 0 {
		in.Source = "stream"
	}
	return in
}

type outsideSession struct {
	o *outside
}

func (s *outsideSession) Imports(_ context.Context, all []Destination) error {
	var meanwhile func()
	s.o.set(func(o *outside) {
		o.imports = all
		meanwhile, o.meanwhile = o.meanwhile, nil
	})
	if meanwhile != nil {
		meanwhile()
	}
	return nil
}

func (s *outsideSession) Exports(context.Context, []Destination) error { return nil }

func (s *outsideSession) Send(ctx context.Context, all []Outbound) error {
	var answers []Sent
	s.o.mu.Lock()
	if s.o.stuck {
		s.o.mu.Unlock()
		<-ctx.Done()
		return context.Cause(ctx)
	}
	for i := range all {
		o := &all[i]
		text, _ := o.Message.Text()
		s.o.got = append(s.o.got, sent{o.To.Name, text, o.Again, o.ID, o.ReplyTo, o.Origin})
		if s.o.holds {
			continue
		}
		a := Sent{Tag: o.Tag}
		if s.o.refuses != nil {
			a.Refused = s.o.refuses(o)
		}
		answers = append(answers, a)
	}
	sink := s.o.sink
	s.o.mu.Unlock()
	sink.Sent(answers)
	return nil
}

func (s *outsideSession) Settle(all []Settlement) {
	s.o.set(func(o *outside) {
		for _, a := range all {
			o.settled[a.Tag] = a.Outcome
		}
	})
}

func (s *outsideSession) Reply(_ context.Context, token string) (string, error) {
	return "reply." + token, nil
}

func (s *outsideSession) EndReply(token string) {
	s.o.set(func(o *outside) { o.ended = append(o.ended, token) })
}

func (s *outsideSession) Close() {
	s.o.set(func(o *outside) {
		if o.session == s {
			o.sink = nil
		}
	})
}

func numbered(n int, format string) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf(format, i))
	}
	return all
}

func itoa(n int) string { return strconv.Itoa(n) }
