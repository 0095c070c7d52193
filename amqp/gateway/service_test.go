package gateway_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/sasl"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

// asker is a client with a sender (handle 0) and a receiver (handle 1) at a service.
type asker struct {
	*peer
	sent    uint32
	replyTo string
}

func (p *peer) asks(service, replyTo string) *asker {
	p.t.Helper()
	p.attach(sender(0, service))
	in := receiver(1, service)
	in.Target.(*frame.Target).Address = replyTo
	p.attach(in)
	p.send(0, flow(1, 0, 1000))
	return &asker{peer: p, replyTo: replyTo}
}

// pairs attaches as RabbitMQ's clients do.
func (p *peer) pairs() *asker {
	p.t.Helper()
	out, in := sender(0, "/management"), receiver(1, "/management")
	for _, a := range []*frame.Attach{out, in} {
		a.Name, a.SndSettleMode, a.Properties = "management-link-pair", frame.SenderSettleModeSettled, wire.Map{symbolic("paired", true)}
	}
	in.RcvSettleMode = frame.ReceiverSettleModeSecond
	out.Source.Address, in.Target.(*frame.Target).Address = "/management", "/management"
	p.send(0, out)
	p.want("attach role=receiver target address=\"/management\" snd-settle-mode=settled properties={paired=true}", "flow")
	p.send(0, in)
	p.want("attach role=sender source address=\"/management\" snd-settle-mode=settled rcv-settle-mode=second properties={paired=true}")
	p.send(0, flow(1, 0, 1000))
	return &asker{peer: p, replyTo: "$me"}
}

// ask sends a request settled, and gives what is answered.
func (a *asker) ask(request *message.Builder) *message.Message {
	a.t.Helper()
	request.Properties.MessageID, request.Properties.ReplyTo = uint64(a.sent), a.replyTo
	a.send(0, presettled(0, a.sent), request.Append(nil))
	a.sent++
	payload, lines := a.arrived()
	answer := append(payload[0], payload[1]...) // the server's handles are its own
	m, err := message.Index(answer, nil, nil)
	if err != nil || len(answer) == 0 {
		a.t.Fatalf("no answer, but %v", lines)
	}
	if id := m.CorrelationID(); id != uint64(a.sent-1) {
		a.t.Errorf("the answer is to %v", id)
	}
	return &m
}

// http asks in RabbitMQ's way, and draws status and body.
func (a *asker) http(method, path string, body any) string {
	a.t.Helper()
	b := message.NewBuilder()
	b.Properties.Subject, b.Properties.To = method, path
	b.SetValue(body)
	m := a.ask(b)
	if v, _ := m.ApplicationProperty("http:response"); v != "1.1" {
		a.t.Errorf("http:response is %v", v)
	}
	got, err := m.Body()
	if err != nil {
		a.t.Fatal(err)
	}
	return m.Subject() + " " + drawn(got)
}

// node asks $management, and draws status and body.
func (a *asker) node(operation, name string, body any) string {
	a.t.Helper()
	b := message.NewBuilder()
	b.SetProperty("operation", operation)
	b.SetProperty("type", "org.amqp.queue")
	if name != "" {
		b.SetProperty("name", name)
	}
	b.SetValue(body)
	return status(a.t, a.ask(b), "statusCode", "statusDescription")
}

func status(t testing.TB, m *message.Message, code, text string) string {
	t.Helper()
	n, ok := m.ApplicationProperty(code)
	if _, is := n.(int32); !ok || !is {
		t.Errorf("%s is %T", code, n)
	}
	why, _ := m.ApplicationProperty(text)
	body, err := m.Body()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%v %v %s", n, why, drawn(body))
}

func drawn(v any) string {
	if m, ok := v.(wire.Map); ok {
		var parts []string
		for _, e := range m {
			parts = append(parts, fmt.Sprintf("%v=%v", e.Key, e.Value))
		}
		return strings.Join(parts, " ")
	}
	return fmt.Sprint(v)
}

