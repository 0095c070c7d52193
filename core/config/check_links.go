package config

import (
	"cmp"
	"strings"

	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/property"
)

// kindOf is the kind that files call queue or topic.
func kindOf(word string) (property.Kind, bool) {
	switch word {
	case "queue":
		return property.Queue, true
	case "topic":
		return property.Topic, true
	}
	return 0, false
}

func (k *checker) bridges() {
	for _, o := range k.Objects(Bridges) {
		word, source, _ := strings.Cut(o.Name, ":")
		kind, ok := kindOf(word)
		if !ok {
			k.refuseAll(o, o.At, "bridge-source", "a bridge's source is a queue or a topic", "write [queue:NAME] or [topic:NAME]")
			continue
		}
		if err := name.Validate(source); err != nil {
			k.refuseAll(o, o.At, "destination-name", err.Error(), "write the name of a "+word+", or a wildcard")
			continue
		}
		if strings.HasPrefix(source, property.TemporaryPrefix) {
			k.refuseAll(o, o.At, "bridge-source", "temporary destinations cannot be bridged", "take the section out")
			continue
		}
		if !name.IsWildcard(source) && !strings.HasPrefix(source, "$sys.") && !k.defined(kind, source) {
			k.warn(o.At, "bridge-undefined", word+" "+source+" is not defined and cannot be created: nothing comes in here", "add a line for it")
		}
		seen := map[string]bool{}
		for i := range o.Attrs {
			if a := &o.Attrs[i]; !a.Ignored {
				k.bridgeTarget(o, a, seen)
			}
		}
		if len(o.All("queue"))+len(o.All("topic")) == 0 {
			o.Ignored = true
			if len(o.Attrs) == 0 {
				k.warn(o.At, "bridge-empty", o.Title()+" has no target", "add a line queue=NAME or topic=NAME")
			}
		}
	}
}

func (k *checker) bridgeTarget(o *Object, a *Attr, seen map[string]bool) {
	kind, _ := kindOf(a.Name)
	target := a.Name + ":" + a.Value
	switch message := plainName(a.Value); {
	case message != "":
		k.refuse(a, "bridge-target", "the target of a bridge is one destination: "+message, "write the name of a "+a.Name)
	case strings.HasPrefix(a.Value, "$"):
		k.refuse(a, "bridge-target", "names that begin with $ belong to the server", "write the name of another "+a.Name)
	case target == o.Name:
		k.refuse(a, "bridge-target", "the target is the source itself", "take the line out")
	case seen[target]:
		k.refuse(a, "bridge-target", "the target stands in this bridge already", "remove one of the two, or join their selectors with OR")
	case !k.selector(a.Selector, a.SelectorAt):
		a.Ignored = true
	case !k.defined(kind, a.Value):
		what := ": the bridge alone brings it into being, as a dynamic one"
		if kind == property.Topic {
			what = " and cannot be created: only who subscribes to a wildcard hears it"
		}
		k.warn(a.At, "bridge-undefined", a.Name+" "+a.Value+" is not defined"+what, "add a line for it")
	}
	seen[target] = true
}

// The zone of a route that names none (ems 5.2).
const (
	defaultZone = "default_mhop_zone"
	defaultHops = "mhop"
)

func (k *checker) routes() {
	zones := map[string]*Object{}
	for _, o := range k.Objects(Routes) {
		k.route(o, zones)
	}
}

// route checks one; zones has the first route of each.
func (k *checker) route(o *Object, zones map[string]*Object) {
	if o.Name == k.Param("server") {
		k.refuseAll(o, o.At, "route-name", "a route is named after the server at its far end, and this is our own name", "write the far server's name")
		return
	}
	zone, hops := zoneOf(o)
	if first := zones[zone]; first != nil {
		if _, was := zoneOf(first); was != hops {
			at := o.At
			if a, ok := o.Attr("zone_type"); ok {
				at = a.At
			}
			k.refuseAll(o, at, "route-zone", "zone "+zone+" is of type "+was+", as route "+first.Name+" says", "write zone_type = "+was+", or another zone_name")
		}
	} else {
		zones[zone] = o
	}
	seen := map[string]bool{}
	for i := range o.Attrs {
		if a := &o.Attrs[i]; a.Name == "incoming_topic" || a.Name == "outgoing_topic" {
			k.routeTopic(a, seen)
		}
	}
}

func zoneOf(o *Object) (zone, hops string) {
	return cmp.Or(o.Get("zone_name"), defaultZone), cmp.Or(strings.ToLower(o.Get("zone_type")), defaultHops)
}

func (k *checker) routeTopic(a *Attr, seen map[string]bool) {
	switch message := plainName(a.Value); {
	case message != "":
		k.refuse(a, "route-topic", "selectors of routes are for single topics: "+message, "write the name of a global topic")
	case seen[a.Name+a.Value]:
		k.refuse(a, "route-topic", a.Value+" has a selector in this direction already", "join the two with OR")
	case !k.selector(a.Selector, a.SelectorAt):
		a.Ignored = true
	case !k.Tree(property.Topic).Policy(a.Value).Global:
		k.warn(a.At, "route-topic", "topic "+a.Value+" is not global: nothing of it is routed", "add global to it")
	}
	seen[a.Name+a.Value] = true
}

func (k *checker) factories() {
	for _, o := range k.Objects(Factories) {
		url, _ := o.Attr("url")
		if metric, ok := o.Attr("metric"); ok && metric.Value != "" && !strings.Contains(url.Value, "|") {
			k.warn(metric.At, "factory-metric", "metric has an effect only where the url balances over servers with |", "take it out")
		}
	}
}

