package admin

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/config"
)

// Transports are those that run (ems 9). The methods may be called by many at a time.
type Transports interface {
	// Settle waits until what was changed before has taken effect, or ctx is over.
	Settle(ctx context.Context) error
	// Suspend ends a transport's session until Resume. Errors: ErrNoTransport, or why it
	// never started.
	Suspend(ctx context.Context, name string) error
	Resume(ctx context.Context, name string) error
	// Status is a transport now; false: it does not run (yet).
	Status(name string) (TransportStatus, bool)
	// Register has the outside keep what is exported to a subject for a listener
	// (ems rvcmlistener), and Unregister forget it with what waits for it. Errors:
	// ErrNoTransport, ErrNotConnected, ErrNoListeners, ErrNoListener, and what the outside
	// says.
	Register(ctx context.Context, transport, listener, subject string) error
	Unregister(ctx context.Context, transport, listener, subject string) error
	// Listeners are those of a subject; "" all. Errors as for Register.
	Listeners(ctx context.Context, transport, subject string) ([]ListenerStatus, error)
}

// The errors of Transports.
var (
	ErrNoTransport  = errors.New("it does not run")
	ErrNotConnected = errors.New("it is not connected")
	ErrNoListeners  = errors.New("it has no certified listeners")
	ErrNoListener   = errors.New("it has no such listener")
)

// TransportStatus is a transport at one moment.
type TransportStatus struct {
	Certified bool
	State     string // connecting, connected, suspended, stopped
	Since     time.Time
	Error     string // the last one; "" there was none
	Connects  uint64
	Notes     []string // what the outside cannot do, what was made there
	Imports   []core.Destination
	Exports   []core.Destination
	Counts    TransportCounts
	UnderWay  int // sent and not confirmed
	Leases    int // temporary destinations whose replies come back
}

// Lost is how many messages did not arrive; a certified transport loses none.
func (s *TransportStatus) Lost() uint64 { return s.Counts.LostOut + s.Counts.LostIn }

// TransportCounts are a transport's messages since the server started.
type TransportCounts struct {
	Exported, ExportedBytes  uint64 // the outside has them
	Imported, ImportedBytes  uint64 // they are here
	Resent, Redelivered      uint64 // went out, came in, although they may have been there already
	Duplicates               uint64 // came in again and were not taken twice
	LostOut, LostIn          uint64 // by a reliable transport
	LoopDropped, LoopSuspect uint64 // stopped by a loop guard; passed where none can tell
	Refused                  uint64 // on_error
	LateReplies              uint64 // to temporary destinations that are gone
}

// ListenerStatus is one who gets certified messages from outside.
type ListenerStatus struct {
	Name, Subject     string
	Pending, UnderWay uint64 // wait for it; were given to it and are not confirmed
	Confirmed         uint64 // the sequence up to which it has confirmed all
	Ours              bool   // an import of this server's
}

// transports gives what runs transports. Errors: nothing does.
func (s *Service) transports() (Transports, error) {
	if s.o.Transports == nil {
		return nil, refuse(core.Unavailable, "this server runs no transports")
	}
	return s.o.Transports, nil
}

// settled is transports, once what was changed before has taken effect: what a script
// has defined it may suspend.
func (s *Service) settled(ctx context.Context) (Transports, error) {
	all, err := s.transports()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, outsideTime)
	defer cancel()
	if err := all.Settle(ctx); err != nil {
		return nil, refuse(core.Unavailable, "changes of transports are still under way: try again later")
	}
	return all, nil
}

// settle is settled, for who shows what there is.
func (s *Service) settle(ctx context.Context) {
	if s.o.Transports != nil {
		_, _ = s.settled(ctx) // what is not there yet is shown as such
	}
}

// status is what a transport does; false: it does not run.
func (s *Service) status(name string) (TransportStatus, bool) {
	if s.o.Transports == nil {
		return TransportStatus{}, false
	}
	return s.o.Transports.Status(name)
}

// transportFault puts an error of Transports into words.
func transportFault(name string, err error) error {
	switch {
	case errors.Is(err, ErrNoTransport):
		return refuse(core.Unavailable, "transport '%s' does not run: show transport %s says why", name, name)
	case errors.Is(err, ErrNotConnected):
		return refuse(core.Unavailable, "transport '%s' is not connected: show transport %s says why", name, name)
	case errors.Is(err, ErrNoListeners):
		return refuse(core.Invalid, "transport '%s' has no certified listeners: only those of type natsjs and tibrvcm have", name)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return refuse(core.Unavailable, "transport '%s': the outside does not answer in time", name)
	}
	if text := err.Error(); strings.HasPrefix(text, "transport ") {
		return refuse(core.Unavailable, "%s", text)
	}
	return refuse(core.Unavailable, "transport '%s': %v", name, err)
}

// opened is a transport as it is to be opened; false: it is not to be.
func (d *Definitions) opened(name, rendezvous string) (t config.Transport, ok bool) {
	d.View(func(c *config.Config) {
		t, ok = c.OpenTransport(name, config.TransportOptions{RendezvousURL: rendezvous})
	})
	return t, ok
}

// transportNotes are what is to be said of transports that are not opened as they are
// written.
func (d *Definitions) transportNotes(rendezvous string) (notes []string) {
	d.View(func(c *config.Config) {
		_, notes = c.OpenTransports(config.TransportOptions{RendezvousURL: rendezvous})
	})
	return notes
}
