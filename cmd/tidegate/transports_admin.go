package main

import (
	"context"
	"errors"

	"github.com/tidegate/tidegate/core/admin"
	"github.com/tidegate/tidegate/interop"
)

// transportAdmin is the transports as the administration sees them.
type transportAdmin struct{ t *transports }

// Settle is admin.Transports.
func (a transportAdmin) Settle(ctx context.Context) error { return a.t.settle(ctx) }

// Suspend is admin.Transports. It waits for the end of the session.
func (a transportAdmin) Suspend(_ context.Context, name string) error {
	return adminError(a.t.Suspend(name))
}

// Resume is admin.Transports.
func (a transportAdmin) Resume(_ context.Context, name string) error {
	return adminError(a.t.Resume(name))
}

// Status is admin.Transports.
func (a transportAdmin) Status(name string) (admin.TransportStatus, bool) {
	s, err := a.t.Status(name)
	if err != nil {
		return admin.TransportStatus{}, false
	}
	return admin.TransportStatus{
		Certified: s.Certified, State: string(s.State), Since: s.Since, Error: s.Error, Connects: s.Connects, Notes: s.Notes,
		Imports: s.Imports, Exports: s.Exports, Counts: admin.TransportCounts(s.Counts), UnderWay: s.UnderWay, Leases: s.Leases,
	}, true
}

// Register is admin.Transports.
func (a transportAdmin) Register(ctx context.Context, transport, listener, subject string) error {
	return adminError(a.t.Register(ctx, transport, listener, subject))
}

// Unregister is admin.Transports.
func (a transportAdmin) Unregister(ctx context.Context, transport, listener, subject string) error {
	return adminError(a.t.Unregister(ctx, transport, listener, subject))
}

// Listeners is admin.Transports.
func (a transportAdmin) Listeners(ctx context.Context, transport, subject string) ([]admin.ListenerStatus, error) {
	list, err := a.t.Listeners(ctx, transport, subject)
	all := make([]admin.ListenerStatus, len(list))
	for i, l := range list {
		all[i] = admin.ListenerStatus(l)
	}
	return all, adminError(err)
}

// adminError is an error of interop as the administration knows it.
func adminError(err error) error {
	switch {
	case errors.Is(err, interop.ErrUnknown):
		return admin.ErrNoTransport
	case errors.Is(err, interop.ErrNotConnected):
		return admin.ErrNotConnected
	case errors.Is(err, interop.ErrNoListener):
		return admin.ErrNoListener
	case errors.Is(err, interop.ErrNoRegistry):
		return admin.ErrNoListeners
	}
	return err
}
