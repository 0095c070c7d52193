package config

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/property"
	"github.com/tidegate/tidegate/core/selector"
)

// checker looks over a set that has been read.
type checker struct {
	*Config
	*report
	files Files
	named map[Class][]string // see names

	instead *Object // a transport as a change wants it, in the place of the one of its name
}

// check reports what is wrong with the set as a whole, and marks what does not
// count.
func check(c *Config, files Files, r *report) {
	k := &checker{Config: c, report: r, files: files, named: map[Class][]string{}}
	k.parameters()
	k.together()
	for _, class := range AllClasses() {
		for _, o := range c.Objects(class) {
			if o.Name == "" { // `""` in a line, or in brackets
				k.refuseAll(o, o.At, "name-empty", "a "+o.Class.Word()+" has no name", "write a name between the quotes")
				continue
			}
			if class == Transports {
				k.among(CategoryTransports, func() { k.keys(o) })
				continue
			}
			k.keys(o)
		}
	}
	k.stores()
	k.channels()
	k.among(CategoryTransports, k.transports)
	for _, kind := range []property.Kind{property.Queue, property.Topic} {
		k.destinations(kind)
	}
	k.importedOnce()
	k.users()
	k.groups()
	k.acls()
	k.bridges()
	k.loops()
	k.routes()
	k.factories()
	k.jndiNames()
	k.durables()
	k.listeners()
	k.modules()
}

// among says of the errors that f finds that they are of a category besides.
func (k *checker) among(c Category, f func()) {
	from := len(k.list)
	f()
	for i := from; i < len(k.list); i++ {
		k.list[i].also = c
	}
}

// refuse reports an error in an attribute, which then does not count.
func (k *checker) refuse(a *Attr, rule, message, fix string) {
	a.Ignored = true
	k.error(a.At, rule, message, fix)
}

// refuseAll reports an error in an object, which then does not count.
func (k *checker) refuseAll(o *Object, at Place, rule, message, fix string) {
	o.Ignored = true
	k.error(at, rule, message, fix)
}

// parameters looks over tibemsd.conf, line by line.
func (k *checker) parameters() {
	last := map[string]paramValue{} // of those that may stand once
	said := map[string]bool{}
	for _, v := range k.params.names() {
		p, ok := LookupParameter(v.Name)
		if !ok {
			k.unknownParameter(v)
			continue
		}
		if v.Value == "" {
			continue
		}
		if message, fix := checkValue(p.Type, v.Value, bounds{p.Min, p.Max, p.Zero, p.Words}); message != "" {
			k.error(v.At, "parameter-value", p.Name+": "+message, fix)
			k.params.reject(v.index)
			continue
		}
		if before, twice := last[p.Name]; twice && !p.Repeat {
			k.warn(before.NameAt, "parameter-twice", p.Name+" stands again in line "+number(v.NameAt.Line)+", and that value counts", "remove one of the two")
		}
		last[p.Name] = v
		if !p.quiet(v.Value) && !said[p.Name] {
			said[p.Name] = true
			k.warn(v.NameAt, "parameter-effect", p.Name+" "+p.Effect.verb()+": "+lower(p.Meaning), "")
		}
		if p.Effect == Honoured && (p.Type == Path || p.Type == File) && Foreign(v.Value) {
			fix := "write a path of this system; until then it is as if the line were not there"
			if p.Name == "store" { // the server must know that there is one: it keeps messages in --data then
				fix = "write a path of this system; until then messages are kept in --data"
			} else {
				k.params.reject(v.index)
			}
			k.warn(v.At, "path-foreign", p.Name+" is a path of Windows, which this system has not", fix)
		}
	}
}

// lower makes a sentence of documentation the end of a message.
func lower(s string) string {
	s = strings.TrimSuffix(s, ".")
	for _, keep := range []string{"AMQP", "TLS", "Go'", "Smart"} {
		if strings.HasPrefix(s, keep) {
			return s
		}
	}
	return strings.ToLower(s[:1]) + s[1:]
}

func (e Effect) verb() string {
	if e == Shown {
		return "has no effect yet"
	}
	return "has no meaning here"
}

