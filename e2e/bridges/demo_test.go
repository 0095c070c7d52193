package bridges

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/e2e/harness"
)

// TestDemo: make demo-bridge ends well. A JMS program's orders arrive on NATS, RabbitMQ
// and Artemis with their headers, typed properties and bodies, and the answers come back.
func TestDemo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "demo")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./e2e/demo/bridge")
	build.Dir = harness.Root()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the demo: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "-tidegate", harness.Binary(t)).CombinedOutput()
	if err != nil {
		t.Fatalf("the demo ended with %v\n%s", err, out)
	}
	if n := strings.Count(string(out), "as sent   as sent      as sent   yes"); n != 6 {
		t.Errorf("%d of 6 rows of its table are as they should be:\n%s", n, out)
	}
}
