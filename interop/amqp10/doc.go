// Package amqp10 is the way to other brokers of AMQP 1.0 (type amqp10), and to the
// Service Bus of Azure (type azure). The bare message goes byte for byte in both
// directions (decision 105): properties, application properties, body and footer are
// those that the sender wrote.
//
// A Session is one connection with three sessions of AMQP: one for what goes out, one
// for what comes in, one for replies. All that the peer says comes by events of
// amqp/client, whose handlers only put it down; two goroutines hand it on to the Sink.
package amqp10
