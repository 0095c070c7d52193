package nats

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidegate/tidegate/interop"
)

// ackWait is how long a message may be with us before JetStream gives it again: longer than
// a destination here is full, as a rule. The ledger knows what came twice.
const ackWait = 60 * time.Second

// leastPull is how many messages an import asks for at least; many share prefetch.
const leastPull = 10

// consumer is one import from one stream.
type consumer struct {
	to      interop.Destination
	subject string
	name    string
	stream  string
	source  string   // of its messages, for good: the stream's name and when it was made
	before  []string // what it gets of these is brought in by other imports of the stream
	seen    uint64   // up to which sequence they may have been here before
	pull    int      // messages that are asked for at a time
	reader  reader
	running jetstream.ConsumeContext
}

func (c *consumer) stop() {
	if c.running != nil {
		c.running.Stop()
	}
}

// listenerName is the name of a durable consumer that is an import's.
func (c *settings) listenerName(d interop.Destination) string {
	return legal(c.certified.cmName + "_" + kindWord(d) + "_" + d.Name)
}

// Imports is interop.Session's. A consumer whose import is gone stays where it is, and
// keeps messages for it, as a certified listener does until it is unregistered.
func (s *certified) Imports(ctx context.Context, all []interop.Destination) error {
	wanted := map[interop.Destination]bool{}
	for _, d := range all {
		wanted[d] = true
	}
	s.mu.Lock()
	kept := s.imports[:0:0]
	for _, c := range s.imports {
		if wanted[c.to] {
			kept = append(kept, c)
			continue
		}
		c.stop()
		s.note(fmt.Sprintf("listener %s of %s stays, and its messages wait: delete rvcmlistener ends it", c.name, c.subject))
	}
	for _, c := range kept {
		delete(wanted, c.to)
	}
	s.imports = kept
	s.mu.Unlock()
	for i, d := range all {
		if !wanted[d] {
			continue
		}
		delete(wanted, d)
		var before []string
		for _, b := range all[:i] {
			if b.Kind == d.Kind {
				before = append(before, s.c.names.subject(b.Name))
			}
		}
		if err := s.begin(ctx, d, before, max(leastPull, s.c.prefetch/len(all))); err != nil {
			return err
		}
	}
	return nil
}

// begin brings in what comes for a destination: from each stream that has its subject, or
// from one that is made for it.
func (s *certified) begin(ctx context.Context, d interop.Destination, before []string, pull int) error {
	subject := s.c.names.subject(d.Name)
	streams, err := s.sources(ctx, subject)
	if err != nil {
		return err
	}
	for _, st := range streams {
		c := &consumer{to: d, subject: subject, before: before, pull: pull, reader: reader{c: s.c}, stream: st.Config.Name, source: source(st, d)}
		if err := s.consume(ctx, c, st.Config.Name); err != nil {
			return fmt.Errorf("importing %s from stream %s: %w", subject, st.Config.Name, err)
		}
		s.mu.Lock()
		s.imports = append(s.imports, c)
		s.mu.Unlock()
	}
	return nil
}

// sources are the streams that an import's messages come from. Where none has the whole
// subject one of ours gets it: that which has a part of it, else one for imports alone.
func (s *certified) sources(ctx context.Context, subject string) ([]*jetstream.StreamInfo, error) {
	streams, err := s.streamsOf(ctx, subject)
	if err != nil {
		return nil, err
	}
	ours := s.c.certified.stream + importSuffix
	for _, st := range streams {
		if slices.ContainsFunc(st.Config.Subjects, func(p string) bool { return covers(p, subject) }) {
			return streams, nil
		}
		if st.Config.Name == s.c.certified.stream {
			ours = st.Config.Name
		}
	}
	made, err := s.grow(ctx, ours, []string{subject})
	if err != nil {
		if len(streams) == 0 {
			return nil, err
		}
		s.note(fmt.Sprintf("of %s only that comes in which other streams have: %v", subject, err))
		return streams, nil
	}
	for i, st := range streams {
		if st.Config.Name == made.Config.Name {
			streams[i] = made
			return streams, nil
		}
	}
	return append(streams, made), nil
}

func (s *certified) consume(ctx context.Context, c *consumer, stream string) error {
	c.name = s.c.listenerName(c.to)
	con, err := s.js.Consumer(ctx, stream, c.name)
	switch {
	case errors.Is(err, jetstream.ErrConsumerNotFound):
		con, err = s.js.CreateConsumer(ctx, stream, s.listener(c.name, c.subject))
	case err == nil:
		con, err = s.takeOver(ctx, c, stream, con)
	}
	if err != nil {
		return err
	}
	c.running, err = con.Consume(func(m jetstream.Msg) { s.take(c, m) },
		jetstream.PullMaxMessages(c.pull), jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) { s.hiccup(c, err) }))
	return err
}

