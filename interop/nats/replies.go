package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
)

// replies are the addresses for replies of a session: all are below one, which one
// subscription hears. They go by core NATS with both types, since nobody keeps replies
// for an address that is a process's own.
type replies struct {
	l       *line
	address string // which the token follows
	to      *arrivals

	mu  sync.Mutex
	sub *nats.Subscription // nil: nobody has asked for an address
}

// Reply is interop.Session's.
func (r *replies) Reply(_ context.Context, token string) (string, error) {
	if token == "" || strings.ContainsAny(token, ". *>") {
		return "", errors.New("a token is one token of a subject")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sub == nil {
		if err := r.listen(); err != nil {
			return "", fmt.Errorf("subscribing to replies: %w", err)
		}
	}
	return r.address + token, nil
}

func (r *replies) listen() error {
	in := reader{c: r.l.c}
	sub, err := r.l.nc.Subscribe(r.address+"*", func(m *nats.Msg) {
		got := in.read(m)
		got.Token = m.Subject[len(r.address):]
		r.to.add(got, len(m.Data))
	})
	if err == nil {
		err = sub.SetPendingLimits(pendingMessages, pendingBytes)
	}
	if err == nil {
		err = r.l.nc.FlushTimeout(flushTime)
	}
	if err == nil {
		r.sub = sub
	}
	return err
}

// EndReply is interop.Session's: a token that is not known any more leads nowhere.
func (r *replies) EndReply(string) {}
