package bridges

import (
	"context"
	"time"
)

// sending is a connection that letters are sent over.
type sending interface {
	// send sends all, in order, and waits for the answers. It gives back those that
	// nobody answered for; an error ends the connection.
	send(ctx context.Context, all []letter) (unanswered []letter, err error)
	close()
}

// A client is how programs of one kind send letters and get them.
type client interface {
	// sender connects. Errors are tried again.
	sender(ctx context.Context) (sending, error)
	// receive connects and hands over what comes, each confirmed to the broker after
	// that, until the connection breaks.
	receive(ctx context.Context, arrived func(*arrival)) error
}

const (
	// window is how many letters are sent before the answers are waited for.
	window = 100
	// prefetch is how many letters a receiver has unconfirmed.
	prefetch = 200
	// redial is how long a client whose broker is away waits.
	redial = 50 * time.Millisecond
)

// sendAll has one sender send its letters until each has been promised, as a program would that must
// not lose any: what was not answered it sends again, before anything newer.
func (g *ledger) sendAll(ctx context.Context, c client, name string) error {
	var pending []letter
	var s sending
	defer func() {
		if s != nil {
			s.close()
		}
	}()
	for next := 1; ; {
		for ; len(pending) < window && next <= g.each; next++ {
			pending = append(pending, letter{name, next})
		}
		if len(pending) == 0 {
			return nil
		}
		if err := g.until(ctx, func() bool { return len(g.accepted)-len(g.seen) < g.ahead }); err != nil {
			return err
		}
		var err error
		if s == nil {
			if s, err = c.sender(ctx); err != nil {
				s = nil
				if err := pause(ctx); err != nil {
					return err
				}
				continue
			}
		}
		left, err := s.send(ctx, pending)
		g.answered(pending, left)
		pending = left
		if err != nil {
			s.close()
			s = nil
		}
	}
}

// receiveAll takes what comes until ctx ends.
func (g *ledger) receiveAll(ctx context.Context, c client) {
	for {
		_ = c.receive(ctx, g.arrive) // its broker is killed: it comes back
		if pause(ctx) != nil {
			return
		}
	}
}

func pause(ctx context.Context) error {
	t := time.NewTimer(redial)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
