package message

import core "github.com/tidegate/tidegate/core/message"

// Envelope is what the message's sections say of it to the broker; content is what is
// kept of it, and now in ms since 1970. Errors are DeliveryTime's.
func (m *Message) Envelope(content core.Content, now int64) (env core.Envelope, err error) {
	h := m.Header()
	env = core.Envelope{Durable: h.Durable, Priority: min(h.Priority, 9), Content: content, Marks: m.Marks()}
	if h.TTL.OK && h.TTL.V > 0 {
		env.Expires = now + int64(h.TTL.V)
	} else if at := m.AbsoluteExpiryTime(); at.OK && at.V > 0 {
		env.Expires = int64(at.V)
	}
	env.Due, err = m.DeliveryTime(now)
	return env, err
}
