package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidegate/tidegate/interop"
)

var _ interop.Registry = (*certified)(nil)

// maxListeners bounds how many consumers are listed.
const maxListeners = 100_000

// listenerKey is where a consumer's metadata have the listener's name: NATS does not take
// all characters in names of consumers.
const listenerKey = "tidegate.listener"

// Register is interop.Registry's: a durable consumer, for which the stream keeps messages
// from now on (ems tibrvcm.conf, create rvcmlistener).
func (s *certified) Register(ctx context.Context, name, subject string) error {
	mapped := s.c.names.subject(subject)
	stream, err := s.streamFor(ctx, mapped)
	if err != nil {
		return err
	}
	c := s.listener(legal(name), mapped)
	c.DeliverPolicy = jetstream.DeliverAllPolicy
	c.MaxAckPending = 0 // as its program asks
	c.Description = "certified listener, registered by tidegate " + s.c.gateway
	c.Metadata = map[string]string{listenerKey: name}
	_, err = s.js.CreateConsumer(ctx, stream, c)
	if errors.Is(err, jetstream.ErrConsumerExists) {
		return s.isListener(ctx, stream, name, mapped)
	}
	return err
}

// isListener says whether a consumer that is there is the listener: its program may have
// changed what else it likes.
func (s *certified) isListener(ctx context.Context, stream, name, subject string) error {
	con, err := s.js.Consumer(ctx, stream, legal(name))
	if err != nil {
		return fmt.Errorf("consumer %s: %w", legal(name), err)
	}
	c := con.CachedInfo().Config
	switch other := c.Metadata[listenerKey]; {
	case other != "" && other != name:
		return fmt.Errorf("listener %s has the consumer %s already: choose another name", other, legal(name))
	case c.FilterSubject != subject:
		return fmt.Errorf("listener %s is there, for subject %s and not %s: delete it first, or choose another name", name, c.FilterSubject, subject)
	}
	return nil
}

// streamFor finds the stream that a subject's messages are in, or makes it the transport's.
func (s *certified) streamFor(ctx context.Context, subject string) (string, error) {
	streams, err := s.streamsOf(ctx, subject)
	if err != nil {
		return "", err
	}
	for _, i := range streams {
		if i.Config.Name == s.c.certified.stream {
			return i.Config.Name, nil
		}
	}
	if len(streams) > 0 {
		return streams[0].Config.Name, nil
	}
	i, err := s.grow(ctx, s.c.certified.stream, []string{subject})
	if err != nil {
		return "", err
	}
	return i.Config.Name, nil
}

// Unregister is interop.Registry's.
func (s *certified) Unregister(ctx context.Context, name, subject string) error {
	streams, err := s.streamsOf(ctx, s.c.names.subject(subject))
	if err != nil {
		return err
	}
	for _, i := range streams {
		err := s.js.DeleteConsumer(ctx, i.Config.Name, legal(name))
		if !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return err
		}
	}
	return fmt.Errorf("listener %s of %s: %w", name, subject, interop.ErrNoListener)
}

// Listeners is interop.Registry's.
func (s *certified) Listeners(ctx context.Context, subject string) (all []interop.Listener, err error) {
	filter := ">"
	if subject != "" {
		filter = s.c.names.subject(subject)
	}
	streams, err := s.streamsOf(ctx, filter)
	if err != nil {
		return nil, err
	}
	ours := map[string]bool{}
	s.mu.Lock()
	for _, c := range s.imports {
		ours[c.name] = true
	}
	s.mu.Unlock()
	for _, i := range streams {
		st, err := s.js.Stream(ctx, i.Config.Name)
		if err != nil {
			return nil, fmt.Errorf("stream %s: %w", i.Config.Name, err)
		}
		list := st.ListConsumers(ctx)
		for c := range list.Info() {
			if len(all) == maxListeners {
				continue
			}
			about := c.Config.FilterSubject
			if about == "" {
				about = ">"
			}
			if subject != "" && about != filter && !covers(about, filter) && !covers(filter, about) {
				continue
			}
			n, ok := s.c.names.destination(about)
			if !ok {
				n = about
			}
			all = append(all, interop.Listener{
				Name: cmp.Or(c.Config.Metadata[listenerKey], c.Name), Subject: n, Pending: c.NumPending, UnderWay: uint64(c.NumAckPending), Confirmed: c.AckFloor.Stream, Ours: ours[c.Name],
			})
		}
		if err := list.Err(); err != nil {
			return nil, fmt.Errorf("listing the consumers of stream %s: %w", i.Config.Name, err)
		}
	}
	return all, nil
}
