package gateway

import (
	"slices"
	"strconv"
	"time"

	amqpmessage "github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

// managementNode is the node of AMQP Management (working draft 16): operations on
// manageable entities, of which there is one type here.
const managementNode = "$management"

const queueEntity = "org.amqp.queue"

// queueEntities are the names that it goes by elsewhere.
var queueEntities = []string{queueEntity, "queue", "org.apache.qpid.Queue", "org.apache.qpid.StandardQueue"}

// maxRows is how many entities one QUERY answers with.
const maxRows = 1000

// attributes of a queue, in the order in which QUERY gives them.
var attributes = []struct {
	name string
	of   func(q *core.QueueInfo) any
}{
	{"name", func(q *core.QueueInfo) any { return q.Name }},
	{"identity", func(q *core.QueueInfo) any { return q.Name }},
	{"type", func(*core.QueueInfo) any { return queueEntity }},
	{"durable", func(q *core.QueueInfo) any { return q.Lasting }},
	{"messages", func(q *core.QueueInfo) any { return uint64(q.Messages) }},
	{"bytes", func(q *core.QueueInfo) any { return uint64(q.Bytes) }},
	{"consumers", func(q *core.QueueInfo) any { return uint32(q.Consumers) }},
	{"producers", func(q *core.QueueInfo) any { return uint32(q.Producers) }},
}

// manage answers one request.
func (x *call) manage(now time.Time, b *core.Broker, fx *core.Effects) {
	answer := func(code int, text string, body any, count int) {
		r := amqpmessage.NewBuilder()
		r.SetProperty("statusCode", int32(code))
		r.SetProperty("statusDescription", text)
		if count >= 0 {
			r.SetProperty("count", int32(count))
		}
		r.SetValue(body)
		x.reply(now, b, fx, r)
	}
	refuse := func(err error) {
		code, text := statusOf(err)
		answer(code, text, nil, -1)
	}
	operation, n := x.text("operation"), x.text("name")
	if n == "" {
		n = x.text("identity")
	}
	kind := x.text("type")
	if operation == "QUERY" || kind == "" {
		kind = x.text("entityType")
	}
	if kind != "" && !slices.Contains(queueEntities, kind) && kind != "org.amqp.management" {
		answer(400, "type "+kind+" is not known: write "+queueEntity, nil, -1)
		return
	}
	switch operation {
	case "CREATE":
		created, err := x.declareQueue(now, b, fx, n, x.life())
		switch {
		case err != nil:
			refuse(err)
		case !created:
			answer(409, "queue "+n+" exists already", nil, -1)
		default:
			q, _ := b.Queue(n)
			answer(201, "Created", attributesOf(&q), -1)
		}
	case "READ":
		q, err := x.queueInfo(b, n)
		if err != nil {
			refuse(err)
			return
		}
		answer(200, "OK", attributesOf(&q), -1)
	case "DELETE":
		if _, err := x.removeQueue(now, b, fx, n); err != nil {
			refuse(err)
			return
		}
		answer(204, "No Content", wire.Map{}, -1)
	case "PURGE": // ours: the draft leaves further operations to the type
		if err := x.purgeQueue(b, n, func(then time.Time, b2 *core.Broker, fx2 *core.Effects, messages int) {
			now, b, fx = then, b2, fx2
			answer(200, "OK", wire.Map{{Key: "messages", Value: uint64(messages)}}, -1)
		}); err != nil {
			refuse(err)
		}
	case "QUERY":
		body, count := x.query(b)
		answer(200, "OK", body, count)
	case "GET-TYPES":
		answer(200, "OK", wire.Map{{Key: queueEntity, Value: wire.List{}}}, -1)
	case "GET-ATTRIBUTES":
		answer(200, "OK", wire.Map{{Key: queueEntity, Value: attributeNames()}}, -1)
	case "GET-OPERATIONS":
		answer(200, "OK", wire.Map{{Key: queueEntity, Value: wire.Map{
			{Key: "CREATE", Value: wire.List{"name", "durable"}}, {Key: "READ", Value: wire.List{"name"}}, {Key: "DELETE", Value: wire.List{"name"}}, {Key: "PURGE", Value: wire.List{"name"}},
		}}}, -1)
	case "GET-MGMT-NODES":
		answer(200, "OK", wire.List{}, -1)
	default:
		answer(501, "operation "+strconv.Quote(operation)+" is not there: CREATE, READ, DELETE, PURGE, QUERY, GET-TYPES, GET-ATTRIBUTES, GET-OPERATIONS, GET-MGMT-NODES are", nil, -1)
	}
}

// life is how long a queue that is created is to be there: for good, unless it is
// said not to be durable.
func (x *call) life() core.Declared {
	body, _ := x.m.Body()
	m, _ := body.(wire.Map)
	if v, _ := m.Get("durable"); v == false {
		return core.Fleeting
	}
	return core.Lasting
}

func attributesOf(q *core.QueueInfo) wire.Map {
	m := make(wire.Map, 0, len(attributes))
	for _, a := range attributes {
		m = append(m, wire.Entry{Key: a.name, Value: a.of(q)})
	}
	return m
}

func attributeNames() wire.List {
	names := make(wire.List, 0, len(attributes))
	for _, a := range attributes {
		names = append(names, a.name)
	}
	return names
}

// query gives rows of the attributes that are asked for, or all, of the queues that
// the user may view.
func (x *call) query(b *core.Broker) (body wire.Map, count int) {
	names := attributeNames()
	request, _ := x.m.Body()
	m, _ := request.(wire.Map)
	if v, ok := m.Get("attributeNames"); ok {
		if asked, list := v.(wire.List); list && len(asked) > 0 {
			names = names[:0]
			for _, a := range asked {
				if s, ok := wire.Text(a); ok && len(names) < len(attributes) {
					names = append(names, s)
				}
			}
		}
	}
	offset, most := x.number("offset", 0), min(x.number("count", maxRows), maxRows)
	rows := wire.List{}
	for _, q := range b.Queues() {
		if len(rows) == most {
			break
		}
		if _, err := x.queueInfo(b, q.Name); err != nil || q.Temporary {
			continue
		}
		if offset > 0 {
			offset--
			continue
		}
		row := make(wire.List, len(names))
		for i, n := range names {
			for _, a := range attributes {
				if a.name == n {
					row[i] = a.of(&q)
				}
			}
		}
		rows = append(rows, row)
	}
	return wire.Map{{Key: "attributeNames", Value: names}, {Key: "results", Value: rows}}, len(rows)
}
