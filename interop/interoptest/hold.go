package interoptest

import (
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/persist/vfs"
)

// hold is a disk whose flushes can be held back.
type hold struct {
	mu   sync.Mutex
	gate chan struct{} // nil: nothing is held
	came chan struct{}
}

func newHold() *hold { return &hold{came: make(chan struct{}, 1)} }

func (h *hold) call(c vfs.Call) error {
	if c.Op != "sync" {
		return nil
	}
	h.mu.Lock()
	gate := h.gate
	h.mu.Unlock()
	if gate == nil {
		return nil
	}
	select {
	case h.came <- struct{}{}:
	default:
	}
	<-gate
	return nil
}

func (h *hold) hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gate = make(chan struct{})
}

func (h *hold) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gate != nil {
		close(h.gate)
		h.gate = nil
	}
}

// waited waits until a flush is held back.
func (h *hold) waited(t testing.TB) {
	t.Helper()
	select {
	case <-h.came:
	case <-time.After(Patience):
		t.Fatal("nothing was flushed")
	}
}
