package admin

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/command"
	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/auth"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/server"
)

// Options are what the administration works on. What is nil is not there, and the
// operations that need it say so.
type Options struct {
	Broker  *server.Server
	Name    string // of the server
	Version string
	Log     *slog.Logger
	// Rights says who may do what now; nil: everybody everything. A user who has shown
	// no password that fits is "", and has none: authorization or not (ems 6.1).
	Rights func() *auth.Model
	// Facts are what only the process knows.
	Facts func() Facts
	// RotateLog begins a new log file.
	RotateLog func() error
	// Shutdown ends the server in good order, after the answer.
	Shutdown func()
	// Definitions are what EMS keeps in files; nil: an empty set that nobody changes.
	Definitions *Definitions
	// Transports are those that run; nil: none do. RendezvousURL is rendezvous.url of
	// tidegate.yaml, which stands in for Rendezvous.
	Transports    Transports
	RendezvousURL string
	// HashPassword is a password as users.conf has it; nil: as it was given.
	HashPassword func(password string) string
}

// Facts are figures from outside of the broker.
type Facts struct {
	Hostname                  string
	ProcessID                 int
	State                     string // active or standby
	DataDir                   string
	Started                   time.Time
	LogFileSize, LogFileMax   int64 // bytes; 0: there is none
	MemoryUsed, MemoryMax     int64 // bytes of messages in memory, and how many may be
	SyncStorage, AsyncStorage int64 // bytes on disk
	Fsync                     bool
	Reads, ReadBytes          uint64 // since the start
	Writes, WriteBytes        uint64
	Listens                   []string
	Store                     StoreFacts
}

// StoreFacts are the commit log's own.
type StoreFacts struct {
	Segments, Spares   int
	LogBytes, Spilled  int64 // of its files, and of what old messages were gathered in
	Messages, InMemory int   // stored, and those in memory, stored or not
	SwapFiles          int   // of messages that are not stored and left memory
	Flushes            uint64
	FlushTime          time.Duration // on average
}

// Service does the operations. Its methods may be called by many at a time.
type Service struct {
	o       Options
	running atomic.Int32
	sampler sampler

	mu       sync.Mutex // guards what follows
	closed   bool
	begun    uint64
	under    map[uint64]context.CancelFunc // way
	requests sync.WaitGroup
}

// New makes a service; Close is to be called before its broker's.
func New(o Options) *Service {
	if o.Definitions == nil {
		o.Definitions = NewDefinitions(config.New(config.MainFile), nil)
	}
	s := &Service{o: o, under: map[uint64]context.CancelFunc{}}
	s.sampler.start(s)
	s.applyParameters()
	return s
}

// Close ends requests that are under way and what runs by itself, and waits for
// them: nothing touches the broker any more.
func (s *Service) Close() {
	s.mu.Lock()
	s.closed = true
	for _, end := range s.under { // order: irrelevant
		end()
	}
	s.mu.Unlock()
	s.requests.Wait()
	s.sampler.stop()
}

// begin gives a request the context that Close ends, and what to call at its end;
// false: the service is closed.
func (s *Service) begin() (ctx context.Context, end func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), MaxRequestTime)
	s.begun++
	n := s.begun
	s.under[n] = cancel
	s.requests.Add(1)
	return ctx, func() {
		cancel()
		s.mu.Lock()
		delete(s.under, n)
		s.mu.Unlock()
		s.requests.Done()
	}, true
}

// Request is one command of somebody's.
type Request struct {
	User    string
	Command string
	Save    bool   // write the files if it changed something (autocommit)
	After   string // behind which name `next=N` goes on
}

// Do does what a command line says. Errors: *command.Error for one that cannot be
// read, *core.Error and *Error else.
func (s *Service) Do(ctx context.Context, r Request) (*screen.Result, error) {
	result, then, err := s.do(ctx, r)
	if then != nil {
		then()
	}
	return result, err
}

// do is Do, but for what is to be done once the answer has left.
func (s *Service) do(ctx context.Context, r Request) (result *screen.Result, then func(), err error) {
	o, args, err := Parse(r.Command)
	if err != nil {
		return nil, nil, err
	}
	if o.Local {
		return nil, nil, refuse(core.Invalid, "%s is for the administration tool itself", o.Name())
	}
	if err := s.allow(r.User, o, args); err != nil {
		s.audit(r, o, err)
		return nil, nil, err
	}
	c := &Call{Args: args, Service: s, User: r.User, After: r.After}
	result, err = o.Run(ctx, c)
	s.audit(r, o, err)
	if err != nil {
		return nil, nil, err
	}
	result.Changed = result.Changed || o.Writes
	if o.Writes && r.Save {
		if err := s.o.Definitions.Save(); err != nil {
			if result.Message != "" { // what was done stays done
				return nil, c.then, refuse(KindOf(err), "%s, and is not saved: %v", result.Message, err)
			}
			return nil, c.then, err
		}
		result.Saved = true
	}
	return result, c.then, nil
}

func (s *Service) allow(user string, o *Operation, args *command.Args) error {
	if s.o.Rights == nil {
		return nil
	}
	name := ""
	if o.Right.On != 0 {
		name = args.Get("name")
	}
	if user != "" && permits(s.o.Rights(), user, o.Right, name) {
		return nil
	}
	if user == "" {
		return refuse(core.Denied, "not permitted: administration wants a user and a password that fits, whether authorization is on or not")
	}
	right := o.Right.Global
	if right == "" {
		right = "of any kind"
	}
	return refuse(core.Denied, "not permitted: user '%s' has no administrator's permission %s; an administrator can grant it: grant admin %s %s", user, right, user, o.Right.Global)
}

// audit says what was done, and by whom. Only what changes something is told.
func (s *Service) audit(r Request, o *Operation, err error) {
	if s.o.Log == nil || strings.HasPrefix(o.Name(), "show") && err == nil {
		return
	}
	text := command.Masked(r.Command)
	var denied *Error
	switch {
	case err == nil:
		s.o.Log.Info("administration", "user", r.User, "command", text)
	case errors.As(err, &denied) && denied.Kind == core.Denied:
		s.o.Log.Warn("administration refused", "user", r.User, "command", text, "err", err)
	default:
		s.o.Log.Info("administration failed", "user", r.User, "command", text, "err", err)
	}
}

// step runs one step of the broker's.
func (s *Service) step(do func(now time.Time, b *core.Broker, fx *core.Effects)) { s.o.Broker.Do(do) }
