package interop

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
	coremessage "github.com/tidegate/tidegate/core/message"
)

// refuseOut does with a message that can never go out what on_error says. m is it where it
// could be read. An error ends the session: the message stays where it is.
func (r *Runner) refuseOut(id core.DeliveryID, consumer core.ConsumerID, to Destination, m *message.Message, why error) error {
	r.counters.refused.Add(1)
	why = fmt.Errorf("a message to %s cannot be exported by transport %s: %w", to.Name, r.spec.Name, why)
	r.event(core.EventTransportRefused, why)
	r.log.Warn("a message cannot be exported", "transport", r.spec.Name, "destination", to.Name, "on_error", r.onError, "err", why)
	switch {
	case r.onError == toStop:
		return &stopError{why}
	case r.certified && r.onError == toUndelivered:
		notes := wire.AppendValue(nil, reason(why))
		r.mu.Lock()
		defer r.mu.Unlock()
		r.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
			b.Undeliver(now, id, notes, fx)
			r.grant(now, b, consumer, fx)
		})
	case r.certified:
		r.mu.Lock()
		defer r.mu.Unlock()
		r.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) { r.settle(now, b, id, consumer, fx) })
	case r.onError == toUndelivered && m != nil: // it was done with when it was taken
		return r.commit([]placing{r.undelivered(m, to, why)})
	}
	return nil
}

// reason is why a message is among the undelivered, as annotations.
func reason(why error) wire.Map {
	text := why.Error()
	return wire.Map{{Key: wire.Symbol(message.UndeliveredAnnotation), Value: strings.ToValidUTF8(text[:min(len(text), 1024)], "")}}
}

// refuseIn makes what a message that cannot be read becomes: nothing, or a message of
// its bytes among the undelivered. An error ends the session.
func (r *Runner) refuseIn(in *Inbound, why error) (p placing, keep bool, err error) {
	r.counters.refused.Add(1)
	why = fmt.Errorf("a message for %s cannot be imported by transport %s: %w", in.To.Name, r.spec.Name, why)
	r.event(core.EventTransportRefused, why)
	r.log.Warn("a message cannot be imported", "transport", r.spec.Name, "destination", in.To.Name, "on_error", r.onError, "err", why)
	switch r.onError {
	case toStop:
		return p, false, &stopError{why}
	case toNowhere:
		return p, false, nil
	}
	b := message.NewBuilder()
	b.Header.Durable = true
	b.Properties.To = in.To.Name
	b.SetBytes(in.Raw)
	return r.undelivered(b.Message(), in.To, why), true, nil
}

// undelivered places a copy among the undelivered, with the reason.
func (r *Runner) undelivered(m *message.Message, to Destination, why error) placing {
	noted, err := m.WithAnnotations(reason(why))
	if err != nil {
		noted = m
	}
	h := m.Header()
	return placing{
		to: Destination{Kind: core.Queue, Name: core.UndeliveredQueue}, size: m.Size(),
		env: coremessage.Envelope{Durable: h.Durable, Priority: h.Priority, Content: noted},
	}
}

// placing is a message on its way to a destination here.
type placing struct {
	to   Destination
	env  coremessage.Envelope
	size int64
	from int // the Inbound that it is of
}

// refusedError says which messages of a commit the broker refuses.
type refusedError struct {
	by map[int]error
}

func (e *refusedError) Error() string {
	for _, err := range e.by {
		return err.Error()
	}
	return "refused"
}

// commit places messages as one transaction, and waits until it is durable. Errors:
// *refusedError, if some can never be placed; others are worth another try.
func (r *Runner) commit(all []placing) error {
	ctx, cancel := context.WithTimeout(r.ctx, settleTime)
	defer cancel()
	envelopes, forget, err := r.contents(all)
	defer forget()
	if err != nil {
		return err
	}
	answers := make(chan core.Out, len(all)+1)
	tag := r.expect(len(all)+1, func(out *core.Out) { answers <- *out })
	defer r.forget(tag)
	r.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		t, err := b.Begin(now, r.conn.ID(), fx)
		if err != nil {
			answers <- core.Out{Kind: core.OutDischarged, Err: err}
			return
		}
		for i := range all {
			b.PublishTo(now, r.producer, all[i].to, core.Send{Tag: tag + uint64(i), Txn: t, Check: core.CheckAlways}, envelopes[i], fx)
		}
		b.Discharge(now, r.conn.ID(), t, false, tag+uint64(len(all)), fx)
	})
	refused := &refusedError{by: map[int]error{}}
	for {
		select {
		case out := <-answers:
			if out.Kind == core.OutSettled {
				if out.Err != nil && !passing(out.Err) {
					refused.by[int(out.Tag-tag)] = out.Err
				}
				continue
			}
			if len(refused.by) > 0 {
				return refused
			}
			return out.Err
		case <-ctx.Done():
			return errNoAnswer
		}
	}
}

// errNoAnswer: whether a commit came to be is not known. It must not be tried again: only
// the ledger tells, when the outside gives the messages again.
var errNoAnswer = errors.New("the broker does not answer")

// contents gives the envelopes of messages: those that are too large to lie in memory are
// put into files first, which forget ends once the messages are placed, or are not to be.
func (r *Runner) contents(all []placing) (envelopes []coremessage.Envelope, forget func(), err error) {
	envelopes = make([]coremessage.Envelope, len(all))
	var files []uint64
	forget = func() {
		for _, f := range files {
			r.broker.Spool().SpoolForget(f)
		}
	}
	for i := range all {
		envelopes[i] = all[i].env
		m, ok := all[i].env.Content.(*message.Message)
		if !ok || all[i].size <= coremessage.LargeAbove {
			continue
		}
		content, file, err := r.spooled(m)
		if err != nil {
			return nil, forget, err
		}
		if file != 0 {
			files = append(files, file)
		}
		envelopes[i].Content = content
	}
	return envelopes, forget, nil
}

// passing says whether what the broker refuses now it may take later.
func passing(err error) bool {
	var e *core.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Kind {
	case core.Limit, core.Unavailable, core.Internal, core.UnknownTransaction, core.RolledBack, core.TimedOut:
		return true
	}
	return false
}
