package suite

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// configTool runs `tidegate config` and wants that exit code.
func configTool(t *testing.T, code int, args ...string) harness.Result {
	t.Helper()
	r := harness.Tool(t, "", append([]string{"config"}, args...)...)
	if r.Code != code {
		t.Fatalf("tidegate config %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), r.Code, code, r.Stdout, r.Stderr)
	}
	return r
}

// TestConfigCheck: exit code 0 for warnings, 1 for errors, 2 for no set; the table
// and the JSON say the same.
func TestConfigCheck(t *testing.T) {
	main := "server = S\nlisten = tcp://localhost:7222\n"
	good := emsSet(t, map[string]string{"tibemsd.conf": main + "routing = enabled\n"})
	if r := configTool(t, 0, "check", good); !strings.Contains(r.Stdout, "tibemsd.conf:3:1  warning") || !strings.Contains(r.Stdout, "0 errors, 1 warning in 1 file") {
		t.Errorf("%s", r.Stdout)
	}
	bad := emsSet(t, map[string]string{"tibemsd.conf": main, "queues.conf": "a.b  secure,maxbyte=1MB\n"})
	if r := configTool(t, 1, "check", bad); !strings.Contains(r.Stdout, "queues.conf:1:13") || !strings.Contains(r.Stdout, "did you mean maxbytes?") || r.Stderr != "" {
		t.Errorf("%s%s", r.Stdout, r.Stderr)
	}
	var got struct {
		Findings []map[string]any `json:"findings"`
	}
	r := configTool(t, 1, "check", "--json", filepath.Join(bad, "tibemsd.conf"))
	if err := json.Unmarshal([]byte(r.Stdout), &got); err != nil || len(got.Findings) != 1 {
		t.Fatalf("%v %s", err, r.Stdout)
	}
	for key, want := range map[string]any{
		"file": "queues.conf", "line": 1.0, "column": 13.0, "severity": "error", "rule": "property-name", "text": "maxbyte=1MB",
		"message": `there is no property "maxbyte"`, "fix": "did you mean maxbytes?",
	} {
		if got.Findings[0][key] != want {
			t.Errorf("%s: %v, want %v", key, got.Findings[0][key], want)
		}
	}
	if len(got.Findings[0]) != 8 {
		t.Errorf("the finding has other keys: %v", got.Findings[0])
	}
	clean := emsSet(t, map[string]string{"tibemsd.conf": main})
	if r := configTool(t, 0, "check", "--json", clean); strings.Join(strings.Fields(r.Stdout), "") != `{"findings":[]}` {
		t.Errorf("%s", r.Stdout)
	}
	if r := configTool(t, 2, "check", filepath.Join(clean, "nowhere")); !strings.Contains(r.Stderr, "there is no configuration") {
		t.Errorf("%s", r.Stderr)
	}
	configTool(t, 2, "check")
}

func TestConfigShow(t *testing.T) {
	dir := emsSet(t, map[string]string{
		"tibemsd.conf": "server = S\n",
		"queues.conf":  "> prefetch=9\na.> secure,maxmsgs=100\na.b maxmsgs=500\n",
		"topics.conf":  "t global\n",
	})
	want := "queue a.b\n  maxmsgs=500             own\n  prefetch=9              from >\n  secure                  from a.>\n  store=$sys.nonfailsafe  default\n"
	if r := configTool(t, 0, "show", dir, "a.b"); r.Stdout != want {
		t.Errorf("%s", r.Stdout)
	}
	bare := emsSet(t, map[string]string{"tibemsd.conf": "server = S\n", "queues.conf": "a.b\n"})
	if r := configTool(t, 1, "show", bare, "a.b", "a.c", "x.*"); !strings.HasPrefix(r.Stdout, "queue a.b\n") || !strings.Contains(r.Stderr, "nothing is defined, and nothing would be created, by the name of a.c, x.*") {
		t.Errorf("%s%s", r.Stdout, r.Stderr)
	}
	var got struct {
		Destinations []struct {
			Kind, Name string
			Defined    bool
			Properties []struct {
				Name, Value, Origin string
				From                []string
			}
		}
	}
	r := configTool(t, 0, "show", "--json", dir)
	if err := json.Unmarshal([]byte(r.Stdout), &got); err != nil || len(got.Destinations) != 4 {
		t.Fatalf("%v %s", err, r.Stdout)
	}
	if d := got.Destinations[2]; d.Name != "a.b" || len(d.Properties) != 4 || d.Properties[2].Name != "secure" || d.Properties[2].Origin != "inherited" || d.Properties[2].From[0] != "a.>" {
		t.Errorf("%+v", d)
	}
}

// TestConfigConvert goes to JSON and back over the real file system.
func TestConfigConvert(t *testing.T) {
	dir := emsSet(t, map[string]string{
		"tibemsd.conf": "server = S\nlisten = tcp://localhost:7222\n", "queues.conf": "a.b secure\n", "bridges.conf": "[queue:a.b]\n  topic=t selector=\"x < 5\"\n", "topics.conf": "t\n",
	})
	out := filepath.Join(t.TempDir(), "new")
	configTool(t, 0, "convert", dir, "--out", out)
	text, err := os.ReadFile(filepath.Join(out, "tibemsd.json"))
	if err != nil || !strings.Contains(string(text), `"selector":	"x < 5"`) {
		t.Fatalf("%v %s", err, text)
	}
	configTool(t, 0, "check", out)
	configTool(t, 2, "convert", dir, "--out", out) // it is there already
	configTool(t, 0, "convert", dir, "--out", out, "--force")
	back := filepath.Join(t.TempDir(), "back")
	configTool(t, 0, "convert", out, "--out", back)
	if text, err := os.ReadFile(filepath.Join(back, "queues.conf")); err != nil || string(text) != "a.b secure\n" {
		t.Errorf("%v %q", err, text)
	}
}

func TestConfigJNDI(t *testing.T) {
	dir := emsSet(t, map[string]string{
		"tibemsd.conf":   "server = S\n",
		"queues.conf":    "orders\n",
		"topics.conf":    "news\n",
		"factories.conf": "[CF]\n  type = generic\n  url = tcp://7222,tcp://b.example:7222\n  reconnect_attempt_count = 7\n",
		"jndinames.conf": "jms/orders queue orders\n",
	})
	r := configTool(t, 0, "jndi", dir, "--host", "a.example")
	for _, want := range []string{
		"java.naming.factory.initial = org.apache.qpid.jms.jndi.JmsInitialContextFactory\n",
		"connectionfactory.CF = failover:(amqp://a.example:7222,amqp://b.example:7222)?", "failover.maxReconnectAttempts=7",
		"queue.orders = orders\n", "topic.news = news\n", "queue.jms/orders = orders\n",
	} {
		if !strings.Contains(r.Stdout, want) {
			t.Errorf("%q is missing:\n%s", want, r.Stdout)
		}
	}
}

// TestConfigJNDIThroughQpidJMS: a program that knows nothing but the names in the
// file finds its factory, its queue and its topic, with Qpid JMS of both generations.
// The first server of the pair is not there.
func TestConfigJNDIThroughQpidJMS(t *testing.T) {
	s := harness.Start(t)
	address := strings.TrimPrefix(s.URL, "amqp://")
	dir := emsSet(t, map[string]string{
		"tibemsd.conf": "server = S\n",
		"queues.conf":  "jndi.orders\n",
		"topics.conf":  "jndi.news\n",
		"factories.conf": "[One]\n  type = generic\n  url = tcp://" + address + "\n" +
			"[Pair]\n  type = generic\n  url = tcp://127.0.0.1:1,tcp://" + address + "\n  connect_attempt_count = 3\n  reconnect_attempt_timeout = 5000\n  clientID = \"order desk\"\n",
		"jndinames.conf": "jms/orders queue jndi.orders\njms/pair factory Pair\n\"old orders\" jndiname jms/orders\n",
	})
	file := filepath.Join(dir, "jndi.properties")
	if err := os.WriteFile(file, []byte(configTool(t, 0, "jndi", dir).Stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, driver := range []string{"java", harness.Javax} {
		c := harness.Driver(t, driver)
		for _, l := range []struct{ factory, destination, address, client string }{
			{"One", "jndi.orders", "jndi.orders", ""},
			{"Pair", "jndi.news", "jndi.news", "order desk"},
			{"jms/pair", "jms/orders", "jndi.orders", "order desk"},
			{"Pair", "old orders", "jndi.orders", "order desk"},
		} {
			done, _ := c.Do(t, harness.Fields{"cmd": "lookup", "file": file, "factory": l.factory, "destination": l.destination}).Done(t)
			if done.Text == nil || *done.Text != "found" || done.Address != l.address || l.client != "" && done.Client != l.client {
				t.Errorf("%s: %s and %s: %+v", driver, l.factory, l.destination, done)
			}
		}
	}
}
