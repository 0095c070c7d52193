package server

import (
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/sasl"
	"github.com/tidegate/tidegate/amqp/wire"
)

// opener is the least of a protocol: it answers open, begin comes from the
// engine, and close. It keeps who logged in.
type opener struct {
	sock   *Conn
	users  chan<- string
	closed chan<- struct{}
}

func (o *opener) Events(events []engine.Event) {
	for i := range events {
		switch e := &events[i]; {
		case e.Kind == engine.EventOpen:
			o.sock.Engine(func(x *engine.Conn) {
				o.users <- x.User()
				x.Open(nil)
			})
		case e.Kind == engine.EventClose && !e.Local:
			o.sock.Engine(func(x *engine.Conn) { x.Close(nil) })
		}
	}
}

func (o *opener) Output(*engine.Conn, time.Time) {}
func (o *opener) Wrote()                         {}
func (o *opener) Closed()                        { o.closed <- struct{}{} }
func (o *opener) Shutdown()                      { o.sock.Engine(func(x *engine.Conn) { x.Close(nil) }) }

// shell is a server under test.
type shell struct {
	*Server
	users  chan string
	closed chan struct{}
	log    *logged
}

// logged is a log that a test may read while it is written.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// room is how many connections of a test may open or end before it looks.
const room = 100

func newShell(t *testing.T, cfg Config) *shell {
	t.Helper()
	s := &shell{users: make(chan string, room), closed: make(chan struct{}, room), log: &logged{}}
	if cfg.Engine == nil {
		cfg.Engine = func() engine.Config {
			return engine.Config{ContainerID: "test", Bare: true, SASL: &sasl.Server{}}
		}
	}
	if cfg.New == nil {
		cfg.New = func(c *Conn) Handler { return &opener{sock: c, users: s.users, closed: s.closed} }
	}
	cfg.External = func(c *x509.Certificate) string { return c.Subject.CommonName }
	cfg.Logger = slog.New(slog.NewTextHandler(s.log, nil))
	s.Server = New(cfg)
	t.Cleanup(func() { s.Shutdown(0) })
	return s
}

// pipes is a listener without a network, for a bubble's clock.
type pipes struct {
	ends chan net.Conn
	once sync.Once
	gone chan struct{}
}

func newPipes() *pipes { return &pipes{ends: make(chan net.Conn), gone: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.ends:
		return c, nil
	case <-p.gone:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.gone) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5672} }

func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	p.ends <- theirs
	return ours
}

// TestHandshakeTimeOut: whoever has not come to open in the time for login is
// cut, wherever it stopped.
func TestHandshakeTimeOut(t *testing.T) {
	certs := authority(t).certificates(t)
	beginnings := map[string]string{
		"nothing":                  "",
		"half a header":            "AMQP",
		"a SASL header":            "AMQP\x03\x01\x00\x00",
		"a header":                 "AMQP\x00\x01\x00\x00",
		"half a ClientHello":       "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"half an HTTP request":     "GET /amqp HTTP/1.1\r\nHost: x\r\n",
		"a WebSocket without AMQP": upgrade("amqp"),
	}
	for name, bytes := range beginnings {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShell(t, Config{Certificates: certs})
				p := newPipes()
				s.Serve(&Listener{Listener: p})
				c := p.dial()
				began := time.Now()
				if _, err := io.WriteString(c, bytes); err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, c)
				want := engine.DefaultAuthTimeOut
				if name == "a header" { // told so by a close, which is not answered
					want += engine.CloseTimeOut
				}
				if took := time.Since(began); took != want {
					t.Errorf("cut after %v, want %v", took, want)
				}
				<-s.closed
				synctest.Wait() // it is counted until it is all gone
				if n := s.Connections(); n != 0 {
					t.Errorf("%d connections are left", n)
				}
				s.Shutdown(0)
			})
		})
	}
}

// TestStuck: a peer that takes no byte is given up, and what waited is let go.
func TestStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShell(t, Config{Stuck: 7 * time.Second})
		p := newPipes()
		s.Serve(&Listener{Listener: p})
		c := p.dial()
		began := time.Now()
		if _, err := io.WriteString(c, "AMQP\x03\x01\x00\x00"); err != nil { // the answer is never read
			t.Fatal(err)
		}
		<-s.closed
		synctest.Wait() // it is counted until it is all gone
		if took := time.Since(began); took != 7*time.Second {
			t.Errorf("given up after %v, want 7s", took)
		}
		if !strings.Contains(s.log.String(), "took nothing for 7s") {
			t.Errorf("logged:\n%s", s.log)
		}
		s.Shutdown(0)
	})
}

// open is header and open of a client that needs no SASL.
const open = "AMQP\x00\x01\x00\x00\x00\x00\x00\x10\x02\x00\x00\x00\x00\x53\x10\xc0\x03\x01\xa1\x00"

