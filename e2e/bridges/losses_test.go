package bridges

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/tidegate/tidegate/e2e/harness"
	"github.com/tidegate/tidegate/e2e/peers"
)

// TestNATSLosses: core NATS loses, but only while it is not connected, and the gateway
// says how much (show transport).
func TestNATSLosses(t *testing.T) {
	t.Run("killed", lossesKilled)
	t.Run("cut", lossesCut)
	t.Run("import", lossesImport)
}

// lossesKilled: NATS is killed while nothing is under way. What is sent meanwhile is lost
// and counted, exactly: sent = received + counted.
func lossesKilled(t *testing.T) {
	t.Parallel()
	const each = 500
	p := peers.NATS(t, "", peers.Options{})
	s := start(t, "nats", p.URL(), "export")
	before := subscribed(t, p.URL(), roadTopic)
	hand(t, here(s, "export"), "before", each)
	before.await(t, each)
	wait(t, "NATS has confirmed all", func() bool { return transport(t, s, roadTransport).count("exported_msgs") == each })
	if n := transport(t, s, roadTransport).count("lost_export_msgs"); n != 0 {
		t.Fatalf("%d were lost while it was connected", n)
	}

	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	wait(t, "the transport notices", func() bool { return transport(t, s, roadTransport)["state"] != "connected" })
	hand(t, here(s, "export"), "meanwhile", each)
	wait(t, "the losses are counted", func() bool { return transport(t, s, roadTransport).count("lost_export_msgs") >= each })

	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	after := subscribed(t, p.URL(), roadTopic)
	connected(t, s, roadTransport)
	hand(t, here(s, "export"), "after", each)
	after.await(t, each)

	row := transport(t, s, roadTransport)
	sent, received, lost := 3*each, before.count()+after.count(), row.count("lost_export_msgs")
	t.Logf("sent %d, received %d, counted as lost %d", sent, received, lost)
	if sent != received+lost {
		t.Errorf("sent %d, but received %d and counted %d as lost", sent, received, lost)
	}
	if text, _ := row["delivery"].(string); text != "reliable: what is sent while it is not connected is lost" {
		t.Errorf("show transport says of its delivery %q", text)
	}
}

// lossesCut: the connection is cut in the middle of everything; NATS and its subscriber
// stay. What was under way at that moment counts as lost, although some of it may have
// arrived: NATS had not said so. So received + counted is never less than sent, and what
// is counted as exported has arrived.
func lossesCut(t *testing.T) {
	t.Parallel()
	p := peers.NATS(t, "", peers.Options{})
	c := newCutter(t, p.Addr())
	s := start(t, "nats", "nats://"+c.addr(), "export")
	sub := subscribed(t, p.URL(), roadTopic)
	ctx, cancel := context.WithTimeout(t.Context(), 2*harness.Patience)
	defer cancel()
	// The ledger's sender goes on until the test has seen what it wants.
	g := newLedger(1<<30, "a")
	g.ahead = 1 << 30
	sending, enough := context.WithCancel(ctx)
	var sender sync.WaitGroup
	sender.Go(func() { _ = g.sendAll(sending, here(s, "export"), "a") })
	sub.await(t, 1000)
	if n := transport(t, s, roadTransport).count("lost_export_msgs"); n != 0 {
		t.Errorf("%d were lost while it was connected", n)
	}
	c.cut()
	wait(t, "losses are counted", func() bool { return transport(t, s, roadTransport).count("lost_export_msgs") > 0 })
	c.mend()
	connected(t, s, roadTransport)
	lost := transport(t, s, roadTransport).count("lost_export_msgs")
	sub.await(t, sub.count()+1000)
	enough()
	sender.Wait()

	accepted := func() int { g.mu.Lock(); defer g.mu.Unlock(); return len(g.accepted) }()
	var row asked
	wait(t, "all is exported or lost", func() bool {
		row = transport(t, s, roadTransport)
		return row.count("waiting_msgs")+row.count("under_way_msgs") == 0 && row.count("exported_msgs")+row.count("lost_export_msgs") >= accepted
	})
	sub.await(t, row.count("exported_msgs"))
	received := sub.count()
	counted := row.count("lost_export_msgs")
	t.Logf("accepted at least %d, exported %d, received %d, counted as lost %d: %d of those had arrived",
		accepted, row.count("exported_msgs"), received, counted, received-row.count("exported_msgs"))
	if counted != lost {
		t.Errorf("%d more were lost after it had connected again", counted-lost)
	}
	if received+counted < accepted {
		t.Errorf("%d were accepted, and only %d received and %d counted as lost", accepted, received, counted)
	}
}

