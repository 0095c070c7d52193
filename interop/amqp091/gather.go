package amqp091

import (
	"net"
	"os"
	"sync"
	"time"
)

const (
	// maxGathered is how much waits to be written before a writer waits, in bytes.
	maxGathered = 256 << 10
	// lastWrite is how long Close waits for what was written last.
	lastWrite = 100 * time.Millisecond
)

// gathered writes to a connection what several calls of Write brought by one: the library
// flushes each message and each acknowledgement by itself, and a system call for each
// costs more than all else here.
type gathered struct {
	net.Conn
	over sync.WaitGroup

	mu     sync.Mutex
	change *sync.Cond
	buf    []byte // to be written
	busy   bool   // the writer is at it
	err    error
	closed bool
}

func gather(c net.Conn) *gathered {
	g := &gathered{Conn: c}
	g.change = sync.NewCond(&g.mu)
	g.over.Go(g.write)
	return g
}

// Write takes p over. An error is that of an earlier one.
func (g *gathered) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.buf) > maxGathered && g.err == nil && !g.closed {
		g.change.Wait()
	}
	switch {
	case g.err != nil:
		return 0, g.err
	case g.closed:
		return 0, net.ErrClosed
	}
	g.buf = append(g.buf, p...)
	if !g.busy {
		g.change.Broadcast()
	}
	return len(p), nil
}

func (g *gathered) write() {
	var spare []byte
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		for len(g.buf) == 0 && !g.closed {
			g.change.Wait()
		}
		if len(g.buf) == 0 {
			return
		}
		out := g.buf
		g.buf, g.busy = spare[:0], true
		g.mu.Unlock()
		_, err := g.Conn.Write(out)
		g.mu.Lock()
		if cap(out) <= 2*maxGathered { // a large message's room is let go
			spare = out
		} else {
			spare = nil
		}
		g.busy = false
		if err != nil && g.err == nil {
			g.err = err
		}
		g.change.Broadcast()
		if g.err != nil {
			return
		}
	}
}

// Close writes what is left, if that does not take long.
func (g *gathered) Close() error {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return os.ErrClosed
	}
	g.closed = true
	g.change.Broadcast()
	g.mu.Unlock()
	_ = g.SetWriteDeadline(time.Now().Add(lastWrite))
	g.over.Wait()
	return g.Conn.Close()
}