// listener is a durable consumer as we make them.
func (s *certified) listener(name, subject string) jetstream.ConsumerConfig {
	c := jetstream.ConsumerConfig{
		Name: name, Durable: name, FilterSubject: subject, AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait,
		MaxAckPending: s.c.prefetch, MaxDeliver: -1, DeliverPolicy: jetstream.DeliverAllPolicy,
		Description: "certified listener of tidegate " + s.c.gateway,
	}
	if !s.c.certified.requestOld {
		c.DeliverPolicy = jetstream.DeliverNewPolicy
	}
	return c
}

// takeOver goes on with a consumer that is there, from what it has not confirmed: that was
// given to a session that ended without a word, and has to come before what is new.
func (s *certified) takeOver(ctx context.Context, c *consumer, stream string, con jetstream.Consumer) (jetstream.Consumer, error) {
	i := con.CachedInfo()
	if i.Config.AckPolicy != jetstream.AckExplicitPolicy || i.Config.DeliverSubject != "" {
		return nil, fmt.Errorf("consumer %s is there and cannot be used: it must be a pull consumer with explicit acknowledgement; delete it, or write another cm_name", c.name)
	}
	c.seen = i.Delivered.Stream
	if i.NumAckPending > 0 {
		if _, err := s.js.ResetConsumer(ctx, stream, c.name); err != nil {
			s.note(fmt.Sprintf("consumer %s cannot go back to what it did not confirm (%v): that comes again when its ack_wait is over, behind newer messages", c.name, err))
		}
	}
	if i.Config.MaxAckPending == s.c.prefetch && i.Config.FilterSubject == c.subject {
		return con, nil
	}
	changed := i.Config
	changed.MaxAckPending, changed.FilterSubject = s.c.prefetch, c.subject
	updated, err := s.js.UpdateConsumer(ctx, stream, changed)
	if err != nil {
		return nil, fmt.Errorf("consumer %s: %w", c.name, err)
	}
	return updated, nil
}

// hiccup is what the consuming client tells.
func (s *certified) hiccup(c *consumer, err error) {
	switch {
	case errors.Is(err, jetstream.ErrConsumerDeleted), errors.Is(err, jetstream.ErrConsumerNotFound), errors.Is(err, nats.ErrNoResponders):
		s.failed(fmt.Errorf("consumer %s of %s is gone: %w", c.name, c.subject, err))
	case errors.Is(err, nats.ErrConnectionClosed), s.ctx.Err() != nil:
	case errors.Is(err, jetstream.ErrNoHeartbeat):
		s.failed(fmt.Errorf("consumer %s of %s: JetStream is silent: %w", c.name, c.subject, err))
	default:
		s.note(fmt.Sprintf("consumer %s: %v", c.name, err))
	}
}

// source names a stream's messages for good: one that is made anew has others, and a queue
// and a topic that both import them each get their own.
func source(st *jetstream.StreamInfo, to interop.Destination) string {
	return fmt.Sprintf("%s@%d:%s", st.Config.Name, st.Created.UnixMilli(), kindWord(to))
}

func kindWord(d interop.Destination) string {
	if d.Kind == interop.Topic {
		return "topic"
	}
	return "queue"
}

// take is called for each message of an import, by its own goroutine.
func (s *certified) take(c *consumer, m jetstream.Msg) {
	meta, err := m.Metadata()
	if err != nil {
		s.failed(fmt.Errorf("consumer %s: a message without the words of a stream: %w", c.name, err))
		return
	}
	for _, b := range c.before {
		if covers(b, m.Subject()) { // of two wildcards the first has it
			_ = m.Ack()
			return
		}
	}
	msg := nats.Msg{Subject: m.Subject(), Header: m.Headers(), Data: m.Data()}
	if to := msg.Header[replyHeader]; len(to) > 0 {
		msg.Reply = to[0]
	}
	in := c.reader.read(&msg)
	in.To = c.to
	if msg.Subject != c.subject {
		in.To.Name, _ = s.c.names.destination(msg.Subject)
	}
	in.Source, in.Sequence = c.source, meta.Sequence.Stream
	in.Again = meta.NumDelivered > 1 || in.Sequence <= c.seen
	if !s.register(&in, pending{m.Reply(), c}) {
		return
	}
	s.inbox.add(in, len(msg.Data))
}

// register notes a message that is about to be delivered, when fewer than prefetch are not
// settled; false: the session is over, and the message comes again.
func (s *certified) register(in *interop.Inbound, p pending) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.ended && len(s.unsettled) >= s.c.prefetch {
		s.room.Wait()
	}
	if s.ended {
		return false
	}
	s.tag++
	in.Tag = s.tag
	s.unsettled[in.Tag] = p
	return true
}
