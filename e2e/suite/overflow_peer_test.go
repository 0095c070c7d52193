package suite

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"testing"

	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	coreadmin "github.com/tidegate/tidegate/core/admin"
	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/e2e/harness"
)

// console asks $sys.admin over one connection.
type console struct {
	t        testing.TB
	requests *client.Sender
	answers  *client.Receiver
	asked    int
}

func openConsole(t testing.TB, s *harness.Server, user, password string) *console {
	t.Helper()
	c, err := client.Dial(t.Context(), s.URL, client.Options{User: user, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	answers, err := c.NewReceiver(client.ReceiverOptions{Dynamic: true, Credit: 100})
	if err != nil {
		t.Fatal(err)
	}
	requests, err := c.NewSender("$sys.admin", nil, false)
	if err != nil {
		t.Fatal(err)
	}
	return &console{t: t, requests: requests, answers: answers}
}

// ask has the server do a command, which must succeed.
func (c *console) ask(command string) *screen.Result {
	c.t.Helper()
	r, err := c.try(command)
	if err != nil {
		c.t.Fatalf("%s: %v", command, err)
	}
	return r
}

// try has it do one that may fail.
func (c *console) try(command string) (*screen.Result, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), harness.Patience)
	defer cancel()
	body, err := json.Marshal(coreadmin.WireRequest{Version: coreadmin.ProtocolVersion, Command: command})
	if err != nil {
		c.t.Fatal(err)
	}
	c.asked++
	b := message.NewBuilder()
	b.Properties.MessageID, b.Properties.ReplyTo = strconv.Itoa(c.asked), c.answers.Address
	b.SetText(string(body))
	if err := c.requests.Send(ctx, b.Append(nil)); err != nil {
		c.t.Fatal(err)
	}
	if err := c.requests.Flush(ctx); err != nil {
		c.t.Fatal(err)
	}
	var g coreadmin.Gather
	for {
		d, err := c.answers.Receive(ctx)
		if err != nil {
			c.t.Fatalf("%s: %v", command, err)
		}
		c.answers.Settle(d, nil)
		text, _ := d.Message.Text()
		if done, err := g.Add([]byte(text)); err != nil {
			return nil, err
		} else if done {
			return g.Result, nil
		}
	}
}

// counts gives the numbers of a screen about one thing, by their columns.
func (c *console) counts(command string) map[string]int64 {
	c.t.Helper()
	t := c.ask(command).Tables[0]
	all := map[string]int64{}
	for i, column := range t.Columns {
		if n, ok := t.Rows[0][i].(int64); ok {
			all[column.Name] = n
		}
	}
	return all
}

// The links of a producer.
const (
	itsLink = iota
	coordinatorLink
	markLink
	fillLink
)

// producer sends frame by frame, so that it knows what it was told and what not.
type producer struct {
	*peer
	next     uint32            // delivery-id
	answers  map[uint32]string // by delivery
	refused  int64             // marks
	txn      []byte
	detached map[uint32]string // links, and why
	credit   map[uint32]uint32
	links    map[uint32]uint32 // by the server's handles
}

// openProducer connects, with a name and password if there is one.
func openProducer(t testing.TB, s *harness.Server, user, password string) *producer {
	t.Helper()
	p := &producer{peer: beginPeer(t, s, "", user, password), answers: map[uint32]string{}, detached: map[uint32]string{}, credit: map[uint32]uint32{}, links: map[uint32]uint32{}}
	return p
}

// beginPeer connects, with a name and a password if there is one, and begins a session.
func beginPeer(t testing.TB, s *harness.Server, container, user, password string) *peer {
	t.Helper()
	p := connectPeer(t, s)
	answer := func() {
		t.Helper()
		p.flush()
		if _, err := io.ReadFull(p.in, make([]byte, len(header))); err != nil {
			t.Fatal(err)
		}
	}
	if user != "" {
		p.out = frame.Version1(frame.ProtocolSASL).Append(p.out)
		b, at := frame.BeginFrame(p.out, frame.TypeSASL, 0)
		b = (&frame.SASLInit{Mechanism: "PLAIN", InitialResponse: []byte("\x00" + user + "\x00" + password)}).Append(b)
		p.out = frame.EndFrame(b, at, 0)
		answer()
		p.loggedIn()
	}
	if container == "" {
		container = "producer-" + p.conn.LocalAddr().String()
	}
	p.out = append(p.out, header...)
	p.frame(0, &frame.Open{ContainerID: container, MaxFrameSize: 1 << 20, ChannelMax: 1})
	p.begin(0)
	answer()
	until[*frame.Begin](p)
	return p
}

