package admin

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/auth"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/property"
	"github.com/tidegate/tidegate/core/server"
)

// Definitions are what EMS keeps in files: static destinations, users, rights,
// bridges and all the rest of a config.Config. The methods may be called by many at
// a time, but never within a step of the broker: MayCreate alone may.
type Definitions struct {
	mu       sync.Mutex
	c        *config.Config
	save     func(c *config.Config) error // nil: nothing can be changed
	watchers []func(c *config.Config, what Change)
	broker   *server.Server
	hash     func(password string) string // nil: passwords stay as they are

	creatable atomic.Pointer[[2][]string] // wildcards, by kind
}

// Change says what was changed: an object of a class, or a parameter.
type Change struct {
	Class config.Class // 0: a parameter
	Name  string       // of the object as its file has it, or of the parameter
	// Who is the user or group whose rights were changed, of the class ACLs.
	Who  auth.Who
	Gone bool
}

// NewDefinitions takes a configuration over. save writes the files that changed,
// each whole or not at all, and tells the configuration (core/config/disk); without
// it nothing can be changed.
func NewDefinitions(c *config.Config, save func(c *config.Config) error) *Definitions {
	d := &Definitions{c: c, save: save}
	d.noteCreatable()
	return d
}

// Watch has f called after each change, with the lock held: it must not call back.
func (d *Definitions) Watch(f func(c *config.Config, what Change)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watchers = append(d.watchers, f)
}

// View lets f read the configuration.
func (d *Definitions) View(f func(c *config.Config)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(d.c)
}

// change lets f change the configuration; what it says was changed is told on.
func (d *Definitions) change(f func(c *config.Config) (Change, error)) error {
	if d.save == nil {
		return refuse(core.Invalid, "this server keeps no definitions")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	what, err := f(d.c)
	if err != nil {
		return invalid(err)
	}
	if (what.Class == config.Queues || what.Class == config.Topics) && name.IsWildcard(what.Name) {
		d.noteCreatable() // goes through all definitions: not for each of a script's many
	}
	for _, w := range d.watchers {
		w(d.c, what)
	}
	return d.apply(what)
}

// invalid is a refusal of core/config's, or of ours.
func invalid(err error) error {
	var edit *config.EditError
	var wrong *property.Error
	switch {
	case errors.As(err, &edit):
		return refuse(core.Invalid, "%s", edit.Error())
	case errors.As(err, &wrong):
		return refuse(core.Invalid, "%s", withFix(wrong.Message, wrong.Fix))
	}
	return err
}

func withFix(message, fix string) string {
	if fix == "" {
		return message
	}
	return message + ": " + fix
}

// Save writes the files that have changed. What could not be written is tried
// again at the next Save.
func (d *Definitions) Save() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.save == nil {
		return nil
	}
	if err := d.hashPasswords(); err != nil {
		return err
	}
	if err := d.save(d.c); err != nil {
		return refuse(core.Internal, "the files could not all be written: %v; commit tries again", err)
	}
	return nil
}

// HashPasswords has passwords that stand in clear text replaced by what hash makes of
// them whenever files are written (docs/decisions/0077-passwords-of-users-conf.md).
func (d *Definitions) HashPasswords(hash func(password string) string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hash = hash
}

func (d *Definitions) hashPasswords() error {
	if d.hash == nil {
		return nil
	}
	for _, o := range d.c.Objects(config.Users) {
		clear := o.Get("password")
		if clear == "" || auth.Scheme(clear) != "" {
			continue
		}
		if err := d.c.Put(o.With("password", d.hash(clear))); err != nil {
			return invalid(err)
		}
	}
	return nil
}

// noteCreatable keeps the wildcards for MayCreate.
func (d *Definitions) noteCreatable() {
	var lists [2][]string
	for i, k := range []property.Kind{property.Queue, property.Topic} {
		for def := range d.c.Tree(k).All() {
			if def.Wildcard() {
				lists[i] = append(lists[i], def.Name)
			}
		}
	}
	d.creatable.Store(&lists)
}

// MayCreate says whether a client may bring a destination into being: a wildcard
// line matches it (ems 3.1). It takes no lock: the broker asks within its steps.
func (d *Definitions) MayCreate(to core.Destination) bool {
	lists := d.creatable.Load()
	list := lists[0]
	if to.Kind == core.Topic {
		list = lists[1]
	}
	for _, pattern := range list {
		if name.Match(pattern, to.Name) {
			return true
		}
	}
	return false
}

// Start puts what is defined into the broker: static destinations with their
// properties, durables, and what parameters say of destinations. stores is
// core.Configuration's. It answers with the queues that are defined no longer and hold
// messages: they live on as dynamic ones.
func (d *Definitions) Start(b *server.Server, stores map[string]core.Need) (orphans []core.QueueInfo, failed error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broker = b
	c := core.Configuration{Stores: stores}
	for def := range d.c.Tree(property.Queue).All() {
		c.Queues = append(c.Queues, *def)
	}
	for def := range d.c.Tree(property.Topic).All() {
		c.Topics = append(c.Topics, *def)
	}
	orphans, failed = b.Configure(c)
	d.applyParameter("flow_control")
	failed = errors.Join(failed, d.applyBridges())
	for _, o := range d.c.Objects(config.Durables) {
		if !o.Has("route") {
			if err := subscribe(b, o); err != nil && !isKind(err, core.Exists) {
				failed = errors.Join(failed, err)
			}
		}
	}
	return orphans, failed
}

