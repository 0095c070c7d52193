package harness

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Program is one of the programs of e2e/clients that a user could have written:
// it knows of the server only its URL, and tells what it saw in lines that begin
// with "told ".
type Program struct {
	name string
	proc *process
	told map[string][]string // by event, in order
	last []string            // the end of what else it printed
}

// programPatience is how long a wait for a program takes in all, with the start of its
// framework: one that tries again and again logs for ever, so a line ends no wait.
const programPatience = 3 * Patience

// StartProgram runs one with its arguments, of which the first is the server's
// URL. It is killed at the test's end.
func StartProgram(t testing.TB, name string, args ...string) *Program {
	t.Helper()
	launcher := filepath.Join(Root(), ".cache", "clients", name)
	if _, err := os.Stat(launcher); err != nil {
		t.Fatalf("the %s program is not installed: run `make clients` (needs a JDK with Maven): %v", name, err)
	}
	proc, err := start(name+" program", exec.Command(launcher, args...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = proc.signal(os.Kill)
		_ = proc.wait()
	})
	return &Program{name: name, proc: proc, told: map[string][]string{}}
}

// Until reads until the program has told of an event n times in all, and gives
// what it said each time.
func (p *Program) Until(t testing.TB, event string, n int) []string {
	t.Helper()
	timeout := time.After(programPatience)
	for len(p.told[event]) < n {
		if !p.read(t, timeout) {
			t.Fatalf("the %s program ended after %d of %d %q: %v\n%s", p.name, len(p.told[event]), n, event, p.proc.err, p.output())
		}
	}
	return p.told[event]
}

// Told is what it has said of an event so far.
func (p *Program) Told(event string) []string { return p.told[event] }

// Go lets a program go on that waits for the test.
func (p *Program) Go(t testing.TB) {
	t.Helper()
	if _, err := io.WriteString(p.proc.stdin, "go\n"); err != nil {
		t.Fatalf("the %s program does not listen: %v\n%s", p.name, err, p.output())
	}
}

// End waits for the program's own end and wants exit code 0.
func (p *Program) End(t testing.TB) {
	t.Helper()
	timeout := time.After(programPatience)
	for p.read(t, timeout) {
	}
	<-p.proc.done
	if p.proc.err != nil {
		t.Fatalf("the %s program ended with %v\n%s", p.name, p.proc.err, p.output())
	}
}

// read takes one line; false at the end.
func (p *Program) read(t testing.TB, timeout <-chan time.Time) bool {
	t.Helper()
	select {
	case line, ok := <-p.proc.lines:
		if !ok {
			return false
		}
		rest, ok := strings.CutPrefix(line, "told ")
		if !ok {
			p.last = append(p.last[max(0, len(p.last)-200):], line)
			return true
		}
		event, text, _ := strings.Cut(rest, " ")
		p.told[event] = append(p.told[event], text)
	case <-timeout:
		t.Fatalf("the %s program did not tell what was waited for within %v\n%s", p.name, programPatience, p.output())
	}
	return true
}

func (p *Program) output() string {
	said := ""
	for event, texts := range p.told {
		said += fmt.Sprintf("told %s %d times, last %q\n", event, len(texts), texts[len(texts)-1])
	}
	return said + strings.Join(p.last, "\n") + "\n" + p.proc.log()
}
