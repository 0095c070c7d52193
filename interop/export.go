package interop

import (
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"

	"github.com/tidegate/tidegate/amqp/jms"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

const (
	maxBatch    = 256      // messages handed to a session at a time
	maxUnderWay = 64 << 20 // bytes sent and not confirmed
)

// flight is a message that was sent and is not confirmed.
type flight struct {
	consumer core.ConsumerID
	size     int64
	to       Destination
	message  *message.Message
	again    bool
}

// queue takes deliveries in; false: the session is over.
func (l *link) queue(outs []core.Out) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flight == nil {
		return false
	}
	l.pending = append(l.pending, outs...)
	notify(l.more)
	return true
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// send is the session's goroutine out.
func (l *link) send() {
	batch := make([]core.Out, 0, maxBatch)
	for {
		batch = l.next(batch[:0])
		if len(batch) == 0 {
			return
		}
		if err := l.sendBatch(batch); err != nil {
			l.fail(err)
			return
		}
	}
}

// next waits for something to send, and until there is room for it; none: it is over.
func (l *link) next(batch []core.Out) []core.Out {
	for {
		l.mu.Lock()
		if l.bytes < maxUnderWay && l.ctx.Err() == nil { // else end has them
			n := min(len(l.pending), maxBatch)
			batch = append(batch, l.pending[:n]...)
			clear(l.pending[:n])
			l.pending = l.pending[n:]
		}
		l.mu.Unlock()
		if len(batch) > 0 {
			return batch
		}
		select {
		case <-l.more:
		case <-l.room:
		case <-l.ctx.Done():
			return nil
		}
	}
}

// sendBatch sends deliveries, less those that a loop guard stops.
func (l *link) sendBatch(batch []core.Out) error {
	r := l.r
	bodies := r.bytes(batch)
	out := make([]Outbound, 0, len(batch))
	flights := make([]flight, 0, len(batch)) // of out
	var done []core.Out                      // stopped
	now := time.Now()
	for i := range batch {
		d := &batch[i]
		o, m, err := l.outbound(d, bodies[i], now)
		switch {
		case err == nil:
			flights = append(flights, flight{consumer: d.Consumer, size: d.Size, to: o.To, message: m, again: o.Again})
			out = append(out, o)
			if !r.carriesOrigin {
				r.echoes.went(o.To, m, now)
			}
		case errors.Is(err, errLoop):
			r.counters.loopDropped.Add(1)
			r.event(core.EventTransportLoop, err)
			done = append(done, *d)
		case l.ctx.Err() != nil || errors.As(err, new(*unreadyError)):
			l.under(out, flights)
			l.leave(batch, done, len(batch)-i)
			return err
		default:
			if err := r.refuseOut(d.Delivery, d.Consumer, destinationOf(d), m, err); err != nil {
				l.under(out, flights)
				l.leave(batch, done, len(batch)-i-1)
				return err
			}
		}
	}
	l.under(out, flights)
	l.passOn(batch, done)
	if len(out) == 0 {
		return nil
	}
	return l.s.Send(l.ctx, out)
}

// leave gives a batch up in the middle: n of it were not looked at.
func (l *link) leave(batch, done []core.Out, n int) {
	l.passOn(batch, done)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left += n
}

// under takes in what is about to be sent: until it is answered it may be lost.
func (l *link) under(out []Outbound, flights []flight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range flights {
		l.flight[out[i].Tag] = flights[i]
		l.bytes += flights[i].size
	}
}

// passOn tells the broker that a batch is on its way, and that some of it is done with.
func (l *link) passOn(batch, done []core.Out) {
	r := l.r
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		for i := 0; i < len(batch); {
			n := 1
			for i+n < len(batch) && batch[i+n].Consumer == batch[i].Consumer {
				n++
			}
			if o := r.consumers[batch[i].Consumer]; o != nil {
				granted := 0
				if !r.certified {
					granted = n
				}
				o.passOn(now, b, batch[i+n-1].Delivery, granted, fx)
			}
			i += n
		}
		for i := range done {
			r.settle(now, b, done[i].Delivery, done[i].Consumer, fx)
		}
	})
}

// settle acknowledges a delivery, and lets its consumer have another. mu is held.
func (r *Runner) settle(now time.Time, b *core.Broker, id core.DeliveryID, consumer core.ConsumerID, fx *core.Effects) {
	if !r.certified {
		return // it was done with when it was taken
	}
	b.Settle(now, id, 0, core.Outcome{Kind: core.Accepted}, false, fx)
	r.grant(now, b, consumer, fx)
}

// grant lets a consumer have another message. mu is held.
func (r *Runner) grant(now time.Time, b *core.Broker, consumer core.ConsumerID, fx *core.Effects) {
	if o := r.consumers[consumer]; o != nil {
		o.limit++
		b.Credit(now, consumer, o.limit, false, fx)
	}
}

// destinationOf is where a delivery's message was sent.
func destinationOf(d *core.Out) Destination {
	if d.To != nil {
		return *d.To
	}
	return Destination{}
}

var (
	errLoop = errors.New("it would go round")
	errGone = errors.New("its bytes are gone")
)

// unreadyError ends a session: it is not the message's fault that it does not go out.
type unreadyError struct{ err error }

func (e *unreadyError) Error() string { return e.err.Error() }
func (e *unreadyError) Unwrap() error { return e.err }

