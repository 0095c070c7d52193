package harness

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary builds the gateway once for all tests of a process.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tidegate-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "tidegate")
	args := []string{"build", "-o", path}
	env := append(os.Environ(), "CGO_ENABLED=0")
	if os.Getenv("TIDEGATE_E2E_RACE") != "" {
		args = append(args, "-race")
		env = append(os.Environ(), "CGO_ENABLED=1")
		// Or the runtime waits a second at every exit for other threads' reports.
		if err := os.Setenv("GORACE", "atexit_sleep_ms=10"); err != nil {
			return "", err
		}
	}
	cmd := exec.Command("go", append(args, "./cmd/tidegate")...)
	cmd.Dir, cmd.Env = Root(), env
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the gateway: %w\n%s", err, out)
	}
	return path, nil
})

// Binary is the path of the gateway, built from this repository.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Cleanup removes the built binary; for TestMain, after the tests.
func Cleanup() {
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
}

// Server is a running gateway.
type Server struct {
	URL  string   // amqp://127.0.0.1:PORT, the same after a restart
	More []string // the URLs of the listeners that the arguments add (--listen)
	Data string
	// Debug is the URL of /debug/, with the argument --debug.
	Debug string

	args    []string
	proc    *process
	stopped bool     // by Kill or Stop
	logs    []string // of earlier lives
}

// Start runs a gateway on a free port and waits until it accepts clients. Its
// data lies in a folder of the test's own. It ends with the test, which fails
// if the gateway had ended before by itself.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	s := &Server{URL: "amqp://127.0.0.1:0", Data: filepath.Join(t.TempDir(), "data"), args: args}
	s.Run(t)
	t.Cleanup(func() { s.end(t) })
	return s
}

// Run starts the gateway (again) on the same data and port.
func (s *Server) Run(t testing.TB) {
	t.Helper()
	if err := s.run(t); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) run(t testing.TB) error {
	t.Helper()
	args := append([]string{"serve", "--listen", s.URL, "--data", s.Data, "--console", "off"}, s.args...)
	p, err := start("tidegate", exec.Command(Binary(t), args...))
	if err != nil {
		return err
	}
	s.proc, s.stopped = p, false
	var urls []string
	listeners := 1
	for _, arg := range s.args {
		if arg == "--listen" {
			listeners++
		}
	}
	timeout := time.After(Patience)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				return fmt.Errorf("tidegate ended before it was ready: %w\n%s", p.err, p.log())
			}
			if debug, ok := strings.CutPrefix(line, "debug "); ok {
				s.Debug = debug
			}
			ready, ok := strings.CutPrefix(line, "ready ")
			if !ok {
				continue
			}
			if urls = append(urls, ready); len(urls) == listeners {
				s.URL, s.More = urls[0], urls[1:]
				go discard(p.lines)
				return nil
			}
		case <-timeout:
			return fmt.Errorf("tidegate was not ready within %v\n%s", Patience, p.log())
		}
	}
}

// discard reads what the gateway prints after it is ready, so that it never
// waits for a reader. It ends with the process.
func discard(lines <-chan string) {
	for range lines {
	}
}

// By is the server's first listener by another scheme: amqps, ws, wss.
func (s *Server) By(scheme string) string { return scheme + "://" + s.Addr() }

// Hangup sends the gateway SIGHUP.
func (s *Server) Hangup(t testing.TB) {
	t.Helper()
	if err := s.proc.signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

// Addr is HOST:PORT.
func (s *Server) Addr() string { return strings.TrimPrefix(s.URL, "amqp://") }

// PID is the process id of the current life.
func (s *Server) PID() int { return s.proc.cmd.Process.Pid }

// Kill ends the gateway as a power cut would, as far as a process can: SIGKILL.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if err := s.proc.signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = s.ended(t) // killed: it has no exit code of its own
}

// Stop ends the gateway as an operator would and wants exit code 0.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.proc.signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.ended(t); err != nil {
		t.Fatalf("after SIGTERM: %v\n%s", err, s.Log())
	}
}

// Ended waits until the gateway has ended by itself, as an administrator asked it
// to, and wants exit code 0.
func (s *Server) Ended(t testing.TB) {
	t.Helper()
	if err := s.ended(t); err != nil {
		t.Fatalf("after its shutdown: %v\n%s", err, s.Log())
	}
}

// ended waits for the process and keeps its log.
func (s *Server) ended(t testing.TB) error {
	t.Helper()
	select {
	case <-s.proc.done:
	case <-time.After(Patience):
		t.Fatalf("tidegate did not end within %v\n%s", Patience, s.proc.log())
	}
	s.stopped = true
	s.logs = append(s.logs, s.proc.log())
	return s.proc.err
}

// Restart stops and starts the gateway.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	s.Run(t)
}

// Log is what the gateway logged in all its lives, or the end of it.
func (s *Server) Log() string {
	all := slices.Clone(s.logs)
	if !s.stopped {
		all = append(all, s.proc.log())
	}
	return strings.Join(all, "--- restarted ---\n")
}

// end kills what is left at the end of a test and shows the log of a failed one.
func (s *Server) end(t testing.TB) {
	if !s.stopped {
		select {
		case <-s.proc.done:
			t.Errorf("tidegate ended by itself: %v", s.proc.err)
		default:
			_ = s.proc.signal(syscall.SIGKILL)
			<-s.proc.done
		}
	}
	if strings.Contains(s.Log(), "WARNING: DATA RACE") {
		t.Error("the race detector reported a race in tidegate")
	}
	if log := s.Log(); t.Failed() && log != "" {
		t.Logf("tidegate logged:\n%s", log)
	}
}

// Result is what a command of the gateway's did.
type Result struct {
	Stdout, Stderr string
	Code           int
}

// Tool runs a command of the gateway's binary to its end. An argument {url}
// stands for the server's address.
func (s *Server) Tool(t testing.TB, stdin string, args ...string) Result {
	t.Helper()
	args = slices.Clone(args)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "{url}", s.URL)
		args[i] = strings.ReplaceAll(args[i], "{data}", s.Data)
	}
	return Tool(t, stdin, args...)
}

// Tool runs a command of the gateway's binary to its end.
func Tool(t testing.TB, stdin string, args ...string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, Binary(t), args...)
	cmd.Dir = t.TempDir()
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("tidegate %s: %v", strings.Join(args, " "), err)
	}
	if ctx.Err() != nil {
		t.Fatalf("tidegate %s did not end within %v\n%s", strings.Join(args, " "), Patience, stderr.String())
	}
	return Result{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
}

// As is the server's URL with credentials.
func (s *Server) As(user, password string) string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return s.URL
	}
	u.User = url.UserPassword(user, password)
	return u.String()
}
