package amqp091

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

// used says that something is there already, otherwise than it would be made.
type used struct {
	what string
	why  error
}

func (u *used) Error() string {
	return fmt.Sprintf("%s is there with other properties, and is used as it is: %v", u.what, u.why)
}

// declare makes something, or uses what is there: *used says that it is not the same.
func (c *connection) declare(what string, make, look func(ch *amqp.Channel) error) error {
	err := c.try(make)
	if err == nil {
		return nil
	}
	if n := code(err); n != amqp.PreconditionFailed && n != amqp.AccessRefused && n != amqp.ResourceLocked {
		return fmt.Errorf("declaring %s: %w", what, explain(err))
	}
	if c.try(look) != nil {
		return fmt.Errorf("declaring %s: %w", what, explain(err))
	}
	return &used{what, err}
}

// declareExchange makes the exchange of topics.
func (c *connection) declareExchange(name string) error {
	return c.declare("exchange "+name,
		func(ch *amqp.Channel) error {
			return ch.ExchangeDeclare(name, amqp.ExchangeTopic, true, false, false, false, nil)
		},
		func(ch *amqp.Channel) error {
			return ch.ExchangeDeclarePassive(name, amqp.ExchangeTopic, true, false, false, false, nil)
		})
}

// declareQueue makes a durable queue.
func (c *connection) declareQueue(name string, args amqp.Table) error {
	return c.declare("queue "+name,
		func(ch *amqp.Channel) error {
			_, err := ch.QueueDeclare(name, true, false, false, false, args)
			return err
		},
		func(ch *amqp.Channel) error {
			_, err := ch.QueueDeclarePassive(name, true, false, false, false, nil)
			return err
		})
}
