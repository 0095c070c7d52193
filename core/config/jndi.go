package config

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/core/property"
)

// JNDIFactory is the class that reads what JNDI gives.
const JNDIFactory = "org.apache.qpid.jms.jndi.JmsInitialContextFactory"

// What EMS clients do where a factory says nothing (ems 8.4, 11).
const (
	connectAttempts   = "2"
	reconnectAttempts = "4"
	attemptDelay      = "500"
)

// JNDI gives a jndi.properties for Qpid JMS: a connectionfactory, queue or topic
// line for each name that EMS's own JNDI would find (ems 11). host stands for the
// server where a URL names none. Notes say what Qpid JMS has no word for.
func (c *Config) JNDI(host string) (file []byte, notes []string) {
	j := &jndiWriter{Config: c, host: host, urls: map[string]string{}}
	j.line("# Written by tidegate config jndi from %s", c.Main)
	j.line("java.naming.factory.initial = %s", JNDIFactory)
	j.factories()
	j.destinations()
	j.aliases()
	return []byte(j.b.String()), j.notes
}

type jndiWriter struct {
	*Config
	host  string
	b     strings.Builder
	notes []string
	urls  map[string]string // of factories
}

func (j *jndiWriter) line(format string, args ...any) { fmt.Fprintf(&j.b, format+"\n", args...) }

func (j *jndiWriter) note(o *Object, text string) {
	j.notes = append(j.notes, o.Title()+": "+text)
}

