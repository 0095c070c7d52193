// Package nats is the way to NATS: type nats by core NATS, in the place of Rendezvous'
// reliable messages (at most once, losses counted), and type natsjs by JetStream, in the
// place of its certified ones (ems 9, migration 3).
//
// The client's own reconnecting is off: a connection that breaks ends the session, and
// the runner opens another, so that what was under way is known to be.
package nats