// outbound makes what a session is given of a delivery. Errors: errLoop, or what has to
// be refused; the message is given with it if it can be read.
func (l *link) outbound(d *core.Out, s stored, now time.Time) (Outbound, *message.Message, error) {
	r := l.r
	if !s.ok {
		return Outbound{}, nil, &unreadyError{fmt.Errorf("message %d cannot be read: %w", d.Message, errGone)}
	}
	if s.file.Number != 0 {
		var err error
		if s.body, err = r.whole(s.file); err != nil {
			return Outbound{}, nil, err
		}
	}
	m, err := index(s)
	if err != nil {
		return Outbound{}, nil, err
	}
	o := Outbound{Tag: uint64(d.Delivery), Message: m, To: destinationOf(d), Again: d.Count > 0 || !d.First}
	if r.certified {
		o.ID = r.identify(d, s.body)
	}
	if o.To.Name == "" {
		r.mu.Lock()
		if c := r.consumers[d.Consumer]; c != nil {
			o.To = Destination{Kind: core.Queue, Name: c.queue}
		}
		r.mu.Unlock()
	}
	if d.Overridden || d.Expires > 0 {
		o.Expires = d.Expires
	}
	if o.Origin, err = r.guardOut(&o, m); err != nil {
		return o, m, err
	}
	if o.ReplyTo, err = l.replyAddress(m, now); err != nil {
		return o, m, err
	}
	return o, m, nil
}

// guardOut stops what came from outside and would go back, or has gone far enough; it
// gives the origin that is to go with the message.
func (r *Runner) guardOut(o *Outbound, m *message.Message) (origin string, err error) {
	if in, ok := textOf(m.Annotation(AnnotationImported)); ok && o.To.Kind == core.Topic && !r.exportImported {
		if by, to, _ := strings.Cut(in, ";"); to == "topic:"+o.To.Name {
			return "", fmt.Errorf("%w: transport %s brought it in for topic %s", errLoop, by, o.To.Name)
		}
	}
	origin, _ = textOf(m.Annotation(AnnotationOrigin))
	if hops(origin) >= r.maxHops {
		return "", fmt.Errorf("%w: it has left gateways %d times, and max_hops is %d", errLoop, hops(origin), r.maxHops)
	}
	if origin == "" {
		return r.hop, nil
	}
	return extendOrigin(origin, r.settings.Gateway, r.spec.Name), nil
}

func textOf(v any, ok bool) (string, bool) {
	if !ok {
		return "", false
	}
	return wire.Text(v)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// identify gives a message an id that is its own, and stays with it.
func (r *Runner) identify(d *core.Out, body [][]byte) string {
	crc := uint32(0)
	for _, p := range body {
		crc = crc32.Update(crc, castagnoli, p)
	}
	b := make([]byte, 0, 64)
	b = append(b, r.settings.Gateway...)
	b = append(b, '.')
	if d.Message&core.HeldBit != 0 { // such ids begin anew with the process
		b = strconv.AppendInt(b, r.began.UnixMilli(), 36)
		b = append(b, '.')
	}
	b = strconv.AppendUint(b, d.Message&^core.HeldBit, 36)
	b = append(b, '.')
	return string(strconv.AppendUint(b, uint64(crc), 36))
}

// replyAddress gives the address outside for replies to a temporary destination.
func (l *link) replyAddress(m *message.Message, now time.Time) (string, error) {
	address := m.ReplyTo()
	if address == "" {
		return "", nil
	}
	name, kind, err := jms.SplitAddress(address)
	if err != nil || !strings.HasPrefix(name, core.TemporaryPrefix) {
		return "", nil
	}
	to := Destination{Kind: core.Queue, Name: name, Temporary: true}
	if kind == jms.Topic || kind == jms.Unknown && l.isTopic(m, name) {
		to.Kind = core.Topic
	}
	p := l.r.replies
	token, outside, ended := p.get(to, l.number, now)
	for _, t := range ended {
		l.s.EndReply(t)
	}
	if outside != "" {
		return outside, nil
	}
	if outside, err = l.s.Reply(l.ctx, token); err != nil {
		return "", &unreadyError{fmt.Errorf("making an address for replies: %w", err)}
	}
	p.bind(token, outside, l.number)
	return outside, nil
}

// isTopic says what kind a reply-to is, as its sender says or as it stands here.
func (l *link) isTopic(m *message.Message, name string) (topic bool) {
	if v, ok := m.Annotation("x-opt-jms-reply-to"); ok {
		if n, ok := wire.Integer(v); ok {
			return n == 1 || n == 3
		}
	}
	l.r.conn.Do(func(_ time.Time, b *core.Broker, _ *core.Effects) {
		topic = b.Exists(Destination{Kind: core.Topic, Name: name})
	})
	return topic
}

// Sent is Sink's.
func (l *link) Sent(all []Sent) {
	r := l.r
	done := make([]Sent, 0, len(all))
	flights := make([]flight, 0, len(all))
	var bytes int64
	l.mu.Lock()
	for _, s := range all {
		if f, ok := l.flight[s.Tag]; ok {
			delete(l.flight, s.Tag)
			l.bytes -= f.size
			done, flights = append(done, s), append(flights, f)
		}
	}
	l.mu.Unlock()
	notify(l.room)
	r.mu.Lock()
	if r.certified && len(done) > 0 {
		r.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
			for i := range done {
				if done[i].Refused == nil {
					r.settle(now, b, core.DeliveryID(done[i].Tag), flights[i].consumer, fx)
				}
			}
		})
	}
	r.mu.Unlock()
	sent := uint64(0)
	for i := range done {
		f := &flights[i]
		if done[i].Refused != nil {
			if err := r.refuseOut(core.DeliveryID(done[i].Tag), f.consumer, f.to, f.message, done[i].Refused); err != nil {
				l.fail(err)
			}
			continue
		}
		sent++
		bytes += f.size
		if f.again {
			r.counters.resent.Add(1)
		}
	}
	r.counters.exported.Add(sent)
	r.counters.exportedBytes.Add(uint64(bytes))
}
