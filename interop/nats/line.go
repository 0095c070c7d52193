package nats

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"

	"github.com/tidegate/tidegate/interop"
)

// line is what both types of session share: the connection, and the way to the sink,
// which is shut when Close returns.
type line struct {
	c      *settings
	sink   interop.Sink
	nc     *nats.Conn
	ctx    context.Context //nolint:containedctx // a session's life: its goroutines and waits end with it
	cancel context.CancelFunc
	over   sync.WaitGroup
	slow   atomic.Bool // NATS's client drops messages, or did lately

	shut   sync.RWMutex
	closed bool
}

func newLine(c *settings, sink interop.Sink) *line {
	l := &line{c: c, sink: sink}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// say lets f speak to the sink, unless the session is closed. f must not wait.
func (l *line) say(f func(interop.Sink)) {
	l.shut.RLock()
	defer l.shut.RUnlock()
	if !l.closed {
		f(l.sink)
	}
}

func (l *line) failed(err error) { l.say(func(s interop.Sink) { s.Failed(err) }) }
func (l *line) note(text string) { l.say(func(s interop.Sink) { s.Note(text) }) }

// trouble is what NATS's client tells beside everything.
func (l *line) trouble(_ *nats.Conn, _ *nats.Subscription, err error) {
	switch {
	case errors.Is(err, nats.ErrSlowConsumer):
		l.slow.Store(true)
	case errors.Is(err, nats.ErrPermissionViolation), strings.Contains(err.Error(), "ermissions"):
		l.note("NATS forbids it: " + err.Error() + ": give the transport's user the right to publish and subscribe there")
	case errors.Is(err, nats.ErrBadHeaderMsg):
		l.note("a message with headers that cannot be read came: " + err.Error())
	default:
		l.note(err.Error())
	}
}

// end says that nothing is to be said any more, and ends the connection. Those of our
// goroutines that still work end with ctx.
func (l *line) end() {
	l.cancel()
	l.shut.Lock()
	l.closed = true
	l.shut.Unlock()
	if l.nc != nil {
		l.nc.Close()
	}
	l.over.Wait()
}
