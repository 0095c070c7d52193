// Package frame is what travels between two AMQP 1.0 peers: the frame header,
// the protocol headers, and every composite type of the specification
// (amqp parts 2 to 5), generated from the table in spec.txt.
//
// A composite decodes in place: its binaries alias the bytes read. For the
// frames that come often, look at Code and Decode into a struct that is kept;
// Parse makes a new one each time.
package frame

//go:generate go run ./internal/gen
