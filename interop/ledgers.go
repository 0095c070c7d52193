package interop

import (
	"context"
	"errors"
)

// Listener is one who gets certified messages from outside (ems rvcmlistener): for
// JetStream a durable consumer.
type Listener struct {
	Name, Subject string
	// Pending messages wait for it, UnderWay were given to it and are not confirmed.
	Pending, UnderWay uint64
	// Confirmed is the last sequence up to which it has confirmed all.
	Confirmed uint64
	Ours      bool // an import of this server's
}

// Registry is a Session whose outside knows who gets what it was sent.
type Registry interface {
	// Register makes a listener, so that messages are kept for it before it comes; one
	// that is there for the same subject stays as it is.
	Register(ctx context.Context, name, subject string) error
	// Unregister takes one away, with what waits for it. Errors: ErrNoListener, others.
	Unregister(ctx context.Context, name, subject string) error
	// Listeners are those of a subject; "" all.
	Listeners(ctx context.Context, subject string) ([]Listener, error)
}

// ErrNoRegistry: the transport's type has no certified listeners, or it is not connected.
var ErrNoRegistry = errors.New("it has no certified listeners: it is not of type natsjs (tibrvcm)")

// ErrNoListener: the outside has no such listener.
var ErrNoListener = errors.New("there is no such listener")

// ErrNotConnected is for what needs the outside.
var ErrNotConnected = errors.New("it is not connected")

func (m *Manager) registry(name string) (Registry, error) {
	r, err := m.runner(name)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	l := r.current
	r.mu.Unlock()
	if l == nil {
		return nil, ErrNotConnected
	}
	reg, ok := l.s.(Registry)
	if !ok {
		return nil, ErrNoRegistry
	}
	return reg, nil
}

// Register, Unregister and Listeners are a transport's Registry. Errors: ErrUnknown,
// ErrNotConnected, ErrNoRegistry, and what the outside says.
func (m *Manager) Register(ctx context.Context, transport, name, subject string) error {
	reg, err := m.registry(transport)
	if err != nil {
		return err
	}
	return reg.Register(ctx, name, subject)
}

// Unregister is like Register.
func (m *Manager) Unregister(ctx context.Context, transport, name, subject string) error {
	reg, err := m.registry(transport)
	if err != nil {
		return err
	}
	return reg.Unregister(ctx, name, subject)
}

// Listeners is like Register.
func (m *Manager) Listeners(ctx context.Context, transport, subject string) ([]Listener, error) {
	reg, err := m.registry(transport)
	if err != nil {
		return nil, err
	}
	return reg.Listeners(ctx, subject)
}
