// Package amqp091 is the transport to RabbitMQ and whatever else speaks AMQP 0-9-1
// (type amqp091 of transports.conf). Topics go to an exchange of type topic with their
// names as routing keys, queues go to the queue of the same name by the default
// exchange. What goes out is done with when the broker has confirmed it (basic.ack of
// publisher confirms), what comes in is acknowledged when it is here.
//
// A session has two connections: a broker that is short of memory or disk stops reading
// from those that publish, and what comes in must not stop with it.
package amqp091