func (k *checker) unknownParameter(v paramValue) {
	fix := didYouMean(v.Name, parameterNames())
	if k.JSON { // EMS ignores them there without a word (ems 1.1)
		k.warn(v.NameAt, "parameter-unknown", "there is no parameter "+clip(v.Name)+": it is ignored", fix)
		return
	}
	if fix == "" {
		fix = "take the line out"
	}
	k.error(v.NameAt, "parameter-unknown", "there is no parameter "+clip(v.Name), fix)
}

// one is the value of a parameter that counts, with its place.
func (k *checker) one(name string) (paramValue, bool) {
	v := k.params.values(name)
	if len(v) == 0 {
		return paramValue{}, false
	}
	return v[len(v)-1], true
}

func (k *checker) period(name string) (milliseconds int64, v paramValue, set bool) {
	v, set = k.one(name)
	if set {
		milliseconds, _ = property.ParsePeriod(v.Value)
	}
	return milliseconds, v, set && milliseconds > 0
}

// together looks at parameters that speak of one another.
func (k *checker) together() {
	if v, ok := k.one("server"); ok && len(v.Value) > 64 {
		k.error(v.At, "parameter-value", fmt.Sprintf("the server's name has %d bytes", len(v.Value)), "at most 64 are allowed")
	}
	if v, ok := k.one("password"); ok && strings.HasPrefix(v.Value, "$man$") {
		k.warn(v.NameAt, "password-mangled", "a mangled password cannot be read here: no peer can be logged in to with it", "write the password itself once routes are used")
	}
	k.heartbeats()
	activation, at, set := k.period("ft_activation")
	heartbeat, _, beating := k.period("ft_heartbeat")
	if !beating {
		heartbeat = 3000
	}
	if set && activation < 2*heartbeat {
		k.error(at.At, "parameter-together", "ft_activation is less than twice ft_heartbeat", "write at least "+property.FormatPeriod(2*heartbeat))
	}
	k.doors()
}

// heartbeats checks the pairs of interval and time-out (ems 1.2).
func (k *checker) heartbeats() {
	for _, pair := range [][2]string{
		{"client_heartbeat_server", "server_timeout_client_connection"},
		{"server_heartbeat_client", "client_timeout_server_connection"},
		{"server_heartbeat_server", "server_timeout_server_connection"},
	} {
		beat, _, beating := k.period(pair[0])
		timeout, at, limited := k.period(pair[1])
		switch {
		case limited && !beating:
			k.error(at.NameAt, "parameter-together", pair[1]+" without "+pair[0]+": every connection that is idle would be dropped", "add "+pair[0]+", about a third of it")
		case limited && timeout <= beat:
			k.warn(at.At, "parameter-together", pair[1]+" is not longer than "+pair[0]+": connections are dropped between two heartbeats", "write three times the interval or more")
		}
	}
}

// doors checks the listeners, and the certificate of those with TLS.
func (k *checker) doors() {
	open := map[int][]string{} // hosts by port
	secure := false
	for _, v := range k.params.values("listen") {
		e, _ := ParseListen(v.Value)
		secure = secure || e.Secure
		host := strings.ToLower(e.Host)
		if hosts := open[e.Port]; len(hosts) > 0 && (host == "" || slices.Contains(hosts, "") || slices.Contains(hosts, host)) {
			k.error(v.At, "listen-twice", "the server listens at port "+number(e.Port)+" already", "remove one of the two, or write another port")
		}
		open[e.Port] = append(open[e.Port], host)
	}
	if secure && !k.IsSet("ssl_server_identity") {
		v := k.params.values("listen")
		for i := range v {
			if e, _ := ParseListen(v[i].Value); e.Secure {
				k.error(v[i].At, "tls-identity", "a listener with TLS, and no ssl_server_identity", "add ssl_server_identity = FILE").Category = CategorySSL
				break
			}
		}
	}
	for _, name := range []string{"ssl_server_identity", "ssl_server_key", "ssl_server_issuer", "ssl_server_trusted"} {
		for _, v := range k.params.values(name) {
			switch {
			case k.files.Exists(k.Path(v.Value)):
			case secure:
				k.error(v.At, "file-missing", name+": the file is not there", "write the path of a file, as seen from the directory of "+path.Base(k.Main)).Category = CategorySSL
			default:
				k.warn(v.At, "file-missing", name+": the file is not there; no listener needs it", "write the path of a file, or take the line out")
			}
		}
	}
	if v, ok := k.one("ssl_password"); ok && secure && strings.HasPrefix(v.Value, "$man$") {
		k.error(v.NameAt, "password-mangled", "a mangled password cannot be read here: the private key stays closed", "write the password itself").Category = CategorySSL
	}
}