func (a *asker) says(got string, words ...string) {
	a.t.Helper()
	for _, w := range words {
		if !strings.Contains(got, w) {
			a.t.Errorf("answered %q, want %q in it", got, w)
		}
	}
}

func managed(w *world) { w.options.Management = true }

// TestRabbitManagement: what RabbitMQ's AMQP 1.0 clients ask for over their pair of
// links (reference 4.2).
func TestRabbitManagement(t *testing.T) {
	conform(t, func(w *world) {
		a := w.connected("a").pairs()
		lasting := wire.Map{{Key: "durable", Value: true}, {Key: "auto_delete", Value: false}, {Key: "exclusive", Value: false}, {Key: "arguments", Value: wire.Map{}}}
		a.says(a.http("PUT", "/queues/a%2Fb", lasting), "201", "name=a/b", "durable=true", "message_count=0", "consumer_count=0")
		a.says(a.http("PUT", "/queues/a%2Fb", lasting), "200")
		w.put("/queues/a%2Fb", text("1"), text("2"), durable("3"))
		a.says(a.http("GET", "/queues/a%2Fb", nil), "200", "message_count=3")
		a.says(a.http("DELETE", "/queues/a%2Fb/messages", nil), "200", "message_count=3")
		w.wantDepth("a/b", 0)
		w.restart()
		w.wantDepth("a/b", 0) // it was declared durable, and is there unused

		a = w.connected("a").pairs()
		w.put("a/b", text("1"))
		a.says(a.http("DELETE", "/queues/a%2Fb", nil), "200", "message_count=1")
		a.says(a.http("DELETE", "/queues/a%2Fb", nil), "200", "message_count=0")
		a.says(a.http("GET", "/queues/a%2Fb", nil), "404")
		a.says(a.http("DELETE", "/queues/none/messages", nil), "404")
		a.says(a.http("PUT", "/queues/x", wire.Map{{Key: "exclusive", Value: true}}), "400", "dynamic node")
		a.says(a.http("PUT", "/queues/$sys.x", nil), "400")
		a.says(a.http("PUT", "/queues/50%", nil), "400", "percent-encoded")
		a.says(a.http("PUT", "/exchanges/x", nil), "400", "no exchanges", "/topics/NAME")
		a.says(a.http("POST", "/bindings", nil), "400")
		a.says(a.http("GET", "/bindings?src=x", nil), "200 []")
		a.says(a.http("POST", "/queues/q", nil), "405")
		a.says(a.http("GET", "/users", nil), "404")
		a.says(a.http("PUT", "/auth/tokens", []byte("x")), "401")
	}, managed)
}

// TestManagementNode: AMQP Management's operations on queues.
func TestManagementNode(t *testing.T) {
	conform(t, func(w *world) {
		a := w.connected("a").asks("$management", "my-answers")
		a.says(a.node("CREATE", "q1", wire.Map{}), "201 Created", "name=q1", "durable=true")
		a.says(a.node("CREATE", "q1", nil), "409")
		a.says(a.node("CREATE", "q2", wire.Map{{Key: "durable", Value: false}}), "201", "durable=false")
		w.put("q1", text("1"), text("2"))
		a.says(a.node("READ", "q1", nil), "200 OK", "messages=2", "type=org.amqp.queue")
		a.says(a.node("READ", "none", nil), "404")
		a.says(a.node("QUERY", "", wire.Map{{Key: "attributeNames", Value: wire.List{"name", "messages", "nonsense"}}}),
			"200", "results=[[q2 0 <nil>] [q1 2 <nil>]]")
		a.says(a.node("PURGE", "q1", nil), "200", "messages=2")
		a.says(a.node("DELETE", "q1", nil), "204")
		a.says(a.node("DELETE", "q1", nil), "404")
		a.says(a.node("GET-TYPES", "", nil), "200", "org.amqp.queue")
		a.says(a.node("GET-ATTRIBUTES", "", nil), "200", "consumers")
		a.says(a.node("GET-OPERATIONS", "", nil), "200", "CREATE")
		a.says(a.node("GET-MGMT-NODES", "", nil), "200")
		a.says(a.node("UPDATE", "q1", nil), "501")
		b := message.NewBuilder()
		b.SetProperty("operation", "CREATE")
		b.SetProperty("type", "exchange")
		a.says(status(t, a.ask(b), "statusCode", "statusDescription"), "400", "org.amqp.queue")
		w.restart()
		w.wantDepth("q2", -1) // it was not durable
	}, managed)
}

