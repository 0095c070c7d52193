package perf

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/e2e/harness"
)

// settleFor is how long the bench waits for what never comes. On a slow machine it must
// not give up before the frame that is meddled with.
const settleFor = "5s"

func TestTheCheckFinds(t *testing.T) {
	t.Parallel()
	again := func(f []byte) [][]byte { return [][]byte{f, f} }
	drop := func([]byte) [][]byte { return nil }
	var held []byte
	for name, c := range map[string]struct {
		meddle meddler
		found  func(p *problems) bool
	}{
		"a lost message":     {nth(500, frame.CodeTransfer, drop), func(p *problems) bool { return p.Lost >= 1 }},
		"a repeated message": {nth(500, frame.CodeTransfer, again), func(p *problems) bool { return p.Repeated >= 1 }},
		"two messages that changed places": {func(f []byte) [][]byte {
			if held != nil && is(f, frame.CodeTransfer) {
				f, held = bytes.Join([][]byte{f, held}, nil), []byte{}
				return [][]byte{f}
			}
			return first(f, &held)
		}, func(p *problems) bool { return p.Reordered >= 1 }},
		"a changed head": {nth(77, frame.CodeTransfer, func(f []byte) [][]byte {
			f[len(f)-200+3] ^= 1 // of the body's 200 bytes, in the run's number: not ours, so ours is missing
			return [][]byte{f}
		}), func(p *problems) bool { return p.Lost >= 1 }},
		"a changed number": {nth(77, frame.CodeTransfer, func(f []byte) [][]byte {
			f[len(f)-200+15] ^= 1
			return [][]byte{f}
		}), func(p *problems) bool { return p.Corrupt >= 1 }},
		"a changed byte in the filling": {nth(129, frame.CodeTransfer, func(f []byte) [][]byte {
			f[len(f)-1] ^= 1 // number 128 is one of the sample
			return [][]byte{f}
		}), func(p *problems) bool { return p.Corrupt >= 1 }},
		"a settlement that does not come": {nth(1, frame.CodeDisposition, drop), func(p *problems) bool { return p.Unsettled >= 1 }},
		"a refusal": {nth(1, frame.CodeDisposition, func(f []byte) [][]byte {
			var d frame.Disposition
			if _, err := d.Decode(f[frame.HeaderSize:], nil); err != nil {
				t.Error(err)
			}
			d.State = &frame.Rejected{}
			return [][]byte{frame.Append(nil, frame.TypeAMQP, 0, &d)}
		}), func(p *problems) bool { return p.Refused >= 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := harness.Start(t)
			r := run(t, 1, "--url", proxy(t, s.Addr(), c.meddle), "--workload", "p-windowed", "--size", "200", "--count", "2000", "--rounds", "1", "--patience", settleFor)
			p := r.Workloads[0].Rounds[0].Problems
			if p == nil || !c.found(p) || len(p.Examples) == 0 {
				t.Errorf("found %+v", p)
			}
		})
	}
}

// first holds the first transfer back, in held.
func first(f []byte, held *[]byte) [][]byte {
	if *held == nil && is(f, frame.CodeTransfer) {
		*held = slices.Clone(f)
		return nil
	}
	return [][]byte{f}
}

// A broker that does as it should passes through the proxy, and so the proxy
// alone is no finding.
func TestTheProxyAloneIsNoFinding(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	r := run(t, 0, "--url", proxy(t, s.Addr(), func(f []byte) [][]byte { return [][]byte{f} }), "--workload", "p-windowed", "--count", "2000", "--rounds", "1")
	if f := r.Workloads[0].Rounds[0]; f.Problems != nil || f.Messages != 2000 {
		t.Errorf("%+v", f)
	}
}

func TestTheBrokerHangsUp(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	url := proxy(t, s.Addr(), nth(200, frame.CodeTransfer, func([]byte) [][]byte {
		return [][]byte{frame.Append(nil, frame.TypeAMQP, 0, &frame.Close{Error: &frame.Error{Condition: "amqp:internal-error", Description: "for the test"}})}
	}))
	res := harness.Tool(t, "", "bench", "run", "--url", url, "--workload", "p-windowed", "--count", "2000", "--rounds", "1")
	if res.Code != 2 || !bytes.Contains([]byte(res.Stderr), []byte("the broker sent close: amqp:internal-error for the test")) {
		t.Errorf("exit code %d: %s", res.Code, res.Stderr)
	}
}

// A broker that takes nothing is an error, not a rate of nothing.
func TestABrokerThatTakesNothing(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	for _, how := range [][]string{{"--count", "10"}, {"--duration", "300ms", "--warm", "0s"}, {"--count", "10", "--queued", "5"}} {
		url := proxy(t, s.Addr(), func(f []byte) [][]byte {
			if is(f, frame.CodeFlow) {
				return nil
			}
			return [][]byte{f}
		})
		args := append([]string{"bench", "run", "--url", url, "--workload", "p-windowed", "--rounds", "1", "--patience", "1s"}, how...)
		if res := harness.Tool(t, "", args...); res.Code != 2 || res.Stdout != "" || !strings.Contains(res.Stderr, "nothing more came") || !strings.Contains(res.Stderr, "0 messages sent") {
			t.Errorf("%v: exit code %d\n%s\n%s", how, res.Code, res.Stdout, res.Stderr)
		}
	}
}

// SIGINT ends a run in good order: what there is gets printed.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	flowing := make(chan struct{})
	var once sync.Once
	url := proxy(t, s.Addr(), func(f []byte) [][]byte {
		if is(f, frame.CodeTransfer) {
			once.Do(func() { close(flowing) })
		}
		return [][]byte{f}
	})
	cmd := exec.CommandContext(t.Context(), harness.Binary(t), "bench", "run", "--json", "--url", url, "--warm", "0s", "--duration", "10h", "--workload", "p-windowed")
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-flowing
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if !r.Interrupted || len(r.Workloads) != 1 || len(r.Workloads[0].Rounds) != 1 || r.Workloads[0].Rounds[0].Problems != nil {
		t.Errorf("%s", out.String())
	}
}