// keys checks the keys of a section against its table.
func (k *checker) keys(o *Object) {
	rows := sectionKeys(o.Class)
	if rows == nil {
		return
	}
	seen := map[string]bool{}
	var kind *transportRow
	if o.Class == Transports {
		kind = typeOf(o)
	}
	for i := range o.Attrs {
		a := &o.Attrs[i]
		row := findKey(rows, a.Name)
		switch {
		case row == nil:
			k.unknownKey(o, a, rows)
			continue
		case kind != nil && row.Of&kind.is == 0:
			k.foreignKey(a, row, kind)
			continue
		case a.Value == "":
			continue
		case a.Ignored: // reported when it was read
			seen[a.Name] = true
			continue
		case seen[a.Name] && !row.Repeat:
			k.warn(a.NameAt, "key-twice", a.Name+" stands in the section already; this one counts", "remove one of the two")
		}
		seen[a.Name] = true
		if message, fix := checkValue(row.Type, a.Value, bounds{row.Min, row.Max, row.Zero, row.Words}); message != "" {
			k.refuse(a, "key-value", a.Name+": "+message, fix)
			continue
		}
		if row.Meaning != "" && (row.Quiet == "" || !sameValue(row.Type, row.Quiet, a.Value)) {
			k.warn(a.NameAt, "key-effect", a.Name+" has no meaning here: "+row.Meaning, "")
		}
	}
	for _, row := range rows {
		if row.Required && !seen[row.Name] {
			k.refuseAll(o, o.At, "key-missing", o.Title()+" has no "+row.Name, "add a line "+row.Name+" = ...")
		}
	}
}

// foreignKey reports a key that transports of other types have.
func (k *checker) foreignKey(a *Attr, row *Key, kind *transportRow) {
	message := "a transport of type " + kind.word + " has no " + row.Name
	fix := "take the line out: it is a key of type " + orList(transportWords(row.Of))
	if k.JSON { // as with keys that nobody knows
		k.warn(a.NameAt, "key-type", message+": it is ignored", fix)
		return
	}
	a.Ignored = true
	k.error(a.NameAt, "key-type", message, fix)
}

func findKey(rows []Key, name string) *Key {
	for i := range rows {
		if rows[i].Name == name {
			return &rows[i]
		}
	}
	return nil
}

func (k *checker) unknownKey(o *Object, a *Attr, rows []Key) {
	names := make([]string, len(rows))
	for i := range rows {
		names[i] = rows[i].Name
	}
	fix := didYouMean(a.Name, names)
	if k.JSON {
		k.warn(a.NameAt, "key-unknown", "a "+o.Class.Word()+" has no "+clip(a.Name)+": it is ignored", fix)
		return
	}
	if fix == "" {
		fix = "take the line out"
	}
	a.Ignored = true
	k.error(a.NameAt, "key-unknown", "a "+o.Class.Word()+" has no "+clip(a.Name), fix)
}

// selector checks a selector; its error names the place inside.
func (k *checker) selector(text string, at Place) bool {
	if text == "" {
		return true
	}
	_, err := selector.Parse(text)
	if err == nil {
		return true
	}
	k.error(at, "selector", err.Error(), "write a selector of JMS: text in single quotes, Region = 'EU' AND Amount > 5")
	return false
}

// defined says whether a name stands in the files, or may be created.
func (k *checker) defined(kind property.Kind, n string) bool {
	return k.Tree(kind).Creatable(n) || property.IsSystem(kind, n)
}

// plainName checks the name of something that is no wildcard.
func plainName(n string) string {
	if err := name.Validate(n); err != nil {
		return err.Error()
	}
	if name.IsWildcard(n) {
		return n + " is a wildcard"
	}
	return ""
}