// TestMaxConnections: where there are too many, one that has not logged in makes
// room, the longest without first; where all have, the new one is hung up on. There is
// room again once somebody left.
func TestMaxConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShell(t, Config{MaxConnections: 3})
		p := newPipes()
		s.Serve(&Listener{Listener: p})
		opened := func() net.Conn {
			c := p.dial()
			go func() { _, _ = io.Copy(io.Discard, c) }()
			if _, err := io.WriteString(c, open); err != nil {
				t.Fatal(err)
			}
			<-s.users
			return c
		}
		gone := func(c net.Conn) bool {
			synctest.Wait()
			_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, err := c.Read(make([]byte, 1))
			return errors.Is(err, io.EOF)
		}
		first, second, third := p.dial(), p.dial(), opened()
		fourth := opened()
		if !gone(first) || gone(second) {
			t.Error("not the first stranger made room")
		}
		<-s.closed
		fifth := opened()
		if !gone(second) {
			t.Error("the second stranger did not make room")
		}
		<-s.closed
		synctest.Wait()
		if c := p.dial(); !gone(c) {
			t.Error("a fourth connection is let in beside three that have logged in")
		}
		for _, line := range []string{"without login for longest", "connection refused: too many"} {
			if !strings.Contains(s.log.String(), line) {
				t.Errorf("%q is not logged:\n%s", line, s.log)
			}
		}
		_ = third.Close()
		<-s.closed
		synctest.Wait()
		sixth := opened()
		for _, c := range []net.Conn{fourth, fifth, sixth} {
			_ = c.Close()
		}
		s.Shutdown(0)
	})
}

// TestReadsNoFurther: while a write is under way a peer that asks on and reads
// nothing is read only so far; once it reads, it is heard again. What came while
// nothing was written does not count.
func TestReadsNoFurther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShell(t, Config{})
		p := newPipes()
		s.Serve(&Listener{Listener: p})
		c := p.dial()
		read := func() { // what there is to read
			for {
				_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
				if _, err := c.Read(make([]byte, 1<<10)); err != nil {
					return
				}
			}
		}
		// write gives at least so many bytes of b, over and over, as far as they
		// are taken.
		write := func(b []byte, most int) (taken int) {
			for taken < most {
				_ = c.SetWriteDeadline(time.Now().Add(time.Second))
				n, err := c.Write(b)
				if taken += n; err != nil {
					break
				}
			}
			return taken
		}
		session := &frame.Begin{IncomingWindow: 100, OutgoingWindow: 100, HandleMax: 1}
		echo := &frame.Flow{NextIncomingID: wire.Some(uint32(0)), IncomingWindow: 100, OutgoingWindow: 100, Echo: true}
		quiet := bytes.Repeat(frame.Empty[:], 8<<10) // is not answered
		header, hello := []byte(open[:8]), append([]byte(open[8:]), encode(session)...)
		write(header, len(header))
		read()
		write(hello, len(hello))
		read()
		if n := write(quiet, 3<<20); n != 3<<20 {
			t.Fatalf("%d bytes were taken while nothing was written", n)
		}
		write(encode(echo), 1)
		synctest.Wait() // the answer is being written: from here on it counts
		if n := write(quiet, 10<<20); n < maxAhead || n > 2*maxAhead {
			t.Errorf("%d bytes were taken while an answer is not read, want about %d", n, maxAhead)
		}
		read()
		synctest.Wait()
		// The last write was cut somewhere in a frame: fill it up with zeros, which
		// are the beginning of the next, too short ones and so a fault: it is heard.
		write(make([]byte, 64), 1)
		read()
		<-s.closed
		s.Shutdown(0)
	})
}

// encode makes a frame on channel 0.
func encode(p frame.Performative) []byte {
	b, at := frame.BeginFrame(nil, frame.TypeAMQP, 0)
	return frame.EndFrame(p.Append(b), at, 0)
}

// TestQuiet: at most LogBurst lines of one message pass in an interval, of each
// message for itself, and the next says how many did not.
func TestQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out logged
		log := Quiet(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
		for range 100 {
			log.With("peer", "x").Warn("storm")
		}
		log.Info("something else")
		for range 10 {
			log.Error("an error")
			log.Debug("a detail")
		}
		count := func(what string) int { return strings.Count(out.String(), what) }
		if n := count("storm"); n != LogBurst {
			t.Errorf("%d lines of the storm, want %d", n, LogBurst)
		}
		if count("something else") != 1 || count("an error") != 10 || count("a detail") != 10 {
			t.Errorf("lines of others are missing:\n%s", &out)
		}
		time.Sleep(LogInterval)
		log.Warn("storm")
		if want := `left_out=95`; count(want) != 1 {
			t.Errorf("no %s in\n%s", want, &out)
		}
	})
}
