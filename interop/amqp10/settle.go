package amqp10

import (
	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/interop"
)

// arrival is a message that came, as its frames lie.
type arrival struct {
	number  uint32 // of its receiver
	id      uint32 // delivery-id
	settled bool
	first   []byte
	rest    [][]byte
	to      interop.Destination
	token   string
	tag     wire.UUID // Service Bus: the lock's token
}

// Tags are the receiver's number and the delivery-id. The highest bit says that the peer
// had settled the message before.
const settledBit = 1 << 63

// inbound makes what the sink is given.
func (s *session) inbound(all []arrival) []interop.Inbound {
	out := make([]interop.Inbound, len(all))
	messages := make([]message.Message, len(all))
	for i := range all {
		a, in, m := &all[i], &out[i], &messages[i]
		in.Tag, in.To, in.Token = uint64(a.number)<<32|uint64(a.id), a.to, a.token
		if a.settled {
			in.Tag |= settledBit
		}
		if err := m.Index(a.first, a.rest, nil); err != nil {
			in.Err, in.Raw = err, joined(a)
			continue
		}
		in.Message = m
		in.Again = m.Header().DeliveryCount > 0
		if m.HasAnnotation(interop.AnnotationOrigin) {
			v, _ := m.Annotation(interop.AnnotationOrigin)
			in.Origin, _ = wire.Text(v)
		}
		if s.azure != nil {
			s.azure.arrived(a, m)
		}
	}
	return out
}

func joined(a *arrival) []byte {
	all := append([]byte(nil), a.first...)
	for _, p := range a.rest {
		all = append(all, p...)
	}
	return all
}

// Settle answers what came, runs of one answer by one frame.
func (s *session) Settle(all []interop.Settlement) {
	_ = s.conn.Do(func() { // if it has ended, all comes again
		for i := 0; i < len(all); {
			n := 1
			for i+n < len(all) && all[i+n].Outcome == all[i].Outcome && all[i+n].Tag == all[i].Tag+uint64(n) && uint32(all[i+n].Tag) != 0 {
				n++
			}
			s.settle(all[i], n)
			i += n
		}
	})
}

// settle answers n deliveries of one receiver, of which first is the first.
func (s *session) settle(first interop.Settlement, n int) {
	number := uint32(first.Tag &^ settledBit >> 32)
	r := s.receivers[number]
	if r == nil {
		return // the link is over: it comes again
	}
	r.unsettled -= n
	if first.Tag&settledBit == 0 {
		from := uint32(first.Tag)
		r.session().Settle(from, from+uint32(n)-1, answer(first.Outcome))
		if s.azure != nil {
			s.azure.settled(number, from, n)
		}
	}
	r.grant()
}

// session is the AMQP session that the link is of.
func (r *receiver) session() *client.Session {
	if r.token != "" {
		return r.s.answering
	}
	return r.s.incoming
}

// answer is the outcome as AMQP has it.
func answer(o interop.Outcome) frame.DeliveryState {
	switch o {
	case interop.Again:
		return &frame.Modified{DeliveryFailed: true}
	case interop.Refused:
		return &frame.Rejected{Error: &frame.Error{Condition: frame.ConditionNotAllowed, Description: "the gateway cannot take it"}}
	}
	return frame.Accepted{}
}
