package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tidegate/tidegate/e2e/harness"
	"github.com/tidegate/tidegate/e2e/peers"
)

// system is one broker outside.
type system struct {
	name    string
	written string // its URL in conf/transports.conf
	start   func(dir string, o peers.Options) (*peers.Peer, error)
	peer    *peers.Peer // nil: it runs already, as conf says
}

func (s *system) url() string {
	if s.peer == nil {
		return s.written
	}
	return s.peer.URL()
}

// systems are those of the demonstration.
func systems() []*system {
	return []*system{
		{name: "NATS", written: "nats://127.0.0.1:4222", start: peers.StartNATS},
		{name: "RabbitMQ", written: "amqp://guest:guest@127.0.0.1:5673", start: peers.StartRabbitMQ},
		{name: "Artemis", written: "amqp://guest:guest@127.0.0.1:5674", start: peers.StartArtemis},
	}
}

// startAll starts them side by side, their data below dir.
func startAll(all []*system, dir string) error {
	fmt.Println("starting nats-server, RabbitMQ and ActiveMQ Artemis; this takes some seconds")
	began := time.Now()
	errs := make(chan error)
	var mu sync.Mutex // of the lines
	for _, s := range all {
		go func() {
			p, err := s.start(filepath.Join(dir, s.name), peers.Options{})
			if err == nil {
				s.peer = p
				mu.Lock()
				fmt.Printf("  %-8s is up at %s after %.1f s\n", s.name, p.Addr(), time.Since(began).Seconds())
				mu.Unlock()
			}
			errs <- err
		}()
	}
	var first error
	for range all {
		if err := <-errs; first == nil {
			first = err
		}
	}
	return first
}

func closeAll(all []*system) {
	for _, s := range all {
		if s.peer != nil {
			_ = s.peer.Close()
		}
	}
}

// gateway is a running tidegate.
type gateway struct {
	binary, url string
	child       *harness.Child // nil: it runs already
}

// runningURL is where conf has the gateway listen.
const runningURL = "amqp://127.0.0.1:5672"

// startGateway runs the binary on a copy of conf, with the addresses that the systems
// have this time, and waits until its transports are connected.
func startGateway(ctx context.Context, binary, dir string, all []*system) (*gateway, error) {
	conf := filepath.Join(dir, "conf")
	if err := copyConf(conf, all); err != nil {
		return nil, err
	}
	g := &gateway{binary: binary}
	args := []string{"serve", "--config", conf, "--listen", "amqp://127.0.0.1:0", "--data", filepath.Join(dir, "data")}
	var err error
	g.child, err = harness.StartChild("tidegate", dir, binary, args, nil, func(line string) bool {
		url, ok := strings.CutPrefix(line, "ready ")
		if ok {
			g.url = url
		}
		return ok
	})
	if err != nil {
		return nil, err
	}
	if err := g.child.Ready(harness.Patience); err != nil {
		return nil, err
	}
	fmt.Printf("  tidegate is up at %s\n", g.url)
	return g, g.connected(ctx)
}

func copyConf(to string, all []*system) error {
	from := filepath.Join(harness.Root(), "e2e", "demo", "bridge", "conf")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	file := filepath.Join(to, "transports.conf")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for _, s := range all {
		changed := bytes.Replace(text, []byte(s.written), []byte(s.url()), 1)
		if bytes.Equal(changed, text) {
			return fmt.Errorf("conf/transports.conf does not name %s", s.written)
		}
		text = changed
	}
	return os.WriteFile(file, text, 0o600)
}

// connected asks the admin tool until all transports are.
func (g *gateway) connected(ctx context.Context) error {
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for {
		out, err := exec.CommandContext(ctx, g.binary, "admin", "-server", g.url, "--json", "show transports").Output()
		if err != nil {
			return fmt.Errorf("tidegate admin: %w\n%s", err, out)
		}
		var shown struct {
			Transports []struct{ Name, State, Error string }
		}
		if err := json.Unmarshal(out, &shown); err != nil {
			return fmt.Errorf("tidegate admin printed %s: %w", out, err)
		}
		up := 0
		for _, t := range shown.Transports {
			if t.State == "connected" {
				up++
			}
		}
		if up == len(shown.Transports) && up > 0 {
			fmt.Printf("  its %d transports are connected\n", up)
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("not all transports are connected: %s%s", out, g.log())
		}
	}
}

func (g *gateway) log() string {
	if g.child == nil {
		return ""
	}
	return "\n" + g.child.Log()
}

// build builds the gateway into dir.
func build(ctx context.Context, dir string) (string, error) {
	fmt.Println("building the gateway")
	path := filepath.Join(dir, "tidegate")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, "./cmd/tidegate")
	cmd.Dir = harness.Root()
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the gateway: %w\n%s", err, out)
	}
	return path, nil
}
