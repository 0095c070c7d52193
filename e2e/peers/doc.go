// Package peers runs the real brokers that the bridges speak to, each as a
// process of its own: nats-server, RabbitMQ, ActiveMQ Artemis and ActiveMQ
// Classic. For tests, and for programs that show the bridges (the forms without
// a testing.TB).
//
// Each listens on loopback only, on a port that it keeps when it is killed and
// started again on its data, and dies with the process that started it. Nothing
// sleeps: a broker is up when it has said so and a client of its protocol got in.
// One that is not installed is an error that says how to install it, never a
// skipped test.
package peers
