package amqp10

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/jms"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/interop"
)

// probeTime bounds one question of a probe; a peer that does not answer in time has not
// answered.
const probeTime = 3 * time.Second

// Answer is what a probe found.
type Answer string

// The answers.
const (
	Unknown Answer = "unknown" // it could not be found out
	Yes     Answer = "yes"
	No      Answer = "no"
	Silent  Answer = "ignored silently" // the peer says yes, and does not do it
)

// Probe is what a peer can do, as it says and as it was seen to do. It is found out on a
// connection of its own, with nodes that the peer makes and destroys with it.
type Probe struct {
	Product     string   `json:"product"`
	Version     string   `json:"version"`
	Offered     []string `json:"offered,omitempty"` // capabilities
	MaxFrame    uint32   `json:"maxFrame"`
	IdleTimeOut uint32   `json:"idleTimeOut"`              // ms
	MaxMessage  uint64   `json:"maxMessageSize,omitempty"` // bytes; 0: it names no limit
	Dynamic     Answer   `json:"dynamicNodes"`             // for replies
	Selector    Answer   `json:"selectorFilter"`
	Copy        Answer   `json:"distributionModeCopy"` // browsing; Silent: it consumes
	Durable     Answer   `json:"durableHeader"`        // comes back as it went
	TTL         Answer   `json:"ttl"`                  // expired messages are not delivered
	Exact       Answer   `json:"byteExact"`            // the bare message comes back as it went
	Note        string   `json:"note,omitempty"`       // what kept it from finding out more
}

// Notes are what an operator should know of a peer.
func (p *Probe) Notes() (all []string) {
	name := p.Product
	if name == "" {
		name = "the peer"
	}
	say := func(when bool, text string) {
		if when {
			all = append(all, name+" "+text)
		}
	}
	say(p.Dynamic == No, "makes no dynamic nodes: replies to temporary destinations do not come back")
	say(p.Selector == Silent, "confirms selectors and ignores them: do not rely on filters there")
	say(p.Selector == No, "has no selectors")
	say(p.Copy == Silent, "confirms distribution-mode copy and consumes all the same: browsing there destroys messages")
	say(p.Durable == No, "loses the durable flag of messages")
	say(p.TTL == No, "does not heed the time to live of messages")
	say(p.Exact == No, "changes messages on their way through")
	say(p.MaxMessage > 0, fmt.Sprintf("takes messages of up to %d bytes", p.MaxMessage))
	return all
}

// Run finds out what the broker at a URL of a transport's settings can do.
func Run(ctx context.Context, s interop.Settings) (Probe, error) {
	made, err := read(&s, false)
	if err != nil {
		return Probe{}, err
	}
	t := &transport{settings: made}
	var failed error
	for _, u := range made.urls {
		p, err := t.probe(ctx, u)
		if err == nil {
			return p, nil
		}
		failed = errors.Join(failed, err)
	}
	return Probe{}, failed
}

// probeOnce probes a peer beside the session, the first time that it is met.
func (t *transport) probeOnce(s *session, url string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.settings.azure || t.probed == s.peer.name() {
		return
	}
	t.probed = s.peer.name()
	s.over.Go(func() {
		p, err := t.probe(s.ctx, url)
		if err != nil {
			if s.ctx.Err() == nil {
				s.sink.Note("what the peer can do was not found out: " + err.Error())
			}
			return
		}
		for _, n := range p.Notes() {
			s.sink.Note(n)
		}
	})
}

// probe connects and asks.
func (t *transport) probe(ctx context.Context, url string) (p Probe, err error) {
	ctx, cancel := context.WithTimeout(ctx, 4*probeTime)
	defer cancel()
	conn, err := t.dial(ctx, url, "-probe")
	if err != nil {
		return p, err
	}
	defer func() { _ = conn.Close() }()
	said := meet(conn.Peer(), false)
	p = Probe{
		Product: said.product, Version: said.version, MaxFrame: said.maxFrame, IdleTimeOut: said.idle,
		Dynamic: Unknown, Selector: Unknown, Copy: Unknown, Durable: Unknown, TTL: Unknown, Exact: Unknown,
	}
	for _, c := range said.offered {
		p.Offered = append(p.Offered, string(c))
	}
	b := &bench{conn: conn}
	if b.session, err = conn.Begin(ctx, func(why error) { b.over = why }); err != nil {
		return p, err
	}
	if err := b.ask(ctx, &p); err != nil {
		p.Note = err.Error()
	}
	return p, nil
}

