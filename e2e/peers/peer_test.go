package peers

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const orphanMaker = "TIDEGATE_PEERS_ORPHANS"

// TestOrphans: when the process that started brokers is killed, they die too,
// and RabbitMQ's epmd with them.
func TestOrphans(t *testing.T) {
	if dir := os.Getenv(orphanMaker); dir != "" {
		makeOrphans(t, dir)
		return
	}
	maker := exec.Command(os.Args[0], "-test.run=^TestOrphans$")
	maker.Env = append(os.Environ(), orphanMaker+"="+t.TempDir())
	maker.Stderr = os.Stderr
	out, err := maker.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := maker.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = maker.Process.Kill() }()
	connections := map[string]net.Conn{}
	lines := bufio.NewScanner(out)
	for len(connections) < 4 && lines.Scan() {
		what, addr, ok := strings.Cut(lines.Text(), " at ")
		if !ok {
			continue
		}
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		defer func() { _ = c.Close() }()
		connections[what] = c
	}
	if len(connections) != 4 {
		t.Fatalf("only %v came up", connections)
	}
	if err := maker.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = maker.Wait()
	for what, c := range connections {
		// What a broker says to a new client comes first; its end, when it died.
		if err := c.SetReadDeadline(time.Now().Add(Patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s lives on", what)
		}
	}
}

// makeOrphans starts brokers, tells where they are, and waits to be killed.
func makeOrphans(t *testing.T, dir string) {
	n, err := StartNATS(dir+"/nats", Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := StartActiveMQ(dir+"/activemq", Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := StartRabbitMQ(dir+"/rabbitmq", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*Peer{n, a, r} {
		fmt.Println(p.kind.name, "at", p.Addr())
	}
	fmt.Println("epmd at", "127.0.0.1:"+epmdPort(t, r))
	select {}
}

// epmdPort is told by the node's name, which is in the log.
func epmdPort(t *testing.T, p *Peer) string {
	t.Helper()
	_, rest, _ := strings.Cut(p.Log(), "tidegate")
	port, _, ok := strings.Cut(rest, "@localhost")
	if !ok {
		t.Fatalf("no node's name in the log:\n%s", p.Log())
	}
	return port
}

// TestMissing: what is not installed is an error that says what to do.
func TestMissing(t *testing.T) {
	_, err := installed("no-such-broker")
	if err == nil || !strings.Contains(err.Error(), "e2e/scripts/peers.sh") {
		t.Errorf("got %v", err)
	}
}

// TestStartTwice: a broker that runs is not started over.
func TestStartTwice(t *testing.T) {
	p := NATS(t, "", Options{})
	if err := p.Start(); err == nil {
		t.Error("started twice")
	}
	if err := enterNATS(p.URL()); err != nil {
		t.Errorf("the first one is gone: %v", err)
	}
}

// TestBadConfig: a broker that does not come up is an error with what it said.
func TestBadConfig(t *testing.T) {
	p, err := StartNATS(t.TempDir(), Options{Config: "no_such_word: 1"})
	if err == nil {
		_ = p.Close()
		t.Fatal("started")
	}
	if !strings.Contains(err.Error(), "no_such_word") {
		t.Errorf("it does not say what was wrong: %v", err)
	}
}

// TestPorts: below what the system lends to outgoing connections, and each once.
func TestPorts(t *testing.T) {
	seen := map[int]bool{}
	for range 50 {
		p, err := reserve()
		if err != nil {
			t.Fatal(err)
		}
		defer p.release()
		if seen[p.number] || p.number < firstPort || p.number >= firstOutgoing() {
			t.Errorf("port %d", p.number)
		}
		seen[p.number] = true
	}
}
