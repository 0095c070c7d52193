// Package load drives an AMQP 1.0 broker with producers and consumers that cost
// far less than the broker, and checks what comes through: nothing lost,
// repeated, reordered or changed.
//
// It speaks frames, not the engine. A producer encodes its transfer once, as
// often as one write may hold it, and only patches numbers and times before each
// write. A consumer cuts frames out of large reads, settles each read with one
// disposition, and grants credit in halves. In the steady state nothing is
// allocated for a message.
//
// Each connection has one goroutine, which reads, does what the read brought,
// and writes: a wake-up a message would cost more than the message.
//
// The paths, file by file: dial.go logs in and attaches; conn.go cuts frames;
// body.go says what a message looks like, template.go makes it, envelope.go
// finds it in a delivery; producer.go and consumer.go are the two loops;
// ledger.go and bits.go check; histogram.go keeps latencies; run.go holds them
// together.
package load
