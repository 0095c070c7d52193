package peers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/e2e/harness"
)

// Patience is how long a broker may take to come up or to end. It is generous:
// a slow machine must not fail a test that would have passed.
const Patience = 2 * time.Minute

// Options change how a broker is started. The zero value is what most want.
type Options struct {
	// Config is more of the broker's own configuration, in its own words: lines
	// for nats-server's file or rabbitmq.conf, system properties (NAME=VALUE a
	// line) for the two on Java.
	Config string
	// Plugins are RabbitMQ's, besides none: rabbitmq_amqp1_0, rabbitmq_management.
	Plugins []string
}

// Peer is one broker. Its methods may be called by several goroutines, one after
// the other: Kill during Start waits for Start.
type Peer struct {
	kind kind
	dir  string
	port port

	mu    sync.Mutex
	child *harness.Child // nil before the first start
	logs  []string       // the ends of earlier lives, the youngest last
}

// kind is what differs between the brokers.
type kind struct {
	name string
	// scheme and user make the URL.
	scheme, user string
	// begin starts the process.
	begin func(p *Peer) (*harness.Child, error)
	// enter connects as a client does, and leaves.
	enter func(url string) error
	// end frees what lives beside the process; may be nil.
	end func()
}

// keptLogs bounds how many earlier lives' logs are shown.
const keptLogs = 3

// launch makes a peer and starts it. The caller ends it with Close.
func launch(k kind, dir string) (*Peer, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("starting %s: %w", k.name, err)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", k.name, err)
	}
	at, err := reserve()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", k.name, err)
	}
	p := &Peer{kind: k, dir: dir, port: at}
	if err := p.Start(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// forTest ends what was launched with the test, and shows its log if that fails.
func forTest(t testing.TB, p *Peer, err error) *Peer {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", p.kind.name, p.Log())
		}
	})
	return p
}

// folder is dir, or one of the test's own.
func folder(t testing.TB, dir string) string {
	if dir == "" {
		return t.TempDir()
	}
	return dir
}

// URL is where clients connect, the same in every life, with user and password
// where the broker wants them.
func (p *Peer) URL() string { return p.kind.scheme + "://" + p.kind.user + p.Addr() }

// Addr is host:port of URL.
func (p *Peer) Addr() string { return "127.0.0.1:" + p.port.String() }

// Dir is where its data and configuration are.
func (p *Peer) Dir() string { return p.dir }

// Start starts the broker (again), on the same port and data, and returns when a
// client got in. One that runs is an error.
func (p *Peer) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.runs() {
		return fmt.Errorf("starting %s: it runs", p.kind.name)
	}
	if p.child != nil {
		p.logs = append(p.logs, p.child.Log())
		p.logs = p.logs[max(0, len(p.logs)-keptLogs):]
	}
	child, err := p.kind.begin(p)
	if err != nil {
		return err
	}
	p.child = child
	if err := child.Ready(Patience); err != nil {
		return err
	}
	if err := p.kind.enter(p.URL()); err != nil {
		return fmt.Errorf("%s is up at %s, but no client gets in: %w", p.kind.name, p.Addr(), err)
	}
	return nil
}

// Kill is SIGKILL: no word to anybody, nothing flushed that was not.
func (p *Peer) Kill() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.child == nil {
		return nil
	}
	return p.child.Kill()
}

// Stop ends the broker as its operator would. One that is down stays so.
func (p *Peer) Stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.runs() {
		return nil
	}
	return p.child.Stop(Patience)
}

// Close kills the broker for good; its data stay. A peer of a test is closed
// with the test.
func (p *Peer) Close() error {
	err := p.Kill()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kind.end != nil {
		p.kind.end()
	}
	p.port.release()
	return err
}

// Log is the end of what the broker printed, in its last lives.
func (p *Peer) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := ""
	for _, log := range p.logs {
		all += log + "--- ended, started again ---\n"
	}
	if p.child != nil {
		all += p.child.Log()
	}
	return all
}

// runs says whether the process is there. The caller holds mu.
func (p *Peer) runs() bool {
	if p.child == nil {
		return false
	}
	select {
	case <-p.child.Ended():
		return false
	default:
		return true
	}
}

// installed is the launcher that the scripts left, or how to get it.
func installed(name string) (string, error) {
	path := filepath.Join(harness.Root(), ".cache", "clients", name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s is not installed: run `bash e2e/scripts/peers.sh` (or `make clients`): %w", name, err)
	}
	return path, nil
}
