package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/config"
)

// writeSet writes a configuration directory and reads it.
func writeSet(t *testing.T, files map[string]string) *config.Config {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := loadSet(dir, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestPlanTransports: which destinations each transport has to do with, whoever inherits
// what.
func TestPlanTransports(t *testing.T) {
	c := writeSet(t, map[string]string{
		"tibemsd.conf": "server = EMS1\n",
		"transports.conf": "[N]\ntype = nats\nurl = nats://h:4222\n" +
			"[R]\ntype = amqp091\nurl = amqp://h/\nallow_queue_export = true\nssl_trusted = ca.pem\n" +
			"[OLD]\ntype = tibrv\n",
		"topics.conf": "in.>  import=N\nin.own  import=R\nboth  import=N,export=N\nout.>  export=\"N,R\"\nout.quiet\n",
		"queues.conf": "q.*  import=N\nleaves  export=R\nplain\n",
	})
	specs, planned := planTransports(c, "")
	topic := func(n string) core.Destination { return core.Destination{Kind: core.Topic, Name: n} }
	queue := func(n string) core.Destination { return core.Destination{Kind: core.Queue, Name: n} }
	if len(specs) != 2 || specs[0].Name != "N" || specs[1].Name != "R" { // tibrv_transports is off
		t.Fatalf("%+v", specs)
	}
	n, r := specs[0], specs[1]
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"N imports", n.Imports, []core.Destination{queue("q.*"), topic("in.>"), topic("both")}},
		{"N leaves out", n.Except, []core.Destination{topic("in.own")}},
		{"N exports", n.Exports, []core.Destination{topic("both"), topic("out.>")}},
		{"R imports", r.Imports, []core.Destination{topic("in.own")}},
		{"R exports", r.Exports, []core.Destination{topic("out.>")}},
		{"R exports queues", r.QueueExports, []string{"leaves"}},
		{"kinds", []string{n.Type, r.Type}, []string{"nats", "amqp091"}},
	} {
		if d := cmp.Diff(c.want, c.got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, d)
		}
	}
	if n.Keys["topic_import_dm"] != "TIBEMS_NON_PERSISTENT" || r.Keys["topic_import_dm"] != "" {
		t.Errorf("NATS has EMS's default mode, AMQP its messages' own: %q, %q", n.Keys["topic_import_dm"], r.Keys["topic_import_dm"])
	}
	if !filepath.IsAbs(r.Keys["ssl_trusted"]) {
		t.Errorf("ssl_trusted is %q", r.Keys["ssl_trusted"])
	}
	if len(planned) != 6 || planned[definedAs{config.Queues, "plain"}] {
		t.Errorf("planned %v", planned)
	}
}

// TestGatewayID: made once, and kept; a damaged one is no reason to make another.
func TestGatewayID(t *testing.T) {
	dir := t.TempDir()
	first, err := gatewayID(dir)
	if err != nil || len(first) != 2*gatewayIDBytes {
		t.Fatalf("%q %v", first, err)
	}
	if again, err := gatewayID(dir); err != nil || again != first {
		t.Fatalf("%q, was %q: %v", again, first, err)
	}
	file := filepath.Join(dir, gatewayIDFile)
	if err := os.WriteFile(file, []byte("my own\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := gatewayID(dir); err == nil || !strings.Contains(err.Error(), file) {
		t.Fatalf("%v", err)
	}
	if n := gatewayName("EMS; 1,x", first); strings.ContainsAny(n, ";, ") {
		t.Fatalf("%q would not stand in a list", n)
	}
}
