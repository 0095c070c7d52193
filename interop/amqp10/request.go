package amqp10

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

const (
	// requestCredit is how many answers of a node may be under way.
	requestCredit = 50
	// maxNodes is how many nodes are asked at a time; beyond that all but $cbs are
	// closed, and attached again.
	maxNodes = 100
)

// node is where requests go: $cbs, or an entity's $management. What is not said to be
// of its own is held.
type node struct {
	s        *session
	name     string
	to, from *client.Link
	attached int // links of the two
	ready    chan struct{}
	err      error
	over     chan struct{} // closed with err
	next     uint64
	waits    map[string]chan *message.Message
}

// errNode is a node's answer that is no success.
type errNode struct {
	node, words string
	code        int64
}

func (e *errNode) Error() string {
	return fmt.Sprintf("%s answers %d: %s", e.node, e.code, e.words)
}

// openNode attaches both links. The caller holds the connection.
func (s *session) openNode(name string) *node {
	n := &node{s: s, name: name, ready: make(chan struct{}), over: make(chan struct{}), waits: map[string]chan *message.Message{}}
	back := s.t.settings.container + ":" + name
	var err, failed error
	n.to, err = s.outgoing.Attach(frame.Attach{
		Name: back + ":requests", Role: frame.RoleSender, Source: &frame.Source{Address: back}, Target: &frame.Target{Address: name},
	}, n.event, nil)
	n.from, failed = s.outgoing.Attach(frame.Attach{
		Name: back + ":answers", Role: frame.RoleReceiver, Source: &frame.Source{Address: name}, Target: &frame.Target{Address: back},
	}, n.event, nil)
	if err = errors.Join(err, failed); err != nil {
		n.end(err)
	}
	return n
}

func (n *node) end(err error) {
	if n.err == nil {
		n.err = fmt.Errorf("%s: %w", n.name, err)
		close(n.over)
	}
}

// close detaches both links.
func (n *node) close() {
	n.end(errors.New("closed"))
	for _, l := range []*client.Link{n.to, n.from} {
		if l != nil {
			l.Detach(true, nil)
		}
	}
}

// event is what the peer does on either link.
func (n *node) event(e client.Event) {
	switch e.Kind {
	case client.Attached:
		target, ok := e.Attach.Target.(*frame.Target)
		if e.Link.Sending && (!ok || target == nil) || !e.Link.Sending && e.Attach.Source == nil {
			return // the reason follows
		}
		if n.attached++; n.attached == 2 {
			n.from.Grant(requestCredit, false)
			close(n.ready)
		}
	case client.Delivered:
		n.s.outgoing.Settle(e.ID, e.ID, frame.Accepted{})
		n.from.Grant(requestCredit, false)
		m, err := message.Index(e.Payload, e.Rest, nil)
		if err != nil {
			return
		}
		id, _ := m.CorrelationID().(string)
		if w := n.waits[id]; w != nil {
			delete(n.waits, id)
			w <- &m
		}
	case client.Detached:
		if !e.Local {
			e.Link.Detach(true, nil)
		}
		n.end(refusal(e.Error))
	}
}

// call sends a request, and waits for its answer. Errors: *errNode, if it is no success.
func (n *node) call(ctx context.Context, properties wire.Map, body any) (any, error) {
	s := n.s
	select {
	case <-n.ready:
	case <-n.over:
		return nil, n.err
	case <-s.conn.Ended():
		return nil, s.conn.Err()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	answer := make(chan *message.Message, 1)
	id := ""
	err := s.conn.Do(func() {
		n.next++
		id = strconv.FormatUint(n.next, 10)
		n.waits[id] = answer
		b := message.NewBuilder()
		b.Properties.MessageID, b.Properties.To, b.Properties.ReplyTo = id, n.name, s.t.settings.container+":"+n.name
		b.ApplicationProperties = properties
		b.SetValue(body)
		s.tagged++
		n.to.Send(client.Outgoing{Tag: []byte(id), Settled: true, First: b.Append(nil)})
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.conn.Do(func() { delete(n.waits, id) }) }()
	select {
	case m := <-answer:
		return n.read(m)
	case <-n.over:
		return nil, n.err
	case <-s.conn.Ended():
		return nil, s.conn.Err()
	case <-ctx.Done():
		return nil, fmt.Errorf("%s does not answer: %w", n.name, ctx.Err())
	}
}

// read takes an answer apart. The properties' names are written in two ways.
func (n *node) read(m *message.Message) (any, error) {
	code, words := int64(0), ""
	for name, v := range m.ApplicationProperties() {
		switch name {
		case "status-code", "statusCode":
			code, _ = wire.Integer(v)
		case "status-description", "statusDescription":
			words, _ = wire.Text(v)
		}
	}
	if code < 200 || code > 299 {
		return nil, &errNode{n.name, words, code}
	}
	body, err := m.Body()
	return body, err
}
