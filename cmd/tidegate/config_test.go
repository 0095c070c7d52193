package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/auth"
)

// configured reads a configuration as serve does.
func configured(t *testing.T, text string, args ...string) (*fileOnly, func(string) any, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tidegate.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := serveCommand()
	if err := cmd.Flags().Parse(args); err != nil {
		t.Fatal(err)
	}
	v, only, err := settings(cmd, file)
	if err != nil {
		return nil, nil, err
	}
	return only, v.Get, nil
}

func TestConfigurationMistakes(t *testing.T) {
	for _, c := range []struct{ name, text, at, want string }{
		{"unknown", "data: x\nmax-conections: 3\n", ":2:1:", "write one of anonymous, claims"},
		{"unknown, nearly", "maxconnections: 3\n", ":1:1:", "write max-connections"},
		{"unknown, in ems's way", "npsend_check: never\n", ":1:1:", "write npsend-check-mode"},
		{"twice", "data: x\nmemory: 1GB\ndata: y\n", ":3:1:", "stands in line 1 already"},
		{"no number", "max-connections: many\n", ":1:18:", `"many" is no int: write max-connections: 10000`},
		{"no duration", "idle-timeout: 30\n", ":1:15:", "write idle-timeout: 30s"},
		{"no boolean", "anonymous: 1\n", ":1:12:", "neither true nor false"},
		{"a list for one", "data: [a, b]\n", ":1:7:", "data takes one value: write data: ./tidegate-data"},
		{"a mapping for a list", "dynamic-queues: {a: b}\n", ":1:17:", "here must be a list"},
		{"nothing", "data:\n", ":1:6:", "data takes one value"},
		{"no mapping", "- data\n", ":1:1:", "lines of `key: value`"},
		{"rendezvous, a word", "rendezvous: nats://a\n", ":1:13:", "rendezvous must be lines of"},
		{"rendezvous, unknown", "rendezvous:\n  daemon: x\n", ":2:3:", "write url: nats://HOST:4222"},
		{"rendezvous, no NATS", "rendezvous:\n  url: tcp://a:7500\n", ":2:8:", "nats://"},
		{"nats, unknown", "nats: {port: 4222}\n", ":1:8:", "write listen: HOST:PORT"},
		{"nats, no address", "nats: {listen: 4222}\n", ":1:16:", "or none"},
		{"no YAML", "data: x\n\tmemory: 1\n", ":2:", "this is no YAML"},
		{"only a flag", "config: x.yaml\n", ":1:1:", "config is not known here"},
		{"bad pattern", "secure-queues: [a..b]\n", ":1:16:", "empty element"},
		{"permission of nothing", "permissions:\n  - user: x\n    allow: send\n", ":2:5:", "write {queue: NAME"},
		{"permission of both", "permissions:\n  - {queue: a, topic: b, allow: all}\n", ":2:16:", "write two"},
		{"permission of a topic on a queue", "permissions:\n  - {queue: a, allow: [publish]}\n", ":2:23:", `"publish" is no permission here: write one of receive, send, browse, view, create, delete, modify, purge, all`},
		{"word in a permission", "permissions:\n  - {queue: a, deny: send, allow: send}\n", ":2:16:", "deny is not known in a permission"},
		{"permissions no list", "permissions: {queue: a}\n", ":1:14:", "write each entry behind a `-`"},
		{"token without user", "tokens:\n  - token: x\n", ":2:5:", "write {user: NAME"},
		{"short sum", "tokens:\n  - {user: a, sha256: abcd}\n", ":2:23:", "sha256sum"},
		{"mechanism", "mechanisms: [PLAIN, CRAM-MD5]\n", ":1:13:", `"CRAM-MD5" is no mechanism here: write one of EXTERNAL`},
		{"two mistakes", "x: 1\ny: 2\n", ":2:1:", "y is not known here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := configured(t, c.text)
			if err == nil || !strings.Contains(err.Error(), "tidegate.yaml"+c.at) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant tidegate.yaml%s ... %s", err, c.at, c.want)
			}
		})
	}
	for _, name := range []string{"tibemsd.conf", "x.toml", "missing.yaml"} {
		if _, err := readConfig(name, serveCommand().Flags()); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConfigurationValues(t *testing.T) {
	sum := sha256.Sum256([]byte("hidden"))
	only, get, err := configured(t, `# all kinds
data: /var/lib/x
max_connections: 7
idle-timeout: 45s
anonymous: true
memory: 1073741824
dynamic-queues: App.>   # one for a list
dynamic-topics: []
npsend_check_mode: never
secure-queues: [Pay.>]
permissions:
  - {queue: Pay.In, user: Alice, allow: "send, browse"}
tokens:
  - {user: bob, token: shown}
  - {user: eve, sha256: `+hex.EncodeToString(sum[:])+`}
rendezvous: {url: "nats://n1:4222,nats://n2:4222"}
nats: {listen: none}
management: false
`, "--data", "flag")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{"data": "flag", "anonymous": true, "memory": "1073741824", "npsend-check-mode": "never"} { // order: irrelevant
		if got := get(key); got != want {
			t.Errorf("%s: %v, want %v", key, got, want)
		}
	}
	if got := fmt.Sprint(get("dynamic-queues"), get("dynamic-topics")); got != "[App.>] []" {
		t.Errorf("dynamic destinations %s", got)
	}
	if only.rendezvous != "nats://n1:4222,nats://n2:4222" || only.natsListen != "none" {
		t.Errorf("rendezvous %q, nats %q", only.rendezvous, only.natsListen)
	}
	if only.management || only.claims {
		t.Error("management is on, or claims are")
	}
	may := authorityOf(true, auth.Compile(auth.Source{Grants: only.grants}), only)
	in := core.Destination{Kind: core.Queue, Name: "Pay.In"}
	if !may("Alice", core.MaySend, in, false) || may("Alice", core.MayReceive, in, false) || may("alice", core.MaySend, in, false) {
		t.Error("the permission of Alice on Pay.In is not what was written")
	}
	for shown, want := range map[string]string{"shown": "bob", "hidden": "eve", "other": ""} { // order: irrelevant
		if user, ok := only.admits().Check("", shown); user != want || ok != (want != "") {
			t.Errorf("token %s is %q's", shown, user)
		}
	}
	if _, ok := only.admits().Check("bob", "hidden"); ok {
		t.Error("eve's token lets bob in")
	}
	cmd := serveCommand()
	if err := cmd.Flags().Parse(nil); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TIDEGATE_MAX_CONNECTIONS", "9")
	_, get, err = configured(t, "max-connections: 7\nlogin-timeout: 3s\n")
	if err != nil || get("max-connections") != "9" || get("login-timeout") != "3s" {
		t.Errorf("environment over file: %v %v, %v", get("max-connections"), get("login-timeout"), err)
	}
	_, get, err = configured(t, "idle-timeout: 45s\n")
	if err != nil || get("idle-timeout") != "45s" {
		t.Errorf("%v, %v", get("idle-timeout"), err)
	}
}

func TestConfigurationTogether(t *testing.T) {
	for text, want := range map[string]string{ // order: irrelevant
		"permissions: [{queue: a, user: x, allow: send}]": "go with users",
		"tokens: [{user: a, token: b}]":                   "go with users",
		"claims: true":                                    "go with tokens",
		"permissions: [{queue: a, allow: send}]":          "",
	} {
		only, _, err := configured(t, text)
		if err != nil {
			t.Fatal(err)
		}
		if err := only.check(false); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
