package core

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/core/auth"
	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/property"
)

// rightsModel is a broker whose rights and secure destinations change while it works,
// beside what must come of it, worked out anew each time (ems 6.4).
type rightsModel struct {
	*env
	on        bool
	secure    map[Destination]bool // definitions
	grants    []auth.Grant
	producers map[string]ProducerID // anonymous ones, of users
	listeners []*listener
	sent      int
}

// listener is a consumer with endless credit.
type listener struct {
	id      ConsumerID
	user    string
	to      Destination
	word    auth.Rights
	stored  bool // what comes while it has no right waits for it
	waiting []string
	want    []string
	got     []string
}

func (m *rightsModel) isSecure(d Destination) bool {
	for s := range m.secure { // order: irrelevant
		if s.Kind == d.Kind && name.Overlap(s.Name, d.Name) {
			return true
		}
	}
	return false
}

// may is the naive evaluation of a right.
func (m *rightsModel) may(user string, right auth.Rights, d Destination) bool {
	if !m.on || !m.isSecure(d) {
		return true
	}
	for _, g := range m.grants {
		implied := right == auth.UseDurable && g.Rights&auth.Durable != 0
		if g.Who.Name == user && g.Topic == (d.Kind == Topic) && name.Covers(g.Pattern, d.Name) && (g.Rights&right != 0 || implied) {
			return true
		}
	}
	return false
}

// changed brings rights into force, and gives what has waited to those who may.
func (m *rightsModel) changed(f func(fx *Effects)) {
	m.take(m.step(f))
	for _, l := range m.listeners {
		if m.may(l.user, l.word, l.to) {
			l.want, l.waiting = append(l.want, l.waiting...), nil
		}
	}
}

func (m *rightsModel) authorize(fx *Effects) {
	cache := auth.NewCache(auth.Compile(auth.Source{Grants: slices.Clone(m.grants)}))
	bits := [...]auth.Rights{MaySend: auth.Send, MayReceive: auth.Receive, MaySubscribe: auth.Subscribe, MayDurable: auth.Durable, MayUseDurable: auth.UseDurable}
	m.b.Authorize(m.now, m.on, func(user string, p Permission, d Destination, secure bool) bool {
		return !m.on || !secure || cache.Rights(user, d.Kind == Topic, d.Name)&bits[p] != 0
	}, fx)
}

// take notes deliveries, and gives the refused send's error.
func (m *rightsModel) take(outs []Out) (refused error) {
	for _, o := range outs {
		switch {
		case o.Kind == OutSettled && o.Err != nil:
			refused = o.Err
		case o.Kind == OutDeliver:
			i := slices.IndexFunc(m.listeners, func(l *listener) bool { return l.id == o.Consumer })
			m.listeners[i].got = append(m.listeners[i].got, m.contents[o.Message].(*text).label)
		}
	}
	return refused
}

func (m *rightsModel) listen(t *rapid.T, user string, to Destination, s *SubscriptionOptions) {
	l := &listener{user: user, to: to, word: auth.Receive, stored: true}
	switch {
	case s != nil:
		l.word = auth.UseDurable
	case to.Kind == Topic:
		l.word, l.stored = auth.Subscribe, false
	}
	m.step(func(fx *Effects) {
		c, err := m.b.Connect(m.now, ConnectOptions{User: user, ClientID: fmt.Sprint(len(m.listeners))}, fx)
		if err != nil {
			t.Fatal(err)
		}
		if l.id, err = m.b.OpenConsumer(m.now, c, ConsumerOptions{Destination: to, Subscription: s}, fx); err != nil {
			t.Fatal(err)
		}
		m.b.Credit(m.now, l.id, 100_000, false, fx)
	})
	m.listeners = append(m.listeners, l)
}

