package interop

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/name"
)

// Properties that say where a certified message came from (ems 7.6).
const (
	publisherProperty = "JMS_TIBCO_CM_PUBLISHER"
	sequenceProperty  = "JMS_TIBCO_CM_SEQUENCE"
)

const (
	maxCommit      = 512     // messages brought in by one transaction
	maxCommitBytes = 8 << 20 // bytes, the same; one message always may
	// maxStreamed is how many messages of a reliable transport may wait for the broker's
	// answer: flow control holds those back.
	maxStreamed = 4096
	// retryCommit is how long a full destination is left alone.
	retryCommit = 200 * time.Millisecond
	retryMost   = 5 * time.Second
	// slowFirst and slowMost are how long flow control is left alone.
	slowFirst = 5 * time.Millisecond
	slowMost  = 200 * time.Millisecond
)

// Deliver is Sink's.
func (l *link) Deliver(all []Inbound) {
	if !l.r.certified {
		if err := l.stream(all); err != nil {
			l.fail(err)
		}
		return
	}
	select {
	case l.arrivals <- slices.Clone(all): // the slice stays the session's
	case <-l.ctx.Done():
	}
}

// take is a certified session's goroutine in.
func (l *link) take() {
	var more []Inbound
	for {
		batch := more
		if len(batch) == 0 {
			select {
			case batch = <-l.arrivals:
			case <-l.ctx.Done():
				return
			}
		}
		for len(batch) < maxCommit {
			select {
			case next := <-l.arrivals:
				batch = append(batch, next...)
				continue
			default:
			}
			break
		}
		batch, more = split(batch)
		if err := l.bringIn(batch); err != nil {
			l.fail(err)
			return
		}
	}
}

// split cuts a batch where a transaction would become too large.
func split(all []Inbound) (batch, more []Inbound) {
	size := 0
	for i := range all {
		size += all[i].size()
		if i > 0 && (i == maxCommit || size > maxCommitBytes) {
			return all[:i:i], all[i:]
		}
	}
	return all, nil
}

func (in *Inbound) size() int {
	switch {
	case in.Message != nil:
		return int(in.Message.Size())
	case in.Fields != nil:
		return in.Fields.Size()
	}
	return len(in.Raw)
}

// bringIn brings a batch in, and then tells the outside.
func (l *link) bringIn(batch []Inbound) error {
	all := make([]placing, 0, len(batch))
	var nowhere, copies []Settlement
	now, mk, twice := time.Now(), maker{r: l.r}, repeats{}
	for i := range batch {
		if twice.has(batch, i) { // its confirmation is that of the first one: not before that is here
			l.r.counters.duplicates.Add(1)
			copies = append(copies, Settlement{batch[i].Tag, Taken})
			continue
		}
		p, keep, err := l.place(&batch[i], &mk, now)
		if err != nil {
			return err
		}
		if !keep {
			nowhere = append(nowhere, Settlement{batch[i].Tag, Taken})
			continue
		}
		p.from = i
		all = append(all, p)
	}
	if nowhere != nil {
		l.s.Settle(nowhere)
	}
	if err := l.put(batch, all); err != nil {
		return err
	}
	if copies != nil {
		l.s.Settle(copies)
	}
	return nil
}

// put commits messages in order, as one transaction where it can be. What can never be
// placed is refused by itself; what cannot be placed now is tried again, and so is what
// comes behind it.
func (l *link) put(batch []Inbound, all []placing) error {
	r := l.r
	pause := retryCommit
	for len(all) > 0 {
		if err := l.slow(all); err != nil {
			return err
		}
		rows := l.rows(batch, all)
		err := r.commit(append(all[:len(all):len(all)], rows...))
		var refused *refusedError
		switch {
		case err == nil:
			l.landed(batch, all)
			l.s.Settle(answers(batch, all))
			return nil
		case errors.Is(err, errNoAnswer):
			return err
		case errors.As(err, &refused):
			was := all
			if all, err = l.without(batch, all, refused); err != nil {
				return err
			}
			l.s.Settle(answers(batch, gone(was, all)))
			continue
		case len(all) > 1: // part of them may find room
			half := len(all) / 2
			if err := l.put(batch, all[:half]); err != nil {
				return err
			}
			return l.put(batch, all[half:])
		}
		r.condition.set(Connected, err)
		r.log.Warn("an imported message cannot be placed yet", "transport", r.spec.Name, "destination", all[0].to.Name, "err", err, "retry", pause.String())
		if err := l.wait(pause); err != nil {
			return err
		}
		pause = min(pause*2, retryMost)
	}
	return nil
}

// slow waits while flow control holds back who sends where messages go (ems flowControl).
func (l *link) slow(all []placing) error {
	for pause := slowFirst; ; pause = min(pause*2, slowMost) {
		slowed := false
		l.r.conn.Do(func(_ time.Time, b *core.Broker, _ *core.Effects) {
			for i := range all {
				if i == 0 || all[i].to != all[i-1].to {
					slowed = slowed || b.Slowed(all[i].to)
				}
			}
		})
		if !slowed {
			return nil
		}
		if err := l.wait(pause); err != nil {
			return err
		}
	}
}

// wait waits; an error says that the session is over.
func (l *link) wait(pause time.Duration) error {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-l.ctx.Done():
		return context.Cause(l.ctx)
	}
}