// lossesImport: what is published outside while the gateway is cut off does not come in,
// and cannot be counted: nobody tells the gateway of it. What came before and afterwards
// is all there.
func lossesImport(t *testing.T) {
	t.Parallel()
	const each = 200
	p := peers.NATS(t, "", peers.Options{})
	c := newCutter(t, p.Addr())
	s := start(t, "nats", "nats://"+c.addr(), "import")
	publisher, err := nats.Connect(p.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer publisher.Close()
	publish := func(name string) {
		for seq := 1; seq <= each; seq++ {
			l := letter{name, seq}
			m := &nats.Msg{Subject: roadQueue, Data: []byte(l.body()), Header: nats.Header{"JMS-Message-Id": {l.id()}}}
			if err := publisher.PublishMsg(m); err != nil {
				t.Fatal(err)
			}
		}
		if err := publisher.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	publish("before")
	wait(t, "what came before is here", func() bool { return depth(t, s, roadQueue) == each })
	c.cut()
	wait(t, "the transport notices", func() bool { return transport(t, s, roadTransport)["state"] != "connected" })
	publish("meanwhile")
	c.mend()
	connected(t, s, roadTransport)
	publish("after")
	wait(t, "what came afterwards is here", func() bool { return depth(t, s, roadQueue) >= 2*each })

	g := newLedger(each, "before", "after")
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	receiving, received := context.WithCancel(ctx)
	var receiver sync.WaitGroup
	receiver.Go(func() { g.receiveAll(receiving, here(s, "import")) })
	if err := g.until(ctx, g.all); err != nil {
		t.Error(err)
	}
	received()
	receiver.Wait()
	if b := g.balance(); len(b.lost)+len(b.altered)+b.copies+b.outOfOrder > 0 {
		t.Errorf("%s; %v", &b, b.altered)
	}
	if n := transport(t, s, roadTransport).count("lost_import_msgs"); n != 0 {
		t.Errorf("%d are counted as lost, of which the gateway cannot know", n)
	}
}

// hand sends letters and wants all of them accepted.
func hand(t *testing.T, c client, name string, n int) {
	t.Helper()
	g := newLedger(n, name)
	g.ahead = n + 1
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	if err := g.sendAll(ctx, c, name); err != nil {
		t.Fatal(err)
	}
	if b := g.balance(); b.repeated > 0 {
		t.Fatalf("%d had to be sent again", b.repeated)
	}
}

// subscriber is a program that hears a subject of core NATS.
type subscriber struct {
	mu  sync.Mutex
	got int
}

func subscribed(t *testing.T, url, subject string) *subscriber {
	t.Helper()
	c, err := nats.Connect(url, nats.NoReconnect())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	s := &subscriber{}
	sub, err := c.Subscribe(subject, func(*nats.Msg) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got++
	})
	if err == nil {
		err = sub.SetPendingLimits(-1, -1) // it loses nothing itself
	}
	if err == nil {
		err = c.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *subscriber) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got
}

func (s *subscriber) await(t *testing.T, n int) {
	t.Helper()
	wait(t, fmt.Sprintf("the subscriber has %d", n), func() bool { return s.count() >= n })
}

// cutter is a way to a broker that can be cut, while the broker stays.
type cutter struct {
	l      net.Listener
	broker string

	mu   sync.Mutex
	open map[net.Conn]bool
	off  bool
}

func newCutter(t *testing.T, broker string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{l: l, broker: broker, open: map[net.Conn]bool{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { c.pass(in) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		c.cut()
		all.Wait()
	})
	return c
}

func (c *cutter) addr() string { return c.l.Addr().String() }

// pass copies both ways until one of them ends.
func (c *cutter) pass(in net.Conn) {
	out, err := net.DialTimeout("tcp", c.broker, dialTime)
	if err != nil {
		_ = in.Close()
		return
	}
	c.mu.Lock()
	if c.off {
		_ = in.Close()
		_ = out.Close()
	}
	c.open[in], c.open[out] = true, true
	c.mu.Unlock()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
		both.Go(func() {
			buffer := make([]byte, 64<<10)
			for {
				n, err := way[0].Read(buffer)
				if _, wrote := way[1].Write(buffer[:n]); err != nil || wrote != nil {
					break
				}
			}
			_ = way[0].Close()
			_ = way[1].Close()
		})
	}
	both.Wait()
	c.mu.Lock()
	delete(c.open, in)
	delete(c.open, out)
	c.mu.Unlock()
}

// cut breaks all connections, and lets none be made.
func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off = true
	for conn := range c.open { // order: irrelevant
		_ = conn.SetDeadline(time.Now())
		_ = conn.Close()
	}
}

func (c *cutter) mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off = false
}
