package nats

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/tidegate/tidegate/interop"
)

// Factories are of the types nats and natsjs.
func Factories() []interop.Factory {
	return []interop.Factory{
		{Type: "nats", New: New},
		{Type: "natsjs", Certified: true, New: NewCertified},
	}
}

// transport is a way to NATS.
type transport struct {
	c *settings
	// address begins the subjects of replies; it stays over sessions.
	address   string
	certified bool
}

// New makes a transport of type nats.
func New(s interop.Settings) (interop.Transport, error) {
	c, err := read(s)
	if err != nil {
		return nil, err
	}
	return &transport{c: c, address: inbox + nuid.Next() + "."}, nil
}

// NewCertified makes a transport of type natsjs.
func NewCertified(s interop.Settings) (interop.Transport, error) {
	c, err := read(s)
	if err != nil {
		return nil, err
	}
	return &transport{c: c, address: inbox + nuid.Next() + ".", certified: true}, nil
}

// Open is interop.Transport's.
func (t *transport) Open(ctx context.Context, sink interop.Sink) (interop.Session, error) {
	l := newLine(t.c, sink)
	nc, err := t.c.connect(ctx, l)
	if err != nil {
		l.cancel()
		return nil, err
	}
	l.nc = nc
	if t.certified {
		return t.openCertified(ctx, l)
	}
	return t.openReliable(l)
}

func (t *transport) openCertified(ctx context.Context, l *line) (interop.Session, error) {
	js, err := jetstream.New(l.nc)
	if err == nil {
		_, err = js.AccountInfo(ctx)
	}
	if err != nil {
		l.end()
		if errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) {
			err = errors.New("the NATS server has no JetStream for this account: enable it there (jetstream {} in its configuration), or write type = nats")
		}
		return nil, err
	}
	s := newStreams(t, l, js)
	if err := s.listen(); err != nil {
		l.end()
		return nil, err
	}
	return s, nil
}

// Close is interop.Transport's.
func (t *transport) Close() {}