// ask goes through the questions, each with a node of its own.
func (b *bench) ask(ctx context.Context, p *Probe) error {
	for _, step := range []func(context.Context, *Probe) error{b.askPlain, b.askSelector, b.askCopy, b.askTTL} {
		within, cancel := context.WithTimeout(ctx, probeTime)
		err := step(within, p)
		cancel()
		if err != nil {
			return err
		}
		if p.Dynamic == No {
			return nil
		}
	}
	return nil
}

// askPlain sends a message round: does it come back as it went?
func (b *bench) askPlain(ctx context.Context, p *Probe) error {
	r, to, err := b.road(ctx, nil)
	if r == nil {
		if err == nil {
			p.Dynamic = No
		}
		return err
	}
	defer r.close()
	defer to.close()
	p.Dynamic = Yes
	p.MaxMessage = to.most
	sent := question("plain", 0)
	if err := to.send(ctx, sent); err != nil {
		return err
	}
	got, err := r.next(ctx, 1)
	if err != nil {
		return err
	}
	p.Durable, p.Exact = yes(got.Header().Durable), yes(string(bareOf(got)) == string(bareOf(sent)))
	return nil
}

// askSelector looks whether what a selector excludes stays away. A message behind it,
// which it lets pass, shows that it would have come.
func (b *bench) askSelector(ctx context.Context, p *Probe) error {
	filter := wire.Map{{Key: wire.Symbol("jms-selector"), Value: wire.Described{Descriptor: uint64(0x0000468C00000004), Value: "wanted = 'yes'"}}}
	r, to, err := b.road(ctx, &frame.Source{Filter: filter})
	if r == nil {
		return err
	}
	defer r.close()
	defer to.close()
	if err := errors.Join(to.send(ctx, question("no", 0)), to.send(ctx, question("yes", 0))); err != nil {
		return err
	}
	got, err := r.next(ctx, 2)
	if err != nil {
		return err
	}
	wanted, _ := got.ApplicationProperty("wanted")
	switch {
	case wanted == "yes":
		p.Selector = Yes
	case len(r.filter) > 0:
		p.Selector = Silent
	default:
		p.Selector = No
	}
	return nil
}

// askCopy looks whether a message is there still when it was looked at.
func (b *bench) askCopy(ctx context.Context, p *Probe) error {
	r, to, err := b.road(ctx, nil)
	if r == nil {
		return err
	}
	defer r.close()
	defer to.close()
	if err := to.send(ctx, question("copy", 0)); err != nil {
		return err
	}
	browser, err := b.receiver(ctx, &frame.Source{Address: r.address, DistributionMode: "copy", Capabilities: []wire.Symbol{jms.CapabilityQueue}})
	if err != nil || browser == nil {
		p.Copy = No
		return nil
	}
	echoed := browser.mode == "copy"
	_, err = browser.next(ctx, 1)
	browser.close()
	if err != nil {
		return err
	}
	if err := to.send(ctx, question("behind", 0)); err != nil {
		return err
	}
	got, err := r.next(ctx, 1)
	if err != nil {
		return err
	}
	there, _ := got.ApplicationProperty("wanted")
	switch {
	case there == "copy" && echoed:
		p.Copy = Yes
	case echoed:
		p.Copy = Silent
	default:
		p.Copy = No
	}
	return nil
}

// askTTL looks whether a message comes whose time is over, when one behind it does.
func (b *bench) askTTL(ctx context.Context, p *Probe) error {
	r, to, err := b.road(ctx, nil)
	if r == nil {
		return err
	}
	defer r.close()
	defer to.close()
	if err := to.send(ctx, question("short", 1)); err != nil {
		return err
	}
	over := time.NewTimer(50 * time.Millisecond) // its time
	defer over.Stop()
	select {
	case <-over.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := to.send(ctx, question("long", 0)); err != nil {
		return err
	}
	got, err := r.next(ctx, 2)
	if err != nil {
		return err
	}
	which, _ := got.ApplicationProperty("wanted")
	p.TTL = yes(which == "long")
	return nil
}

func yes(b bool) Answer {
	if b {
		return Yes
	}
	return No
}

// question is a message of a probe.
func question(wanted string, ttl uint32) *message.Message {
	b := message.NewBuilder()
	b.Header.Durable = true
	if ttl > 0 {
		b.Header.TTL = wire.Some(ttl)
	}
	b.Properties.MessageID = "ID:tidegate-probe"
	b.SetProperty("wanted", wanted)
	b.SetText("a probe of tidegate: to be ignored")
	return b.Message()
}

// bareOf is a message's bytes behind its header and annotations.
func bareOf(m *message.Message) (all []byte) {
	pieces := m.Pieces(nil)
	at, err := message.SkipAnnotations(pieces[0], pieces[1:], m.Offset())
	if err != nil {
		return nil
	}
	for _, p := range pieces {
		all = append(all, p...)
	}
	return all[at:]
}
