package amqp10

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/interop"
)

// closeTime is how long a session's end waits for the peer.
const closeTime = 800 * time.Millisecond

// Factories are those of the types amqp10 and azure.
func Factories() []interop.Factory {
	return []interop.Factory{Factory(), Azure()}
}

// Factory makes transports of type amqp10.
func Factory() interop.Factory {
	return interop.Factory{Type: "amqp10", Certified: true, New: func(s interop.Settings) (interop.Transport, error) { return open(s, false) }}
}

// Azure makes transports of type azure.
func Azure() interop.Factory {
	return interop.Factory{Type: "azure", Certified: true, New: func(s interop.Settings) (interop.Transport, error) { return open(s, true) }}
}

// transport is the way to one broker.
type transport struct {
	settings *settings

	mu     sync.Mutex
	probed string // what the broker said it was when it was probed
}

func open(s interop.Settings, azure bool) (interop.Transport, error) {
	made, err := read(&s, azure)
	if err != nil {
		return nil, err
	}
	return &transport{settings: made}, nil
}

// Close has nothing left to free.
func (t *transport) Close() {}

// Open connects to the first URL that answers.
func (t *transport) Open(ctx context.Context, sink interop.Sink) (interop.Session, error) {
	var failed error
	for _, u := range t.settings.urls {
		conn, err := t.dial(ctx, u, "")
		if err == nil {
			return t.begin(ctx, u, conn, sink)
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

// dial connects to one URL; more is added to the container-id.
func (t *transport) dial(ctx context.Context, text, more string) (*client.Conn, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("a URL of url cannot be read: " + form)
	}
	o := client.Options{
		ContainerID: t.settings.container + more, Product: "tidegate", MaxMessageSize: interop.MaxMessage, TLS: t.settings.tls,
		User: t.settings.user, Password: t.settings.password, CloseTimeOut: closeTime, HandleMax: maxHandle,
	}
	if t.settings.azure {
		t.settings.forAzure(&o)
		u.User = nil
	}
	conn, err := client.Dial(ctx, u.String(), o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", u.Host, err)
	}
	return conn, nil
}

// begin makes a session of a connection.
func (t *transport) begin(ctx context.Context, u string, conn *client.Conn, sink interop.Sink) (interop.Session, error) {
	s := newSession(t, conn, sink)
	if err := s.start(ctx, u); err != nil {
		s.Close()
		return nil, err
	}
	t.probeOnce(s, u)
	return s, nil
}
