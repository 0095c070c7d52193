package harness

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Patience is how long a wait for a single line or event may take. It is
// generous: a slow machine must not fail a test that would have passed.
const Patience = 60 * time.Second

// Root is the repository's top folder.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// process is a child with captured output. Its lines of standard output go to a
// channel, which is closed when it ends; standard error is kept.
type process struct {
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines chan string

	mu     sync.Mutex
	stderr tail

	done chan struct{} // closed once the process was waited for
	err  error         // valid after done
}

// maxLine bounds a line of a child's output.
const maxLine = 4 << 20

func start(name string, cmd *exec.Cmd) (*process, error) {
	p := &process{name: name, cmd: cmd, lines: make(chan string, 1024), done: make(chan struct{})}
	// A child in its own group gets no Ctrl-C of its own; if the test's process
	// dies without a word, so does the child.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	var err error
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = &lockedWriter{mu: &p.mu, w: &p.stderr}
	// Pdeathsig is sent when the thread that forked ends, so it must stay.
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		in := bufio.NewScanner(stdout)
		in.Buffer(nil, maxLine)
		for in.Scan() {
			p.lines <- in.Text()
		}
		// Pipes must be drained before Wait closes them.
		_, _ = io.Copy(io.Discard, stdout)
		p.err = cmd.Wait()
		close(p.done)
		close(p.lines)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	return p, nil
}

// signal sends s to the process; one that is gone is no error.
func (p *process) signal(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// wait waits for the end of the process and drops what it still printed.
func (p *process) wait() error {
	timeout := time.After(Patience)
	for {
		select {
		case _, ok := <-p.lines:
			if !ok {
				<-p.done
				return p.err
			}
		case <-timeout:
			return fmt.Errorf("%s did not end within %v", p.name, Patience)
		}
	}
}

// log is the end of what the process wrote to standard error.
func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// tail keeps the last keep bytes or so of what is written to it.
type tail struct{ buf bytes.Buffer }

const keep = 64 << 10

func (t *tail) Write(b []byte) (int, error) {
	if t.buf.Len() > 2*keep {
		t.buf.Next(t.buf.Len() - keep)
	}
	return t.buf.Write(b)
}

func (t *tail) String() string { return t.buf.String() }
