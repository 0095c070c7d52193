package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Times of our own broker.
const (
	brokerStart = 30 * time.Second
	brokerStop  = 30 * time.Second
)

// ownBroker is a "tidegate serve" of this program's, with a folder of its own.
type ownBroker struct {
	url string
	cmd *exec.Cmd
	dir string
	log lastLines

	ready chan string   // its URL
	done  chan struct{} // closed when it has ended
	err   error         // valid after done
}

// startBroker runs a broker on a core, or wherever where core is -1.
func startBroker(ctx context.Context, o *benchOptions, core int) (*ownBroker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(o.data, "tidegate-bench-")
	if err != nil {
		return nil, err
	}
	b := &ownBroker{dir: dir, ready: make(chan string, 1), done: make(chan struct{})}
	b.cmd = exec.Command(self, "serve", "--listen", "amqp://127.0.0.1:0", "--data", filepath.Join(dir, "data"),
		"--durability", o.durability, "--flush-delay", o.flush.String())
	b.cmd.Dir = dir // no tidegate.yaml of somebody's
	b.cmd.Env = withoutSettings(os.Environ())
	b.cmd.Stderr = &b.log
	// Ctrl-C is for us, who end it; and should we die, so does it.
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	go b.run(core, started)
	if err := <-started; err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("starting the broker: %w", err)
	}
	select {
	case b.url = <-b.ready:
		return b, nil
	case <-b.done:
		err = fmt.Errorf("the broker ended before it was ready: %w\n%s", b.err, b.log.String())
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-time.After(brokerStart):
		err = fmt.Errorf("the broker was not ready within %v\n%s", brokerStart, b.log.String())
	}
	_ = b.stop() // err says more
	return nil, err
}

// run starts the broker from a thread that is on its core, for a child is born
// where its parent's thread is. The thread stays until the end: Pdeathsig is sent
// when the one that forked goes.
func (b *ownBroker) run(core int, started chan<- error) {
	defer close(b.done)
	runtime.LockOSThread() // and never unlocked: the thread ends with us
	stdout, err := b.cmd.StdoutPipe()
	if err == nil && core >= 0 {
		err = pinThread(0, core)
	}
	if err == nil {
		err = b.cmd.Start()
	}
	started <- err
	if b.err = err; err != nil {
		return
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
			b.ready <- url
			break
		}
	}
	_, _ = io.Copy(io.Discard, stdout) // Wait closes the pipe
	b.err = b.cmd.Wait()
}

// stop ends the broker and removes its data. It gives an error where the broker
// did not end well by itself.
func (b *ownBroker) stop() error {
	defer func() { _ = os.RemoveAll(b.dir) }()
	select {
	case <-b.done:
		return fmt.Errorf("the broker ended by itself: %w\n%s", b.err, b.log.String())
	default:
	}
	_ = b.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-b.done:
		if b.err != nil {
			return fmt.Errorf("the broker: %w\n%s", b.err, b.log.String())
		}
		return nil
	case <-time.After(brokerStop):
		_ = b.cmd.Process.Kill()
		<-b.done
		return fmt.Errorf("the broker did not end within %v\n%s", brokerStop, b.log.String())
	}
}

// withoutSettings is an environment without what would change the broker.
func withoutSettings(env []string) []string {
	var kept []string
	for _, v := range env {
		if !strings.HasPrefix(v, "TIDEGATE_") {
			kept = append(kept, v)
		}
	}
	return kept
}

// lastLines keeps the end of what is written to it.
type lastLines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// keptLog is how much of the broker's log is kept, in bytes.
const keptLog = 16 << 10

func (l *lastLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.buf.Write(p)
	if over := l.buf.Len() - keptLog; over > 0 {
		l.buf.Next(over)
	}
	return n, err
}

func (l *lastLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

var errInterrupted = errors.New("interrupted")
