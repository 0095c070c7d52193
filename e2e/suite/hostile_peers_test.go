package suite

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/server"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/e2e/harness"
)

// misdeed is one thing that a hostile peer does.
type misdeed struct {
	name string
	args []string // of the server
	// before is what must be there first, which is not counted as growth.
	before func(t testing.TB, s *harness.Server)
	// do does it once, at the size that a test can wait for, and looks at the
	// conditions that the server answers with.
	do func(t testing.TB, s *harness.Server)
	// growth bounds how much the server's memory may grow at any time, in MiB.
	growth int
	// logged is the message that the server must log, and no oftener than it may.
	logged string
	login  bool // the well-behaved client must log in
}

// memory is what the server is told to keep to: without it the collector lets
// garbage of honest work grow with what is live.
const memory = "128MiB"

// misdeeds is the table of TestHostilePeers and BenchmarkHostile.
func misdeeds() []misdeed {
	return []misdeed{
		{name: "sends without credit", do: withoutCredit, growth: 48, logged: "link detached with an error"},
		{name: "asks and never reads", do: neverReadsAnswers, growth: 96},
		{name: "takes and never reads", before: backlog, do: neverReadsMessages, growth: 128},
		{
			name: "never finishes a frame", args: []string{"--idle-timeout", "1s", "--login-timeout", "2s"},
			do: slowloris, growth: 48, logged: "connection given up",
		},
		{
			// They have to be there all at once, however slowly this machine connects them.
			name: "says nothing, ten thousand times", args: []string{"--login-timeout", "15s", "--max-connections", itoa(silent() + 1)},
			do: silence, growth: 200, logged: "without login for longest",
		},
		{name: "attaches and detaches", do: linkStorm, growth: 64},
		{name: "attaches all it can", do: manyLinks, growth: 96, logged: "protocol fault"},
		{name: "begins and ends", do: sessionStorm, growth: 48, logged: "protocol fault"},
		{name: "never settles", before: tinyMessages, do: neverSettles, growth: 256},
		{name: "tags and properties at their limits", do: limits, growth: 128, logged: "session ended with an error"},
		{name: "leaves messages incomplete", do: incomplete, growth: 160, logged: "link detached with an error"},
		{name: "declares and never discharges", do: neverDischarges, growth: 64},
		{name: "keeps temporary queues", do: manyTemporaries, growth: 96, logged: "attach refused"},
		{name: "guesses passwords", login: true, do: guesses, growth: 48, logged: "login refused"},
	}
}

