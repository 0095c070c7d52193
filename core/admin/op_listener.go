package admin

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/config"
)

// listenerOperations are about certified listeners: those outside for whom messages are
// kept until they have confirmed them (ems 9, tibrvcm.conf). With JetStream a listener is
// a durable consumer.
var listenerOperations = []Operation{
	{
		Usage: "create rvcmlistener TRANSPORT LISTENER SUBJECT", Help: "Have a transport keep what is exported to SUBJECT for LISTENER, before it first comes.",
		Right: Right{Global: "change-server"}, Writes: true, Run: createListener,
	},
	{
		Usage: "delete rvcmlistener TRANSPORT LISTENER SUBJECT", Help: "Keep nothing for LISTENER any more; what waits for it is gone.",
		Right: Right{Global: "change-server"}, Writes: true, Asks: true, Run: deleteListener,
	},
	{Usage: "show rvcmlisteners", Help: "Certified listeners of tibrvcm.conf.", Right: Right{Global: "view-server"}, Run: showListeners},
	{Usage: "show rvcmtransportledger TRANSPORT [SUBJECT]", Help: "Who has confirmed how much of what a transport exported.", Right: Right{Global: "view-server"}, Run: showLedger},
}

// outsideTime is how long a command waits for an outside system.
const outsideTime = 10 * time.Second

// listener is what a command says of one.
func (c *Call) listener() config.Object {
	return config.Object{Class: config.Listeners, Name: c.Get("listener"), Attrs: []config.Attr{
		{Name: "transport", Value: c.Get("transport")}, {Name: "subject", Value: c.Get("subject")},
	}}
}

// certified finds a transport that has listeners.
func (c *Call) certified(name string) error {
	o, ok := c.o.Definitions.object(config.Transports, name)
	if !ok {
		return missing("transport", name)
	}
	if !config.Certified(&o) {
		return transportFault(name, ErrNoListeners)
	}
	return nil
}

// listener finds the line of tibrvcm.conf that is about one; it may name no transport.
func (d *Definitions) listener(transport, name, subject string) (o config.Object, ok bool) {
	d.View(func(c *config.Config) {
		if !slices.Contains(c.CertifiedListeners(), config.CertifiedListener{Transport: transport, Name: name, Subject: subject}) {
			return
		}
		for _, l := range c.Objects(config.Listeners) {
			exact := l.Get("transport") == transport
			if l.Name == name && l.Get("subject") == subject && (exact || !ok && slices.Contains([]string{"", "$RVCM$"}, l.Get("transport"))) {
				o, ok = *l, true
			}
		}
	})
	return o, ok
}

func createListener(ctx context.Context, c *Call) (*screen.Result, error) {
	o, transport := c.listener(), c.Get("transport")
	if err := c.certified(transport); err != nil {
		return nil, err
	}
	if _, ok := c.o.Definitions.listener(transport, o.Name, o.Get("subject")); ok {
		return nil, refuse(core.Exists, "listener '%s' of transport '%s' has subject '%s' already", o.Name, transport, o.Get("subject"))
	}
	if err := c.o.Definitions.put(o); err != nil {
		return nil, err
	}
	warned := ""
	switch err := c.outside(ctx, &o, Transports.Register); {
	case notThere(err):
		warned = warnings([]string{"transport " + transport + " is not connected: nothing is kept for the listener before it is"})
	case err != nil:
		if gone := c.o.Definitions.remove(config.Listeners, o.Key(), o.Name); gone != nil {
			return nil, gone
		}
		return nil, transportFault(transport, err)
	}
	return screen.Said("Listener '%s' of transport '%s' has been created%s", o.Name, transport, warned), nil
}