// publish sends, and works out who is to get it.
func (m *rightsModel) publish(t *rapid.T, user string, to Destination, durable bool) {
	m.sent++
	label := fmt.Sprint("m", m.sent)
	refused := m.take(m.step(func(fx *Effects) {
		m.b.PublishTo(m.now, m.producers[user], to, Send{Tag: uint64(m.sent)}, message.Envelope{Durable: durable, Content: &text{label: label, size: 10}}, fx)
	}))
	may := m.may(user, auth.Send, to)
	if may != (refused == nil) {
		t.Fatalf("%s sends to %v: %v", user, to, refused)
	}
	if !may {
		return
	}
	for _, l := range m.listeners {
		switch {
		case l.to.Kind != to.Kind || !name.Match(l.to.Name, to.Name):
		case l.stored && !m.may(l.user, l.word, l.to):
			l.waiting = append(l.waiting, label)
		case l.stored || m.may(l.user, l.word, to): // an unshared wildcard is asked for each topic
			l.want = append(l.want, label)
		}
	}
}

func (m *rightsModel) check(t *rapid.T) {
	for _, l := range m.listeners {
		if !slices.Equal(l.got, l.want) {
			t.Fatalf("%s on %v has got %v, want %v; secure %v, grants %v", l.user, l.to, l.got, l.want, m.secure, m.grants)
		}
	}
}

// Whatever is granted, revoked, made secure or not, and switched on or off while
// clients work: who may send is accepted and nobody else, and each gets what it may
// have, in order, and nothing else.
func TestRightsAgainstNaiveModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &rightsModel{env: newEnv(), secure: map[Destination]bool{}, producers: map[string]ProducerID{}}
		users := []string{"u", "v"}
		topic := func(n string) Destination { return Destination{Kind: Topic, Name: n} }
		queue := Destination{Kind: Queue, Name: "a.x"}
		m.step(func(fx *Effects) {
			for _, u := range users {
				c, err := m.b.Connect(m.now, ConnectOptions{User: u}, fx)
				if err != nil {
					t.Fatal(err)
				}
				m.producers[u], _, _ = m.b.OpenProducer(m.now, c, ProducerOptions{}, fx)
			}
		})
		for _, u := range users {
			for _, n := range []string{"a.x", "a.*", ">", "b"} {
				m.listen(t, u, topic(n), nil)
			}
			m.listen(t, u, topic("a.*"), &SubscriptionOptions{Name: "d", Durable: true})
		}
		m.listen(t, "u", queue, nil)
		definitions := []Destination{topic("a.x"), topic("a.>"), topic("b"), topic(">"), queue, {Kind: Queue, Name: "a.>"}}
		places := []Destination{topic("a.x"), topic("a.y"), topic("b"), queue}
		patterns := []string{"a.x", "a.*", "a.>", "b", ">"}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 6).Draw(t, "what") {
			case 0: // secure, or not
				d := rapid.SampledFrom(definitions).Draw(t, "definition")
				def, kind := property.Definition{Name: d.Name}, property.Queue
				if d.Kind == Topic {
					kind = property.Topic
				}
				if m.secure[d] {
					delete(m.secure, d)
				} else {
					m.secure[d] = true
					all, _ := property.ParseList(kind, "secure")
					def.Set = def.Set.With(all[0].Value)
				}
				m.changed(func(fx *Effects) {
					if err := m.b.SetDefinition(m.now, d.Kind, def, fx); err != nil {
						t.Fatal(err)
					}
				})
			case 1: // grant
				isTopic := rapid.Bool().Draw(t, "topic")
				rights := []auth.Rights{auth.Send, auth.Receive}
				if isTopic {
					rights = []auth.Rights{auth.Send, auth.Subscribe, auth.Durable, auth.UseDurable}
				}
				m.grants = append(m.grants, auth.Grant{
					Who: auth.Who{Name: rapid.SampledFrom(users).Draw(t, "who")}, Topic: isTopic,
					Pattern: rapid.SampledFrom(patterns).Draw(t, "pattern"), Rights: rapid.SampledFrom(rights).Draw(t, "right"),
				})
				m.changed(m.authorize)
			case 2: // revoke
				if len(m.grants) > 0 {
					i := rapid.IntRange(0, len(m.grants)-1).Draw(t, "grant")
					m.grants = slices.Delete(m.grants, i, i+1)
					m.changed(m.authorize)
				}
			case 3: // authorization on or off
				m.on = !m.on
				m.changed(m.authorize)
			default:
				m.publish(t, rapid.SampledFrom(users).Draw(t, "sender"), rapid.SampledFrom(places).Draw(t, "place"), rapid.Bool().Draw(t, "durable"))
			}
			m.check(t)
		}
	})
}
