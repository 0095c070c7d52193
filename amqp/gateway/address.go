package gateway

import (
	"errors"
	"strings"

	"github.com/tidegate/tidegate/amqp/jms"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

// resolve says which destination an address means (reference 4.3): a temporary
// one by its name, else what capabilities say, else a prefix, else an existing
// queue, an existing topic, and at last a queue.
func resolve(b *core.Broker, address string, capabilities []wire.Symbol) (core.Destination, error) {
	if address == "" {
		return core.Destination{}, &core.Error{Op: "attach", Kind: core.Invalid, Err: errors.New("the address is missing")}
	}
	name, prefixed := jms.SplitAddress(address)
	d := core.Destination{Kind: core.Queue, Name: name}
	kind := jms.KindOf(capabilities)
	if kind == jms.Unknown || prefixed != jms.Unknown {
		if prefixed != jms.Unknown {
			kind = prefixed
		}
	}
	if strings.HasPrefix(name, core.TemporaryPrefix) {
		d.Temporary = true
		if !b.Exists(d) {
			d.Kind = core.Topic
		}
		if !b.Exists(d) {
			return d, &core.Error{Op: "attach to", Kind: core.NotFound, Name: name}
		}
		return d, nil
	}
	switch kind {
	case jms.Topic:
		d.Kind = core.Topic
	case jms.Queue:
	case jms.Unknown:
		if t := (core.Destination{Kind: core.Topic, Name: name}); !b.Exists(d) && b.Exists(t) {
			return t, nil
		}
	}
	return d, nil
}