func deleteListener(ctx context.Context, c *Call) (*screen.Result, error) {
	o, transport := c.listener(), c.Get("transport")
	if err := c.certified(transport); err != nil {
		return nil, err
	}
	line, defined := c.o.Definitions.listener(transport, o.Name, o.Get("subject"))
	if !defined { // perhaps one that only the outside knows
		switch found, err := c.knows(ctx, &o); {
		case err != nil && !notThere(err):
			return nil, transportFault(transport, err)
		case !found:
			return nil, refuse(core.NotFound, "transport '%s' has no listener '%s' of subject '%s'", transport, o.Name, o.Get("subject"))
		}
	}
	warned := ""
	switch err := c.outside(ctx, &o, Transports.Unregister); {
	case defined && errors.Is(err, ErrNoListener): // somebody else took it away there
	case notThere(err):
		warned = warnings([]string{"transport " + transport + " is not connected: the listener stays outside, with what waits for it, until the same command is given while it is"})
	case err != nil:
		return nil, transportFault(transport, err)
	}
	if defined {
		if err := c.o.Definitions.remove(config.Listeners, line.Key(), line.Name); err != nil {
			return nil, err
		}
	}
	return screen.Said("Listener '%s' of transport '%s' has been deleted%s", o.Name, transport, warned), nil
}

// outside does to the outside what was done to the file.
func (c *Call) outside(ctx context.Context, o *config.Object, do func(t Transports, ctx context.Context, transport, listener, subject string) error) error {
	if c.o.Transports == nil {
		return ErrNoTransport
	}
	all, err := c.settled(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, outsideTime)
	defer cancel()
	return do(all, ctx, o.Get("transport"), o.Name, o.Get("subject"))
}

// knows says whether the outside has a listener that is not an import of ours.
func (c *Call) knows(ctx context.Context, o *config.Object) (bool, error) {
	all, err := c.listeners(ctx, o.Get("transport"), o.Get("subject"))
	return slices.ContainsFunc(all, func(l ListenerStatus) bool { return l.Name == o.Name && !l.Ours }), err
}

func (c *Call) listeners(ctx context.Context, transport, subject string) ([]ListenerStatus, error) {
	if c.o.Transports == nil {
		return nil, ErrNoTransport
	}
	t, err := c.settled(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, outsideTime)
	defer cancel()
	return t.Listeners(ctx, transport, subject)
}

// notThere: nobody could be asked.
func notThere(err error) bool {
	return errors.Is(err, ErrNotConnected) || errors.Is(err, ErrNoTransport)
}

func showListeners(_ context.Context, c *Call) (*screen.Result, error) {
	t := newTable("rvcmlisteners", "transport text Transport;name text Listener;subject text Subject")
	t.Empty = "No certified listeners."
	for _, o := range c.o.Definitions.objects(config.Listeners) {
		t.Add(o.Get("transport"), o.Name, o.Get("subject"))
	}
	return shown(t), nil
}

func showLedger(ctx context.Context, c *Call) (*screen.Result, error) {
	transport := c.Get("transport")
	if err := c.certified(transport); err != nil {
		return nil, err
	}
	if _, err := c.transports(); err != nil { // not connected is another reason
		return nil, err
	}
	all, err := c.listeners(ctx, transport, c.Get("subject"))
	if err != nil {
		return nil, transportFault(transport, err)
	}
	slices.SortFunc(all, func(x, y ListenerStatus) int {
		return cmp.Or(compareNames(x.Subject, y.Subject), compareNames(x.Name, y.Name))
	})
	t := newTable("rvcmtransportledger", "listener text Listener;subject text Subject;pending_msgs count Pending;under_way_msgs count Under Way;confirmed count Confirmed;whose text Whose")
	t.Empty = "No certified listeners."
	for i := range all {
		l := &all[i]
		t.Add(oneLine(l.Name), oneLine(l.Subject), l.Pending, l.UnderWay, l.Confirmed, c.whose(transport, l))
	}
	return shown(t), nil
}

// whose says how a listener came to be.
func (c *Call) whose(transport string, l *ListenerStatus) string {
	_, defined := c.o.Definitions.listener(transport, l.Name, l.Subject)
	switch {
	case l.Ours:
		return "import"
	case defined:
		return "tibrvcm.conf"
	}
	return "outside"
}
