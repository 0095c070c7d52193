package server

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/sasl"
)

const (
	// maxAhead is how many bytes the reader takes in while one write is under way.
	maxAhead = 1 << 20
	// maxUnsent is how many bytes all connections' writes may hold before each is
	// kept to the least: kernels take megabytes for a peer that never reads.
	maxUnsent = 64 << 20
)

// Conn is one connection.
type Conn struct {
	server   *Server
	listener *Listener
	sock     net.Conn
	handler  Handler
	wake     chan struct{}
	dead     atomic.Bool
	secured  atomic.Bool  // by TLS
	half     atomic.Bool  // nothing more comes: write what is ready, then end
	running  atomic.Int32 // reader and writer; the last to leave cleans up
	known    bool         // no stranger any more; the reader's own
	prev     *Conn        // among the server's strangers
	next     *Conn
	pause    pause // of the reader

	in sync.Mutex // held from Input, or Tick, until its events are handled

	mu     sync.Mutex // guards what follows, which reader and writer share
	stream net.Conn   // what AMQP is spoken over: sock, or TLS or WebSocket around it; nil until that is known
	e      *engine.Conn
	timer  *time.Timer
	due    time.Time
	// While a write is under way the reader may get only so far ahead of it: a
	// peer that asks and asks and never reads must not fill memory with answers.
	writing bool
	ahead   int // bytes read since the write began
	written sync.Cond
}

func newConn(s *Server, l *Listener, sock net.Conn) *Conn {
	c := &Conn{server: s, listener: l, sock: sock, wake: make(chan struct{}, 1), e: engine.New(s.cfg.Engine(), time.Now())}
	c.pause.over.L = &c.pause.mu
	c.handler = s.cfg.New(c)
	c.written.L = &c.mu
	c.timer = time.AfterFunc(time.Hour, c.tick)
	return c
}

// RemoteAddr is the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.sock.RemoteAddr() }

// Secure says whether the peer speaks TLS.
func (c *Conn) Secure() bool { return c.secured.Load() }

// Wake makes the writer look for something to send.
func (c *Conn) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Engine runs do with the engine, and wakes the writer.
func (c *Conn) Engine(do func(e *engine.Conn)) {
	c.mu.Lock()
	do(c.e)
	c.mu.Unlock()
	c.Wake()
}

func (c *Conn) run() {
	c.mu.Lock()
	c.arm()
	c.mu.Unlock()
	c.running.Store(2)
	go c.read()
	go c.write()
}

// leave ends reader or writer; once both are gone it cleans up.
func (c *Conn) leave() {
	if c.running.Add(-1) > 0 {
		return
	}
	c.timer.Stop()
	c.in.Lock()
	c.handler.Closed()
	c.in.Unlock()
	c.server.left(c)
}

// cut closes the socket now.
func (c *Conn) cut() {
	c.dead.Store(true)
	c.pause.end()
	_ = c.sock.Close()
	c.Wake()
}

func (c *Conn) read() {
	defer c.leave()
	stream, more := c.begin()
	for more {
		c.pause.wait()
		c.mu.Lock()
		for c.writing && c.ahead > maxAhead {
			c.written.Wait()
		}
		space := c.e.Space()
		c.mu.Unlock()
		n, err := stream.Read(space)
		more = c.took(n, err)
	}
}

// took handles the end of a read; false: nothing more is to be read.
func (c *Conn) took(n int, err error) bool {
	if n > 0 && !c.input(time.Now(), n) {
		return false // the writer closes the socket once all is written
	}
	if err != nil {
		c.half.Store(true) // what is ready may still reach a peer that only stopped sending
		c.Wake()
		return false
	}
	return true
}

// input feeds n bytes and handles what they bring; false: nothing more is to be
// read.
func (c *Conn) input(now time.Time, n int) bool {
	if !c.known {
		// To check a password takes milliseconds of a processor: whoever guesses
		// waits for others who do, and not everybody for them.
		c.server.logins <- struct{}{}
		defer func() { <-c.server.logins }()
	}
	c.in.Lock()
	defer c.in.Unlock()
	c.mu.Lock()
	c.ahead += n
	err := c.e.Input(now, n)
	known := c.e.Known()
	events, pending, done := c.e.Events(), c.e.Pending(), c.e.Done()
	c.arm()
	c.mu.Unlock()
	if err != nil {
		c.complain("protocol fault", err)
	}
	if known && !c.known {
		c.known = true
		c.server.knows(c)
	}
	if len(events) > 0 {
		c.handler.Events(events)
	}
	if pending || done || err != nil {
		c.Wake()
	}
	return !done
}

