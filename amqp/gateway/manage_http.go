package gateway

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	amqpmessage "github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

// managementPair is where RabbitMQ's AMQP 1.0 clients manage: requests and answers
// in the manner of HTTP over a pair of links (reference 4.2).
const managementPair = "/management"

// linkPair is what the connection offers where that is answered, and the property
// of each of the two links.
const (
	linkPair wire.Symbol = "LINK_PAIR_V1_0"
	paired   wire.Symbol = "paired"
)

// http answers one request: `to` is the path, `subject` the method.
func (x *call) http(now time.Time, b *core.Broker, fx *core.Effects) {
	path, _, _ := strings.Cut(x.m.To(), "?")
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i := range segments {
		s, err := url.PathUnescape(segments[i])
		if err != nil {
			x.answerHTTP(now, b, fx, 400, path+" is not percent-encoded")
			return
		}
		segments[i] = s
	}
	method := x.m.Subject()
	switch {
	case segments[0] == "queues" && len(segments) == 2 && segments[1] != "":
		x.httpQueue(now, b, fx, method, segments[1])
	case segments[0] == "queues" && len(segments) == 3 && segments[2] == "messages" && method == "DELETE":
		err := x.purgeQueue(b, segments[1], func(now time.Time, b *core.Broker, fx *core.Effects, messages int) {
			x.answerHTTP(now, b, fx, 200, wire.Map{{Key: "message_count", Value: uint64(messages)}})
		})
		if err != nil {
			x.refuseHTTP(now, b, fx, err)
		}
	case segments[0] == "auth" && len(segments) == 2 && segments[1] == "tokens" && method == "PUT":
		body, _ := x.m.Body()
		if err := x.c.show(now, b, fx, body); err != nil {
			x.answerHTTP(now, b, fx, 401, err.Error())
			return
		}
		x.answerHTTP(now, b, fx, 204, nil)
	case segments[0] == "bindings" && method == "GET":
		x.answerHTTP(now, b, fx, 200, wire.List{})
	case segments[0] == "exchanges" || segments[0] == "bindings":
		x.answerHTTP(now, b, fx, 400, "there are no exchanges here: publish to /topics/NAME or /queues/NAME")
	default:
		x.answerHTTP(now, b, fx, 404, "there is nothing to "+method+" at "+path)
	}
}

func (x *call) httpQueue(now time.Time, b *core.Broker, fx *core.Effects, method, n string) {
	switch method {
	case "PUT":
		body, _ := x.m.Body()
		m, _ := body.(wire.Map)
		asked := func(key string) bool {
			v, _ := m.Get(key)
			yes, _ := v.(bool)
			return yes
		}
		if asked("exclusive") {
			x.answerHTTP(now, b, fx, 400, "a queue is not exclusive to its connection here: ask for a dynamic node, or leave it out")
			return
		}
		life := core.Fleeting
		switch {
		case asked("auto_delete"):
			life = core.Passing
		case asked("durable"):
			life = core.Lasting
		}
		created, err := x.declareQueue(now, b, fx, n, life)
		if err != nil {
			x.refuseHTTP(now, b, fx, err)
			return
		}
		code := 200
		if created {
			code = 201
		}
		q, _ := b.QueueView(n)
		x.answerHTTP(now, b, fx, code, x.httpInfo(q, life == core.Passing))
	case "GET":
		q, err := x.queueInfo(b, n)
		if err != nil {
			x.refuseHTTP(now, b, fx, err)
			return
		}
		x.answerHTTP(now, b, fx, 200, x.httpInfo(q, false))
	case "DELETE":
		messages, err := x.removeQueue(now, b, fx, n)
		if err != nil && !isKind(err, core.NotFound) { // deleting twice is no mistake there
			x.refuseHTTP(now, b, fx, err)
			return
		}
		x.answerHTTP(now, b, fx, 200, wire.Map{{Key: "message_count", Value: uint64(messages)}})
	default:
		x.answerHTTP(now, b, fx, 405, "a queue takes PUT, GET and DELETE, not "+method)
	}
}

// httpInfo is a queue as RabbitMQ describes one.
func (x *call) httpInfo(q core.QueueView, autoDelete bool) wire.Map {
	node := x.c.g.o.ContainerID
	return wire.Map{
		{Key: "name", Value: q.Name},
		{Key: "vhost", Value: "/"},
		{Key: "durable", Value: q.Lasting || q.Static},
		{Key: "auto_delete", Value: autoDelete},
		{Key: "exclusive", Value: false},
		{Key: "type", Value: "classic"},
		{Key: "arguments", Value: wire.Map{}},
		{Key: "leader", Value: node},
		{Key: "replicas", Value: wire.Array{Constructor: 0xa1, Values: []any{node}}},
		{Key: "message_count", Value: uint64(q.Msgs)},
		{Key: "consumer_count", Value: uint32(q.Receivers)},
	}
}

func (x *call) refuseHTTP(now time.Time, b *core.Broker, fx *core.Effects, err error) {
	code, text := statusOf(err)
	x.answerHTTP(now, b, fx, code, text)
}

func (x *call) answerHTTP(now time.Time, b *core.Broker, fx *core.Effects, code int, body any) {
	r := amqpmessage.NewBuilder()
	r.Properties.Subject = strconv.Itoa(code)
	r.SetProperty("http:response", "1.1")
	r.SetValue(body)
	x.reply(now, b, fx, r)
}
