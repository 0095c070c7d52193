package perf

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

func TestTheFirstFourWorkloadsCountAndCheckTheirMessages(t *testing.T) {
	t.Parallel()
	r := run(t, 0, "--rounds", "1", "--count", "800", "--no-pin", "--durability", "normal")
	if r.Machine.Cores < 1 || r.Machine.CPU == "" || r.Machine.Kernel == "" || r.Version == "" || r.Broker.Durability != "normal" || r.Interrupted {
		t.Errorf("%+v", r)
	}
	names := []string{"np-windowed", "p-windowed", "wait-1", "wait-64"}
	if len(r.Workloads) != len(names) {
		t.Fatalf("%d workloads", len(r.Workloads))
	}
	for i, w := range r.Workloads {
		if w.Name != names[i] {
			t.Errorf("workload %d is %s", i, w.Name)
		}
		w.check(t, 800)
	}
}

func TestDeepAndMany(t *testing.T) {
	t.Parallel()
	r := run(t, 0, "--rounds", "2", "--count", "2000", "--queued", "5000", "--workload", "deep")
	r.Workloads[0].check(t, 7000)
	if n := len(r.Workloads[0].Rounds); n != 2 {
		t.Errorf("%d rounds", n)
	}
	r = run(t, 0, "--rounds", "1", "--count", "3000", "--workload", "many", "--size", "64")
	r.Workloads[0].check(t, 3000)
	if r.Workloads[0].Producers != 500 {
		t.Errorf("%d producers", r.Workloads[0].Producers)
	}
}

func TestShapesSizesAndRates(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	for name, c := range map[string]struct {
		count int
		args  []string
	}{
		"many frames a message, both ways": {40, []string{"--size", "1000000", "--batch", "3"}},
		"several of each":                  {3001, []string{"--producers", "3", "--consumers", "4", "--window", "50"}},
		"presettled":                       {3000, []string{"--presettled"}},
		"smallest":                         {3000, []string{"--size", "28", "--non-persistent"}},
		"nobody waits for consumers":       {3000, []string{"--backlog", "0", "--credit", "7"}},
		"a backlog of one":                 {50, []string{"--backlog", "1"}},
		"a rate":                           {2000, []string{"--rate", "20000", "--producers", "2"}},
	} {
		t.Run(name, func(t *testing.T) {
			args := append(c.args, "--url", s.URL, "--pid", strconv.Itoa(s.PID()), "--workload", "p-windowed", "--rounds", "1", "--count", strconv.Itoa(c.count))
			r := run(t, 0, args...)
			r.Workloads[0].check(t, float64(c.count))
		})
	}
}

// A broker of somebody else's has no figures without --pid, and messages of
// others in its queue are settled and told, but are no problem.
func TestMessagesOfOthersAreToldAndAreNoProblem(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	if res := s.Tool(t, "", "send", "--url", "{url}", "--queue", "q", "--text", "not of the bench", "--count", "3"); res.Code != 0 {
		t.Fatal(res.Stderr)
	}
	if r := run(t, 0, "--url", s.URL, "--queue", "q", "--producers", "1", "--consumers", "0", "--count", "5", "--rounds", "1"); r.Workloads[0].Rounds[0].Messages != 5 {
		t.Errorf("%+v", r) // and so these five are not of the next run
	}
	f := run(t, 0, "--url", s.URL, "--queue", "q", "--workload", "wait-1", "--count", "20", "--rounds", "1").Workloads[0].Rounds[0]
	if f.Foreign != 8 || f.Messages != 20 || f.Problems != nil || f.BrokerCPU != nil || f.Peak != nil || f.LoadCPU == nil {
		t.Errorf("%+v", f)
	}
	res := harness.Tool(t, "", "bench", "run", "--url", s.URL, "--queue", "q", "--workload", "np-windowed", "--count", "20", "--rounds", "2")
	if res.Code != 0 || strings.Contains(res.Stdout, "not of this run") || !strings.Contains(res.Stdout, "np-windowed       2") {
		t.Errorf("exit code %d\n%s\n%s", res.Code, res.Stdout, res.Stderr)
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	users := filepath.Join(t.TempDir(), "users.conf")
	if err := os.WriteFile(users, []byte("ann:secret:\"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := harness.Start(t, "--users", users)
	args := []string{"--workload", "p-windowed", "--count", "10", "--rounds", "1", "--url"}
	run(t, 0, append(args, s.As("ann", "secret"))...)
	for _, url := range []string{s.As("ann", "wrong"), s.URL} {
		if res := harness.Tool(t, "", append([]string{"bench", "run"}, append(args, url)...)...); res.Code != 2 || strings.Contains(res.Stderr+res.Stdout, "wrong") {
			t.Errorf("%s: exit code %d: %s", url, res.Code, res.Stderr)
		}
	}
}

func TestMistakesAreNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, want string }{
		{"--workload fast", "--workload fast: there is none of that name"},
		{"--size 27", "--size 27: write a number from 28 to"},
		{"--producers -1", "--producers -1: write"},
		{"--producers 0 --consumers 0", "--producers 0: with no consumers"},
		{"--producers 0", "--producers 0: then somebody else"},
		{"--window 0", "--window 0: write a number from 1"},
		{"--credit 0", "--credit 0: write"},
		{"--batch 5000", "--batch 5000: write"},
		{"--backlog -1", "--backlog -1: write"},
		{"--rate -3", "--rate -3: write"},
		{"--rounds 0", "--rounds 0: write"},
		{"--count 0", "--count 0: write"},
		{"--duration 0s", "--duration 0s: write"},
		{"--duration soon", "invalid argument"},
		{"--patience 0s", "--patience 0s: write"},
		{"--durability none", "--durability none: write failsafe or normal"},
		{"--pid 1", "--pid goes with --url"},
		{"--url amqp://127.0.0.1:1 --pid 99999999", "--pid 99999999: no process"},
		{"--url http://127.0.0.1", "--url: write amqp://"},
		{"--url amqp://127.0.0.1:1", "connection refused"},
		{"--queue=", "--queue: name one"},
		{"--persistent --presettled", "none of the others can be"},
		{"--count 5 --warm 1s", "none of the others can be"},
		{"--data /nowhere/at/all --count 1", "no such file or directory"},
		{"more", "unknown command"},
	} {
		res := harness.Tool(t, "", append([]string{"bench", "run"}, strings.Fields(c.args)...)...)
		if res.Code != 2 || !strings.Contains(res.Stderr, c.want) || res.Stdout != "" {
			t.Errorf("%s: exit code %d: %s%s", c.args, res.Code, res.Stderr, res.Stdout)
		}
	}
}

// Settings in the environment or in a tidegate.yaml are meant for somebody's own
// gateway, not for the broker that is measured.
func TestTheOwnBrokerTakesNobodysSettings(t *testing.T) {
	t.Setenv("TIDEGATE_USERS", "/nowhere/users.conf")
	r := run(t, 0, "--workload", "p-windowed", "--rounds", "1", "--count", "50", "--no-pin", "--data", t.TempDir())
	r.Workloads[0].check(t, 50)
}
