package core

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/property"
)

// office is an environment with a connection, a producer of queue q and as many
// messages there as wanted, every other one persistent.
type office struct {
	*env
	conn     ConnID
	producer ProducerID
}

func newOffice(t *testing.T, messages int) *office {
	o := &office{env: newEnv()}
	o.step(func(fx *Effects) {
		var err error
		if o.conn, err = o.b.Connect(o.now, ConnectOptions{User: "ann", Peer: Peer{Address: "1.2.3.4:5"}}, fx); err != nil {
			t.Fatal(err)
		}
		if o.producer, _, err = o.b.OpenProducer(o.now, o.conn, ProducerOptions{Destination: Destination{Kind: Queue, Name: "q"}}, fx); err != nil {
			t.Fatal(err)
		}
	})
	o.publish(messages)
	return o
}

func (o *office) publish(n int) {
	for i := range n {
		o.step(func(fx *Effects) {
			o.b.Publish(o.now, o.producer, Send{}, message.Envelope{Durable: i%2 == 0, Priority: uint8(i % 3), Content: &text{label: "m", size: 10}}, fx)
		})
	}
}

// A static destination stays when nobody uses it, and goes when it is deleted.
func TestDefinedDestinationsStay(t *testing.T) {
	o := newOffice(t, 0)
	q, tp := Destination{Kind: Queue, Name: "static"}, Destination{Kind: Topic, Name: "static"}
	for _, d := range []Destination{q, tp, {Kind: Queue, Name: "q"}} {
		o.step(func(fx *Effects) {
			if err := o.b.SetDefinition(o.now, d.Kind, property.Definition{Name: d.Name}, fx); err != nil {
				t.Fatal(err)
			}
		})
	}
	for _, d := range []Destination{q, tp} {
		o.step(func(fx *Effects) {
			p, _, err := o.b.OpenProducer(o.now, o.conn, ProducerOptions{Destination: d}, fx)
			if err != nil {
				t.Fatal(err)
			}
			o.b.CloseProducer(o.now, p, fx)
		})
		if !o.b.Exists(d) {
			t.Errorf("%v went with its last user", d)
		}
	}
	o.step(func(fx *Effects) { o.b.CloseProducer(o.now, o.producer, fx) })
	if got := o.b.Totals(); got.Queues != 2 || got.DynamicQueues != 0 || got.Topics != 1 || got.DynamicTopics != 0 {
		t.Errorf("%+v", got)
	}
	o.step(func(fx *Effects) {
		for _, d := range []Destination{q, tp} {
			if err := o.b.Delete(o.now, d, fx); err != nil {
				t.Error(err)
			}
		}
	})
	if got := o.b.Totals(); got.Queues != 1 || got.Topics != 0 || o.b.Exists(q) || o.b.Exists(tp) {
		t.Errorf("%+v after deleting", got)
	}
}

// TestATopicIsThereForItsDurableSubscriptions: also where nobody uses it, and it may not be
// created by using it any more.
func TestATopicIsThereForItsDurableSubscriptions(t *testing.T) {
	o := newOffice(t, 0)
	all, kept := property.Definition{Name: ">"}, Destination{Kind: Topic, Name: "kept"}
	o.step(func(fx *Effects) {
		if _, err := o.b.Configure(o.now, Configuration{Topics: []property.Definition{all}}, fx); err != nil {
			t.Fatal(err)
		}
		for _, d := range []Destination{kept, {Kind: Topic, Name: "wild.*"}} {
			if err := o.b.Subscribe(o.now, "c", d, SubscriptionOptions{Name: d.Name}, "", false, fx); err != nil {
				t.Fatal(err)
			}
		}
		if err := o.b.RemoveDefinition(o.now, Destination{Kind: Topic, Name: all.Name}, fx); err != nil {
			t.Fatal(err)
		}
	})
	for _, there := range []bool{true, false} {
		if err := o.b.Reach(o.conn, kept); (err == nil) != there {
			t.Errorf("there %v: %v", there, err)
		}
		if err := o.b.Reach(o.conn, Destination{Kind: Topic, Name: "wild.a"}); err == nil {
			t.Error("a wildcard's subscription keeps a topic")
		}
		o.step(func(fx *Effects) {
			if err := o.b.Unsubscribe(o.now, "c", kept.Name, false, fx); (err == nil) != there {
				t.Errorf("there %v: %v", there, err)
			}
		})
	}
}