// entry writes a property; Java's file format has characters of its own.
func (j *jndiWriter) entry(kind, name, value string) {
	j.line("%s = %s", kind+"."+escapeKey(name), strings.ReplaceAll(value, `\`, `\\`))
}

func escapeKey(s string) string {
	return strings.NewReplacer(`\`, `\\`, " ", `\ `, ":", `\:`, "=", `\=`, "#", `\#`, "!", `\!`).Replace(s)
}

func (j *jndiWriter) factories() {
	j.line("")
	for _, o := range j.Objects(Factories) {
		u, ok := j.factoryURL(o)
		if !ok {
			continue
		}
		j.urls[o.Name] = u
		j.entry("connectionfactory", o.Name, u)
	}
}

// factoryURL maps a factory: one server to amqp://, several to failover:().
func (j *jndiWriter) factoryURL(o *Object) (string, bool) {
	groups, message := ParseURLs(o.Get("url"))
	if message != "" {
		j.note(o, message)
		return "", false
	}
	if strings.HasPrefix(o.Get("type"), "xa") {
		j.note(o, "Qpid JMS has no XA: the factory is an ordinary one")
	}
	nested := j.tls(o)
	if t := o.Get("reconnect_attempt_timeout"); t != "" && t != "0" {
		nested = append(nested, "transport.connectTimeout="+t)
	} else if t := o.Get("connect_attempt_timeout"); t != "" && t != "0" {
		nested = append(nested, "transport.connectTimeout="+t)
	}
	outer := []string{}
	if id := o.Get("clientID"); id != "" {
		outer = append(outer, "jms.clientID="+url.QueryEscape(id))
	}
	var servers []string
	for _, g := range groups {
		for _, e := range g {
			servers = append(servers, j.server(e))
		}
	}
	if len(servers) == 1 {
		if o.Has("reconnect_attempt_count") || o.Has("connect_attempt_count") {
			j.note(o, "attempts have an effect only with two servers, as in EMS reconnection does: repeat the URL to reconnect to one server")
		}
		return servers[0] + query(append(outer, nested...)), true
	}
	balanced := len(groups) > 1
	if balanced {
		j.note(o, "Qpid JMS takes the servers in random order; it knows no metric")
	}
	for i, n := range nested {
		nested[i] = "failover.nested." + n
	}
	outer = append(outer, nested...)
	return "failover:(" + strings.Join(slices.Compact(servers), ",") + ")" + query(append(outer, j.failover(o, balanced)...)), true
}

func (j *jndiWriter) server(e Endpoint) string {
	scheme, host := "amqp", e.Host
	if e.Secure {
		scheme = "amqps"
	}
	if host == "" {
		host = j.host
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return scheme + "://" + host + ":" + strconv.Itoa(e.Port)
}

func query(options []string) string {
	if len(options) == 0 {
		return ""
	}
	return "?" + strings.Join(options, "&")
}

// failover maps attempts and delays: an attempt is one pass over the list, there
// as here. Qpid JMS has one delay for both.
func (j *jndiWriter) failover(o *Object, balanced bool) []string {
	first, again := cmp.Or(o.Get("connect_attempt_delay"), attemptDelay), cmp.Or(o.Get("reconnect_attempt_delay"), attemptDelay)
	if first != again {
		j.note(o, "Qpid JMS has one delay for the first connection and for later ones: reconnect_attempt_delay is taken")
	}
	return []string{
		"failover.startupMaxReconnectAttempts=" + cmp.Or(o.Get("connect_attempt_count"), connectAttempts),
		"failover.maxReconnectAttempts=" + cmp.Or(o.Get("reconnect_attempt_count"), reconnectAttempts),
		"failover.reconnectDelay=" + again,
		"failover.useReconnectBackOff=false",
		"failover.randomize=" + strconv.FormatBool(balanced),
	}
}

// tls maps what a factory says of certificates. Qpid JMS reads Java's key stores.
func (j *jndiWriter) tls(o *Object) []string {
	var all []string
	off := func(name string) bool {
		on, ok := property.ParseFlag(o.Get(name))
		return ok && !on
	}
	if off("ssl_verify_host") {
		all = append(all, "transport.trustAll=true")
	}
	if off("ssl_verify_hostname") || off("ssl_verify_host") {
		all = append(all, "transport.verifyHost=false")
	}
	if id := o.Get("ssl_identity"); strings.HasSuffix(id, ".p12") || strings.HasSuffix(id, ".pfx") {
		all = append(all, "transport.keyStoreLocation="+url.QueryEscape(id), "transport.keyStoreType=PKCS12")
		j.note(o, "give the password of "+id+" to the program: -Djavax.net.ssl.keyStorePassword=...")
	} else if id != "" {
		j.note(o, "Qpid JMS reads key stores, not "+id+": make one with openssl pkcs12 -export, and add transport.keyStoreLocation")
	}
	if len(o.All("ssl_trusted")) > 0 {
		j.note(o, "Qpid JMS reads trust stores: import "+strings.Join(o.All("ssl_trusted"), ", ")+" with keytool, and add transport.trustStoreLocation")
	}
	if h := o.Get("ssl_expected_hostname"); h != "" {
		j.note(o, "Qpid JMS verifies the name in the URL, not ssl_expected_hostname "+h)
	}
	return all
}

// destinations writes static names. One that is a queue and a topic gets EMS's
// prefixed forms, since a plain name would find only one of them.
func (j *jndiWriter) destinations() {
	queues, topics := j.Tree(property.Queue), j.Tree(property.Topic)
	for _, t := range []*property.Tree{queues, topics} {
		other := topics
		if t == topics {
			other = queues
		}
		j.line("")
		for d := range t.All() {
			if d.Wildcard() || strings.HasPrefix(d.Name, "$") {
				continue
			}
			kind := t.Kind().String()
			name := d.Name
			_, both := other.Get(d.Name)
			if _, factory := j.urls[d.Name]; both || factory {
				name = "$" + kind + "s:" + d.Name
				j.notes = append(j.notes, kind+" "+d.Name+": the name has another meaning too: it is found as "+name)
			}
			j.entry(kind, name, d.Name)
		}
	}
}

func (j *jndiWriter) aliases() {
	j.line("")
	for _, o := range j.Objects(JNDINames) {
		kind, target := o.Get("type"), o.Get("target")
		for range 16 { // an alias of an alias; more than this is a circle
			next, ok := j.Object(JNDINames, target)
			if kind != "jndiname" || !ok {
				break
			}
			kind, target = next.Get("type"), next.Get("target")
		}
		switch kind {
		case "queue", "topic":
			j.entry(kind, o.Name, target)
		case "factory":
			if u, ok := j.urls[target]; ok {
				j.entry("connectionfactory", o.Name, u)
			}
		default:
			j.note(o, "it names itself in a circle")
		}
	}
}
