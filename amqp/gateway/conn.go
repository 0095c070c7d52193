package gateway

import (
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/jms"
	"github.com/tidegate/tidegate/amqp/sasl"
	"github.com/tidegate/tidegate/amqp/server"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
	coreserver "github.com/tidegate/tidegate/core/server"
)

// conn is one client's connection.
type conn struct {
	g    *Gateway
	sock Socket
	log  *slog.Logger
	b    *coreserver.Conn // nil until open

	detached  map[linkKey]*made           // nodes whose link was detached without closing; the reader's
	suspended []*consumer                 // the reader's
	declared  map[core.TxnID]*coordinator // not discharged; the reader's

	in  inbound
	out outbound

	spool    coreserver.Spool // nil: there are no large messages
	road     Road
	spooling int            // files being written; the reader's
	ending   bool           // a large message's file is being ended; the reader's
	held     []engine.Event // what came behind it; the reader's
	gone     bool           // Closed was called; the reader's

	mu        sync.Mutex // guards what follows; a leaf under the core lock and the engine's
	consumers map[core.ConsumerID]*consumer
	producers map[core.ProducerID]*producer
	confirms  map[core.DeliveryID]confirm
	failed    bool // nothing more is taken
	client    string
	quirks    jms.Quirks                    // the reader's
	user      string                        // whose rights it has; the reader's
	stranger  bool                          // nothing has shown that it is that user's; the reader's
	unclaimed bool                          // it has none, until it shows a token; the reader's
	replies   map[replyKey]core.Destination // of services; the reader's
	after     []func()                      // to be done when the step is over; the reader's
	unwritten int64                         // bytes of large messages that wait for the disk
	paused    bool                          // the reader, for them
}

// confirm is an outcome whose settlement the client waits for.
type confirm struct {
	session *engine.Session
	id      uint32
	state   frame.DeliveryState
}

var _ server.Handler = (*conn)(nil)

// Events takes what one read brought, as one step.
func (c *conn) Events(events []engine.Event) {
	for len(events) > 0 && c.b == nil {
		e := events[0]
		events = events[1:]
		switch e.Kind {
		case engine.EventOpen:
			c.open(e.Open)
		case engine.EventClose:
			if !e.Local {
				c.sock.Engine(func(x *engine.Conn) { x.Close(nil) })
			}
		}
	}
	if len(events) == 0 || c.failed {
		return
	}
	c.inbound(events)
}

// open admits the connection to the broker (reference 3.1).
func (c *conn) open(o *frame.Open) {
	c.consumers = map[core.ConsumerID]*consumer{}
	c.producers = map[core.ProducerID]*producer{}
	c.confirms = map[core.DeliveryID]confirm{}
	c.detached = map[linkKey]*made{}
	c.declared = map[core.TxnID]*coordinator{}
	c.client = o.ContainerID
	c.quirks = jms.QuirksOf(o.Properties)
	c.replies = map[replyKey]core.Destination{}
	proven := false
	c.sock.Engine(func(x *engine.Conn) { c.user, proven = x.User(), x.Proven() })
	c.unclaimed = c.g.o.Claims && c.user == sasl.ClaimsUser
	nameless := c.user == "" || c.user == sasl.AnonymousUser
	c.stranger = c.g.o.Users != nil && !proven && !c.unclaimed && !(c.g.o.Anonymous && nameless)
	sole, properties, err := solePolicy(o)
	var b *coreserver.Conn
	if err == nil {
		sole.User, sole.Stranger, sole.Peer = c.user, c.stranger, c.peer(o)
		b, err = c.g.o.Broker.Attach(sole, c.sock.Wake)
	}
	if err != nil {
		c.failed = true
		c.log.Warn("connection refused", "client", o.ContainerID, "err", err)
		e := amqpError(err)
		if isKind(err, core.Conflict) {
			e = clientIDInUse(o.ContainerID)
		}
		c.sock.Engine(func(x *engine.Conn) { x.Refuse(e) })
		return
	}
	c.log.Debug("connected", "client", o.ContainerID, "user", c.user)
	if c.quirks.WantsRabbitMQ {
		properties = append(properties, wire.Entry{Key: wire.Symbol("version"), Value: rabbitVersion}, wire.Entry{Key: wire.Symbol("node"), Value: c.g.o.ContainerID})
	}
	claimBy := time.Time{}
	if c.unclaimed {
		claimBy = b.Now().Add(claimTime)
	}
	c.sock.Engine(func(x *engine.Conn) {
		c.b = b // under the engine's lock: the writer looks at it there
		x.Open(properties)
		x.Expire(claimBy)
	})
}

