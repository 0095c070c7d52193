package main

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/Azure/go-amqp"
	"github.com/nats-io/nats.go"
	"github.com/rabbitmq/amqp091-go"
)

// Three programs outside, which know nothing of JMS: each takes orders, tells of them,
// and answers to the address that came with them.

// answer is what each says.
func answer(where, order string) string { return where + " took " + order }

// onNATS is a plain subscriber.
func onNATS(url string, tell func(seen)) (end func(), err error) {
	c, err := nats.Connect(url)
	if err != nil {
		return nil, err
	}
	_, err = c.Subscribe(topic, func(m *nats.Msg) {
		s := seen{
			where: "NATS", id: m.Header.Get("JMS-Message-Id"), kind: m.Header.Get("JMS-Type"), correlation: m.Header.Get("JMS-Correlation-Id"),
			priority: int(whole(m.Header.Get("JMS-Priority"), 32)), properties: map[string]any{},
			body: body(m.Header.Get("JMS-Body"), m.Data), note: string(m.Data),
		}
		for n := range m.Header { // order: irrelevant
			if name, ok := strings.CutPrefix(n, "JMSP-"); ok {
				s.properties[name] = property(m.Header.Get(n))
			}
		}
		reply := nats.NewMsg(m.Reply)
		reply.Header.Set("JMS-Correlation-Id", s.correlation)
		reply.Data = []byte(answer(s.where, s.correlation))
		if err := c.PublishMsg(reply); err != nil {
			s.note += "; answering: " + err.Error()
		}
		tell(s)
	})
	if err == nil {
		err = c.Flush() // the server knows of it
	}
	return c.Close, err
}

// onRabbitMQ is a consumer of a queue that is bound to the exchange of the topics.
func onRabbitMQ(url string, tell func(seen)) (end func(), err error) {
	c, err := amqp091.Dial(url)
	if err != nil {
		return nil, err
	}
	end = func() { _ = c.Close() }
	ch, err := c.Channel()
	if err != nil {
		return end, err
	}
	if err := ch.ExchangeDeclare("ems.topic", "topic", true, false, false, false, nil); err != nil {
		return end, err
	}
	q, err := ch.QueueDeclare("", false, true, true, false, nil)
	if err != nil {
		return end, err
	}
	if err := ch.QueueBind(q.Name, topic, "ems.topic", false, nil); err != nil {
		return end, err
	}
	all, err := ch.Consume(q.Name, "", true, true, false, false, nil)
	if err != nil {
		return end, err
	}
	go func() {
		for d := range all {
			kind, _ := d.Headers["JMS-Body"].(string)
			s := seen{
				where: "RabbitMQ", id: d.MessageId, kind: d.Type, correlation: d.CorrelationId, priority: int(d.Priority),
				properties: map[string]any{}, body: body(kind, d.Body), note: string(d.Body),
			}
			for n, v := range d.Headers { // order: irrelevant
				if !strings.HasPrefix(n, "JMS-") && !strings.HasPrefix(n, "Ems-") {
					s.properties[n] = v
				}
			}
			reply := amqp091.Publishing{CorrelationId: d.CorrelationId, ContentType: "text/plain", Body: []byte(answer(s.where, s.correlation))}
			if err := ch.PublishWithContext(context.Background(), "", d.ReplyTo, false, false, reply); err != nil {
				s.note += "; answering: " + err.Error()
			}
			tell(s)
		}
	}()
	return end, nil
}

// onArtemis is a subscriber of AMQP 1.0 to Artemis's topic.
func onArtemis(ctx context.Context, url string, tell func(seen)) (end func(), err error) {
	c, err := amqp.Dial(ctx, url, nil)
	if err != nil {
		return nil, err
	}
	end = func() { _ = c.Close() }
	session, err := c.NewSession(ctx, nil)
	if err != nil {
		return end, err
	}
	r, err := session.NewReceiver(ctx, topic, &amqp.ReceiverOptions{SourceCapabilities: []string{"topic"}, Credit: 10})
	if err != nil {
		return end, err
	}
	go func() {
		for {
			m, err := r.Receive(ctx, nil)
			if err != nil {
				return
			}
			s := seenByAMQP(m)
			if err := r.AcceptMessage(ctx, m); err != nil {
				s.note += "; accepting: " + err.Error()
			}
			if err := answerByAMQP(ctx, session, m, answer(s.where, s.correlation)); err != nil {
				s.note += "; answering: " + err.Error()
			}
			tell(s)
		}
	}()
	return end, nil
}

func seenByAMQP(m *amqp.Message) seen {
	s := seen{where: "Artemis", properties: map[string]any{}, body: m.Value, note: fmt.Sprint(m.Value)}
	maps.Copy(s.properties, m.ApplicationProperties)
	if m.Header != nil {
		s.priority = int(m.Header.Priority)
	}
	if p := m.Properties; p != nil {
		s.id, _ = p.MessageID.(string)
		s.correlation, _ = p.CorrelationID.(string)
		if p.Subject != nil {
			s.kind = *p.Subject
		}
	}
	if loose, ok := m.Value.(map[any]any); ok {
		typed := map[string]any{}
		for n, v := range loose { // order: irrelevant
			typed[fmt.Sprint(n)] = v
		}
		s.body = typed
	}
	return s
}

func answerByAMQP(ctx context.Context, session *amqp.Session, m *amqp.Message, text string) error {
	if m.Properties == nil || m.Properties.ReplyTo == nil {
		return fmt.Errorf("it has no address for replies")
	}
	to, err := session.NewSender(ctx, *m.Properties.ReplyTo, nil)
	if err != nil {
		return err
	}
	defer to.Close(ctx)
	return to.Send(ctx, &amqp.Message{Properties: &amqp.MessageProperties{CorrelationID: m.Properties.CorrelationID}, Value: text}, nil)
}
