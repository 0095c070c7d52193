package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/tidegate/tidegate/core/admin"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/property"
	"github.com/tidegate/tidegate/core/server"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/nats"
)

// transportStart is how long startup_abort_list=TRANSPORTS waits for transports to
// connect.
const transportStart = 20 * time.Second

// transports are the transports of a server, as its definitions have them.
type transports struct {
	*interop.Manager
	definitions *admin.Definitions
	rendezvous  string // rendezvous.url of tidegate.yaml
	news        *transportNews
	changed     chan struct{}
	settling    chan chan struct{} // to be closed when what was changed before is applied
	stop        chan struct{}
	over        chan struct{}
	planned     map[definedAs]bool // destinations that import or export
	embedded    *nats.Embedded     // nil: there is none
}

// openTransports begins what transports.conf says, and follows its changes.
func (d *doors) openTransports(ctx context.Context, data, durability string, broker *server.Server, log *slog.Logger) (*transports, error) {
	id, err := gatewayID(data)
	if err != nil {
		return nil, err
	}
	serverName := "tidegate"
	d.definitions.View(func(c *config.Config) {
		if n := c.Param("server"); n != "" {
			serverName = n
		}
	})
	t := newTransports(d.definitions, d.only.rendezvous, log)
	t.embedded = d.embeddedNATS(data, durability, log)
	t.begin(interop.Options{
		Broker: broker, Factories: transportFactories(), Server: serverName, Gateway: gatewayName(serverName, id), Shared: map[string]any{nats.SharedName: t.embedded}, Log: log,
	})
	if err := t.started(ctx, log); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func newTransports(d *admin.Definitions, rendezvous string, log *slog.Logger) *transports {
	return &transports{
		definitions: d, rendezvous: rendezvous, news: newTransportNews(log),
		changed: make(chan struct{}, 1), settling: make(chan chan struct{}), stop: make(chan struct{}), over: make(chan struct{}),
	}
}

// begin runs what the definitions have, until close.
func (t *transports) begin(o interop.Options) {
	o.Event = t.news.tell
	t.Manager = interop.NewManager(o)
	go t.news.follow(t.Status)
	t.apply()
	t.definitions.Watch(t.watch)
	go t.follow()
}

// started gives up where startup_abort_list=TRANSPORTS says so and one does not connect.
func (t *transports) started(ctx context.Context, log *slog.Logger) error {
	abort := false
	t.definitions.View(func(c *config.Config) { abort = c.Aborts(config.CategoryTransports) })
	if !abort {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, transportStart)
	defer cancel()
	log.Info("waiting for transports", "parameter", "startup_abort_list=TRANSPORTS")
	if err := t.Started(ctx); err != nil {
		return fmt.Errorf("startup_abort_list=TRANSPORTS: %w", err)
	}
	return nil
}

// close ends all of them.
func (t *transports) close() {
	close(t.stop)
	<-t.over
	t.Close()
	if t.embedded != nil {
		t.embedded.Close()
	}
	t.news.close()
}

// watch notes a change that transports may have to know of; the definitions are locked.
func (t *transports) watch(c *config.Config, what admin.Change) {
	if !t.concerns(c, what) {
		return
	}
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// concerns says whether a change has to do with transports: a script that defines a
// hundred thousand queues must not have all of them looked at for each.
func (t *transports) concerns(c *config.Config, what admin.Change) bool {
	switch what.Class {
	case config.Transports, config.Listeners:
		return true
	case config.Queues, config.Topics:
		kind := property.Queue
		if what.Class == config.Topics {
			kind = property.Topic
		}
		def, ok := c.Tree(kind).Get(what.Name)
		return !ok || moves(def) || t.planned[definedAs{what.Class, what.Name}]
	case 0:
		return what.Name == "tibrv_transports"
	}
	return false
}

// moves says whether a definition imports or exports.
func moves(d *property.Definition) bool {
	_, in := d.Set.Get(property.Import)
	_, out := d.Set.Get(property.Export)
	return in || out
}

// follow applies changes, one after the other: to end a session takes time.
func (t *transports) follow() {
	defer close(t.over)
	for {
		select {
		case <-t.changed:
			t.apply()
		case done := <-t.settling:
			select {
			case <-t.changed:
				t.apply()
			default:
			}
			close(done)
		case <-t.stop:
			return
		}
	}
}

// settle waits until what was changed before is applied.
func (t *transports) settle(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case t.settling <- done:
	case <-t.stop:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-done:
	case <-t.over:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func (t *transports) apply() {
	var specs []interop.Spec
	t.definitions.View(func(c *config.Config) { specs, t.planned = planTransports(c, t.rendezvous) })
	t.Apply(specs)
}
