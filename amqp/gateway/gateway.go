// Package gateway joins AMQP and the broker: links become producers and
// consumers, dispositions outcomes, coordinators transactions, and errors
// conditions. It is the only package that speaks both.
package gateway

import (
	"crypto/rand"
	"crypto/x509"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/jms"
	"github.com/tidegate/tidegate/amqp/sasl"
	"github.com/tidegate/tidegate/amqp/server"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core/admin"
	"github.com/tidegate/tidegate/core/message"
	core "github.com/tidegate/tidegate/core/server"
)

// failureDelay slows down who guesses passwords.
const failureDelay = 500 * time.Millisecond

// Options are a gateway's own.
type Options struct {
	Broker         *core.Server
	ContainerID    string
	Version        string
	MaxMessageSize uint64
	// Users admits; nil means that authorization is off.
	Users sasl.Users
	// Authorization, with Users, says whether it is on for who connects now; nil: it
	// is. Who connected while it was off and has not shown a password that fits is
	// core's Stranger, and administers nothing.
	Authorization func() bool
	// Tokens admits by bearer token as well; nil: it is not offered.
	Tokens sasl.Tokens
	// Claims takes tokens at $cbs, from logins by sasl.Claims too.
	Claims bool
	// Management answers /management and $management.
	Management bool
	// Mechanisms are those offered at most; nil: all.
	Mechanisms []string
	// Anonymous lets clients in without a name although there are Users.
	Anonymous bool
	// IdleTimeOut and AuthTimeOut are the engine's; 0: its defaults.
	IdleTimeOut, AuthTimeOut time.Duration
	// Admin answers requests to `$sys.admin`; nil: nobody does.
	Admin  *admin.Service
	Logger *slog.Logger
}

// Gateway makes handlers for connections.
type Gateway struct {
	o        Options
	services []*service
	engine   engine.Config // the same for all connections, which only read it
	lenient  engine.Config // while authorization is off
	// unwritten is how many bytes of large messages wait for the disk.
	unwritten atomic.Int64
}

// New makes a gateway.
func New(o Options) *Gateway {
	g := &Gateway{o: o, services: services(o)}
	g.engine = engine.Config{
		ContainerID:    g.o.ContainerID,
		MaxMessageSize: g.o.MaxMessageSize,
		FailureDelay:   failureDelay,
		IdleTimeOut:    g.o.IdleTimeOut,
		AuthTimeOut:    g.o.AuthTimeOut,
		Bare:           (g.o.Users == nil || g.o.Anonymous) && (g.o.Mechanisms == nil || slices.Contains(g.o.Mechanisms, sasl.Anonymous)),
		SASL: &sasl.Server{
			Users: g.o.Users, Tokens: g.o.Tokens, Claims: g.o.Claims, Anonymous: g.o.Anonymous, Only: g.o.Mechanisms, Nonce: rand.Text,
		},
		Offered: []wire.Symbol{jms.SoleConnection, jms.AnonymousRelay, jms.SharedSubscriptions, jms.DelayedDelivery},
		Properties: wire.Map{
			{Key: wire.Symbol("product"), Value: "Tidegate"},
			{Key: wire.Symbol("version"), Value: g.o.Version},
			{Key: wire.Symbol("platform"), Value: "Go"},
		},
	}
	if o.Management {
		g.engine.Offered = append(g.engine.Offered, linkPair)
	}
	if g.o.Broker.Spool() != nil {
		g.engine.Large = message.LargeAbove
	}
	g.lenient = g.engine
	if o.Authorization != nil {
		open := *g.engine.SASL
		open.Lenient = true
		g.lenient.SASL, g.lenient.Bare = &open, o.Mechanisms == nil || slices.Contains(o.Mechanisms, sasl.Anonymous)
	}
	return g
}

// Engine is the configuration of a connection's engine.
func (g *Gateway) Engine() engine.Config {
	if g.o.Authorization != nil && !g.o.Authorization() {
		return g.lenient
	}
	return g.engine
}

// ExternalUser is the user whom a client certificate stands for: the common name
// of its subject (ems ssl_use_cert_username).
func ExternalUser(cert *x509.Certificate) string {
	if len(cert.Subject.CommonName) > sasl.MaxName {
		return ""
	}
	return cert.Subject.CommonName
}

// Socket is a connection as the gateway sees it: *server.Conn, or what stands
// for it in a simulation.
type Socket interface {
	RemoteAddr() net.Addr
	// Wake makes the writer ask the handler for Output.
	Wake()
	// Engine runs do with the connection's engine, and wakes the writer.
	Engine(do func(x *engine.Conn))
}

// Road is what a Socket needs besides for large messages.
type Road interface {
	// Pause stops reading until as many calls of Resume.
	Pause()
	Resume()
	// Serial runs do while no events are told.
	Serial(do func())
}

// Handler makes the handler of a connection. With a spool (server.Options) c is
// a Road as well.
func (g *Gateway) Handler(c Socket) server.Handler {
	h := &conn{g: g, sock: c, log: g.o.Logger.With("peer", c.RemoteAddr().String()), spool: g.o.Broker.Spool()}
	h.road, _ = c.(Road)
	return h
}