// Views count as the broker does, in slices as in one piece, also when temporary
// destinations come and go between them.
func TestViews(t *testing.T) {
	o := newOffice(t, 5)
	var temps []Destination
	o.step(func(fx *Effects) {
		for i := range 20 {
			d, err := o.b.CreateTemporary(o.now, o.conn, DestinationKind(i%2+1), fx)
			if err != nil {
				t.Fatal(err)
			}
			temps = append(temps, d)
		}
		if err := o.b.DeleteTemporary(o.now, o.conn, temps[0], fx); err != nil {
			t.Fatal(err)
		}
		if err := o.b.DeleteTemporary(o.now, o.conn, temps[1], fx); err != nil {
			t.Fatal(err)
		}
	})
	var queues []QueueView
	var topics []TopicView
	for cursor, first := 0, true; first || cursor != 0; first = false {
		queues, cursor = o.b.QueueViews(queues, cursor, 3, nil)
	}
	for cursor, first := 0, true; first || cursor != 0; first = false {
		topics, cursor = o.b.TopicViews(topics, cursor, 3, func(n string) bool { return n != temps[3].Name })
	}
	if len(queues) != 10 || len(topics) != 8 {
		t.Errorf("%d queues of 10, %d topics of 8", len(queues), len(topics))
	}
	i := slices.IndexFunc(queues, func(v QueueView) bool { return v.Name == "q" })
	if v := queues[i]; v.Msgs != 5 || v.Bytes != 50 || v.Persistent != 3 || v.PersistentBytes != 30 || v.Producers != 1 || v.In.Msgs != 5 || v.In.Bytes != 50 {
		t.Errorf("%+v", v)
	}
	conns, _ := o.b.ConnViews(nil, 0, 10)
	if v := conns[0]; len(conns) != 1 || v.Number != 1 || v.User != "ann" || v.Peer.Address != "1.2.3.4:5" || v.TempQueues != 9 || v.TempTopics != 9 || v.Producers != 1 || !v.Since.Equal(o.now) {
		t.Errorf("%+v", conns)
	}
	if got := o.b.Totals(); got.TempQueues != 9 || got.TempTopics != 9 || got.DynamicQueues != 1 || got.Msgs != 5 || got.Bytes != 50 || got.Connections != 1 {
		t.Errorf("%+v", got)
	}
	o.step(func(fx *Effects) { o.b.Disconnect(o.now, o.conn, fx) })
	if got := o.b.Totals(); got.TempQueues != 0 || got.TempTopics != 0 || got.Topics != 0 || got.Connections != 0 || got.DynamicQueues != 1 {
		t.Errorf("%+v behind the connection's end", got)
	}
}

// What is delivered and not acknowledged counts as delivered; totals of consumer,
// queue and server say what went out.
func TestViewsOfDeliveries(t *testing.T) {
	o := newOffice(t, 4)
	o.step(func(fx *Effects) {
		k, err := o.b.OpenConsumer(o.now, o.conn, ConsumerOptions{Destination: Destination{Kind: Queue, Name: "q"}}, fx)
		if err != nil {
			t.Fatal(err)
		}
		o.b.Credit(o.now, k, 3, false, fx)
	})
	q, _ := o.b.QueueView("q")
	if q.Msgs != 4 || q.Delivered != 3 || q.Out.Msgs != 3 || q.Out.Bytes != 30 || q.Receivers != 1 {
		t.Errorf("%+v", q)
	}
	consumers, _ := o.b.ConsumerViews(nil, 0, 10)
	producers, _ := o.b.ProducerViews(nil, 0, 10)
	if v := consumers[0]; v.Unsettled != 3 || v.Traffic.Msgs != 3 || v.User != "ann" || v.Conn != 1 || v.Destination.Name != "q" {
		t.Errorf("%+v", v)
	}
	if v := producers[0]; v.Traffic.Msgs != 4 || v.Traffic.Bytes != 40 || v.Number == consumers[0].Number {
		t.Errorf("%+v", v)
	}
	if got := o.b.Totals(); got.In.Msgs != 4 || got.Out.Msgs != 3 || got.Out.Bytes != 30 {
		t.Errorf("%+v", got)
	}
}

