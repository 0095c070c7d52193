// Package client is the shell of the engine's client role, for our own commands
// and tests: one connection, one session, blocking calls.
package client

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/sasl"
	"github.com/tidegate/tidegate/amqp/wire"
)

// DialTimeout bounds connecting, login and open.
const DialTimeout = 15 * time.Second

// Options are what a URL does not say.
type Options struct {
	ContainerID    string
	User, Password string // where the URL names none
	Mechanism      string // of SASL, the only one to use; "": see sasl.Client
	Claims         bool   // the rights come by tokens: see sasl.Client
	Hostname       string // told in open; "": the URL's
	MaxMessageSize uint64
	MaxFrameSize   uint32 // 0: engine.DefaultMaxFrameSize
	HandleMax      uint32 // 0: engine.DefaultHandleMax
	Desired        []wire.Symbol
	// IdleTimeOut is told to the server: one that is silent for twice as long is given
	// up. 0: engine.DefaultIdleTimeOut.
	IdleTimeOut time.Duration
	// CloseTimeOut is how long Close waits for the server; 0: engine.CloseTimeOut.
	CloseTimeOut time.Duration
	// Product and Version are what the server is told of the program.
	Product, Version string
	// TLS is for amqps:// and wss://; nil: the system's authorities, and no
	// certificate of our own. With one and without a user, SASL EXTERNAL is used.
	TLS *tls.Config
}

// Conn is a connection with one session. Its methods may be called from any
// goroutine.
type Conn struct {
	sock     net.Conn
	mu       sync.Mutex
	cond     *sync.Cond
	e        *engine.Conn
	session  *engine.Session
	opened   bool
	began    bool
	err      error
	closed   bool
	writing  sync.Mutex
	ended    chan struct{}
	kicked   chan struct{} // the writer is to look for output
	over     sync.WaitGroup
	patience time.Duration // see Options.CloseTimeOut
}

// Error is what the server said.
type Error struct{ E *frame.Error }

func (e *Error) Error() string {
	if e.E == nil {
		return "closed by the server"
	}
	if e.E.Description == "" {
		return string(e.E.Condition)
	}
	return e.E.Description + " (" + string(e.E.Condition) + ")"
}

// Dial connects to amqp://[user:password@]host[:port], amqps://, ws:// or wss://,
// and begins a session.
func Dial(ctx context.Context, address string, o Options) (*Conn, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the URL cannot be read: " + form)
	}
	ctx, cancel := context.WithTimeout(ctx, DialTimeout)
	defer cancel()
	sock, err := connect(ctx, u, o.TLS)
	if err != nil {
		return nil, err
	}
	if u.User != nil {
		o.User = u.User.Username()
		if p, ok := u.User.Password(); ok {
			o.Password = p
		}
	}
	if o.ContainerID == "" {
		o.ContainerID = "tidegate-" + rand.Text()
	}
	c := &Conn{sock: sock, ended: make(chan struct{}), kicked: make(chan struct{}, 1), patience: cmp.Or(o.CloseTimeOut, engine.CloseTimeOut)}
	c.cond = sync.NewCond(&c.mu)
	c.e = engine.New(engine.Config{
		Client: true, Properties: said(o), ContainerID: o.ContainerID, Hostname: cmp.Or(o.Hostname, u.Hostname()),
		MaxMessageSize: o.MaxMessageSize, MaxFrameSize: o.MaxFrameSize, HandleMax: o.HandleMax, Desired: o.Desired, IdleTimeOut: o.IdleTimeOut,
		Login: &sasl.Client{
			Mechanism: o.Mechanism, Claims: o.Claims, User: o.User, Password: o.Password, Nonce: rand.Text,
			External: o.TLS != nil && len(o.TLS.Certificates) > 0,
		},
	}, time.Now())
	c.over.Go(c.read)
	c.over.Go(c.write)
	c.over.Go(c.beat)
	stop := context.AfterFunc(ctx, func() { c.fail(fmt.Errorf("no answer within %v", DialTimeout)) })
	defer stop()
	c.mu.Lock()
	c.flush()
	c.wait(func() bool { return c.opened })
	if c.err == nil {
		c.session = c.e.Begin()
		c.flush()
		c.wait(func() bool { return c.began })
	}
	err = c.err
	c.mu.Unlock()
	if err != nil {
		_ = sock.Close()
		c.over.Wait()
		return nil, err
	}
	return c, nil
}

// said is what the server is told of the program.
func said(o Options) (m wire.Map) {
	if o.Product != "" {
		m = append(m, wire.Entry{Key: wire.Symbol("product"), Value: o.Product})
	}
	if o.Version != "" {
		m = append(m, wire.Entry{Key: wire.Symbol("version"), Value: o.Version})
	}
	return m
}

