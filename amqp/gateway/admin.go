package gateway

import (
	"errors"
	"strconv"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	amqpmessage "github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin"
	"github.com/tidegate/tidegate/core/message"
)

// adminAddress takes administrative requests (ems 10.7, docs/admin-protocol.md): a
// message with JSON text, answered at its reply-to.
const adminAddress = "$sys.admin"

// maxUnread is how many bytes may wait where a request wants its answer.
const maxUnread = 32 << 20

// adminRequest hands a request on. The message is accepted once it is begun; what
// comes of it is in the reply. Requests and replies go through while disk or
// memory is full.
func (c *conn) adminRequest(now time.Time, b *core.Broker, fx *core.Effects, p *producer, e *engine.Event, s send) {
	fail := func(err error) {
		condition := conditions[admin.KindOf(err)]
		c.refuseSend(now, b, fx, p, e, core.Send{}, &frame.Error{Condition: condition, Description: err.Error()})
	}
	if c.g.o.Admin == nil {
		fail(&core.Error{Op: "administer", Kind: core.NotFound, Name: adminAddress, Err: errors.New("this server has no administration")})
		return
	}
	text, ok := s.m.Text()
	if !ok {
		fail(&core.Error{Op: "administer", Kind: core.Invalid, Name: adminAddress, Err: errors.New("a request is a text message")})
		return
	}
	to, err := resolve(b, s.m.ReplyTo(), nil)
	if err != nil {
		fail(err)
		return
	}
	if v, ok := b.QueueView(to.Name); to.Kind != core.Queue || ok && v.Bytes > maxUnread {
		// Answers pass the limits of memory: who does not read them gets no more.
		why, kind := "its reply-to must be a queue", core.Invalid
		if ok {
			why, kind = "answers of "+strconv.FormatInt(v.Bytes, 10)+" bytes wait at its reply-to: read them first", core.Limit
		}
		fail(&core.Error{Op: "administer", Kind: kind, Name: s.m.ReplyTo(), Err: errors.New(why)})
		return
	}
	id, address := s.m.MessageID(), s.m.ReplyTo()
	user := c.user
	if c.stranger {
		user = ""
	}
	err = c.g.o.Admin.Serve(user, c.b.ID(), []byte(text), func(part []byte) { c.adminReply(p, to, address, id, part) })
	if err != nil {
		fail(err)
		return
	}
	if !e.Settled {
		fx.Outs = append(fx.Outs, core.Out{Kind: core.OutSettled, Conn: c.b.ID(), Producer: p.id, Tag: uint64(e.ID)})
	}
}

// adminReply publishes a part of a reply, from the request's own goroutine.
func (c *conn) adminReply(p *producer, to core.Destination, address string, request any, text []byte) {
	reply := amqpmessage.NewBuilder()
	reply.SetText(string(text))
	reply.Properties.CorrelationID = request
	reply.Properties.To = address
	m := reply.Message()
	c.b.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		if b.Exists(to) { // else the asker is gone
			b.PublishTo(now, p.id, to, core.Send{Settled: true, Reserve: true}, message.Envelope{Priority: 4, Content: m}, fx)
		}
	})
}
