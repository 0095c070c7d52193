package config

import (
	"slices"
	"strings"
)

// Class is a kind of thing that a configuration holds, one for each file of a set.
type Class uint8

// The classes, in the order in which they are read.
const (
	Stores Class = 1 + iota
	Channels
	Transports
	Queues
	Topics
	Users
	Groups
	ACLs
	Bridges
	Routes
	Factories
	JNDINames
	Durables
	Listeners // of certified Rendezvous: tibrvcm.conf
	classes   = iota
)

// classRow says where a class's objects stand.
type classRow struct {
	parameter string // of tibemsd.conf, naming the file
	file      string // if the parameter is not set
	member    string // of tibemsd.json
	word      string // for messages: "no such ..."
}

var classTable = [...]classRow{
	Stores:     {"stores", "stores.conf", "stores", "store"},
	Channels:   {"channels", "channels.conf", "channels", "channel"},
	Transports: {"transports", "transports.conf", "transports", "transport"},
	Queues:     {"queues", "queues.conf", "queues", "queue"},
	Topics:     {"topics", "topics.conf", "topics", "topic"},
	Users:      {"users", "users.conf", "users", "user"},
	Groups:     {"groups", "groups.conf", "groups", "group"},
	ACLs:       {"acl_list", "acl.conf", "acls", "right"},
	Bridges:    {"bridges", "bridges.conf", "bridges", "bridge"},
	Routes:     {"routes", "routes.conf", "routes", "route"},
	Factories:  {"factories", "factories.conf", "factories", "factory"},
	JNDINames:  {"jndinames", "jndinames.conf", "jndinames", "JNDI name"},
	Durables:   {"durables", "durables.conf", "durables", "durable"},
	Listeners:  {"tibrvcm", "tibrvcm.conf", "tibrvcm", "listener"},
}

// AllClasses lists the classes.
func AllClasses() []Class {
	all := make([]Class, 0, classes)
	for c := Stores; int(c) < len(classTable); c++ {
		all = append(all, c)
	}
	return all
}

// String is the class's name, as tibemsd.json has it.
func (c Class) String() string { return classTable[c].member }

// Word is one of the class, for messages.
func (c Class) Word() string { return classTable[c].word }

// Object is one thing of a class other than queues and topics. What its attributes
// are is the class's affair:
//
//	Users      password, description
//	Groups     description, member*
//	ACLs       user or group, perm*; the name is queue:NAME, topic:NAME or admin
//	Bridges    queue*, topic*, each with a selector or none; the name is queue:NAME or topic:NAME
//	Routes     url, zone_name, ..., incoming_topic*, outgoing_topic*, with selectors
//	Durables   topic, clientid, nolocal, selector, route
//	JNDINames  type, target
//	Listeners  transport (or none), subject
//	others     the keys of their file
type Object struct {
	Class Class
	Name  string
	Attrs []Attr
	At    Place

	Ignored bool // an error stands in it: it does not count
}

// Attr is one attribute. Those marked * above may stand several times.
type Attr struct {
	Name, Value string
	Bare        bool   // the name alone: nolocal, route
	Selector    string // of bridge targets and topics of routes
	At          Place  // of the value, or of the name if there is none
	NameAt      Place  // of the name, where it is written
	SelectorAt  Place
	Ignored     bool // an error stands in it: it does not count
}

// Get is the value of the last attribute of a name: where files repeat one that
// should stand once, the last counts.
func (o *Object) Get(name string) string {
	a, _ := o.Attr(name)
	return a.Value
}

// Attr finds the last attribute of a name.
func (o *Object) Attr(name string) (Attr, bool) {
	for i := len(o.Attrs) - 1; i >= 0; i-- {
		if o.Attrs[i].Name == name && !o.Attrs[i].Ignored {
			return o.Attrs[i], true
		}
	}
	return Attr{}, false
}

// Has says whether there is an attribute of the name.
func (o *Object) Has(name string) bool { _, ok := o.Attr(name); return ok }

// All lists the values of a repeated attribute.
func (o *Object) All(name string) []string {
	var all []string
	for i := range o.Attrs {
		if o.Attrs[i].Name == name && !o.Attrs[i].Ignored {
			all = append(all, o.Attrs[i].Value)
		}
	}
	return all
}

// With is the object with an attribute set: in the place of the last of its name,
// or at the end. An empty value takes it out.
func (o Object) With(name, value string) Object {
	o.Attrs = slices.Clone(o.Attrs)
	for i := len(o.Attrs) - 1; i >= 0; i-- {
		if o.Attrs[i].Name != name {
			continue
		}
		if value == "" {
			return o.without(func(a Attr) bool { return a.Name == name })
		}
		o.Attrs[i] = Attr{Name: name, Value: value}
		return o
	}
	if value != "" {
		o.Attrs = append(o.Attrs, Attr{Name: name, Value: value})
	}
	return o
}

func (o Object) without(drop func(Attr) bool) Object {
	o.Attrs = slices.DeleteFunc(slices.Clone(o.Attrs), drop)
	return o
}

// Key tells objects of a class apart.
func (o *Object) Key() string {
	switch o.Class {
	case ACLs:
		if o.Has("group") {
			return o.Name + "\x00group:" + o.Get("group")
		}
		return o.Name + "\x00user:" + o.Get("user")
	case Durables: // the server that a route durable is for is its name, and each topic has its own
		if o.Has("route") {
			return "route:" + o.Name + "\x00" + o.Get("topic")
		}
		return o.Name + "\x00" + o.Get("clientid")
	case Listeners:
		return o.Get("transport") + "\x00" + o.Name + "\x00" + o.Get("subject")
	}
	return o.Name
}

// Title names the object to people.
func (o *Object) Title() string {
	switch o.Class {
	case ACLs:
		if o.Has("group") {
			return "the rights of group " + o.Get("group") + " on " + o.Name
		}
		return "the rights of user " + o.Get("user") + " on " + o.Name
	}
	return o.Class.Word() + " " + strings.ReplaceAll(o.Name, "\x00", " ")
}