// loggedIn reads the mechanisms and the outcome, which must be good.
func (p *peer) loggedIn() {
	p.t.Helper()
	for {
		var head [frame.HeaderSize]byte
		if _, err := io.ReadFull(p.in, head[:]); err != nil {
			p.t.Fatal(err)
		}
		body := make([]byte, binary.BigEndian.Uint32(head[:])-frame.HeaderSize)
		if _, err := io.ReadFull(p.in, body); err != nil {
			p.t.Fatal(err)
		}
		f, _, err := frame.ParseSASL(body, nil)
		if err != nil {
			p.t.Fatal(err)
		}
		if o, ok := f.(*frame.SASLOutcome); ok {
			if o.Code != 0 {
				p.t.Fatalf("the login is answered %d", o.Code)
			}
			return
		}
	}
}

func linkName(link uint32) string { return fmt.Sprint("link-", link) }

// attach attaches a sender; to "" is the coordinator. It waits until it may send.
func (p *producer) attach(link uint32, to string, kind wire.Symbol, properties wire.Map) {
	p.t.Helper()
	a := &frame.Attach{
		Name: linkName(link), Handle: link, Role: frame.RoleSender, InitialDeliveryCount: wire.Some(uint32(0)),
		Source: &frame.Source{}, Target: &frame.Target{Address: to, Capabilities: []wire.Symbol{kind}}, Properties: properties,
	}
	if to == "" {
		a.Target = &frame.Coordinator{}
	}
	p.frame(0, a)
	p.flush()
	p.until(func() bool { return p.credit[link] > 0 })
}

// until reads until something has come about.
func (p *producer) until(come func() bool) {
	p.t.Helper()
	for !come() {
		switch f := p.read().(type) {
		case *frame.Attach:
			for link := range uint32(fillLink + 1) {
				if f.Name == linkName(link) {
					p.links[f.Handle] = link
				}
			}
		case *frame.Disposition:
			for id := f.First; id <= f.Last.Or(f.First); id++ {
				p.answers[id] = p.told(f.State)
			}
		case *frame.Detach:
			why := "closed"
			if f.Error != nil {
				why = string(f.Error.Condition)
			}
			p.detached[p.links[f.Handle]] = why
		case *frame.Flow:
			if f.Handle.OK {
				p.credit[p.links[f.Handle.V]] = f.LinkCredit.Or(0)
			}
		}
	}
}

func (p *producer) told(s frame.DeliveryState) string {
	switch s := s.(type) {
	case *frame.TransactionalState:
		if s.Outcome == nil {
			return "accepted"
		}
		return p.told(s.Outcome.(frame.DeliveryState))
	case *frame.Declared:
		p.txn = append([]byte(nil), s.TxnID...)
		return "declared"
	case *frame.Rejected:
		if s.Error == nil {
			return "rejected"
		}
		return "rejected: " + string(s.Error.Condition)
	case frame.Accepted, *frame.Accepted:
		return "accepted"
	}
	return fmt.Sprintf("%T", s)
}

// transmit sends a message on a link, in the transaction if there is one.
func (p *producer) transmit(link uint32, settled bool, txn []byte, m []byte) (id uint32) {
	id = p.next
	p.next++
	t := &frame.Transfer{
		Handle: link, DeliveryID: wire.Some(id), DeliveryTag: []byte(strconv.Itoa(int(id))), MessageFormat: wire.Some(uint32(0)), Settled: wire.Some(settled),
	}
	if txn != nil {
		t.State = &frame.TransactionalState{TxnID: txn}
	}
	p.frame(0, t, m...)
	p.flush()
	return id
}

// order sends a request to the coordinator and waits for its answer.
func (p *producer) order(request interface{ Append(b []byte) []byte }) string {
	p.t.Helper()
	body := request.Append(wire.AppendDescriptor(nil, 0x77)) // amqp-value
	id := p.transmit(coordinatorLink, false, nil, body)
	p.until(func() bool { return p.answers[id] != "" || p.detached[coordinatorLink] != "" })
	return p.answers[id]
}

// mark waits until a message behind all others is answered: what has none by then is
// not answered at all, or waits for something else than its turn.
func (p *producer) mark() {
	p.t.Helper()
	b := message.NewBuilder()
	b.Header.Durable = true
	b.SetText("mark")
	id := p.transmit(markLink, false, nil, b.Append(nil))
	p.until(func() bool { return p.answers[id] != "" })
	if p.answers[id] != "accepted" {
		p.refused++
	}
}