// TestManagementByADynamicReplyQueue: proton's and rhea's way.
func TestManagementByADynamicReplyQueue(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		address := p.make(dynamic(receiver(1, "")))
		p.attach(sender(0, "$management"))
		p.send(0, flow(1, 0, 1000))
		a := &asker{peer: p, replyTo: address}
		a.says(a.node("CREATE", "q", nil), "201")
	}, managed)
}

// TestManagementInSlices: a purge that takes many steps counts all.
func TestManagementInSlices(t *testing.T) {
	conform(t, func(w *world) {
		a := w.connected("a").asks("$management", "here")
		bodies := make([][]byte, 1500)
		for i := range bodies {
			bodies[i] = text("x")
		}
		for range 15 {
			w.put("q", bodies...)
		}
		w.wantDepth("q", 22_500)
		a.says(a.node("PURGE", "q", nil), "200", "messages=22500")
		w.wantDepth("q", -1) // dynamic, and unused
	}, managed)
}

// TestManagementIsDurable: "created" is not said before a crash could not undo it.
func TestManagementIsDurable(t *testing.T) {
	conform(t, func(w *world) {
		a := w.connected("a").asks("$management", "here")
		hold := make(chan struct{})
		w.slow = func(op string) {
			if strings.Contains(strings.ToLower(op), "sync") {
				<-hold
			}
		}
		b := message.NewBuilder()
		b.SetProperty("operation", "CREATE")
		b.SetProperty("type", "org.amqp.queue")
		b.SetProperty("name", "q")
		b.Properties.MessageID, b.Properties.ReplyTo = "1", "here"
		a.send(0, transfer(0, 0), b.Append(nil))
		a.want() // neither settled nor answered
		w.slow = nil
		close(hold)
		a.want("transfer handle=1", "disposition settled=true accepted")
	}, managed)
}

// TestManagementPermissions: each operation asks for its own.
func TestManagementPermissions(t *testing.T) {
	conform(t, func(w *world) {
		a := w.connected("a").asks("$management", "here")
		w.do(func(now time.Time, b *core.Broker, fx *core.Effects) {
			b.Authorize(now, true, func(_ string, p core.Permission, d core.Destination, _ bool) bool {
				return d.Temporary || d.Name == "mine" || p == core.MayView
			}, fx)
		})
		a.says(a.node("CREATE", "mine", nil), "201")
		a.says(a.node("CREATE", "theirs", nil), "403", "create")
		w.do(func(now time.Time, b *core.Broker, fx *core.Effects) {
			_, _ = b.Declare(now, "theirs", core.Lasting, fx)
		})
		a.says(a.node("READ", "theirs", nil), "200")
		a.says(a.node("DELETE", "theirs", nil), "403")
		a.says(a.node("PURGE", "theirs", nil), "403")
		a.says(a.node("DELETE", "mine", nil), "204")
	}, managed)
}

