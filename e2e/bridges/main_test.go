package bridges

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidegate/tidegate/e2e/harness"
)

var (
	seedFlag     = flag.Uint64("bridges.seed", 0, "seed of the kills; 0: a new one")
	messagesFlag = flag.Int("bridges.messages", 5_000, "messages that go through, in each direction of each transport")
	killsFlag    = flag.Int("bridges.kills", 2, "how often the gateway is killed meanwhile, and how often the broker outside")
)

func TestMain(m *testing.M) {
	code := m.Run()
	harness.Cleanup()
	os.Exit(code)
}

// configuration lays out a folder with a configuration.
func configuration(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files { // order: irrelevant
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// wait looks until something that no event tells has come about.
func wait(t testing.TB, what string, come func() bool) {
	t.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(harness.Patience); !come(); <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, harness.Patience)
		}
	}
}

// asked is a row that the admin tool prints.
type asked map[string]any

// ask has the admin tool show one thing; the table is the command's second word.
func ask(t testing.TB, s *harness.Server, table, command string) (asked, error) {
	t.Helper()
	r := s.Tool(t, "", "admin", "-server", "{url}", "--json", command)
	if r.Code != 0 {
		return nil, errors.New(r.Stdout + r.Stderr)
	}
	var tables map[string]json.RawMessage
	var row asked
	if err := json.Unmarshal([]byte(r.Stdout), &tables); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, r.Stdout)
	}
	if err := json.Unmarshal(tables[table], &row); err != nil {
		t.Fatalf("%s has no table %s: %v\n%s", command, table, err, r.Stdout)
	}
	return row, nil
}

// transport is what the gateway shows of one.
func transport(t testing.TB, s *harness.Server, name string) asked {
	t.Helper()
	row, err := ask(t, s, "transport", "show transport "+name)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

// connected waits until a transport is.
func connected(t testing.TB, s *harness.Server, name string) {
	t.Helper()
	wait(t, "transport "+name+" connects", func() bool { return transport(t, s, name)["state"] == "connected" })
}

// depth is how many messages a queue of the gateway's has; one that is not there has none.
func depth(t testing.TB, s *harness.Server, queue string) int {
	t.Helper()
	row, err := ask(t, s, "queue", "show queue "+queue)
	if err != nil {
		return 0
	}
	return row.count("msgs")
}

// count is a cell with a number; an empty one is 0.
func (a asked) count(column string) int {
	n, _ := a[column].(float64)
	return int(n)
}
