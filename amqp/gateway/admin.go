package gateway

import (
	"encoding/json"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	amqpmessage "github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/message"
)

// adminAddress takes administrative requests (ems 10.7): a message with the
// application property `operation`, answered at its reply-to with JSON text.
const adminAddress = "$sys.admin"

func (c *conn) adminRequest(now time.Time, b *core.Broker, fx *core.Effects, p *producer, e *engine.Event, s send) {
	operation, _ := s.m.ApplicationProperty("operation")
	var result any
	switch operation {
	case "show queues":
		result = b.Queues()
	case "show topics":
		result = b.Topics()
	case "show dropped":
		result = b.Drops()
	default:
		c.refuseSend(now, b, fx, p, e, core.Send{}, amqpError(&core.Error{Op: "administer", Kind: core.NotFound, Name: "operation"}))
		return
	}
	text, err := json.Marshal(result)
	if err != nil {
		panic("gateway: a list cannot be encoded: " + err.Error())
	}
	reply := amqpmessage.NewBuilder()
	reply.SetText(string(text))
	reply.Properties.CorrelationID = s.m.MessageID()
	reply.Properties.To = s.m.ReplyTo()
	d, err := resolve(b, s.m.ReplyTo(), nil)
	if err != nil {
		c.refuseSend(now, b, fx, p, e, core.Send{}, amqpError(err))
		return
	}
	m := reply.Message()
	b.PublishTo(now, p.id, d, core.Send{Tag: uint64(e.ID), Settled: e.Settled}, message.Envelope{Priority: 4, Content: m}, fx)
}
