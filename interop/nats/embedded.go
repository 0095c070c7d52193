package nats

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// SharedName is where interop.Options.Shared has the process's *Embedded.
const SharedName = "nats"

// embeddedPayload is the largest message of the embedded server, in bytes: what
// translation makes of the largest of ours fits.
const embeddedPayload = 64 << 20

// embeddedStart is how long the embedded server may take until it accepts clients.
const embeddedStart = 30 * time.Second

// EmbeddedOptions are those of a NATS server in this process.
type EmbeddedOptions struct {
	Dir string // of JetStream's data
	// Listen is HOST:PORT for other clients; "" : none but those of this process.
	Listen string
	// SyncAlways flushes each message before it is confirmed. Without, JetStream flushes
	// every two minutes: what it confirmed survives its process, not the machine.
	SyncAlways bool
	Log        *slog.Logger
}

// Embedded is a NATS server in this process, for all transports of url=embedded. It starts
// when it is first used.
type Embedded struct {
	o EmbeddedOptions

	mu     sync.Mutex
	server *server.Server
	closed bool
}

// NewEmbedded makes one that does not run yet.
func NewEmbedded(o EmbeddedOptions) *Embedded {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Embedded{o: o}
}

// InProcessConn is a connection of a client's in this process.
func (e *Embedded) InProcessConn() (net.Conn, error) {
	s, err := e.running()
	if err != nil {
		return nil, err
	}
	return s.InProcessConn()
}

// URL is where other clients connect; "": nowhere. It starts the server.
func (e *Embedded) URL() (string, error) {
	s, err := e.running()
	if err != nil || e.o.Listen == "" {
		return "", err
	}
	return "nats://" + s.Addr().String(), nil
}

// running starts the server, if it does not run.
func (e *Embedded) running() (*server.Server, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errors.New("the embedded NATS server has ended")
	}
	if e.server != nil {
		return e.server, nil
	}
	o := &server.Options{
		ServerName: "tidegate", JetStream: true, StoreDir: e.o.Dir, SyncAlways: e.o.SyncAlways,
		DontListen: e.o.Listen == "", NoSigs: true, MaxPayload: embeddedPayload, MaxPending: 4 * embeddedPayload,
	}
	if e.o.Listen != "" {
		host, port, err := net.SplitHostPort(e.o.Listen)
		if err != nil {
			return nil, fmt.Errorf("the embedded NATS server's address %s: %w", e.o.Listen, err)
		}
		o.Host = host
		if o.Port, err = strconv.Atoi(port); err != nil {
			return nil, fmt.Errorf("the embedded NATS server's address %s: the port is no number", e.o.Listen)
		}
		if o.Port == 0 {
			o.Port = server.RANDOM_PORT
		} else if l, err := net.Listen("tcp", e.o.Listen); err != nil { // the server would only log it, and wait
			return nil, fmt.Errorf("the embedded NATS server cannot listen at %s: %w: write nats: {listen: HOST:PORT} into tidegate.yaml, or listen: none", e.o.Listen, err)
		} else {
			_ = l.Close()
		}
	}
	s, err := server.NewServer(o)
	if err != nil {
		return nil, fmt.Errorf("the embedded NATS server does not start: %w", err)
	}
	s.SetLoggerV2(&serverLog{e.o.Log}, false, false, false)
	s.Start()
	if !s.ReadyForConnections(embeddedStart) {
		s.Shutdown()
		return nil, fmt.Errorf("the embedded NATS server does not start in %s: its log says why (data in %s)", embeddedStart, e.o.Dir)
	}
	if !s.JetStreamEnabled() {
		s.Shutdown()
		return nil, fmt.Errorf("the embedded NATS server has no JetStream: its log says why (data in %s)", e.o.Dir)
	}
	e.server = s
	return s, nil
}

// Close ends the server for good.
func (e *Embedded) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	if e.server != nil {
		e.server.Shutdown()
		e.server.WaitForShutdown()
		e.server = nil
	}
}

// serverLog leads what nats-server says to ours.
type serverLog struct{ log *slog.Logger }

func (l *serverLog) say(level slog.Level, format string, args []any) {
	l.log.Log(nil, level, "embedded NATS server", "says", fmt.Sprintf(format, args...)) //nolint:staticcheck // there is no context
}

func (l *serverLog) Noticef(format string, args ...any) { l.say(slog.LevelDebug, format, args) }
func (l *serverLog) Warnf(format string, args ...any)   { l.say(slog.LevelWarn, format, args) }
func (l *serverLog) Fatalf(format string, args ...any)  { l.say(slog.LevelError, format, args) }
func (l *serverLog) Errorf(format string, args ...any)  { l.say(slog.LevelError, format, args) }
func (l *serverLog) Debugf(string, ...any)              {}
func (l *serverLog) Tracef(string, ...any)              {}