// TestManagementMistakes: what cannot be answered is refused, and nothing is done.
func TestManagementMistakes(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "$management"))
		b := message.NewBuilder()
		b.SetProperty("operation", "CREATE")
		b.SetProperty("name", "q")
		p.send(0, transfer(0, 0), b.Append(nil))
		p.want("disposition settled=true rejected invalid-field reply-to")
		w.wantDepth("q", -1)
		b.Properties.ReplyTo = "$TMP$.gate.1.1" // gone: who asks is told, whatever npsend_check_mode says
		p.send(0, transfer(0, 1), b.Append(nil))
		p.want("disposition settled=true rejected not-found")
		w.wantDepth("q", -1)
		p.attach(coordinator(1))
		txn := p.declare(1, 2)
		p.send(0, within(txn, transfer(0, 3)), b.Append(nil))
		p.want("disposition settled=true rejected")
	}, managed, func(w *world) { w.core.SendCheck = core.CheckNever })
	conform(t, func(w *world) {
		p := w.connected("a")
		p.refused(sender(0, "$management"), "not-found management")
		p.refused(receiver(1, "/management"), "not-found")
		p.refused(sender(2, "$cbs"), "not-found claims")
		p.send(0, &frame.Close{})
	})
}

// TestRepliesLeaveNothing: the queues behind links for replies go with the links.
func TestRepliesLeaveNothing(t *testing.T) {
	conform(t, func(w *world) {
		a := w.connected("a").asks("$management", "here")
		queues := func() int { synctest.Wait(); return len(w.broker.Queues()) }
		if n := queues(); n != 1 {
			t.Errorf("%d queues", n)
		}
		for _, closed := range []bool{true, false} {
			a.send(0, &frame.Detach{Handle: 1, Closed: closed})
			a.want("detach")
			if n := queues(); n != 0 {
				t.Errorf("%d queues are left behind", n)
			}
			a.attach(receiver(1, "$management"))
		}
		a.send(0, &frame.End{})
		a.want("end")
		if n := queues(); n != 0 {
			t.Errorf("%d queues are left behind", n)
		}
	}, managed)
}

// shown are tokens: the text is "token of USER".
type shown struct{}

func (shown) Check(user, text string) (string, bool) {
	name, ok := strings.CutPrefix(text, "token of ")
	return name, ok && (user == "" || user == name)
}

// claiming has users, tokens, and a queue "q" that only alice may use.
func claiming(w *world) {
	w.options.Users, w.options.Tokens, w.options.Claims, w.options.Management = sasl.UserMap{}, shown{}, true, true
	w.core.Authorization = true
	w.core.Authority = func(user string, _ core.Permission, d core.Destination, _ bool) bool {
		return d.Temporary || user == "alice"
	}
}

// claims logs in by MSSBCBS.
func (w *world) claims() *peer {
	w.t.Helper()
	p := w.dial()
	p.bytes(header(frame.ProtocolSASL), saslFrame(&frame.SASLInit{Mechanism: sasl.Claims}))
	p.want("SASL", "sasl-mechanisms MSSBCBS", "sasl-outcome code=ok")
	p.bytes(header(frame.ProtocolAMQP))
	p.send(0, open("a"))
	p.send(0, begin())
	p.want("AMQP", "open", "begin")
	return p
}

// put shows a token to $cbs as the SDKs do.
func (a *asker) token(body any) string {
	a.t.Helper()
	b := message.NewBuilder()
	b.SetProperty("operation", "put-token")
	b.SetProperty("type", "jwt")
	b.SetProperty("name", "amqp://host/q")
	b.SetValue(body)
	return status(a.t, a.ask(b), "status-code", "status-description")
}