// complain logs why the engine ends the connection.
func (c *Conn) complain(what string, err error) {
	if errors.Is(err, sasl.ErrAuthentication) || errors.Is(err, sasl.ErrMechanism) {
		what = "login refused"
	}
	c.server.cfg.Logger.Warn(what, "peer", c.sock.RemoteAddr().String(), "err", err) //nolint:sloglint // one of three constants
}

// arm sets the timer to the engine's deadline where that is sooner. The caller
// holds mu.
func (c *Conn) arm() {
	d := c.e.Deadline()
	if d.IsZero() || (!c.due.IsZero() && !d.Before(c.due)) {
		return
	}
	c.due = d
	c.timer.Reset(time.Until(d))
}

func (c *Conn) tick() {
	if c.dead.Load() {
		return
	}
	c.in.Lock()
	defer c.in.Unlock()
	c.mu.Lock()
	c.due = time.Time{}
	if c.pause.on() {
		c.e.Heard(time.Now())
	}
	err := c.e.Tick(time.Now())
	events := c.e.Events()
	c.arm()
	c.mu.Unlock()
	if err != nil {
		c.complain("connection given up", err)
	}
	if len(events) > 0 {
		c.handler.Events(events)
	}
	c.Wake()
}

// write sends what there is, one system call for all of it.
func (c *Conn) write() {
	defer c.leave()
	defer func() {
		c.cut()
		c.mu.Lock()
		c.wrote() // the reader goes on to find the socket closed
		c.mu.Unlock()
	}()
	var parts [][]byte
	var stream net.Conn
	for {
		<-c.wake
		for {
			if c.dead.Load() {
				return
			}
			now := time.Now()
			c.mu.Lock()
			c.wrote()
			c.e.Frugal(c.server.unsent.Load() > maxUnsent)
			buf := c.server.buffers.Get().(*[]byte)
			c.e.Lend(*buf)
			c.handler.Output(c.e, now)
			parts = c.e.Output(now, parts[:0])
			*buf = c.e.TakeBack()
			if stream = c.stream; len(parts) > 0 {
				c.writing, c.ahead = true, 0
			}
			done := c.e.Done()
			c.arm()
			c.mu.Unlock()
			if len(parts) > 0 {
				if err := c.send(stream, now, parts); err != nil {
					if errors.Is(err, os.ErrDeadlineExceeded) {
						c.complain("connection given up", fmt.Errorf("the peer took nothing for %v", c.server.cfg.Stuck))
					}
					return
				}
				clear(parts)
			}
			c.server.buffers.Put(buf)
			c.handler.Wrote()
			if done {
				c.goodbye(stream)
				return
			}
			if len(parts) == 0 {
				break
			}
		}
		if c.half.Load() {
			c.goodbye(stream)
			return
		}
	}
}

// wrote says that no write is under way. The caller holds mu.
func (c *Conn) wrote() {
	if c.writing {
		c.writing = false
		c.written.Signal()
	}
}

// partsWriter is a stream that sends several parts better as one.
type partsWriter interface {
	WriteParts(parts [][]byte) error
}

func (c *Conn) send(stream net.Conn, now time.Time, parts [][]byte) error {
	size := int64(0)
	for _, p := range parts {
		size += int64(len(p))
	}
	c.server.unsent.Add(size)
	defer c.server.unsent.Add(-size)
	if err := stream.SetWriteDeadline(now.Add(c.server.cfg.Stuck)); err != nil {
		return err
	}
	if len(parts) == 1 {
		_, err := stream.Write(parts[0])
		return err
	}
	if w, ok := stream.(partsWriter); ok {
		return w.WriteParts(parts)
	}
	bufs := net.Buffers(parts)
	_, err := bufs.WriteTo(stream)
	return err
}

// goodbye ends the layers around the socket in good order, so that the peer can
// tell an end from a cut (rfc 8446, 6.1; rfc 6455, 7.1.1).
func (c *Conn) goodbye(stream net.Conn) {
	if stream != nil && stream != c.sock {
		_ = stream.Close()
	}
}
