package amqp10

import (
	"crypto/rand"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/sasl"
	"github.com/tidegate/tidegate/amqp/wire"
)

// bus is a double of Service Bus, as its documentation says that it behaves: no real one
// can be had here. It knows tokens, locks, subscriptions, sessions of entities, and closes
// links that are idle. What it takes for granted is in docs/transports.md.
type bus struct {
	t             testing.TB
	listener      net.Listener
	over          sync.WaitGroup
	policy, key   string
	tokenRefusals int

	mu       sync.Mutex
	changed  chan struct{} // closed at each change
	conns    []*busConn
	entities map[string]*entity
	puts     map[string]int // tokens, by entity
	renewed  int            // locks of messages
	sessions int            // locks of sessions, renewed
	largest  uint32         // max-frame-size of the client
	stopped  bool
}

// entity is a queue, a topic, or a subscription of one.
type entity struct {
	name     string
	lock     time.Duration
	grouped  bool
	waiting  []*busMessage
	accepted int
	copies   []string // of a topic: its subscriptions
	taken    map[string]*busLink
}

type busMessage struct {
	m     *message.Message
	group string
	count uint32
	token wire.UUID
	holds *busLink // who has it locked
	until time.Time
}

type busConn struct {
	b      *bus
	sock   net.Conn
	e      *engine.Conn
	tokens map[string]time.Time
	links  []*busLink
}

type busLink struct {
	c       *busConn
	l       *engine.Link
	entity  *entity
	node    string // $cbs, X/$management; of requests
	answers string // the same; of answers
	group   string
	sent    map[uint64]*busMessage
	next    uint64
}