// finds says whether a command finds what it names.
func (c *console) finds(command string) bool {
	c.t.Helper()
	_, err := c.try(command)
	return err == nil
}

// looker takes messages frame by frame: it knows when there are no more.
type looker struct {
	*peer
	handle  uint32            // the next
	free    []uint32          // handles of links that are closed
	servers map[uint32]uint32 // links by the server's handles
	counts  map[uint32]uint32 // deliveries by link
	came    map[uint32][]arrival
	done    map[uint32]bool // drained
}

type arrival struct {
	id uint32
	m  *message.Message
}

func openLooker(t testing.TB, s *harness.Server, user, password string) *looker {
	t.Helper()
	return &looker{
		peer:    beginPeer(t, s, "looker", user, password),
		servers: map[uint32]uint32{}, counts: map[uint32]uint32{}, came: map[uint32][]arrival{}, done: map[uint32]bool{},
	}
}

// attach attaches a receiver without credit; to a topic it subscribes.
func (l *looker) attach(address string, durable bool) (link uint32) {
	l.t.Helper()
	if n := len(l.free); n > 0 {
		link, l.free = l.free[n-1], l.free[:n-1]
	} else {
		link = l.handle
		l.handle++
	}
	name, kind := on(address)
	source := &frame.Source{Address: name, Capabilities: []wire.Symbol{wire.Symbol(kind[0])}}
	if durable {
		source.Durable, source.ExpiryPolicy = frame.TerminusDurabilityUnsettledState, frame.TerminusExpiryPolicyNever
	}
	l.frame(0, &frame.Attach{Name: fmt.Sprint("look-", address), Handle: link, Role: frame.RoleReceiver, Source: source, Target: &frame.Target{}})
	l.flush()
	for {
		if a, ok := l.read().(*frame.Attach); ok {
			l.servers[a.Handle] = link
			return link
		}
	}
}

// detach closes a receiver; a subscription ends with it.
func (l *looker) detach(link uint32) {
	l.t.Helper()
	l.frame(0, &frame.Detach{Handle: link, Closed: true})
	l.flush()
	l.gone(link)
}

// closed waits until the server has closed a receiver, and answers.
func (l *looker) closed(link uint32) {
	l.t.Helper()
	l.gone(link)
	l.frame(0, &frame.Detach{Handle: link, Closed: true})
	l.flush()
}

// gone reads until the server detaches a link.
func (l *looker) gone(link uint32) {
	l.t.Helper()
	for {
		if d, ok := l.read().(*frame.Detach); ok && l.servers[d.Handle] == link {
			delete(l.servers, d.Handle)
			delete(l.counts, link)
			l.free = append(l.free, link)
			return
		}
	}
}

// give gives a link credit, and reads until it has come, or is drained.
func (l *looker) give(link, credit uint32, drain bool) []arrival {
	l.t.Helper()
	l.done[link] = false
	l.frame(0, &frame.Flow{
		NextIncomingID: wire.Some(uint32(0)), IncomingWindow: window, OutgoingWindow: window, Handle: wire.Some(link),
		DeliveryCount: wire.Some(l.counts[link]), LinkCredit: wire.Some(credit), Drain: drain,
	})
	l.flush()
	for !l.done[link] && (drain || len(l.came[link]) < int(credit)) {
		f, payload, err := l.nextWith()
		if err != nil {
			l.t.Fatal(err)
		}
		switch f := f.(type) {
		case *frame.Transfer:
			at := l.servers[f.Handle]
			m, err := message.Index(payload, nil, nil)
			if err != nil {
				l.t.Fatal(err)
			}
			l.counts[at]++
			l.came[at] = append(l.came[at], arrival{f.DeliveryID.V, &m})
		case *frame.Flow:
			if f.Handle.OK && f.Drain {
				at := l.servers[f.Handle.V]
				l.counts[at], l.done[at] = f.DeliveryCount.Or(0), true
			}
		case *frame.Detach:
			if f.Error != nil {
				l.t.Fatalf("a receiver is detached: %v", f.Error)
			}
		}
	}
	came := l.came[link]
	l.came[link] = nil
	return came
}

// settle answers a delivery.
func (l *looker) settle(a arrival, state frame.DeliveryState) {
	l.frame(0, &frame.Disposition{Role: frame.RoleReceiver, First: a.id, Settled: true, State: state})
	l.flush()
}