// rabbitVersion is the oldest that RabbitMQ's AMQP 1.0 clients take: of what later
// ones have they then try nothing.
const rabbitVersion = "4.0.0"

// peer is what the client says of itself.
func (c *conn) peer(o *frame.Open) core.Peer {
	p := core.Peer{Address: c.sock.RemoteAddr().String()}
	if s, ok := c.sock.(interface{ Secure() bool }); ok {
		p.Secure = s.Secure()
	}
	text := func(key string) string {
		v, _ := o.Properties.Get(key)
		s, _ := wire.Text(v)
		if len(s) > maxPeerText {
			s = strings.ToValidUTF8(s[:maxPeerText], "")
		}
		return s
	}
	p.Product, p.Version, p.Platform = text("product"), text("version"), text("platform")
	return p
}

// maxPeerText is how many bytes of what a client says of itself are kept.
const maxPeerText = 64

// Properties of the sole-connection extension.
const (
	solePolicyKey    = "sole-connection-enforcement-policy"
	soleDetectionKey = "sole-connection-detection-policy"
	soleEnforcedKey  = "sole-connection-enforcement"

	refuseConnection uint32 = 0
	closeExisting    uint32 = 1
	detectStrongly   uint32 = 0
)

// solePolicy reads what an open asks for of other connections with its
// container-id, and gives the properties that say what is in force.
func solePolicy(o *frame.Open) (core.ConnectOptions, wire.Map, error) {
	options := core.ConnectOptions{ClientID: o.ContainerID}
	if !slices.Contains(o.DesiredCapabilities, jms.SoleConnection) {
		return options, nil, nil
	}
	options.Sole = true
	policy := refuseConnection
	if v, ok := o.Properties.Get(solePolicyKey); ok {
		switch n, number := wire.Integer(v); {
		case number && n == int64(closeExisting):
			policy, options.Yield = closeExisting, true
		case number && n == int64(refuseConnection):
		default:
			return options, nil, &core.Error{Op: "connect", Kind: core.Invalid, Name: solePolicyKey, Err: errors.New("it must be 0 (refuse-connection) or 1 (close-existing)")}
		}
	}
	return options, wire.Map{
		{Key: wire.Symbol(solePolicyKey), Value: policy},
		{Key: wire.Symbol(soleDetectionKey), Value: detectStrongly},
	}, nil
}

// retire is the client's close: all that it has ends before it is answered, so
// that it may connect again at once.
func (c *conn) retire(now time.Time, b *core.Broker, fx *core.Effects) {
	c.mu.Lock()
	reached := make(map[core.ConsumerID]core.DeliveryID, len(c.consumers))
	for id, k := range c.consumers { // order: sorted below
		reached[id] = core.DeliveryID(k.reached)
	}
	c.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(reached)) {
		b.Wrote(now, id, reached[id], 0, fx)
	}
	b.Retire(now, c.b.ID(), fx)
}

// Closed ends the connection in the broker. What the engine began is told
// first: it may have reached the client, and is flagged when it comes again.
func (c *conn) Closed() {
	if c.b == nil {
		return
	}
	c.sock.Engine(func(x *engine.Conn) {
		c.collectProgress(x)
		x.Abandon()
	})
	c.gone = true
	c.forgetAll()
	c.tellProgress()
	c.b.Close()
	c.log.Debug("disconnected", "user", c.user)
}

// Shutdown closes the connection in good order: what is ready leaves first.
func (c *conn) Shutdown() {
	forced := &frame.Error{Condition: frame.ConditionConnectionForced, Description: "the server is shutting down"}
	var b *coreserver.Conn
	c.sock.Engine(func(x *engine.Conn) {
		if b = c.b; b == nil {
			x.Close(forced)
		}
	})
	if b == nil {
		return
	}
	b.Do(func(_ time.Time, _ *core.Broker, fx *core.Effects) {
		c.edge(fx, 0, 0, true, func(x *engine.Conn) { x.Close(forced) })
	})
}

// edge puts something to do with the engine among the outs, in its order: behind
// those of its link or, as a barrier, behind all.
func (c *conn) edge(fx *core.Effects, k core.ConsumerID, p core.ProducerID, barrier bool, do func(*engine.Conn)) {
	fx.Outs = append(fx.Outs, core.Out{Kind: core.OutEdge, Conn: c.b.ID(), Consumer: k, Producer: p, Barrier: barrier, Ref: do})
}

func (c *conn) clientID() string { return c.client }