func newBus(t testing.TB, entities ...*entity) *bus {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &bus{t: t, listener: l, policy: "RootManage", key: "c2VjcmV0", changed: make(chan struct{}), entities: map[string]*entity{}, puts: map[string]int{}}
	for _, e := range entities {
		e.taken = map[string]*busLink{}
		b.entities[e.name] = e
	}
	b.over.Go(func() {
		for {
			sock, err := l.Accept()
			if err != nil {
				return
			}
			b.over.Go(func() { b.serve(sock) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		b.mu.Lock()
		b.stopped = true
		for _, c := range b.conns {
			_ = c.sock.Close()
		}
		b.mu.Unlock()
		b.over.Wait()
	})
	return b
}

func (b *bus) url() string {
	return (&url.URL{Scheme: "amqp", User: url.UserPassword(b.policy, b.key), Host: b.listener.Addr().String()}).String()
}

func (b *bus) serve(sock net.Conn) {
	defer func() { _ = sock.Close() }()
	c := &busConn{b: b, sock: sock, tokens: map[string]time.Time{}}
	c.e = engine.New(engine.Config{
		ContainerID: "bus", SASL: &sasl.Server{Users: sasl.UserMap{}, Claims: true, Only: []string{sasl.Claims}, Nonce: rand.Text}, MaxFrameSize: 64 << 10,
		MaxMessageSize: 256 << 10,
	}, time.Now())
	b.mu.Lock()
	b.conns = append(b.conns, c)
	b.mu.Unlock()
	for {
		b.mu.Lock()
		space := c.e.Space()
		b.mu.Unlock()
		n, err := sock.Read(space)
		b.mu.Lock()
		if err != nil {
			c.leave()
			b.pump()
			b.mu.Unlock()
			return
		}
		_ = c.e.Input(time.Now(), n)
		for _, e := range c.e.Events() {
			c.event(e)
		}
		b.pump()
		b.mu.Unlock()
	}
}

// leave gives back what a connection had.
func (c *busConn) leave() {
	for _, l := range slices.Clone(c.links) {
		l.leave()
	}
	c.b.conns = slices.DeleteFunc(c.b.conns, func(o *busConn) bool { return o == c })
}

func (l *busLink) leave() {
	for _, m := range l.sent {
		if m.holds == l {
			m.holds = nil
			m.count++
		}
	}
	clear(l.sent)
	if l.entity != nil && l.group != "" && l.entity.taken[l.group] == l {
		delete(l.entity.taken, l.group)
	}
	l.c.links = slices.DeleteFunc(l.c.links, func(o *busLink) bool { return o == l })
}

// pump sends what can be sent, writes, and tells of changes. mu is held.
func (b *bus) pump() {
	for _, c := range b.conns {
		for _, l := range c.links {
			if l.entity != nil && l.l.Sending {
				l.pump()
			}
		}
		for {
			parts := c.e.Output(time.Now(), nil)
			if len(parts) == 0 {
				break
			}
			bufs := net.Buffers(parts)
			if _, err := bufs.WriteTo(c.sock); err != nil {
				break
			}
		}
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

// until waits until something holds.
func (b *bus) until(what string, holds func() bool) {
	b.t.Helper()
	late := time.After(30 * time.Second)
	for {
		b.mu.Lock()
		ok, changed := holds(), b.changed
		b.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-late:
			b.t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (b *bus) do(step func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	step()
	b.pump()
}

// put places a message, as a client of the bus would.
func (b *bus) put(name, text, group string) {
	m := message.NewBuilder()
	m.SetText(text)
	m.Properties.GroupID = group
	b.do(func() { b.place(b.entities[name], m.Message()) })
}

func (b *bus) place(e *entity, m *message.Message) {
	e.accepted++
	if len(e.copies) == 0 {
		e.waiting = append(e.waiting, &busMessage{m: m, group: m.GroupID()})
	}
	for _, s := range e.copies {
		b.place(b.entities[s], m)
	}
}

// idle closes all links of entities, as after ten minutes without a message.
func (b *bus) idle() {
	b.do(func() {
		for _, c := range b.conns {
			for _, l := range slices.Clone(c.links) {
				if l.entity != nil {
					l.l.Detach(true, &frame.Error{Condition: frame.ConditionDetachForced, Description: "The link is force detached: idle for 600000 ms"})
					l.leave()
				}
			}
		}
	})
}

func (c *busConn) event(e engine.Event) {
	switch e.Kind {
	case engine.EventOpen:
		c.b.largest = e.Open.MaxFrameSize
		c.e.Open(nil)
	case engine.EventAttach:
		c.attach(e)
	case engine.EventDelivery:
		c.delivery(e)
	case engine.EventSettle:
		if l, ok := e.Link.Ref.(*busLink); ok {
			l.settled(e)
		}
	case engine.EventDetach:
		if l, ok := e.Link.Ref.(*busLink); ok {
			l.leave()
		}
		if !e.Local {
			e.Link.Detach(e.Closed, nil)
		}
	case engine.EventEnd:
		e.Session.End(nil)
	case engine.EventClose:
		c.e.Close(nil)
	default:
	}
}

// permitted says whether a token lasts for an address.
func (c *busConn) permitted(address string) bool { return c.tokens[address].After(time.Now()) }

func (c *busConn) attach(e engine.Event) {
	refuse := func(condition wire.Symbol, words string) {
		e.Link.Refuse(&frame.Error{Condition: condition, Description: words}, e.Attach)
	}
	l := &busLink{c: c, l: e.Link, sent: map[uint64]*busMessage{}}
	answer := frame.Attach{Source: e.Attach.Source, Target: e.Attach.Target, MaxMessageSize: 256 << 10}
	address := ""
	if e.Link.Sending {
		address = e.Attach.Source.Address
	} else if t, ok := e.Attach.Target.(*frame.Target); ok {
		address = t.Address
	}
	switch {
	case address == claimsNode, strings.HasSuffix(address, manageNode):
		if address != claimsNode && !c.permitted(address) {
			refuse(frame.ConditionUnauthorizedAccess, "no token for "+address)
			return
		}
		if e.Link.Sending {
			l.answers = address
		} else {
			l.node = address
		}
	case c.b.entities[address] == nil:
		refuse(frame.ConditionNotFound, "no entity "+address)
		return
	case !c.permitted(address):
		refuse(frame.ConditionUnauthorizedAccess, "Unauthorized access. 'Listen' claim(s) are required: no token for "+address)
		return
	default:
		l.entity = c.b.entities[address]
		if !l.choose(e.Attach, &answer, refuse) {
			return
		}
	}
	l.l.Ref = l
	c.links = append(c.links, l)
	e.Link.Accept(answer)
	if !e.Link.Sending {
		e.Link.Grant(100, false)
	}
}

// choose gives a receiver its session, where the entity has sessions.
func (l *busLink) choose(a *frame.Attach, answer *frame.Attach, refuse func(wire.Symbol, string)) bool {
	if !l.l.Sending || !l.entity.grouped {
		return true
	}
	asks := false
	for _, e := range a.Source.Filter {
		k, _ := wire.Text(e.Key)
		asks = asks || k == sessionFilter
	}
	if !asks {
		refuse(frame.ConditionNotAllowed, "It is not possible for an entity that requires sessions to create a non-sessionful message receiver.")
		return false
	}
	for _, m := range l.entity.waiting {
		if m.group != "" && l.entity.taken[m.group] == nil {
			l.group = m.group
			l.entity.taken[m.group] = l
			source := *a.Source
			source.Filter = wire.Map{{Key: wire.Symbol(sessionFilter), Value: wire.Described{Descriptor: sessionFilterCode, Value: m.group}}}
			answer.Source = &source
			answer.Properties = wire.Map{{Key: wire.Symbol(lockedProperty), Value: time.Now().Add(l.entity.lock).UnixNano()/100 + ticksAtEpoch}}
			return true
		}
	}
	refuse("com.microsoft:timeout", "no session has messages")
	return false
}

// pump sends messages that nobody has.
func (l *busLink) pump() {
	for _, m := range l.entity.waiting {
		if l.l.Room() <= 0 {
			return
		}
		if m.holds != nil || m.group != l.group && l.entity.grouped {
			continue
		}
		m.holds, m.until = l, time.Now().Add(l.entity.lock)
		_, _ = rand.Read(m.token[:])
		l.next++
		l.sent[l.next] = m
		annotated, err := m.m.WithAnnotations(wire.Map{{Key: wire.Symbol(lockedAnnotation), Value: wire.Timestamp(m.until.UnixMilli())}})
		if err != nil {
			l.c.b.t.Error(err)
			return
		}
		tag := m.token // as .NET has it
		tag[0], tag[1], tag[2], tag[3] = tag[3], tag[2], tag[1], tag[0]
		tag[4], tag[5] = tag[5], tag[4]
		tag[6], tag[7] = tag[7], tag[6]
		pieces := annotated.Pieces(nil)
		head := message.AppendHeader(nil, true, 4, wire.Optional[uint32]{}, m.count == 0, m.count)
		l.l.Send(engine.Delivery{Ref: l.next, Tag: tag[:], Head: head, First: pieces[0][annotated.Offset():], Rest: pieces[1:]})
		l.watch(m, m.token)
	}
}

// watch ends a lock in its time.
func (l *busLink) watch(m *busMessage, token wire.UUID) {
	time.AfterFunc(time.Until(m.until), func() {
		l.c.b.do(func() {
			switch {
			case l.c.b.stopped || m.holds != l || m.token != token:
			case time.Now().Before(m.until):
				l.watch(m, token)
			default:
				m.holds = nil
				m.count++
			}
		})
	})
}

func (l *busLink) settled(e engine.Event) {
	for _, s := range e.Sent {
		m := l.sent[s.Ref]
		delete(l.sent, s.Ref)
		if m == nil || m.holds != l {
			continue // its lock is over
		}
		m.holds = nil
		if _, ok := e.State.(frame.Accepted); ok {
			l.entity.waiting = slices.DeleteFunc(l.entity.waiting, func(o *busMessage) bool { return o == m })
		} else {
			m.count++
		}
	}
}

func (c *busConn) delivery(e engine.Event) {
	l := e.Link.Ref.(*busLink)
	m, err := message.Index(e.Payload, e.Rest, nil)
	if err != nil {
		c.b.t.Error(err)
		return
	}
	if !e.Settled {
		e.Session.Settle(e.ID, e.ID, frame.Accepted{}, true)
	}
	e.Link.Grant(100, false)
	switch {
	case l.entity != nil:
		c.b.place(l.entity, &m)
	case l.node == claimsNode:
		c.reply(l.node, &m, c.putToken(&m), nil)
	default:
		c.manage(strings.TrimSuffix(l.node, manageNode), l.node, &m)
	}
}

func (c *busConn) reply(node string, to *message.Message, code int, body wire.Map) {
	for _, l := range c.links {
		if l.answers != node {
			continue
		}
		b := message.NewBuilder()
		b.Properties.CorrelationID = to.MessageID()
		b.ApplicationProperties = wire.Map{{Key: "status-code", Value: int32(code)}, {Key: "status-description", Value: "as the double has it"}}
		b.SetValue(body)
		l.next++
		l.l.Send(engine.Delivery{Ref: l.next, Tag: []byte(strconv.FormatUint(l.next, 10)), Settled: true, First: b.Append(nil)})
	}
}

// putToken checks a token's form, signature and time.
func (c *busConn) putToken(m *message.Message) int {
	text, _ := m.Text()
	name, _ := m.ApplicationProperty("name")
	kind, _ := m.ApplicationProperty("type")
	operation, _ := m.ApplicationProperty("operation")
	if operation != "put-token" || kind != sasType {
		return 400
	}
	values, err := url.ParseQuery(strings.TrimPrefix(text, staticToken))
	if err != nil {
		return 400
	}
	seconds, err := strconv.ParseInt(values.Get("se"), 10, 64)
	until := time.Unix(seconds, 0)
	resource, _ := name.(string)
	if err != nil || values.Get("sr") != strings.ToLower(resource) || text != token(resource, c.b.policy, c.b.key, until) || until.Before(time.Now()) {
		c.b.tokenRefusals++
		return 401
	}
	u, err := url.Parse(resource)
	if err != nil {
		return 400
	}
	entity := strings.TrimPrefix(u.Path, "/")
	c.tokens[entity] = until
	c.b.puts[entity]++
	return 202
}

// manage renews locks.
func (c *busConn) manage(name, node string, m *message.Message) {
	operation, _ := m.ApplicationProperty("operation")
	body, _ := m.Body()
	e := c.b.entities[name]
	until := time.Now().Add(e.lock)
	switch operation {
	case "com.microsoft:renew-session-lock":
		id, _ := lookup(body, "session-id").(string)
		if e.taken[id] == nil {
			c.reply(node, m, 410, nil)
			return
		}
		c.b.sessions++
		c.reply(node, m, 200, wire.Map{{Key: "expiration", Value: wire.Timestamp(until.UnixMilli())}})
	case "com.microsoft:renew-lock":
		tokens, _ := lookup(body, "lock-tokens").(wire.Array)
		times := wire.Array{}
		for _, t := range tokens.Values {
			for _, w := range e.waiting {
				if w.holds != nil && w.token == t {
					w.until = until
					c.b.renewed++
					times.Values = append(times.Values, wire.Timestamp(until.UnixMilli()))
				}
			}
		}
		if len(times.Values) < len(tokens.Values) {
			c.reply(node, m, 410, nil)
			return
		}
		c.reply(node, m, 200, wire.Map{{Key: "expirations", Value: times}})
	default:
		c.reply(node, m, 501, nil)
	}
}
