package engine

import (
	"fmt"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/sasl"
	"github.com/tidegate/tidegate/amqp/wire"
)

// MaxSASLRounds is how many responses one login may take.
const MaxSASLRounds = 10

type saslState struct {
	exchange sasl.Exchange
	failAt   time.Time // when a refused login is told so
	why      error     // for our log; the peer is told only that it failed
	rounds   int
	passed   time.Time // when the peer logged in
}

// External says whom the peer's TLS certificate names: a server offers EXTERNAL
// for that user. Call it before the first Input.
func (c *Conn) External(user string) {
	if c.cfg.SASL == nil || user == "" {
		return
	}
	own := *c.cfg.SASL // the configuration is shared
	own.External = user
	c.cfg.SASL = &own
}

func (c *Conn) saslSend(p frame.Performative) {
	at := c.beginFrame(frame.TypeSASL, 0)
	c.out.cur = p.Append(c.out.cur)
	c.endFrame(at, 0)
}

func (c *Conn) saslOffer() {
	var m frame.SASLMechanisms
	for _, name := range c.cfg.SASL.Mechanisms() {
		m.SASLServerMechanisms = append(m.SASLServerMechanisms, wire.Symbol(name))
	}
	c.saslSend(&m)
}

func (c *Conn) saslFrame(now time.Time, body []byte) error {
	p, _, err := frame.ParseSASL(body, c.cfg.Limits)
	if err != nil {
		return c.fail(frame.ConditionDecodeError, err.Error())
	}
	if c.cfg.Client {
		return c.saslClient(p)
	}
	if !c.sasl.failAt.IsZero() {
		return nil // its answer is on the way
	}
	switch p := p.(type) {
	case *frame.SASLInit:
		if c.sasl.exchange != nil {
			return c.fail(frame.ConditionIllegalState, "a second sasl-init")
		}
		x, err := c.cfg.SASL.Start(string(p.Mechanism))
		if err != nil {
			return c.saslFailed(now, err)
		}
		c.sasl.exchange = x
		return c.saslNext(now, p.InitialResponse)
	case *frame.SASLResponse:
		if c.sasl.exchange == nil {
			return c.fail(frame.ConditionIllegalState, "a sasl-response before sasl-init")
		}
		return c.saslNext(now, p.Response)
	}
	return c.fail(frame.ConditionIllegalState, p.TypeName()+" is not the client's to send")
}

func (c *Conn) saslNext(now time.Time, response []byte) error {
	c.sasl.rounds++
	if c.sasl.rounds > MaxSASLRounds {
		return c.saslFailed(now, fmt.Errorf("%w: more than %d responses", sasl.ErrAuthentication, MaxSASLRounds))
	}
	challenge, ok, err := c.sasl.exchange.Next(response)
	switch {
	case err != nil:
		return c.saslFailed(now, err)
	case !ok:
		c.saslSend(&frame.SASLChallenge{Challenge: challenge})
		return nil
	}
	c.saslSend(&frame.SASLOutcome{Code: frame.SASLCodeOk, AdditionalData: challenge})
	c.authenticated = true
	c.user, c.proven = c.sasl.exchange.User(), c.sasl.exchange.Proven()
	c.sasl.exchange = nil
	c.sasl.passed = now
	c.phase = header
	return nil
}

// saslFailed refuses a login, after a while.
func (c *Conn) saslFailed(now time.Time, why error) error {
	c.sasl.why = why
	if c.cfg.FailureDelay > 0 {
		c.sasl.failAt = now.Add(c.cfg.FailureDelay)
		return nil
	}
	return c.saslRefuse()
}

func (c *Conn) saslRefuse() error {
	c.saslSend(&frame.SASLOutcome{Code: frame.SASLCodeAuth})
	_ = c.fail(frame.ConditionUnauthorizedAccess, "authentication failed")
	return c.sasl.why
}

// startClient writes the first header, and behind a bare one open.
func (c *Conn) startClient() {
	if c.cfg.Login != nil {
		c.out.cur = frame.Version1(frame.ProtocolSASL).Append(c.out.cur)
		return
	}
	c.authenticated = true
	c.out.cur = frame.Version1(frame.ProtocolAMQP).Append(c.out.cur)
	c.Open(nil)
}

func (c *Conn) clientHeader(id frame.ProtocolID) (int, error) {
	switch {
	case id == frame.ProtocolSASL && c.cfg.Login != nil && !c.authenticated:
		c.phase = saslFrames
	case id == frame.ProtocolAMQP && c.authenticated:
		c.phase = opening
	default:
		c.phase = done
		e := fault(frame.ConditionFramingError, fmt.Sprintf("the server wants protocol %d", id))
		c.events = append(c.events, Event{Kind: EventClose, Local: true, Error: e})
		return 8, fmt.Errorf("%s", e.Description)
	}
	return 8, nil
}

func (c *Conn) saslClient(p frame.Performative) error {
	switch p := p.(type) {
	case *frame.SASLMechanisms:
		offered := make([]string, 0, len(p.SASLServerMechanisms))
		for _, m := range p.SASLServerMechanisms {
			offered = append(offered, string(m))
		}
		mechanism, initial, err := c.cfg.Login.Start(offered)
		if err != nil {
			return c.fail(frame.ConditionUnauthorizedAccess, err.Error())
		}
		c.saslSend(&frame.SASLInit{Mechanism: wire.Symbol(mechanism), InitialResponse: initial, Hostname: c.cfg.Hostname})
		return nil
	case *frame.SASLChallenge:
		response, err := c.cfg.Login.Next(p.Challenge)
		if err != nil {
			return c.fail(frame.ConditionUnauthorizedAccess, err.Error())
		}
		c.saslSend(&frame.SASLResponse{Response: response})
		return nil
	case *frame.SASLOutcome:
		switch p.Code {
		case frame.SASLCodeOk:
		case frame.SASLCodeAuth:
			return c.fail(frame.ConditionUnauthorizedAccess, "the server refused the login: the user or the password is wrong (SASL outcome "+p.Code.String()+")")
		default:
			return c.fail(frame.ConditionUnauthorizedAccess, "the server refused the login: SASL outcome "+p.Code.String())
		}
		if err := c.cfg.Login.Finish(p.AdditionalData); err != nil {
			return c.fail(frame.ConditionUnauthorizedAccess, err.Error())
		}
		c.authenticated = true
		c.user = c.cfg.Login.User
		c.phase = header
		c.out.cur = frame.Version1(frame.ProtocolAMQP).Append(c.out.cur)
		c.Open(nil)
		return nil
	}
	return c.fail(frame.ConditionIllegalState, p.TypeName()+" is not the server's to send")
}
