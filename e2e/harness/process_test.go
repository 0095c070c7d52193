package harness

import (
	"os/exec"
	"strings"
	"testing"
)

func TestProcess(t *testing.T) {
	p, err := start("shell", exec.Command("sh", "-c", "echo one; echo two; echo three >&2; exit 3"))
	if err != nil {
		t.Fatal(err)
	}
	if got := <-p.lines; got != "one" {
		t.Errorf("first line %q", got)
	}
	if err := p.wait(); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("ended with %v, want exit status 3", err)
	}
	if got := p.log(); got != "three\n" {
		t.Errorf("log %q", got)
	}
	if _, err := start("nothing", exec.Command("/nonexistent/binary")); err == nil {
		t.Error("a binary that does not exist was started")
	}
}

func TestTail(t *testing.T) {
	var kept tail
	for range 10 * keep {
		if _, err := kept.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := kept.Write([]byte("end")); err != nil {
		t.Fatal(err)
	}
	if n := kept.buf.Len(); n > 2*keep+3 || !strings.HasSuffix(kept.String(), "xend") {
		t.Errorf("kept %d bytes", n)
	}
}

func TestFilling(t *testing.T) {
	if got := Filling("p", 12, 9); got != "p/12;p/12" {
		t.Errorf("filling %q", got)
	}
	if got := Filling("p", 1, 0); got != "" {
		t.Errorf("filling of nothing %q", got)
	}
}

// TestDrivers: every client library is installed and its driver answers. This
// is where a missing toolchain shows first, with what to install.
func TestDrivers(t *testing.T) {
	t.Cleanup(StopDrivers)
	for _, name := range Names {
		c := Driver(t, name)
		if !c.Can("reconnect", "request") {
			t.Errorf("%s says it can only %v", name, c.declared.Can)
		}
		if e := c.Do(t, Fields{"cmd": "nonsense"}).Error(t); e.Error == "" {
			t.Errorf("%s: no error for an unknown command", name)
		}
		e := c.Do(t, Fields{"cmd": "connect", "url": "amqp://127.0.0.1:1", "timeout_ms": 5000}).Error(t)
		if e.Error == "" {
			t.Errorf("%s: no error where nobody listens", name)
		}
	}
}

// TestCompleteDeclaration: a driver that leaves a word out, or says both, or
// speaks of one that nobody knows, is refused.
func TestCompleteDeclaration(t *testing.T) {
	missing, unknown, both := Words[1:], append([]string{"telepathy"}, Words...), map[string]string{Words[0]: "because"}
	tests := map[string]struct {
		declared Event
		complete bool
	}{
		"all":             {Event{Can: Words}, true},
		"all but one":     {Event{Can: missing}, false},
		"one with reason": {Event{Can: missing, Cannot: both}, true},
		"no reason":       {Event{Can: missing, Cannot: map[string]string{Words[0]: ""}}, false},
		"both":            {Event{Can: Words, Cannot: both}, false},
		"an unknown word": {Event{Can: unknown}, false},
	}
	for name, test := range tests {
		c := &Client{Name: "test", declared: test.declared}
		if err := c.complete(); (err == nil) != test.complete {
			t.Errorf("%s: complete %v (%v), want %v", name, err == nil, err, test.complete)
		}
	}
}
