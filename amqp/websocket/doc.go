// Package websocket carries AMQP over WebSocket, for both roles (the OASIS
// binding amqp-bindmap-websocket; reference 1.9): subprotocol "amqp", binary
// messages only, whose boundaries mean nothing: the bytes are one stream. It is
// the only room of the WebSocket library.
package websocket

import "time"

// Limits on what a peer may send, in bytes unless said otherwise.
const (
	// MaxRequest is the longest HTTP request head that is read.
	MaxRequest = 16 << 10
	// readBuffer is held by every connection; a message of any length passes
	// through it.
	readBuffer = 4 << 10
	// writeBuffer comes from a pool and is held while a message is written.
	writeBuffer = 16 << 10
	// controlTimeOut is how long a close frame, or the answer to a bad request,
	// may take to be written.
	controlTimeOut = time.Second
)

// Subprotocols that are agreed to: the binding's, and that of its drafts, which
// old Azure libraries ask for.
const (
	Protocol    = "amqp"
	oldProtocol = "AMQPWSB10"
)
