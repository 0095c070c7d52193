package perf

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

func TestMain(m *testing.M) {
	code := m.Run()
	harness.Cleanup()
	os.Exit(code)
}

// report is what the tests want of the JSON form.
type report struct {
	Version string
	Machine struct {
		Cores       int
		CPU, Kernel string
	}
	Broker      struct{ Durability string }
	Interrupted bool
	Workloads   []outcome
}

type outcome struct {
	Name, Delivery string
	Producers      int
	Rounds         []figures
	Median         *figures
}

type figures struct {
	Messages    float64
	Rate        float64  `json:"msgs_per_s"`
	P50         *float64 `json:"latency_p50_us"`
	P90         *float64 `json:"latency_p90_us"`
	P99         *float64 `json:"latency_p99_us"`
	P999        *float64 `json:"latency_p999_us"`
	Max         *float64 `json:"latency_max_us"`
	Accept50    *float64 `json:"accept_p50_us"`
	Accept99    *float64 `json:"accept_p99_us"`
	BrokerCPU   *float64 `json:"broker_cpu_us_per_msg"`
	LoadCPU     *float64 `json:"load_cpu_us_per_msg"`
	Idle        *float64 `json:"broker_idle_rss_bytes"`
	Attached    *float64 `json:"broker_attached_rss_bytes"`
	Peak        *float64 `json:"broker_peak_rss_bytes"`
	Written     *float64 `json:"broker_written_bytes"`
	Redelivered int
	Foreign     int
	Problems    *problems
}

type problems struct {
	Lost, Repeated, Reordered, Corrupt, Refused, Unsettled int
	Examples                                               []string
}

// run runs the bench with --json and wants that exit code.
func run(t testing.TB, code int, args ...string) report {
	t.Helper()
	res := harness.Tool(t, "", append([]string{"bench", "run", "--json"}, args...)...)
	if res.Code != code {
		t.Fatalf("exit code %d, not %d\n%s\n%s", res.Code, code, res.Stderr, res.Stdout)
	}
	return parse(t, res.Stdout)
}

func parse(t testing.TB, text string) (r report) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return r
}

// check wants every figure, and that many messages in each round (0: any).
func (w *outcome) check(t *testing.T, messages float64) {
	t.Helper()
	if w.Median == nil {
		t.Fatalf("%s: no rounds", w.Name)
	}
	for _, f := range append(w.Rounds, *w.Median) {
		if f.Problems != nil || f.Foreign+f.Redelivered > 0 || messages > 0 && f.Messages != messages {
			t.Errorf("%s: %+v", w.Name, f)
		}
		for what, v := range map[string]*float64{
			"rate": &f.Rate, "p50": f.P50, "p90": f.P90, "p99": f.P99, "p99.9": f.P999, "longest latency": f.Max,
			"broker CPU": f.BrokerCPU, "load CPU": f.LoadCPU, "idle memory": f.Idle, "memory with everybody there": f.Attached, "peak memory": f.Peak,
		} {
			if v == nil || *v <= 0 {
				t.Fatalf("%s, %s: %v", w.Name, what, v)
			}
		}
		if presettled := w.Delivery == "presettled"; presettled != (f.Accept50 == nil) || !presettled && (*f.Accept50 <= 0 || *f.Accept50 > *f.Accept99) {
			t.Errorf("%s: accepted after %v, %v", w.Name, f.Accept50, f.Accept99)
		}
		if f.Written == nil || *f.Peak < *f.Idle || *f.P50 > *f.P90 || *f.P90 > *f.P99 || *f.P99 > *f.P999 || *f.P999 > *f.Max {
			t.Errorf("%s: %+v", w.Name, f)
		}
	}
}