// answers confirm messages to the outside.
func answers(batch []Inbound, all []placing) []Settlement {
	list := make([]Settlement, len(all))
	for i := range all {
		list[i] = Settlement{batch[all[i].from].Tag, Taken}
	}
	return list
}

// gone gives those of was that are not in is.
func gone(was, is []placing) (all []placing) {
	stay := map[int]bool{}
	for i := range is {
		stay[is[i].from] = true
	}
	for i := range was {
		if !stay[was[i].from] {
			all = append(all, was[i])
		}
	}
	return all
}

// without does with the refused what on_error says.
func (l *link) without(batch []Inbound, all []placing, refused *refusedError) (rest []placing, err error) {
	for i, p := range all {
		why := refused.by[i]
		if why == nil {
			rest = append(rest, p)
			continue
		}
		in := &batch[p.from]
		if in.Token != "" { // nobody waits for the reply any more
			l.r.replies.gone(in.Token)
			l.s.EndReply(in.Token)
			l.r.counters.lateReplies.Add(1)
			continue
		}
		if p.to.Name == core.UndeliveredQueue {
			return nil, why
		}
		instead, keep, err := l.r.refuseIn(in, why)
		if err != nil {
			return nil, err
		}
		if m, ok := p.env.Content.(*message.Message); keep && ok {
			instead = l.r.undelivered(m, in.To, why)
		}
		if keep {
			instead.from = p.from
			rest = append(rest, instead)
		}
	}
	return rest, nil
}

// rows makes rows of the ledger for those that have a name for good.
func (l *link) rows(batch []Inbound, all []placing) (rows []placing) {
	by := map[string][]uint64{}
	for i := range all {
		if in := &batch[all[i].from]; in.Source != "" {
			by[in.Source] = append(by[in.Source], in.Sequence)
		}
	}
	for source, sequences := range by {
		rows = append(rows, placing{to: l.r.ledger.queue(), env: row(source, sequences)})
	}
	return rows
}

// landed counts what is here.
func (l *link) landed(batch []Inbound, all []placing) {
	r := l.r
	bytes := int64(0)
	r.ledger.mu.Lock()
	for i := range all {
		in := &batch[all[i].from]
		if in.Source != "" {
			r.ledger.add(in.Source, in.Sequence, in.Sequence)
		}
		if in.Again {
			r.counters.redelivered.Add(1)
		}
		bytes += all[i].size
	}
	r.ledger.mu.Unlock()
	r.counters.imported.Add(uint64(len(all)))
	r.counters.importedBytes.Add(uint64(bytes))
}

// place makes what the broker is given of a message; false: it goes nowhere.
func (l *link) place(in *Inbound, mk *maker, now time.Time) (p placing, keep bool, err error) {
	r := l.r
	if in.Source != "" && r.ledger.has(in.Source, in.Sequence) {
		r.counters.duplicates.Add(1)
		return p, false, nil
	}
	if in.Token == "" && r.excepted(in.To) {
		return p, false, nil
	}
	if passed(in.Origin, r.settings.Gateway) || len(in.Origin) > MaxOrigin {
		r.counters.loopDropped.Add(1)
		r.event(core.EventTransportLoop, errLoop)
		return p, false, nil
	}
	if in.Token != "" {
		to, ok := r.replies.lookup(in.Token, now)
		if !ok {
			r.counters.lateReplies.Add(1)
			return p, false, nil
		}
		in.To = to
	}
	if in.Err != nil {
		return r.refuseIn(in, in.Err)
	}
	var m *message.Message
	if in.Message != nil {
		m, err = mk.adopt(in)
	} else {
		m, err = mk.build(in, now)
	}
	if err != nil {
		return r.refuseIn(in, err)
	}
	if !r.carriesOrigin && r.echoes.seen(in.To, m, now) {
		r.counters.loopSuspect.Add(1)
	}
	env, err := m.Envelope(m, now.UnixMilli())
	if err != nil {
		return r.refuseIn(in, err)
	}
	p.to, p.env, p.size = in.To, env, m.Size()
	return p, true, nil
}

// excepted says whether a destination is not for this transport to bring in.
func (r *Runner) excepted(to Destination) bool {
	all := r.except.Load()
	if all == nil {
		return false
	}
	return slices.ContainsFunc(*all, func(d Destination) bool {
		return d.Kind == to.Kind && (d.Name == to.Name || name.Match(d.Name, to.Name))
	})
}

// isPersistent says whether what comes for a destination is made persistent; as the message
// itself says where nobody has set it.
func (r *Runner) isPersistent(to Destination, own bool) bool {
	if to.Temporary {
		return false
	}
	switch r.importMode[to.Kind-1] {
	case "TIBEMS_PERSISTENT":
		return true
	case "":
		return own
	}
	return false
}

// newID makes a JMSMessageID for a message that has none.
func (r *Runner) newID() string {
	b := make([]byte, 0, 64)
	b = append(append(append(b, "ID:"...), r.settings.Gateway...), ':')
	b = append(append(b, r.spec.Name...), ':')
	b = append(strconv.AppendInt(b, r.began.UnixMilli(), 36), ':')
	return string(strconv.AppendUint(b, atomic.AddUint64(&r.made, 1), 10))
}