func (k *checker) jndiNames() {
	for _, o := range k.Objects(JNDINames) {
		k.jndiName(o)
	}
}

func (k *checker) jndiName(o *Object) {
	target, _ := o.Attr("target")
	ok := false
	switch strings.ToLower(o.Get("type")) {
	case "queue":
		_, ok = k.Tree(property.Queue).Get(target.Value)
	case "topic":
		_, ok = k.Tree(property.Topic).Get(target.Value)
	case "factory":
		_, ok = k.Object(Factories, target.Value)
	case "jndiname":
		_, ok = k.Object(JNDINames, target.Value)
		ok = ok && target.Value != o.Name
	}
	if !ok {
		k.refuseAll(o, target.At, "jndiname-target", "there is no static "+o.Get("type")+" "+target.Value, "write the name of one")
	}
}

func (k *checker) durables() {
	for _, o := range k.Objects(Durables) {
		topic, _ := o.Attr("topic")
		if err := name.Validate(topic.Value); err != nil {
			k.refuseAll(o, topic.At, "destination-name", err.Error(), "write the name of a topic, or a wildcard")
			continue
		}
		if strings.HasPrefix(topic.Value, property.TemporaryPrefix) {
			k.refuseAll(o, topic.At, "durable-topic", "temporary topics have no durable subscriptions", "take the line out")
			continue
		}
		if s, ok := o.Attr("selector"); ok && !k.selector(s.Value, s.At) {
			o.Ignored = true
			continue
		}
		switch _, known := k.Object(Routes, o.Name); {
		case o.Has("route") && !known:
			k.warn(o.At, "durable-route", "there is no route "+o.Name+" in routes.conf", "add it, or correct the name")
		case o.Has("route") && !name.IsWildcard(topic.Value) && !k.Tree(property.Topic).Policy(topic.Value).Global:
			k.warn(topic.At, "durable-route", "topic "+topic.Value+" is not global: nothing of it is routed", "add global to it")
		case !name.IsWildcard(topic.Value) && !strings.HasPrefix(topic.Value, "$sys.") && !k.defined(property.Topic, topic.Value):
			k.warn(topic.At, "durable-topic", "topic "+topic.Value+" is not defined and cannot be created: nothing is kept", "add a line for it to topics.conf")
		}
	}
}

func (k *checker) listeners() {
	certified := k.certified()
	said := false
	for _, o := range k.Objects(Listeners) {
		k.listener(o)
		if t := o.Get("transport"); o.Ignored || said || len(certified) == 1 || t != "" && t != defaultCertified {
			continue
		}
		said = true
		message := "the listener's line names no transport, and there is none of type " + orList(transportWords(typesCertified))
		if len(certified) > 0 {
			message = "the listener's line names no transport: it is for " + certified[0] + ", the first of type " + orList(transportWords(typesCertified))
		}
		k.warn(o.At, "listener-default", message, "write TRANSPORT LISTENER SUBJECT")
	}
}

func (k *checker) listener(o *Object) {
	if t, ok := o.Attr("transport"); ok && t.Value != defaultCertified {
		tr, ok := k.Object(Transports, t.Value)
		if row := typeOf(tr); !ok || row == nil || row.is&typesCertified == 0 {
			k.refuseAll(o, t.At, "listener-transport", "there is no transport "+t.Value+" of type "+orList(transportWords(typesCertified)), "write the name of one")
			return
		}
	}
	if s, _ := o.Attr("subject"); plainName(s.Value) != "" {
		k.refuseAll(o, s.At, "listener-subject", "the subject of a certified listener is one name: "+plainName(s.Value), "write a line for each subject")
	}
}

// defaultCertified is the certified transport of lines that name none (ems 9).
const defaultCertified = "$RVCM$"

// certified lists the transports that may have listeners.
func (c *Config) certified() (all []string) {
	for _, o := range c.Objects(Transports) {
		if row := typeOf(o); row != nil && row.is&typesCertified != 0 {
			all = append(all, o.Name)
		}
	}
	return all
}

// CertifiedListener is a line of tibrvcm.conf: a listener that is registered with a
// transport before it has come (ems 9).
type CertifiedListener struct{ Transport, Name, Subject string }

// CertifiedListeners lists them, those without a transport at the first that there is;
// without any they are left out.
func (c *Config) CertifiedListeners() (all []CertifiedListener) {
	certified := c.certified()
	for _, o := range c.Objects(Listeners) {
		l := CertifiedListener{o.Get("transport"), o.Name, o.Get("subject")}
		if l.Transport == "" || l.Transport == defaultCertified {
			if len(certified) == 0 {
				continue
			}
			l.Transport = certified[0]
		}
		all = append(all, l)
	}
	return all
}

// modules says what each module of jaas.conf would have done.
func (k *checker) modules() {
	for _, m := range k.Modules {
		class := m.Class[strings.LastIndexByte(m.Class, '.')+1:]
		message := "login module " + class + " cannot run here: "
		switch class {
		case "LDAPSimpleAuthentication", "LDAPAuthentication", "LDAPGroupUserAuthentication":
			message += "no directory is asked, users are those of users.conf"
		case "HostBasedAuthentication":
			message += "connections are accepted from every host"
		case "ConnectionLimitAuthentication":
			message += "connections are limited by max_connections alone"
		default:
			message += "it is Java, and nothing of it is known"
		}
		k.warn(m.At, "jaas-module", message, "")
	}
}
