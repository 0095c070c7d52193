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
	of   func(q *core.QueueView) any
}{
	{"name", func(q *core.QueueView) any { return q.Name }},
	{"identity", func(q *core.QueueView) any { return q.Name }},
	{"type", func(*core.QueueView) any { return queueEntity }},
	{"durable", func(q *core.QueueView) any { return q.Lasting || q.Static }},
	{"messages", func(q *core.QueueView) any { return uint64(q.Msgs) }},
	{"bytes", func(q *core.QueueView) any { return uint64(q.Bytes) }},
	{"consumers", func(q *core.QueueView) any { return uint32(q.Receivers) }},
	{"producers", func(q *core.QueueView) any { return uint32(q.Producers) }},
}

// manage answers one request.
func (x *call) manage(now time.Time, b *core.Broker, fx *core.Effects) {
	answerIn := func(now time.Time, b *core.Broker, fx *core.Effects, code int, text string, body any, count int) {
		r := amqpmessage.NewBuilder()
		r.SetProperty("statusCode", int32(code))
		r.SetProperty("statusDescription", text)
		if count >= 0 {
			r.SetProperty("count", int32(count))
		}
		r.SetValue(body)
		x.reply(now, b, fx, r)
	}
	answer := func(code int, text string, body any, count int) { answerIn(now, b, fx, code, text, body, count) }
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
			q, _ := b.QueueView(n)
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
		if err := x.purgeQueue(b, n, func(then time.Time, b *core.Broker, fx *core.Effects, messages int) {
			answerIn(then, b, fx, 200, "OK", wire.Map{{Key: "messages", Value: uint64(messages)}}, -1)
		}); err != nil {
			refuse(err)
		}
	case "QUERY":
		x.query(func(then time.Time, b *core.Broker, fx *core.Effects, body wire.Map, count int) {
			answerIn(then, b, fx, 200, "OK", body, count)
		})
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

func attributesOf(q *core.QueueView) wire.Map {
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

// querySlice is how many queues are looked at in one step.
const querySlice = 4096

// query gives rows of the attributes that are asked for, or all, of the queues that
// the user may view, from the newest on. It looks at them slice by slice; done runs
// within the last step.
func (x *call) query(done func(now time.Time, b *core.Broker, fx *core.Effects, body wire.Map, count int)) {
	names := x.askedAttributes()
	offset, most := x.number("offset", 0), min(x.number("count", maxRows), maxRows)
	rows := wire.List{}
	var views []core.QueueView
	cursor := 0
	x.later(func() {
		for more := true; more; {
			x.c.b.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
				views, cursor = b.QueueViews(views[:0], cursor, querySlice, func(n string) bool {
					_, err := x.queueInfo(b, n)
					return err == nil
				})
				skip := min(offset, len(views))
				offset -= skip
				for i := skip; i < len(views) && len(rows) < most; i++ {
					rows = append(rows, rowOf(&views[i], names))
				}
				if more = cursor != 0 && len(rows) < most; !more {
					x.records = len(fx.Records)
					done(now, b, fx, wire.Map{{Key: "attributeNames", Value: names}, {Key: "results", Value: rows}}, len(rows))
				}
			})
		}
	})
}

// askedAttributes are those that a QUERY names, or all.
func (x *call) askedAttributes() wire.List {
	request, _ := x.m.Body()
	m, _ := request.(wire.Map)
	v, _ := m.Get("attributeNames")
	asked, _ := v.(wire.List)
	names := wire.List{}
	for _, a := range asked {
		if s, ok := wire.Text(a); ok && len(names) < len(attributes) {
			names = append(names, s)
		}
	}
	if len(names) == 0 {
		return attributeNames()
	}
	return names
}

func rowOf(q *core.QueueView, names wire.List) wire.List {
	row := make(wire.List, len(names))
	for i, n := range names {
		for _, a := range attributes {
			if a.name == n {
				row[i] = a.of(q)
			}
		}
	}
	return row
}
