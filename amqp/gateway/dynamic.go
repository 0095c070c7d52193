package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/jms"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

// terminus is what a source and a target say of a node that is to be made, or
// that a link made before.
type terminus struct {
	address      string
	dynamic      bool
	durable      frame.TerminusDurability
	expiry       frame.TerminusExpiryPolicy
	properties   wire.Map
	capabilities []wire.Symbol
}

// made is a node that a link made and its closing deletes.
type made struct {
	core.Destination
}

// linkKey is what a link is known by on a connection (amqp 2.6.1).
type linkKey struct {
	name    string
	sending bool
}

func keyOf(l *engine.Link) linkKey { return linkKey{l.Name, l.Sending} }

// node gives the node that a link is to make, or made before it was detached
// without closing; nil: the terminus names another.
func (c *conn) node(now time.Time, b *core.Broker, fx *core.Effects, link *engine.Link, t terminus) (*made, error) {
	if err := checkNodeProperties(t.properties); err != nil {
		return nil, err
	}
	if m := c.detached[keyOf(link)]; m != nil && (t.dynamic || t.address == m.Name) {
		delete(c.detached, keyOf(link))
		if b.Exists(m.Destination) {
			return m, nil
		}
	}
	kind := dynamicKind(t.capabilities)
	switch {
	case strings.HasPrefix(t.address, core.KeptPrefix) && t.address == c.keptName(link):
		d := core.Destination{Kind: core.Queue, Name: t.address}
		if b.Exists(d) {
			return &made{d}, nil
		}
		return nil, nil //nolint:nilnil // attaching will say that it is not there
	case !t.dynamic:
		return nil, nil //nolint:nilnil // neither is a mistake
	case kind == core.Queue && t.keeps():
		d, err := b.Keep(now, c.keptName(link), fx)
		return &made{d}, err
	}
	d, err := b.CreateTemporary(now, c.b.ID(), kind, fx)
	if err != nil {
		return nil, err
	}
	if !jms.Temporary(t.capabilities) { // JMS alone keeps others from consuming
		b.OpenTemporary(d)
	}
	return &made{d}, nil
}

// keeps says whether the node is to outlive connections and restarts.
func (t terminus) keeps() bool {
	return t.durable != frame.TerminusDurabilityNone && t.expiry == frame.TerminusExpiryPolicyNever
}

// established is the lifetime policy in force: there is only this one.
func established(properties wire.Map) wire.Map {
	return append(wire.Map(nil), properties...).Set(wire.Symbol(lifetimePolicy), deleteOnClose)
}

const (
	lifetimePolicy     = "lifetime-policy"
	supportedDistModes = "supported-dist-modes"
)

var (
	deleteOnClose = wire.Described{Descriptor: frame.CodeDeleteOnClose, Value: wire.List{}}
	lifetimes     = []any{
		frame.CodeDeleteOnClose, frame.CodeDeleteOnNoLinks, frame.CodeDeleteOnNoMessages, frame.CodeDeleteOnNoLinksOrMessages,
		wire.Symbol("amqp:delete-on-close:list"), wire.Symbol("amqp:delete-on-no-links:list"),
		wire.Symbol("amqp:delete-on-no-messages:list"), wire.Symbol("amqp:delete-on-no-links-or-messages:list"),
	}
)

// checkNodeProperties refuses properties of a dynamic node that are not of their
// type (amqp 3.5.9).
func checkNodeProperties(m wire.Map) error {
	wrong := func(name, want string) error {
		return &core.Error{Op: "attach", Kind: core.Invalid, Name: name, Err: errors.New("among dynamic-node-properties it must be " + want)}
	}
	for _, p := range m {
		switch name, _ := wire.Text(p.Key); name {
		case lifetimePolicy:
			if !isLifetime(p.Value) {
				return wrong(name, "one of the lifetime policies, a described list")
			}
		case supportedDistModes:
			if !isSymbols(p.Value) {
				return wrong(name, "a symbol, or an array of them")
			}
		}
	}
	return nil
}

func isLifetime(v any) bool {
	d, ok := v.(wire.Described)
	if !ok {
		return false
	}
	_, list := d.Value.(wire.List)
	for _, l := range lifetimes {
		if l == d.Descriptor {
			return list
		}
	}
	return false
}

func isSymbols(v any) bool {
	switch v := v.(type) {
	case wire.Symbol, []wire.Symbol:
		return true
	case wire.Array:
		for _, e := range v.Values {
			if _, ok := e.(wire.Symbol); !ok {
				return false
			}
		}
		return true
	}
	return false
}

// keptName names the queue that a link keeps, so that the same client's link of
// that name finds it again.
func (c *conn) keptName(l *engine.Link) string {
	role := "receiver"
	if !l.Sending {
		role = "sender"
	}
	sum := sha256.Sum256([]byte(c.client + "\x00" + role + "\x00" + l.Name))
	return core.KeptPrefix + hex.EncodeToString(sum[:16])
}

// leave is the end of the link that made a node: closed, the node goes.
func (c *conn) leave(now time.Time, b *core.Broker, fx *core.Effects, link *engine.Link, m *made, closed bool) *frame.Error {
	var err error
	switch {
	case m == nil:
		return nil
	case !closed:
		if m.Temporary || b.Exists(m.Destination) {
			c.detached[keyOf(link)] = m
		}
		return nil
	case m.Temporary:
		err = b.DeleteTemporary(now, c.b.ID(), m.Destination, fx)
	default:
		err = b.Delete(now, m.Destination, fx)
	}
	if err != nil && !isKind(err, core.NotFound) {
		return amqpError(err)
	}
	return nil
}
