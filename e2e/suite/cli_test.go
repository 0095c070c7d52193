package suite

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

func itoa(n int) string { return strconv.Itoa(n) }

func atoi(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// tool runs a command and wants that exit code.
func tool(t *testing.T, s *harness.Server, stdin string, code int, args ...string) string {
	t.Helper()
	r := s.Tool(t, stdin, args...)
	if r.Code != code {
		t.Fatalf("tidegate %s: exit code %d, want %d\n%s", strings.Join(args, " "), r.Code, code, r.Stderr)
	}
	return r.Stdout
}

// TestTour is the README's: what is sent before a restart is received after it.
func TestTour(t *testing.T) {
	s := harness.Start(t)
	tool(t, s, "", 0, "send", "--url", "{url}", "--queue", "orders", "--text", "hello")
	if got := tool(t, s, "", 0, "browse", "--url", "{url}", "--queue", "orders"); got != "hello\n" {
		t.Errorf("browsed %q", got)
	}
	if got := tool(t, s, "", 0, "store", "inspect", "--live", "--url", "{url}"); !strings.Contains(got, "orders") {
		t.Errorf("the live inspection does not name the queue: %q", got)
	}
	s.Restart(t)
	if got := tool(t, s, "", 0, "receive", "--url", "{url}", "--queue", "orders", "--count", "1"); got != "hello\n" {
		t.Errorf("received %q, want hello", got)
	}
	tool(t, s, "", 1, "receive", "--url", "{url}", "--queue", "orders", "--timeout", "200ms")
}

// TestDynamicDestinations: only what matches a pattern is made by being used.
func TestDynamicDestinations(t *testing.T) {
	s := harness.Start(t, "--dynamic-queues", "app.>", "--dynamic-queues", "one", "--dynamic-topics", "news.*")
	for _, to := range [][]string{{"--queue", "app.x"}, {"--queue", "one"}, {"--topic", "news.sport"}} {
		tool(t, s, "", 0, append([]string{"send", "--url", "{url}", "--text", "x"}, to...)...)
	}
	for _, to := range [][]string{{"--queue", "two"}, {"--topic", "one"}} {
		r := s.Tool(t, "", append([]string{"send", "--url", "{url}", "--text", "x"}, to...)...)
		if r.Code == 0 || !strings.Contains(r.Stderr, "amqp:not-found") {
			t.Errorf("sent to %v: exit code %d, %s", to, r.Code, r.Stderr)
		}
	}
}

// TestSendForms: every way to say what is sent.
func TestSendForms(t *testing.T) {
	s := harness.Start(t)
	file := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(file, []byte("from\na file"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		stdin string
		args  []string
		want  []string
	}{
		{"text", "", []string{"--text", "x", "--count", "3"}, []string{"x", "x", "x"}},
		{"lines", "one\ntwo\n", []string{"--file", "-"}, []string{"one", "two"}},
		{"file", "", []string{"--file", file}, []string{"from", "a file"}},
		{"reliable", "", []string{"--text", "r", "--reliable"}, []string{"r"}},
		{"non-persistent", "", []string{"--text", "n", "--non-persistent"}, []string{"n"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			queue := "forms." + test.name
			tool(t, s, test.stdin, 0, append([]string{"send", "--url", "{url}", "--queue", queue}, test.args...)...)
			count := len(test.want)
			if test.name == "file" {
				count = 1 // one message of two lines
			}
			got := tool(t, s, "", 0, "receive", "--url", "{url}", "--queue", queue, "--count", itoa(count), "--timeout", "20s")
			if want := strings.Join(test.want, "\n") + "\n"; got != want {
				t.Errorf("received %q, want %q", got, want)
			}
		})
	}
	tool(t, s, "", 0, "send", "--url", "{url}", "--queue", "sized", "--size", "100", "--count", "2")
	for line := range strings.SplitSeq(strings.TrimSuffix(tool(t, s, "", 0, "receive", "--url", "{url}", "--queue", "sized", "--count", "2", "--timeout", "20s"), "\n"), "\n") {
		if len(line) != 100 {
			t.Errorf("a body of %d bytes, want 100", len(line))
		}
	}
}

// TestSendDelay: what is sent with a delay waits where it can be browsed, and comes.
func TestSendDelay(t *testing.T) {
	s := harness.Start(t)
	tool(t, s, "", 0, "send", "--url", "{url}", "--queue", "later", "--text", "long", "--delay", "1h")
	if got := tool(t, s, "", 0, "browse", "--url", "{url}", "--queue", "$sys.delayed.q.later"); got != "long\n" {
		t.Errorf("%q is held back, want the message", got)
	}
	tool(t, s, "", 0, "send", "--url", "{url}", "--queue", "later", "--text", "short", "--delay", "20ms")
	if got := tool(t, s, "", 0, "receive", "--url", "{url}", "--queue", "later", "--count", "1", "--timeout", "20s"); got != "short\n" {
		t.Errorf("%q came, want the message that is due", got)
	}
}

// TestReceiveJSON: the documented line, with typed properties.
func TestReceiveJSON(t *testing.T) {
	s := harness.Start(t)
	tool(t, s, "", 0, "send", "--url", "{url}", "--queue", "json", "--text", "hello", "--priority", "7", "--ttl", "1h",
		"--property", "colour=red", "--property", "n:int=42", "--property", "yes:boolean=true", "--property", "f:double=2.5")
	browsed := tool(t, s, "", 0, "browse", "--url", "{url}", "--queue", "json", "--json")
	line := tool(t, s, "", 0, "receive", "--url", "{url}", "--queue", "json", "--json", "--selector", "colour = 'red' AND n > 41", "--timeout", "20s")
	for _, text := range []string{browsed, line} {
		var m struct {
			ID            string         `json:"id"`
			Destination   string         `json:"destination"`
			Type          string         `json:"type"`
			Body          string         `json:"body"`
			Properties    map[string]any `json:"properties"`
			Priority      int            `json:"priority"`
			Redelivered   *bool          `json:"redelivered"`
			DeliveryCount *int           `json:"deliveryCount"`
		}
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatalf("%v in %q", err, text)
		}
		if m.ID == "" || m.Destination != "json" || m.Type != "text" || m.Body != "hello" || m.Priority != 7 ||
			m.Redelivered == nil || *m.Redelivered || m.DeliveryCount == nil ||
			m.Properties["colour"] != "red" || m.Properties["n"] != float64(42) || m.Properties["yes"] != true || m.Properties["f"] != 2.5 {
			t.Errorf("described as %s", text)
		}
	}
}

// TestAck: what receive does with a message.
func TestAck(t *testing.T) {
	s := harness.Start(t)
	tool(t, s, "", 0, "send", "--url", "{url}", "--queue", "acks", "--text", "again")
	for _, ack := range []string{"release", "none", "reject", "accept"} {
		if got := tool(t, s, "", 0, "receive", "--url", "{url}", "--queue", "acks", "--ack", ack, "--timeout", "20s"); got != "again\n" {
			t.Errorf("--ack %s: received %q", ack, got)
		}
	}
	tool(t, s, "", 1, "receive", "--url", "{url}", "--queue", "acks", "--timeout", "200ms")
}

// TestTopicTool: the tools speak to topics too.
func TestTopicTool(t *testing.T) {
	s := harness.Start(t)
	subscriber := receiving(t, harness.Driver(t, "go"), s, "weather.*", harness.Fields{"kind": "topic", "count": 1, "idle_ms": 20_000})
	tool(t, s, "", 0, "send", "--url", "{url}", "--topic", "weather.north", "--text", "rain")
	if got := messages(t, subscriber); len(got) != 1 || got[0].Text == nil || *got[0].Text != "rain" {
		t.Errorf("received %+v", got)
	}
}

// TestStoreTools: a stopped store can be looked at and verified; damage shows.
func TestStoreTools(t *testing.T) {
	s := harness.Start(t)
	send(t, harness.Driver(t, "go"), s, "inspected", harness.Fields{"count": 20})
	s.Stop(t)
	for _, command := range []string{"inspect", "verify", "dump"} {
		if got := tool(t, s, "", 0, "store", command, "--data", "{data}"); got == "" {
			t.Errorf("store %s printed nothing", command)
		}
	}
}

// TestPasswords: one in a URL is used and never shown.
func TestPasswords(t *testing.T) {
	s := harness.Start(t, "--users", users(t))
	send := func(password string) harness.Result {
		return s.Tool(t, "", "send", "--url", s.As("alice", password), "--queue", "q", "--text", "x")
	}
	if r := send("s3cret"); r.Code != 0 || strings.Contains(r.Stdout+r.Stderr, "s3cret") {
		t.Errorf("exit code %d: %s%s", r.Code, r.Stdout, r.Stderr)
	}
	if r := send("wr0ng"); r.Code == 0 || strings.Contains(r.Stdout+r.Stderr, "wr0ng") {
		t.Errorf("exit code %d: %s%s", r.Code, r.Stdout, r.Stderr)
	}
	if strings.Contains(s.Log(), "s3cret") || strings.Contains(s.Log(), "wr0ng") {
		t.Error("the server logged a password")
	}
}

// TestHelp: every command explains itself and a wrong one is an error.
func TestHelp(t *testing.T) {
	for _, command := range []string{"", "serve", "send", "receive", "browse", "store", "config", "passwd", "version", "completion"} {
		args := []string{"--help"}
		if command != "" {
			args = []string{command, "--help"}
		}
		if r := harness.Tool(t, "", args...); r.Code != 0 || !strings.Contains(r.Stdout, "Usage") {
			t.Errorf("%q: exit code %d: %s%s", args, r.Code, r.Stdout, r.Stderr)
		}
	}
	for _, args := range [][]string{
		{"nonsense"},
		{"send", "--queue", "a", "--topic", "b", "--text", "x"},
		{"send", "--text", "x"},
		{"serve", "--durability", "sometimes"},
		{"serve", "--listen", "http://127.0.0.1:0"},
	} {
		if r := harness.Tool(t, "", args...); r.Code == 0 || r.Stderr == "" {
			t.Errorf("%q: exit code %d, said %q", args, r.Code, r.Stderr)
		}
	}
}