// Rates are what was counted between two samples, by the second; without traffic
// they fall to nothing.
func TestRates(t *testing.T) {
	o := newOffice(t, 1)
	sample := func(after time.Duration) {
		o.now = o.now.Add(after)
		o.b.SampleTotals(o.now)
		steps := 1
		for c, more := o.b.Sample(o.now, SampleCursor{}, 2); more; c, more = o.b.Sample(o.now, c, 2) {
			if steps++; steps > 100 {
				t.Fatal("Sample does not end")
			}
		}
	}
	sample(0)
	o.publish(10)
	sample(2 * time.Second)
	q, _ := o.b.QueueView("q")
	p, _ := o.b.ProducerViews(nil, 0, 1)
	for name, got := range map[string]Traffic{"queue": q.In, "producer": p[0].Traffic, "server": o.b.Totals().In} { // order: irrelevant
		if got.MsgRate != 5 || got.ByteRate != 50 || got.Msgs != 11 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	sample(3 * time.Second)
	if q, _ = o.b.QueueView("q"); q.In.MsgRate != 0 || q.In.ByteRate != 0 {
		t.Errorf("without traffic: %+v", q.In)
	}
}

// A purge takes, in slices, what was there when it began, but for what is with a
// consumer; a restart does not bring it back.
func TestPurge(t *testing.T) {
	o := newOffice(t, 30)
	o.step(func(fx *Effects) {
		k, err := o.b.OpenConsumer(o.now, o.conn, ConsumerOptions{Destination: Destination{Kind: Queue, Name: "q"}}, fx)
		if err != nil {
			t.Fatal(err)
		}
		o.b.Credit(o.now, k, 4, false, fx)
	})
	p, err := o.b.PurgeQueue("q")
	if err != nil {
		t.Fatal(err)
	}
	o.publish(3)
	slices := 0
	for more := true; more; slices++ {
		o.step(func(fx *Effects) { more = o.b.Purge(o.now, p, 7, fx) })
	}
	if q, _ := o.b.QueueView("q"); p.Removed != 26 || q.Msgs != 4+3 || q.Delivered != 4 || slices < 4 {
		t.Errorf("%d removed in %d slices: %+v", p.Removed, slices, q)
	}
	if err := o.check(); err != nil {
		t.Error(err)
	}
	if _, err := o.b.PurgeQueue("none"); err == nil {
		t.Error("a queue that is not there is purged")
	}
}

func TestPurgeOfSubscriptions(t *testing.T) {
	o := newOffice(t, 0)
	topic := Destination{Kind: Topic, Name: "t"}
	var err error
	o.step(func(fx *Effects) {
		for i := range 2 {
			err = errors.Join(err, o.b.Subscribe(o.now, "c", topic, SubscriptionOptions{Name: fmt.Sprint("d", i)}, "", false, fx))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		o.step(func(fx *Effects) {
			p, _, _ := o.b.OpenProducer(o.now, o.conn, ProducerOptions{Destination: topic}, fx)
			o.b.Publish(o.now, p, Send{}, message.Envelope{Durable: true, Content: &text{label: "m", size: 10}}, fx)
			o.b.CloseProducer(o.now, p, fx)
		})
	}
	p, err := o.b.PurgeSubscription("c", "d0", false)
	if err != nil {
		t.Fatal(err)
	}
	o.step(func(fx *Effects) { o.b.Purge(o.now, p, 100, fx) })
	views := o.b.SubscriptionViews()
	if len(views) != 2 || views[0].Name != "d0" || views[0].Messages != 0 || views[1].Messages != 5 || views[1].Bytes != 50 || views[1].Persistent != 5 {
		t.Errorf("%+v", views)
	}
	all := o.b.PurgeTopic("t")
	o.step(func(fx *Effects) {
		for _, p := range all {
			o.b.Purge(o.now, p, 100, fx)
		}
	})
	if got := o.b.Totals(); len(all) != 2 || got.Msgs != 0 || got.Durables != 2 {
		t.Errorf("%d subscriptions, %+v", len(all), got)
	}
	if err := o.check(); err != nil {
		t.Error(err)
	}
}

// An administrator's subscription is there for its client, once.
func TestSubscribeForAClient(t *testing.T) {
	o := newOffice(t, 0)
	subscribe := func(selector string) (err error) {
		o.step(func(fx *Effects) {
			err = o.b.Subscribe(o.now, "c", Destination{Name: "t.*"}, SubscriptionOptions{Name: "d"}, selector, true, fx)
		})
		return err
	}
	if err := subscribe("a ="); kindOfError(err) != Invalid.String() {
		t.Errorf("a bad selector: %v", err)
	}
	if err := subscribe("a = 1"); err != nil {
		t.Fatal(err)
	}
	if err := subscribe("a = 1"); kindOfError(err) != Exists.String() {
		t.Errorf("twice: %v", err)
	}
	if s, ok := o.b.Subscription("c", "d", false); !ok || s.Selector != "a = 1" || s.Topic != "t.*" || !s.NoLocal {
		t.Errorf("%+v", s)
	}
	if err := o.check(); err != nil {
		t.Error(err)
	}
}

// Durables that files define are there whoever may subscribe (ems 7.9): the server
// makes them, and nobody's messages are lost for want of a right.
func TestSubscribeNeedsNoRight(t *testing.T) {
	o := newOffice(t, 0)
	o.step(func(fx *Effects) {
		o.b.Authorize(o.now, true, func(string, Permission, Destination, bool) bool { return false }, fx)
		if err := o.b.Subscribe(o.now, "c", Destination{Name: "t"}, SubscriptionOptions{Name: "d"}, "", false, fx); err != nil {
			t.Error(err)
		}
		options := ConsumerOptions{Destination: Destination{Kind: Topic, Name: "t"}, Subscription: &SubscriptionOptions{Name: "e", Durable: true}}
		if _, err := o.b.OpenConsumer(o.now, o.conn, options, fx); kindOfError(err) != Denied.String() {
			t.Errorf("a client: %v", err)
		}
	})
	if _, ok := o.b.Subscription("c", "d", false); !ok {
		t.Error("it is not there")
	}
}

func TestEvict(t *testing.T) {
	o := newOffice(t, 0)
	outs := o.step(func(fx *Effects) {
		if err := o.b.Evict(o.now, 1, "closed by admin", fx); err != nil {
			t.Error(err)
		}
		if err := o.b.Evict(o.now, 2, "closed by admin", fx); kindOfError(err) != NotFound.String() {
			t.Error(err)
		}
	})
	if len(outs) != 1 || outs[0].Kind != OutConnectionGone || outs[0].Conn != o.conn {
		t.Errorf("%+v", outs)
	}
}

// An administrator's answer goes through while storage is full.
func TestReserve(t *testing.T) {
	o := newOffice(t, 0)
	outs := o.step(func(fx *Effects) {
		o.b.Throttle(o.now, true, fx)
		o.b.Publish(o.now, o.producer, Send{Tag: 1}, message.Envelope{Content: &text{label: "m", size: 1}}, fx)
		o.b.Publish(o.now, o.producer, Send{Tag: 2, Reserve: true}, message.Envelope{Content: &text{label: "m", size: 1}}, fx)
	})
	for _, out := range outs {
		if out.Kind == OutSettled && (out.Err == nil) != (out.Tag == 2) {
			t.Errorf("send %d: %v", out.Tag, out.Err)
		}
	}
}

// Uncommitted messages and sessions are a connection's.
func TestViewsOfTransactions(t *testing.T) {
	o := newOffice(t, 0)
	o.b.NoteSession(o.conn, 1)
	o.b.NoteSession(o.conn, 1)
	o.b.NoteSession(o.conn, -1)
	o.b.Admin(o.conn)
	o.step(func(fx *Effects) {
		in, err := o.b.Begin(o.now, o.conn, fx)
		if err != nil {
			t.Error(err)
		}
		o.b.Publish(o.now, o.producer, Send{Txn: in}, message.Envelope{Content: &text{label: "m", size: 12}}, fx)
	})
	conns, _ := o.b.ConnViews(nil, 0, 1)
	if v := conns[0]; v.Uncommitted != 1 || v.UncommittedBytes != 12 || v.Sessions != 1 || !v.Admin {
		t.Errorf("%+v", v)
	}
	if v := o.b.TxnViews(); len(v) != 1 || v[0].Sends != 1 || v[0].Conn != 1 || v[0].Bytes != 12 {
		t.Errorf("%+v", v)
	}
	if got := o.b.Totals(); got.AdminConnections != 1 || got.Connections != 0 || got.Sessions != 1 {
		t.Errorf("%+v", got)
	}
}

// Detailed counts are bounded, and forgotten when they do not move or their
// producer goes.
func TestDetails(t *testing.T) {
	o := newOffice(t, 0)
	o.b.Detail(Detailed{Producers: true, Keep: 10 * time.Second, MaxBytes: 5 * (detailBytes + 2)})
	var p ProducerID
	o.step(func(fx *Effects) { p, _, _ = o.b.OpenProducer(o.now, o.conn, ProducerOptions{}, fx) })
	send := func(n int) {
		for i := range n {
			o.step(func(fx *Effects) {
				o.b.PublishTo(o.now, p, Destination{Kind: Queue, Name: fmt.Sprint("d", i)}, Send{}, message.Envelope{Content: &text{label: "m", size: 10}}, fx)
			})
		}
	}
	counts := func() (names []string) {
		views, _ := o.b.ProducerViews(nil, 0, 10)
		for _, v := range views {
			for _, d := range v.Details {
				names = append(names, fmt.Sprintf("%s=%d", d.Destination.Name, d.Traffic.Msgs))
			}
		}
		return names
	}
	sample := func(after time.Duration) {
		o.now = o.now.Add(after)
		for c, more := o.b.Sample(o.now, SampleCursor{}, 100); more; c, more = o.b.Sample(o.now, c, 100) {
		}
	}
	send(8)
	if got := fmt.Sprint(counts()); got != "[d0=1 d1=1 d2=1 d3=1 d4=1]" {
		t.Error(got)
	}
	sample(time.Second)
	send(2)
	sample(9 * time.Second)
	sample(2 * time.Second)
	if got := fmt.Sprint(counts()); got != "[d0=2 d1=2]" {
		t.Errorf("behind 10 seconds: %s", got)
	}
	send(8)
	if got := counts(); len(got) != 5 {
		t.Errorf("what was forgotten makes no room: %v", got)
	}
	o.step(func(fx *Effects) { o.b.CloseProducer(o.now, p, fx) })
	if o.b.detailSize != 0 {
		t.Errorf("%d bytes stay", o.b.detailSize)
	}
}

// TestOwnConnectionsAreNotShown: what the server itself uses is nobody's client.
func TestOwnConnectionsAreNotShown(t *testing.T) {
	e := newEnv()
	var fx Effects
	own, err := e.b.Connect(e.now, ConnectOptions{Own: true}, &fx)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := e.b.OpenProducer(e.now, own, ProducerOptions{}, &fx); err != nil {
		t.Fatal(err)
	}
	if _, err := e.b.OpenConsumer(e.now, own, ConsumerOptions{Destination: Destination{Kind: Queue, Name: ExportQueuePrefix + "T"}}, &fx); err != nil {
		t.Fatal(err)
	}
	conns, _ := e.b.ConnViews(nil, 0, 100)
	producers, _ := e.b.ProducerViews(nil, 0, 100)
	consumers, _ := e.b.ConsumerViews(nil, 0, 100)
	total := e.b.Totals()
	if len(conns)+len(producers)+len(consumers)+total.Connections+total.Producers+total.Consumers != 0 {
		t.Fatalf("shown: %d connections, %d producers, %d consumers; %+v", len(conns), len(producers), len(consumers), total)
	}
}
