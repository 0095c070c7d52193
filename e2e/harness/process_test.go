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
			t.Errorf("%s says it can only %v", name, c.can)
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