// TestClaims: who logged in by MSSBCBS has no rights until a token was taken at
// $cbs, and that user's from then on (reference 4.2).
func TestClaims(t *testing.T) {
	conform(t, func(w *world) {
		p := w.claims()
		p.refused(sender(5, "q"), "unauthorized-access $cbs")
		p.refused(sender(5, ""), "unauthorized-access $cbs")
		p.refused(receiver(5, "$management"), "unauthorized-access $cbs")
		a := p.asks("$cbs", "cbs")
		a.says(a.token("nonsense"), "401")
		p.refused(sender(5, "q"), "unauthorized-access $cbs")
		a.says(a.token("token of bob"), "200")
		p.refused(sender(5, "q"), "unauthorized-access bob")
		a.says(a.token("token of alice"), "401") // bob stays bob
		a.says(a.token("token of bob"), "200")   // a newer one

		alice := w.claims()
		a = alice.asks("$cbs", "cbs")
		a.says(a.token("token of alice"), "200")
		alice.attach(sender(5, "q"))
		b := message.NewBuilder()
		b.SetProperty("operation", "delete-token")
		a.says(status(t, a.ask(b), "status-code", "status-description"), "400", "put-token")
		a.says(a.token(wire.List{}), "400")
	}, claiming)
}

// TestClaimsInTime: who shows no token is not kept.
func TestClaimsInTime(t *testing.T) {
	conform(t, func(w *world) {
		p := w.claims()
		q := w.claims()
		a := q.asks("$cbs", "cbs")
		a.says(a.token("token of alice"), "200")
		<-time.After(21 * time.Second)
		p.want("close unauthorized-access token")
		for _, line := range q.lines() {
			if line != "empty" {
				t.Errorf("who has shown one: %s", line)
			}
		}
	}, claiming, func(w *world) { w.options.IdleTimeOut = time.Minute })
}

// TestClaimsOnTheManagementPair: RabbitMQ's clients show tokens there.
func TestClaimsOnTheManagementPair(t *testing.T) {
	conform(t, func(w *world) {
		w.options.Anonymous = true
		p := w.connected("a")
		p.refused(sender(5, "q"), "unauthorized-access")
		a := p.pairs()
		a.says(a.http("PUT", "/auth/tokens", []byte("token of alice")), "204")
		p.attach(sender(5, "q"))
	}, claiming, func(w *world) { w.options.Anonymous = true })
}

// TestVersionForRabbit: its clients go on only where they know the version.
func TestVersionForRabbit(t *testing.T) {
	conform(t, func(w *world) {
		p := w.dial()
		p.bytes(header(frame.ProtocolAMQP))
		o := open("a")
		o.Properties = wire.Map{symbolic("product", "RabbitMQ AMQP 1.0 Java Client")}
		p.send(0, o)
		p.want("AMQP", "open product=\"Tidegate\" version=\"4.0.0\" node=\"gate\" LINK_PAIR_V1_0")
	}, managed)
}

// TestManagementInPages: QUERY gives at most a thousand queues of many, each once.
func TestManagementInPages(t *testing.T) {
	conform(t, func(w *world) {
		const queues = 5000
		w.do(func(now time.Time, b *core.Broker, fx *core.Effects) {
			for i := range queues {
				if _, err := b.Declare(now, fmt.Sprintf("q.%d", i), core.Fleeting, fx); err != nil {
					t.Error(err)
				}
			}
		})
		a := w.connected("a").asks("$management", "here")
		seen := map[any]bool{}
		for offset := 0; offset <= queues; offset += 1000 {
			b := message.NewBuilder()
			b.SetProperty("operation", "QUERY")
			b.SetProperty("entityType", "org.amqp.queue")
			b.SetProperty("offset", int32(offset))
			b.SetProperty("count", int32(2000))
			b.SetValue(wire.Map{{Key: "attributeNames", Value: wire.List{"name"}}})
			body, _ := a.ask(b).Body()
			m, _ := body.(wire.Map)
			rows, _ := m.Get("results")
			for _, row := range rows.(wire.List) {
				seen[row.(wire.List)[0]] = true
			}
			if n := len(rows.(wire.List)); n != min(1000, queues-offset) {
				t.Errorf("%d rows from %d on", n, offset)
			}
		}
		if len(seen) != queues {
			t.Errorf("%d queues were seen", len(seen))
		}
	}, managed)
}
