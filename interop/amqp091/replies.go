package amqp091

import (
	"context"
	"fmt"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/tidegate/tidegate/interop"
)

// replyPrefix begins the names of queues that bring replies.
const replyPrefix = "tidegate.reply."

// repliesAhead is how many replies to one address may be under way.
const repliesAhead = 100

// replier keeps a queue for each token. The queues have the same names in each session,
// and stay between sessions: a reply that comes meanwhile is kept. The broker deletes
// one that nobody has consumed for temp_destination_timeout.
type replier struct {
	s    *session
	lane *lane
	feed *feed

	mu  sync.Mutex
	all map[string]bool // tokens
}

func newReplier(s *session) (*replier, error) {
	ch, err := s.in.Channel()
	if err != nil {
		return nil, err
	}
	if err := ch.Qos(min(repliesAhead, s.t.prefetch), 0, false); err != nil {
		return nil, err
	}
	closed := ch.NotifyClose(make(chan *amqp.Error, 1))
	r := &replier{s: s, lane: s.lanes.add(ch), all: map[string]bool{}}
	r.feed = newFeed(s.ctx, s, r.lane)
	s.spawn(func() {
		select {
		case e := <-closed:
			if e == nil {
				e = amqp.ErrClosed
			}
			s.fail(fmt.Errorf("the channel that brings replies was closed: %w", explain(e)))
		case <-s.ctx.Done():
		}
	})
	return r, nil
}

func (r *replier) queue(token string) string { return r.s.t.replies + "." + token }

// open gives the queue of a token.
func (r *replier) open(_ context.Context, token string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	queue := r.queue(token)
	if r.all[token] {
		return queue, nil
	}
	from, err := r.consume(queue)
	if err != nil {
		return "", err
	}
	r.all[token] = true
	r.s.spawn(func() { r.take(token, queue, from) })
	return queue, nil
}

func (r *replier) consume(queue string) (<-chan amqp.Delivery, error) {
	args := amqp.Table{amqp.QueueTypeArg: amqp.QueueTypeClassic, amqp.QueueTTLArg: int64(r.s.t.lease) * 1000}
	if err := r.s.noteUsed(r.s.in.declareQueue(queue, args)); err != nil {
		return nil, err
	}
	from, err := r.lane.ch.Consume(queue, queue, false, false, false, false, nil)
	if err != nil {
		return nil, fmt.Errorf("consuming the reply queue %s: %w", queue, explain(err))
	}
	return from, nil
}

// take takes replies in. A queue that somebody deletes is made again.
func (r *replier) take(token, queue string, from <-chan amqp.Delivery) {
	for {
		r.feed.take(from, interop.Destination{}, token)
		r.mu.Lock()
		wanted := r.all[token] && r.s.ctx.Err() == nil && !r.lane.ch.IsClosed()
		var err error
		if wanted {
			if from, err = r.consume(queue); err != nil {
				delete(r.all, token)
			}
		}
		r.mu.Unlock()
		if !wanted {
			return
		}
		if err != nil {
			r.s.note(err)
			return
		}
	}
}

// end deletes the queue of a token, with what it has.
func (r *replier) end(token string) {
	r.mu.Lock()
	known := r.all[token]
	delete(r.all, token)
	r.mu.Unlock()
	if !known || r.s.ctx.Err() != nil {
		return
	}
	r.s.spawn(func() {
		queue := r.queue(token)
		_ = r.lane.ch.Cancel(queue, false)
		err := r.s.in.try(func(ch *amqp.Channel) error {
			_, err := ch.QueueDelete(queue, false, false, false)
			return err
		})
		if err != nil && code(err) != amqp.NotFound {
			r.s.note(fmt.Errorf("deleting the reply queue %s: %w", queue, explain(err)))
		}
	})
}