// apply has a change of destinations, of bridges, or of a parameter about them, take
// effect in the broker.
func (d *Definitions) apply(what Change) error {
	if d.broker == nil {
		return nil
	}
	k := property.Queue
	switch what.Class {
	case 0:
		d.applyParameter(what.Name)
		return nil
	case config.Queues:
	case config.Topics:
		k = property.Topic
	case config.Bridges:
		return d.applyBridges()
	default:
		return nil
	}
	if def, ok := d.c.Tree(k).Get(what.Name); ok {
		return d.broker.SetDefinition(brokerKind(k), *def)
	}
	if err := d.broker.RemoveDefinition(core.Destination{Kind: brokerKind(k), Name: what.Name}); !isKind(err, core.NotFound) {
		return err
	}
	return nil
}

func (d *Definitions) applyParameter(name string) {
	switch name {
	case "flow_control", "flow_control_only_with_active_consumer":
		d.broker.FlowControl(d.c.Bool("flow_control"), d.c.Bool("flow_control_only_with_active_consumer"))
	}
}

// subscribe makes a static durable. Without a client id it is shared by whoever
// knows its name (docs/decisions/0062-durables-of-administrators.md).
func subscribe(b *server.Server, o *config.Object) (err error) {
	client := o.Get("clientid")
	so := core.SubscriptionOptions{Name: o.Name, Durable: true, Global: client == "", Shared: client == ""}
	b.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		err = b.Subscribe(now, client, core.Destination{Kind: core.Topic, Name: o.Get("topic")}, so, o.Get("selector"), o.Has("nolocal"), fx)
	})
	return err
}

func brokerKind(k property.Kind) core.DestinationKind {
	if k == property.Topic {
		return core.Topic
	}
	return core.Queue
}

// has says whether the files, or the server itself, define a destination.
func (d *Definitions) has(k property.Kind, n string) bool {
	_, ok := d.get(k, n)
	return ok || property.IsSystem(k, n)
}

func (d *Definitions) get(k property.Kind, n string) (def property.Definition, ok bool) {
	d.View(func(c *config.Config) {
		var p *property.Definition
		if p, ok = c.Tree(k).Get(n); ok {
			def = *p
		}
	})
	return def, ok
}

// beside lists definitions that are not in the broker: wildcards, and the
// server's own queues.
func (d *Definitions) beside(k property.Kind) (names []string) {
	if k == property.Queue {
		for i := range property.System {
			names = append(names, property.System[i].Name)
		}
	}
	lists := d.creatable.Load()
	if k == property.Topic {
		return append(names, lists[1]...)
	}
	return append(names, lists[0]...)
}

// extras counts what beside lists.
func (d *Definitions) extras() (queues, topics int) {
	return len(d.beside(property.Queue)), len(d.beside(property.Topic))
}

func (d *Definitions) parents(k property.Kind, n string) (all []property.Definition) {
	d.View(func(c *config.Config) {
		c.Tree(k).Parents(n, func(p *property.Definition) { all = append(all, *p) })
	})
	return all
}

// objects copies a class's objects.
func (d *Definitions) objects(class config.Class) (all []config.Object) {
	d.View(func(c *config.Config) {
		for _, o := range c.Objects(class) {
			all = append(all, *o)
		}
	})
	return all
}

// object finds one of a class by its name.
func (d *Definitions) object(class config.Class, key string) (o config.Object, ok bool) {
	d.View(func(c *config.Config) {
		var p *config.Object
		if p, ok = c.Object(class, key); ok {
			o = *p
		}
	})
	return o, ok
}

// put adds or changes an object.
func (d *Definitions) put(o config.Object) error {
	return d.change(func(c *config.Config) (Change, error) {
		return changeOf(&o), c.Put(o)
	})
}

// remove takes an object away.
func (d *Definitions) remove(class config.Class, key, name string) error {
	return d.change(func(c *config.Config) (Change, error) {
		what := Change{Class: class, Name: name}
		if o, ok := c.Object(class, key); ok {
			what = changeOf(o)
		}
		what.Gone = true
		return what, c.Delete(class, key)
	})
}

func changeOf(o *config.Object) Change {
	what := Change{Class: o.Class, Name: o.Name}
	if o.Class == config.ACLs {
		what.Who = whoOf(o)
	}
	return what
}

// param is a parameter of tibemsd.conf.
func (d *Definitions) param(name, otherwise string) string {
	value := ""
	d.View(func(c *config.Config) { value = c.Param(name) })
	return cmp.Or(value, otherwise)
}

// on is a parameter that is on or off.
func (d *Definitions) on(name string, otherwise bool) bool {
	if v := d.param(name, ""); v != "" {
		on, _ := property.ParseFlag(v)
		return on
	}
	return otherwise
}

// durable finds a static durable, but for those of routes; the client id may be empty.
func (d *Definitions) durable(n, client string) (o config.Object, ok bool) {
	o = config.Object{Class: config.Durables, Name: n}.With("clientid", client)
	return d.object(config.Durables, o.Key())
}

func (d *Definitions) groupsOf(user string) (groups []string) {
	for _, o := range d.objects(config.Groups) {
		if slices.Contains(o.All("member"), user) {
			groups = append(groups, o.Name)
		}
	}
	return groups
}

// jndiNames are the names under which a static destination is looked up (ems 11).
func (d *Definitions) jndiNames(kind, n string, static bool) (all []string) {
	if static && !name.IsWildcard(n) {
		all = append(all, n)
	}
	for _, o := range d.objects(config.JNDINames) {
		if o.Get("type") == kind && o.Get("target") == n {
			all = append(all, o.Name)
		}
	}
	return all
}
