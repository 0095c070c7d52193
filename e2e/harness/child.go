package harness

import (
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Child is a process that somebody else wrote, as the brokers of e2e/peers. What
// it prints on either stream is kept as one log, of which the end is shown. It
// dies with the process that started it.
type Child struct {
	proc *process

	mu  sync.Mutex
	log tail

	ready chan struct{} // closed by the first line that says so
	ended chan struct{} // closed when the process is gone and the log whole
}

// StartChild starts path with args in dir, with env as its whole environment
// (nil: this process's). ready says of a line whether the child has come up.
func StartChild(name, dir, path string, args, env []string, ready func(line string) bool) (*Child, error) {
	// One stream for both keeps the order of its lines; exec leaves no shell between.
	cmd := exec.Command("/bin/sh", append([]string{"-c", `exec "$0" "$@" 2>&1`, path}, args...)...)
	cmd.Dir, cmd.Env = dir, env
	proc, err := start(name, cmd)
	if err != nil {
		return nil, err
	}
	c := &Child{proc: proc, ready: make(chan struct{}), ended: make(chan struct{})}
	go c.keep(ready)
	return c, nil
}

// keep writes the log until the child has ended.
func (c *Child) keep(ready func(string) bool) {
	defer close(c.ended)
	up := false
	for line := range c.proc.lines {
		c.mu.Lock()
		_, _ = c.log.Write([]byte(line + "\n"))
		c.mu.Unlock()
		if !up && ready(line) {
			up = true
			close(c.ready)
		}
	}
}

// Ready waits until the child has said that it is ready. Its end, or more time
// than patience, is an error that holds its log.
func (c *Child) Ready(patience time.Duration) error {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case <-c.ready:
		return nil
	case <-c.ended:
		how := c.proc.err
		if how == nil {
			how = errors.New("exit status 0")
		}
		return fmt.Errorf("%s ended before it was ready: %w\n%s", c.proc.name, how, c.Log())
	case <-timeout.C:
		return fmt.Errorf("%s was not ready within %v\n%s", c.proc.name, patience, c.Log())
	}
}

// PID is the process's number.
func (c *Child) PID() int { return c.proc.cmd.Process.Pid }

// Kill ends the child and what it started, at once and without a word, and waits
// until it is gone.
func (c *Child) Kill() error {
	if err := syscall.Kill(-c.PID(), syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("killing %s: %w", c.proc.name, err)
	}
	return c.gone(Patience)
}

// Stop asks the child to end by SIGTERM, and waits for it. How it ends is its
// own affair: the code is not looked at.
func (c *Child) Stop(patience time.Duration) error {
	if err := c.proc.signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stopping %s: %w", c.proc.name, err)
	}
	return c.gone(patience)
}

func (c *Child) gone(patience time.Duration) error {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case <-c.ended:
		return nil
	case <-timeout.C:
		return fmt.Errorf("%s did not end within %v\n%s", c.proc.name, patience, c.Log())
	}
}

// Ended is closed when the child is gone, for whatever reason.
func (c *Child) Ended() <-chan struct{} { return c.ended }

// Log is the end of what the child has printed.
func (c *Child) Log() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.String()
}
