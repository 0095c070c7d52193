package engine

import (
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
)

// Deadline is when Tick wants to be called; zero: not at all.
func (c *Conn) Deadline() time.Time {
	var at time.Time
	sooner := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	if c.phase == done {
		return at
	}
	if !c.sasl.failAt.IsZero() {
		sooner(c.sasl.failAt)
	}
	if c.phase < opened {
		sooner(c.openBy())
	}
	if c.phase == closing { // nothing else is done any more
		from := c.closedAt
		if from.IsZero() { // not written yet
			if from = c.lastIn; from.Before(c.lastOut) {
				from = c.lastOut
			}
		}
		return from.Add(CloseTimeOut)
	}
	if !c.expires.IsZero() {
		sooner(c.expires)
	}
	if c.openSent {
		if c.out.large() {
			sooner(c.lastOut.Add(quietTime))
		}
		if c.peerIdle > 0 {
			sooner(c.lastOut.Add(c.heartbeat()))
		}
		if c.cfg.IdleTimeOut > 0 {
			sooner(c.lastIn.Add(2 * c.cfg.IdleTimeOut))
		}
	}
	return at
}

// openBy is when a peer that has not opened is given up.
func (c *Conn) openBy() time.Time {
	if c.sasl.passed.IsZero() {
		return c.began.Add(c.cfg.AuthTimeOut)
	}
	return c.sasl.passed.Add(c.cfg.OpenTimeOut)
}

// heartbeat: at half of what the peer allows (reference 1.7).
func (c *Conn) heartbeat() time.Duration { return max(c.peerIdle/2, minHeartbeat) }

// Heard says at now that the peer is not silent: whoever drives the connection
// does not read for a while.
func (c *Conn) Heard(now time.Time) { c.lastIn = now }

// Probe asks at now whether the peer is still there, because another wants its
// container-id. One that was silent for as long as it was told to be at most is
// closed; the network of one that is gone answers an empty frame with a reset.
func (c *Conn) Probe(now time.Time) {
	switch idle := c.cfg.IdleTimeOut; {
	case !c.openSent || c.phase != opened:
	case idle > 0 && !now.Before(c.lastIn.Add(idle)):
		c.Close(fault(frame.ConditionResourceLimitExceeded, "nothing was received for "+idle.String()+", and another connection asks for the container-id"))
	case !c.Pending():
		c.empty()
	}
}

func (c *Conn) empty() {
	at := c.beginFrame(frame.TypeAMQP, 0)
	c.endFrame(at, 0)
}

// Expire makes the connection end at at, unless it is called again; zero: it does
// not. It is for a peer whose rights are yet to come.
func (c *Conn) Expire(at time.Time) { c.expires = at }

// Tick does what is due at now; it may bring events.
func (c *Conn) Tick(now time.Time) error {
	c.events = c.events[:0]
	if c.phase == done {
		return nil
	}
	if !c.sasl.failAt.IsZero() && !now.Before(c.sasl.failAt) {
		return c.saslRefuse()
	}
	if c.phase < opened && !now.Before(c.openBy()) {
		if c.authenticated {
			return c.fail(frame.ConditionResourceLimitExceeded, "no open came in time")
		}
		return c.fail(frame.ConditionUnauthorizedAccess, "not authenticated in time")
	}
	if c.phase == closing && !c.closedAt.IsZero() && !now.Before(c.closedAt.Add(CloseTimeOut)) {
		c.phase = done
		return nil
	}
	if c.phase == closing && c.closedAt.IsZero() {
		c.closedAt = now
	}
	if !c.openSent || c.phase > opened {
		return nil
	}
	if !c.expires.IsZero() && !now.Before(c.expires) {
		return c.fail(frame.ConditionUnauthorizedAccess, "no token came in time")
	}
	if c.out.large() && !now.Before(c.lastOut.Add(quietTime)) {
		c.out.rest()
	}
	if c.cfg.IdleTimeOut > 0 && !now.Before(c.lastIn.Add(2*c.cfg.IdleTimeOut)) {
		return c.fail(frame.ConditionResourceLimitExceeded, "local-idle-timeout expired: nothing was received for "+(2*c.cfg.IdleTimeOut).String())
	}
	if c.peerIdle > 0 && !now.Before(c.lastOut.Add(c.heartbeat())) && !c.Pending() {
		c.empty()
	}
	return nil
}