// wait blocks until done or the connection ends. The caller holds mu.
func (c *Conn) wait(done func() bool) {
	for c.err == nil && !done() {
		c.cond.Wait()
	}
}

func (c *Conn) fail(err error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = err
	}
	c.cond.Broadcast()
	c.mu.Unlock()
	_ = c.sock.Close()
}

// flush writes what the engine has. The caller holds mu, which is let go while
// the socket takes it.
func (c *Conn) flush() {
	c.mu.Unlock()
	c.writing.Lock()
	for {
		c.mu.Lock()
		c.e.Overdrawn(overdrawn)
		parts := c.e.Output(time.Now(), nil)
		c.mu.Unlock()
		if len(parts) == 0 {
			break
		}
		bufs := net.Buffers(parts)
		if _, err := bufs.WriteTo(c.sock); err != nil {
			c.writing.Unlock()
			c.fail(err)
			c.mu.Lock()
			return
		}
	}
	c.writing.Unlock()
	c.mu.Lock()
}

func (c *Conn) read() {
	defer close(c.ended)
	for {
		c.mu.Lock()
		space := c.e.Space()
		c.mu.Unlock()
		n, err := c.sock.Read(space)
		if err != nil {
			c.fail(fmt.Errorf("the connection was lost: %w", err))
			return
		}
		c.mu.Lock()
		ierr := c.e.Input(time.Now(), n)
		for _, e := range c.e.Events() {
			c.event(e)
		}
		if c.e.Done() && c.err == nil {
			c.err = errors.New("the server closed the connection")
			if ierr != nil {
				c.err = ierr
			}
		}
		c.cond.Broadcast()
		done := c.e.Done()
		if done && c.e.Pending() { // the last words
			c.flush()
		} else if c.e.Pending() {
			c.kick()
		}
		c.mu.Unlock()
		if done {
			_ = c.sock.Close()
			return
		}
	}
}

// kick has the writer write: the reader must go on to read while a server that does
// not read itself keeps it waiting.
func (c *Conn) kick() {
	select {
	case c.kicked <- struct{}{}:
	default:
	}
}

func (c *Conn) write() {
	for {
		select {
		case <-c.ended:
			return
		case <-c.kicked:
		}
		c.mu.Lock()
		c.flush()
		c.mu.Unlock()
	}
}

// beat keeps the connection alive.
func (c *Conn) beat() {
	for {
		c.mu.Lock()
		d := c.e.Deadline()
		c.mu.Unlock()
		wait := time.Second
		if !d.IsZero() {
			wait = min(max(time.Until(d), 10*time.Millisecond), time.Second)
		}
		select {
		case <-c.ended:
			return
		case <-time.After(wait):
		}
		c.mu.Lock()
		err := c.e.Tick(time.Now())
		for _, e := range c.e.Events() { // the server is silent: all has ended
			c.event(e)
		}
		done := c.e.Done()
		if err != nil { // no answer is to be waited for
			_ = c.sock.SetWriteDeadline(time.Now().Add(c.patience))
			c.flush()
			done = true
		} else if c.e.Pending() {
			c.kick()
		}
		c.cond.Broadcast()
		c.mu.Unlock()
		if done {
			c.fail(cmp.Or(err, errors.New("the server did not answer close")))
		}
	}
}

func (c *Conn) event(e engine.Event) {
	switch e.Kind {
	case engine.EventOpen:
		c.opened = true
	case engine.EventBegin:
		if s, ok := e.Session.Ref.(*Session); ok {
			s.began = true
		} else {
			c.began = true
		}
	case engine.EventClose:
		if c.err == nil {
			c.err = &Error{e.Error}
		}
		if !e.Local {
			c.e.Close(nil)
		}
	case engine.EventEnd:
		if s, ok := e.Session.Ref.(*Session); ok {
			s.event(e)
		} else if c.err == nil {
			c.err = &Error{e.Error}
		}
	case engine.EventAttach, engine.EventFlow, engine.EventDelivery, engine.EventSettle, engine.EventDetach:
		if l, ok := e.Link.Ref.(link); ok {
			l.event(e)
		}
	case engine.EventOutcome, engine.EventPiece, engine.EventAborted:
	}
}

// link is a Sender or Receiver.
type link interface{ event(engine.Event) }

// Close closes the connection in good order.
func (c *Conn) Close() error {
	c.mu.Lock()
	if c.err == nil {
		c.closed = true
		c.e.Close(nil)
		_ = c.sock.SetWriteDeadline(time.Now().Add(c.patience)) // a server that does not read keeps nobody
		c.flush()
	}
	c.mu.Unlock()
	select {
	case <-c.ended:
	case <-time.After(c.patience):
	}
	err := c.sock.Close()
	c.over.Wait()
	if !errors.Is(err, net.ErrClosed) { // the reader closes it at the server's end
		return err
	}
	return nil
}
