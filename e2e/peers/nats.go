package peers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/tidegate/tidegate/e2e/harness"
)

// NATS starts a nats-server with JetStream for a test; dir "" is a folder of the
// test's own.
func NATS(t testing.TB, dir string, o Options) *Peer {
	t.Helper()
	p, err := StartNATS(folder(t, dir), o)
	return forTest(t, p, err)
}

// StartNATS starts a nats-server with JetStream, its streams in dir.
func StartNATS(dir string, o Options) (*Peer, error) {
	return launch(kind{
		name:   "nats-server",
		scheme: "nats",
		begin:  func(p *Peer) (*harness.Child, error) { return beginNATS(p, o) },
		enter:  enterNATS,
	}, dir)
}

func beginNATS(p *Peer, o Options) (*harness.Child, error) {
	path, err := installed("nats-server")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(p.dir, "nats.conf")
	text := fmt.Sprintf("listen: %q\njetstream { store_dir: %q }\n%s\n", p.Addr(), filepath.Join(p.dir, "data"), o.Config)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("configuring nats-server: %w", err)
	}
	return harness.StartChild("nats-server", p.dir, path, []string{"--config", config}, nil, func(line string) bool {
		return strings.Contains(line, "Server is ready")
	})
}

func enterNATS(url string) error {
	c, err := nats.Connect(url, nats.Timeout(Patience))
	if errors.Is(err, nats.ErrAuthorization) {
		return nil // the test's Config wants credentials that the test knows
	}
	if err != nil {
		return err
	}
	defer c.Close()
	return c.FlushTimeout(Patience)
}