// scale makes a number smaller where little time is given.
func scale(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// raced says that the server was built with the race detector, whose memory and
// time are several times a server's own.
func raced() bool { return os.Getenv("TIDEGATE_E2E_RACE") != "" }

// TestHostilePeers: whatever a peer does, memory stays bounded, the answer is
// the right condition, the log a few lines, and a well-behaved client beside it
// gets on in every second.
func TestHostilePeers(t *testing.T) {
	for _, m := range misdeeds() {
		t.Run(m.name, func(t *testing.T) {
			s, honest := m.start(t, "--memory", memory)
			if m.before != nil {
				m.before(t, s)
			}
			before := residentKiB(t, s.PID())
			honest.begin()
			m.do(t, s)
			honest.end()
			if raced() {
				m.growth *= 5 // the race detector's own
			}
			grown := (memoryKiB(t, s.PID(), "VmHWM:") - before) >> 10
			t.Logf("grew by at most %d of %d MiB; the well-behaved client did %d messages", grown, m.growth, honest.done.Load())
			if grown > m.growth {
				t.Errorf("memory grew by %d MiB, at most %d are allowed", grown, m.growth)
			}
			m.look(t, s)
		})
	}
}

// start runs a server, and connects the well-behaved client.
func (m *misdeed) start(t testing.TB, args ...string) (*harness.Server, *steady) {
	t.Helper()
	args, o := append(args, m.args...), (*amqp.ConnOptions)(nil)
	if m.login {
		args = append(args, "--users", users(t))
		o = &amqp.ConnOptions{SASLType: amqp.SASLTypePlain("alice", "s3cret")}
	}
	s := harness.Start(t, args...)
	return s, startSteady(t, s, o)
}

// look wants the line in the log, few of it, and no panic.
func (m *misdeed) look(t testing.TB, s *harness.Server) {
	t.Helper()
	wantLogged(t, s, m.logged)
	log := s.Log()
	if strings.Contains(log, "panic") || strings.Contains(log, "goroutine ") {
		t.Errorf("the log shows a panic:\n%s", log)
	}
	if m.logged == "" {
		return
	}
	// Several intervals may have passed.
	if n := strings.Count(log, m.logged); n > 4*server.LogBurst {
		t.Errorf("%q is logged %d times", m.logged, n)
	}
}

// withoutCredit sends before the server gave it credit, on link after link. What
// comes by another read than its attach may have got credit in between.
func withoutCredit(t testing.TB, s *harness.Server) {
	p := openPeer(t, s, 1)
	id, refused := uint32(0), 0
	for range scale(200) {
		p.sender(0, 0, "honest.not")
		for range engine.MaxEarly + 10 {
			p.transfer(0, 0, id, false, data(1))
			id++
		}
		p.frame(0, &frame.Detach{Handle: 0, Closed: true})
		p.flush()
		if e := until[*frame.Detach](p).Error; e != nil {
			if refused++; e.Condition != frame.ConditionTransferLimitExceeded {
				t.Fatalf("detached with %v", e)
			}
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
	p.close()
}

// neverReadsAnswers asks for flows, and for links, and reads no answer.
func neverReadsAnswers(t testing.TB, s *harness.Server) {
	ask := openPeer(t, s, 1)
	ask.receiver(0, 0, "unread")
	ask.flush()
	for range 100 {
		ask.frame(0, &frame.Flow{NextIncomingID: wire.Some(uint32(0)), IncomingWindow: window, OutgoingWindow: window, Handle: wire.Some(uint32(0)), Echo: true})
	}
	attach := openPeer(t, s, 1)
	for range 50 {
		attach.sender(0, 0, "unread")
		attach.frame(0, &frame.Detach{Handle: 0, Closed: true})
	}
	for _, p := range []*peer{ask, attach} {
		fill(t, p)
	}
	for _, p := range []*peer{ask, attach} {
		p.close()
	}
}

// fill writes what the peer has gathered, over and over, until the server takes
// no more: it has stopped to read. One that goes on for ever fails the test.
func fill(t testing.TB, p *peer) {
	t.Helper()
	const most = 256 << 20 // far above what sockets and the server may hold
	for sent := 0; ; sent += len(p.out) {
		_ = p.conn.SetWriteDeadline(time.Now().Add(3 * time.Second)) // a slow server may pause as well
		if _, err := p.conn.Write(p.out); err != nil {
			return
		}
		if sent > most {
			t.Fatalf("the server took %d MiB from a peer that reads no answer", sent>>20)
		}
	}
}

// backlog is 80 MB of messages.
func backlog(t testing.TB, s *harness.Server) { preload(t, s, "backlog", scale(20_000), data(4000)) }

// preload sends count non-persistent messages, settled.
func preload(t testing.TB, s *harness.Server, address string, count int, message []byte) {
	t.Helper()
	p := openPeer(t, s, 1)
	p.sender(0, 0, address)
	p.flush()
	credit := until[*frame.Flow](p)
	for sent := uint32(0); sent < uint32(count); {
		limit := credit.DeliveryCount.V + credit.LinkCredit.V
		for ; sent < uint32(count) && sent != limit; sent++ {
			p.transfer(0, 0, sent, true, message)
		}
		p.flush()
		if sent < uint32(count) {
			for credit = until[*frame.Flow](p); !credit.Handle.OK; {
				credit = until[*frame.Flow](p)
			}
		}
	}
	p.frame(0, &frame.Detach{Handle: 0, Closed: true}) // answered behind the last message
	p.flush()
	until[*frame.Detach](p)
	p.close()
}

// neverReadsMessages asks for all messages on many connections and reads none.
func neverReadsMessages(t testing.TB, s *harness.Server) {
	peers := make([]*peer, 20)
	for i := range peers {
		p := openPeer(t, s, 1)
		_ = p.conn.(*net.TCPConn).SetReadBuffer(4 << 10) // or the kernel reads for it
		p.receiver(0, 0, "backlog")
		p.credit(0, 0, 1<<31-1)
		p.flush()
		peers[i] = p
	}
	for _, p := range peers { // the server is at it once the first bytes are there
		if _, err := p.in.Peek(1); err != nil {
			t.Fatal(err)
		}
	}
	fresh := startSteady(t, s, nil) // and others are served
	if err := fresh.turn(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range peers {
		p.close()
	}
}

// slowloris sends frames in drops, before login and after it.
func slowloris(t testing.TB, s *harness.Server) {
	const announced = "\x00\x02\x00\x00\x02\x00\x00\x00" // 128 KiB are to come
	peers := make([]*peer, scale(1000))
	for i := range peers {
		var p *peer
		if i%2 == 0 {
			p = openPeer(t, s, 1)
		} else {
			p = connectPeer(t, s)
			p.out = append(p.out, header...)
		}
		p.out = append(p.out, announced...)
		p.flush()
		peers[i] = p
	}
	drop := time.NewTicker(200 * time.Millisecond)
	defer drop.Stop()
	for range 12 { // longer than twice the idle time-out
		<-drop.C
		for _, p := range peers {
			p.out = append(p.out, 0)
			p.flush()
		}
	}
	for i, p := range peers {
		if i%2 == 0 {
			if got := p.condition(); got != string(frame.ConditionResourceLimitExceeded) {
				t.Fatalf("the end of drops is %q", got)
			}
		}
		p.close()
	}
}

// silent is how many connections may say nothing: what files there may be open
// bounds it on both sides.
func silent() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 500
	}
	return scale(min(10_000, int(limit.Cur)-500)) // the runtime has raised Cur to Max
}

// silence opens connections that say nothing, as many as there may be.
func silence(t testing.TB, s *harness.Server) {
	peers := make([]*peer, silent())
	for i := range peers {
		peers[i] = connectPeer(t, s)
	}
	// A client that does say something is let in all the same, again and again.
	for range 20 {
		c := startSteady(t, s, nil)
		if err := c.turn(t.Context()); err != nil {
			t.Fatal(err)
		}
		_ = c.conn.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	for _, p := range peers {
		if !p.gone(ctx) {
			t.Fatal("a connection that said nothing stays")
		}
	}
}

// linkStorm attaches to address after address and detaches again.
func linkStorm(t testing.TB, s *harness.Server) {
	p := openPeer(t, s, 1)
	for round := range scale(200) {
		const each = 50
		for i := range uint32(each) {
			p.receiver(0, 2*i, fmt.Sprintf("storm.%d.%d", round, i))
			p.sender(0, 2*i+1, fmt.Sprintf("storm.%d.%d", round, i))
		}
		for i := range uint32(2 * each) {
			p.frame(0, &frame.Detach{Handle: i, Closed: true})
		}
		p.flush()
		for range 2 * each {
			if d := until[*frame.Detach](p); d.Error != nil {
				t.Fatal(d.Error)
			}
		}
	}
	p.close()
}

// manyLinks attaches links until it is refused, and then some.
func manyLinks(t testing.TB, s *harness.Server) {
	sessions := engine.MaxLinks/(engine.DefaultHandleMax+1) + 1
	p := openPeer(t, s, sessions)
	for ch := range sessions {
		for h := range engine.DefaultHandleMax + 1 {
			p.receiver(uint16(ch), uint32(h), "many")
			if h%64 == 63 {
				p.flush()
			}
			if ch == sessions-1 && h == 0 {
				p.flush()
				if got := p.condition(); got != string(frame.ConditionResourceLimitExceeded) {
					t.Fatalf("link %d: %q", engine.MaxLinks+1, got)
				}
			}
		}
	}
	if e := until[*frame.Close](p).Error; e == nil || e.Condition != frame.ConditionResourceLimitExceeded {
		t.Errorf("closed with %v", e)
	}
	p.close()
}

// sessionStorm begins and ends sessions, then begins as many as there may be and
// one more.
func sessionStorm(t testing.TB, s *harness.Server) {
	p := openPeer(t, s, 0)
	for range scale(200) {
		const each = 100
		for ch := range uint16(each) {
			p.begin(ch)
			p.frame(ch, &frame.End{})
		}
		p.flush()
		for range each {
			until[*frame.End](p)
		}
	}
	for ch := range uint16(engine.DefaultChannelMax + 1) {
		p.begin(ch)
	}
	p.flush()
	for range engine.DefaultChannelMax + 1 {
		until[*frame.Begin](p)
	}
	p.begin(engine.DefaultChannelMax + 1)
	p.flush()
	if got := p.condition(); got != string(frame.ConditionFramingError) {
		t.Errorf("a session above channel-max: %q", got)
	}
	p.close()
}

// tinyMessages is a million messages of one byte.
func tinyMessages(t testing.TB, s *harness.Server) { preload(t, s, "tiny", scale(1_000_000), data(1)) }

// neverSettles receives all of them and answers none.
func neverSettles(t testing.TB, s *harness.Server) {
	p := openPeer(t, s, 1)
	count := scale(1_000_000)
	p.receiver(0, 0, "tiny")
	p.credit(0, 0, uint32(count))
	p.flush()
	for range count {
		until[*frame.Transfer](p)
	}
	p.close()
}

// limits sends what is at its limits, which is taken, and just past them, which
// is refused, while somebody evaluates a selector.
func limits(t testing.TB, s *harness.Server) {
	filter := openPeer(t, s, 1)
	filter.frame(0, &frame.Attach{
		Name: "selector", Handle: 0, Role: frame.RoleReceiver, Target: &frame.Target{},
		Source: &frame.Source{Address: "limits", Filter: wire.Map{{
			Key:   wire.Symbol("apache.org:selector-filter:string"),
			Value: wire.Described{Descriptor: wire.Symbol("apache.org:selector-filter:string"), Value: "p1 = 'x' OR p99999 IS NOT NULL"},
		}}},
	})
	filter.credit(0, 0, 1000)
	filter.flush()
	until[*frame.Attach](filter)

	large := strings.Repeat("x", 1<<20)
	messages := []struct {
		name     string
		message  []byte
		accepted bool
	}{
		{"thirty thousand properties", properties(30_000, "v"), true},
		{"a hundred thousand properties", properties(100_000, "v"), false},
		{"a property of a megabyte", properties(1, large), true},
		{"a name of a megabyte", named(large), true},
		{"deep nesting", append([]byte{0, 0x53, 0x77}, nested(2_000)...), true}, // a body is not looked into
		{"deep nesting among the properties", append([]byte{0, 0x53, 0x74, 0xd1, 0, 0, 0x40, 0, 0, 0, 0, 2, 0xa1, 1, 'n'}, nested(2_000)...), false},
		{"no message", []byte("no message"), false},
	}
	p := openPeer(t, s, 1)
	p.sender(0, 0, "limits")
	p.flush()
	until[*frame.Flow](p)
	id := uint32(0)
	for range scale(20) {
		for _, m := range messages {
			p.transfer(0, 0, id, false, nil)
			p.out = p.out[:0]
			p.pieces(id, m.message)
			p.flush()
			d := until[*frame.Disposition](p)
			if _, accepted := d.State.(frame.Accepted); accepted != m.accepted {
				t.Fatalf("%s: %T", m.name, d.State)
			}
			if r, rejected := d.State.(*frame.Rejected); rejected && (r.Error == nil || r.Error.Condition != frame.ConditionDecodeError) {
				t.Fatalf("%s: rejected with %v", m.name, r.Error)
			}
			id++
		}
	}
	p.frame(0, &frame.Transfer{Handle: 0, DeliveryID: wire.Some(id), DeliveryTag: make([]byte, engine.MaxDeliveryTag+1)}, data(1)...)
	p.flush()
	if got := p.condition(); got != string(frame.ConditionInvalidField) {
		t.Errorf("a tag of 33 bytes: %q", got)
	}
	p.close()
	filter.close()
}

// pieces sends a message in frames that any server takes.
func (p *peer) pieces(id uint32, message []byte) {
	const piece = 60_000
	for first := true; first || len(message) > 0; first = false {
		n := min(piece, len(message))
		f := &frame.Transfer{Handle: 0, More: n < len(message)}
		if first {
			f.DeliveryID, f.DeliveryTag, f.MessageFormat = wire.Some(id), make([]byte, engine.MaxDeliveryTag), wire.Some(uint32(0))
			binary.BigEndian.PutUint32(f.DeliveryTag, id)
		}
		p.frame(0, f, message[:n]...)
		message = message[n:]
	}
}

// properties is a message with n properties, and named one with a long name.
func properties(n int, value string) []byte {
	var m wire.Map
	for i := range n {
		m = append(m, wire.Entry{Key: fmt.Sprintf("p%d", i), Value: value})
	}
	return append(wire.AppendValue([]byte{0, 0x53, 0x74}, m), data(1)...)
}

func named(name string) []byte {
	return append(wire.AppendValue([]byte{0, 0x53, 0x74}, wire.Map{{Key: name, Value: "v"}}), data(1)...)
}

// incomplete begins messages on many links and completes none.
func incomplete(t testing.TB, s *harness.Server) {
	p := openPeer(t, s, 1)
	const links = 500
	for h := range uint32(links) {
		p.sender(0, h, "incomplete")
	}
	p.flush()
	for range links {
		until[*frame.Flow](p)
	}
	body := make([]byte, 120_000)
	for round := range 8 {
		for h := range uint32(links) {
			f := &frame.Transfer{Handle: h, More: true}
			if round == 0 {
				f.DeliveryID, f.DeliveryTag = wire.Some(h), []byte{1}
			}
			p.frame(0, f, body...)
			p.flush()
		}
	}
	if got := p.condition(); got != string(frame.ConditionResourceLimitExceeded) {
		t.Errorf("condition %q", got)
	}
	p.close()
}

// neverDischarges declares as many transactions as there may be, and one more.
func neverDischarges(t testing.TB, s *harness.Server) {
	p := openPeer(t, s, 1)
	p.frame(0, &frame.Attach{
		Name: "txn", Role: frame.RoleSender, InitialDeliveryCount: wire.Some(uint32(0)),
		Source: &frame.Source{}, Target: &frame.Coordinator{Capabilities: []wire.Symbol{"amqp:local-transactions"}},
	})
	p.flush()
	until[*frame.Flow](p)
	declare := (&frame.Declare{}).Append([]byte{0, 0x53, 0x77})
	for id := range uint32(core.DefaultMaxTransactions + 1) {
		p.transfer(0, 0, id, false, declare)
		p.flush()
		switch state := until[*frame.Disposition](p).State.(type) {
		case *frame.Declared:
			if id == core.DefaultMaxTransactions {
				t.Errorf("%d transactions are declared", id+1)
			}
		case *frame.Rejected:
			if id < core.DefaultMaxTransactions || state.Error.Condition != frame.ConditionResourceLimitExceeded {
				t.Fatalf("declare %d is rejected with %v", id+1, state.Error)
			}
		}
	}
	p.close()
}

// manyTemporaries makes temporary queues and leaves their links without closing
// them, so that the queues live as long as the connection.
func manyTemporaries(t testing.TB, s *harness.Server) {
	p := openPeer(t, s, 1)
	for i := range core.MaxTemporary + 1 {
		p.frame(0, &frame.Attach{
			Name: itoa(i), Role: frame.RoleReceiver, Source: &frame.Source{Dynamic: true}, Target: &frame.Target{},
		})
		p.frame(0, &frame.Detach{})
		p.flush()
		e := until[*frame.Detach](p).Error
		if refused := e != nil && e.Condition == frame.ConditionResourceLimitExceeded; refused != (i == core.MaxTemporary) {
			t.Fatalf("temporary queue %d: %v", i+1, e)
		}
	}
	p.close()
}

// guesses tries password after password on many connections at a time.
func guesses(t testing.TB, s *harness.Server) {
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			for j := range scale(10) + 1 {
				p := connectPeer(t, s)
				response := fmt.Sprintf("\x00alice\x00guess %d of %d", j, i)
				b := frame.Version1(frame.ProtocolSASL).Append(nil)
				b, at := frame.BeginFrame(b, frame.TypeSASL, 0)
				b = (&frame.SASLInit{Mechanism: "PLAIN", InitialResponse: []byte(response)}).Append(b)
				p.out = frame.EndFrame(b, at, 0)
				p.flush()
				if j%8 == 0 { // some wait for the answer, others hang up
					if ctx := t.Context(); !p.gone(ctx) && ctx.Err() == nil {
						t.Error("a wrong password stays connected")
					}
				}
				p.close()
			}
		})
	}
	all.Wait()
}
