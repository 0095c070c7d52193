package interop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/server"
)

// Options are a manager's.
type Options struct {
	Broker    *server.Server
	Factories Factories
	Server    string // the server's name
	// Gateway names this server as no other is called, for as long as its data are
	// kept: marks of loops and ids of messages begin with it.
	Gateway string
	Shared  map[string]any // for Settings
	Log     *slog.Logger
	Event   func(core.Event) // nil: nobody wants to know
}

// Manager runs all transports of a server.
type Manager struct {
	o  Options
	mu sync.Mutex
	// by name; a transport that could not be made has no runner.
	all    map[string]*entry
	closed bool
}

type entry struct {
	spec   Spec
	runner *Runner
	err    error // why there is none
	since  time.Time
}

// NewManager makes a manager of no transports.
func NewManager(o Options) *Manager {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Manager{o: o, all: map[string]*entry{}}
}

// Apply has exactly these transports run. Those whose settings are the same go on, with
// what they now import and export; one that fails does not stop others. It does not
// wait until they are connected.
func (m *Manager) Apply(specs []Spec) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	m.export(specs) // before anything of theirs is sent
	wanted := map[string]bool{}
	for _, s := range specs {
		wanted[s.Name] = true
		if e := m.all[s.Name]; e != nil {
			if e.runner != nil && e.spec.sameAs(&s) {
				e.spec = s
				e.runner.retarget(s)
				continue
			}
			was := m.remove(s.Name)
			s.Suspended, s.formerly = s.Suspended || was.suspended, was.registered
			m.all[s.Name] = m.begin(s)
			m.all[s.Name].goOn(was)
			continue
		}
		m.all[s.Name] = m.begin(s)
	}
	for n := range m.all {
		if !wanted[n] {
			m.remove(n)
		}
	}
}

// export tells the broker who takes what topics export.
func (m *Manager) export(specs []Spec) {
	var all []core.Exporter
	for _, s := range specs {
		if f, ok := m.o.Factories[s.Type]; ok {
			all = append(all, core.Exporter{Name: s.Name, Certified: f.Certified})
		}
	}
	m.o.Broker.Do(func(now time.Time, b *core.Broker, fx *core.Effects) { b.SetExporters(now, all, fx) })
}

func (m *Manager) begin(s Spec) *entry {
	e := &entry{spec: s, since: time.Now()}
	settings := Settings{Name: s.Name, Server: m.o.Server, Gateway: m.o.Gateway, Keys: s.Keys, Shared: m.o.Shared, Log: m.o.Log}
	t, f, err := m.o.Factories.Make(s.Type, settings)
	if err == nil {
		if e.runner, err = newRunner(s, t, f, &m.o, settings); err != nil {
			t.Close()
		} else if err = e.runner.start(); err != nil {
			e.runner.close()
			e.runner = nil
		}
	}
	if err != nil {
		e.err = fmt.Errorf("transport %s: %w", s.Name, err)
		m.o.Log.Error("a transport does not start; the others go on", "transport", s.Name, "err", err)
	}
	return e
}

// former is what stays of a transport whose settings change.
type former struct {
	suspended bool // by an administrator
	counts    Counts
	connects  uint64
	// registered are the listeners that it told to the outside.
	registered []Registration
}

func (m *Manager) remove(name string) (was former) {
	if e := m.all[name]; e != nil && e.runner != nil {
		was.suspended = e.runner.isSuspended()
		e.runner.close()
		was.counts, was.connects = e.runner.counters.counts(), e.runner.counters.opened.Load()
		was.registered = slices.Collect(maps.Keys(e.runner.registered))
	}
	delete(m.all, name)
	return was
}

// goOn counts on from where the transport was.
func (e *entry) goOn(was former) {
	if e.runner != nil {
		e.runner.counters.add(&was.counts, was.connects)
	}
}

// Close ends all transports: what they had under way comes again.
func (m *Manager) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	var over sync.WaitGroup
	for _, e := range m.all {
		if e.runner != nil {
			over.Go(e.runner.close)
		}
	}
	over.Wait()
	clear(m.all)
}

// ErrUnknown is for a name that no transport has.
var ErrUnknown = errors.New("there is no such transport")

func (m *Manager) runner(name string) (*Runner, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.all[name]
	switch {
	case e == nil:
		return nil, ErrUnknown
	case e.runner == nil:
		return nil, e.err
	}
	return e.runner, nil
}

// Suspend ends a transport's session until Resume: what is exported waits, or is lost
// where it is reliable. Errors: ErrUnknown, or why it never started.
func (m *Manager) Suspend(name string) error { return m.suspend(name, true) }

// Resume undoes Suspend, and what on_error=stop did.
func (m *Manager) Resume(name string) error { return m.suspend(name, false) }

func (m *Manager) suspend(name string, suspended bool) error {
	r, err := m.runner(name)
	if err != nil {
		return err
	}
	r.suspend(suspended)
	kind := core.EventTransportResumed
	if suspended {
		kind = core.EventTransportSuspended
	}
	r.event(kind, nil)
	return nil
}

// Status is a transport at this moment. Errors: ErrUnknown.
func (m *Manager) Status(name string) (Status, error) {
	m.mu.Lock()
	e := m.all[name]
	m.mu.Unlock()
	if e == nil {
		return Status{}, ErrUnknown
	}
	return e.status(), nil
}

// All are the transports by name.
func (m *Manager) All() (all []Status) {
	m.mu.Lock()
	entries := make([]*entry, 0, len(m.all))
	for _, e := range m.all {
		entries = append(entries, e)
	}
	m.mu.Unlock()
	for _, e := range entries {
		all = append(all, e.status())
	}
	slices.SortFunc(all, func(x, y Status) int { return strings.Compare(x.Name, y.Name) })
	return all
}

func (e *entry) status() Status {
	if e.runner != nil {
		return e.runner.status()
	}
	return Status{Name: e.spec.Name, Type: e.spec.Type, State: Stopped, Since: e.since, Error: e.err.Error(), Imports: e.spec.Imports, Exports: e.spec.exported()}
}

// Started waits until every transport has tried to connect, or ctx is done, and says
// which are not connected, and why.
func (m *Manager) Started(ctx context.Context) error {
	m.mu.Lock()
	entries := make([]*entry, 0, len(m.all))
	for _, e := range m.all {
		entries = append(entries, e)
	}
	m.mu.Unlock()
	var failed []error
	for _, e := range entries {
		if e.runner == nil {
			failed = append(failed, e.err)
			continue
		}
		select {
		case <-e.runner.first:
		case <-ctx.Done():
		}
		if s := e.runner.status(); s.State == Connecting || s.State == Stopped {
			failed = append(failed, fmt.Errorf("transport %s: %s", s.Name, cause(s.Error)))
		}
	}
	return errors.Join(failed...)
}

func cause(err string) string {
	if err == "" {
		return "it does not connect"
	}
	return err
}
