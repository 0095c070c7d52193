package config

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidegate/tidegate/core/property"
)

// Transport is a transport as it is to be opened: rv_tport and stand-ins resolved,
// and every key of its kind with a value where it has a default
// (docs/transports.md). It does not change.
type Transport struct {
	Name    string
	Type    string // as the file has it, in small letters: nats, tibrv, ...
	Kind    string // what it is opened as: KindNATS and its like
	StandIn bool   // a section for Rendezvous, opened as NATS
	Base    string // the transport that rv_tport names
	At      Place  // of its section

	values  map[string][]string
	origins map[string]string // of those that its section does not say
}

// TransportOptions say what stand-ins need to know.
type TransportOptions struct {
	// RendezvousURL goes over Options.RendezvousURL, if it is not empty.
	RendezvousURL string
}

// OpenTransports lists the transports that are to be opened, in the order of their
// file: those of our types always, those of type tibrv and tibrvcm as their
// stand-ins if tibrv_transports is enabled, others never. The notes say of each that
// is not opened as it is written what becomes of it, as the findings do.
func (c *Config) OpenTransports(o TransportOptions) (all []Transport, notes []string) {
	view := c.withRendezvous(o.RendezvousURL)
	k := &checker{Config: view, report: &report{}, named: map[Class][]string{}}
	for _, obj := range c.Objects(Transports) {
		if row := typeOf(obj); row != nil {
			k.opening(obj, row)
		}
		if t, ok := k.opened(obj); ok {
			all = append(all, t)
		}
	}
	for _, f := range k.list {
		notes = append(notes, f.Message)
	}
	return all, notes
}

// OpenTransport is OpenTransports for one; false if there is none of the name, or it
// is not to be opened.
func (c *Config) OpenTransport(name string, o TransportOptions) (Transport, bool) {
	obj, ok := c.Object(Transports, name)
	if !ok {
		return Transport{}, false
	}
	k := &checker{Config: c.withRendezvous(o.RendezvousURL), report: &report{}, named: map[Class][]string{}}
	return k.opened(obj)
}

func (c *Config) withRendezvous(url string) *Config {
	view := *c
	if url != "" {
		view.rendezvous = url
	}
	return &view
}

// CheckRendezvousURL says what is wrong with rendezvous.url of tidegate.yaml; an
// empty one is none.
func CheckRendezvousURL(v string) error {
	if v == "" {
		return nil
	}
	if message, fix := checkTransportURL(transportType(KindNATS), v); message != "" {
		return &EditError{"rendezvous.url", message, fix}
	}
	return nil
}

// opened resolves a transport; false: it is not to be opened.
func (k *checker) opened(o *Object) (Transport, bool) {
	row := typeOf(o)
	if row == nil || row.kind == "" || row.is&(typeRV|typeRVCM) != 0 && !k.Bool("tibrv_transports") {
		return Transport{}, false
	}
	return k.resolved(o, row)
}

// inherited are the keys that rv_tport gives, besides those for TLS.
var inherited = []string{"url", "credentials", "username", "password", "subject_prefix", "max_reconnect_delay"}

func (k *checker) resolved(o *Object, row *transportRow) (Transport, bool) {
	t := Transport{
		Name: o.Name, Type: row.word, Kind: row.kind, StandIn: row.kind != row.word, At: o.At,
		values: map[string][]string{}, origins: map[string]string{},
	}
	kind := transportType(row.kind).is
	for _, key := range transportKeys {
		if key.Of&row.is == 0 || key.Of&kind == 0 {
			continue
		}
		for _, v := range o.All(key.Name) {
			if v != "" && key.Repeat {
				t.values[key.Name] = append(t.values[key.Name], v)
			} else if v != "" {
				t.values[key.Name] = []string{v}
			}
		}
	}
	switch row.is {
	case typeRV:
		k.rendezvousKeys(&t, o)
	case typeNATS:
		if t.String("url") == "" {
			t.set("url", o.Get("daemon"))
		}
	}
	if base := o.Get("rv_tport"); base != "" {
		if !k.inherit(&t, base) {
			return t, false
		}
	}
	if strings.EqualFold(t.String("url"), EmbeddedURL) {
		t.set("url", EmbeddedURL)
	}
	for _, key := range transportKeys {
		if key.Of&kind != 0 && (key.DefaultOf == 0 || key.DefaultOf&kind != 0) && key.Default != "" && t.values[key.Name] == nil {
			t.set(key.Name, key.Default)
			t.origins[key.Name] = "default"
		}
	}
	if o.Get("cm_name") == "" && t.Has("cm_name") {
		t.set("cm_name", k.Param("server")+":"+o.Name)
	}
	return t, t.String("url") != ""
}

// rendezvousKeys makes keys of NATS from those of Rendezvous.
func (k *checker) rendezvousKeys(t *Transport, o *Object) {
	daemon := o.Get("daemon")
	if message, _ := checkTransportURL(transportType(KindNATS), daemon); daemon == "" || message != "" {
		daemon = k.rendezvous
		if daemon == "" {
			daemon = EmbeddedURL
		}
	}
	t.set("url", daemon)
	t.origins["url"], t.origins["subject_prefix"] = "stand-in", "stand-in"
	if service := o.Get("service"); service != "" && service != "7500" {
		t.set("subject_prefix", "rv."+service+".")
	}
}

// inherit takes what rv_tport gives where the transport says nothing itself.
func (k *checker) inherit(t *Transport, base string) bool {
	o, ok := k.transportNamed(base)
	if !ok {
		return false
	}
	row := typeOf(o)
	if row == nil || row.is&(typeNATS|typeRV) == 0 {
		return false
	}
	of, ok := k.resolved(o, row) // opened or not: what it says counts
	if !ok {
		return false
	}
	t.Base = base
	for key, v := range of.values { // order: irrelevant
		if (slices.Contains(inherited, key) || strings.HasPrefix(key, "ssl_")) && t.values[key] == nil {
			t.values[key], t.origins[key] = v, "from "+base
		}
	}
	return true
}

func (t *Transport) set(key, value string) {
	if value != "" {
		t.values[key] = []string{value}
	}
}

// Has says whether a key has a value, its default included.
func (t *Transport) Has(key string) bool { return t.values[key] != nil }

// String is the value of a key, its default where it is not written; empty if it
// has none.
func (t *Transport) String(key string) string {
	if v := t.values[key]; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

// Word is the value of a key that is one of a few words, spelt as the table has it.
func (t *Transport) Word(key string) string {
	v := t.String(key)
	if row := findKey(transportKeys, key); row != nil {
		if i := slices.IndexFunc(row.Words, func(w string) bool { return strings.EqualFold(w, v) }); i >= 0 {
			return row.Words[i]
		}
	}
	return v
}

// Bool is the value of a key that says yes or no.
func (t *Transport) Bool(key string) bool {
	on, _ := property.ParseFlag(t.String(key))
	return on
}

// Duration is the value of a key that is a time.
func (t *Transport) Duration(key string) time.Duration {
	ms, _ := property.ParsePeriod(t.String(key))
	return time.Duration(ms) * time.Millisecond
}

// Int is the value of a key that is a number.
func (t *Transport) Int(key string) int {
	n, _ := strconv.Atoi(t.String(key))
	return n
}

// List is the values of a key that may stand several times, or the URLs of url.
func (t *Transport) List(key string) []string {
	if key == "url" {
		return splitURLs(t.String(key))
	}
	return slices.Clone(t.values[key])
}

// Origin says where a key's value comes from: own, default, stand-in (made from keys of
// Rendezvous), or `from NAME`, the transport that rv_tport names.
func (t *Transport) Origin(key string) string {
	if o := t.origins[key]; o != "" {
		return o
	}
	return "own"
}

// Keys lists the keys that have a value, in the order of the table.
func (t *Transport) Keys() []string {
	var all []string
	for _, key := range transportKeys {
		if t.Has(key.Name) {
			all = append(all, key.Name)
		}
	}
	return all
}

// Settings are all values as interop.Settings has them: flags are true or false, times
// whole seconds, words spelt as the table has them, and what may stand several times is
// a line each.
func (t *Transport) Settings() map[string]string {
	all := make(map[string]string, len(t.values))
	for _, name := range t.Keys() {
		switch row := findKey(transportKeys, name); row.Type {
		case Bool:
			all[name] = strconv.FormatBool(t.Bool(name))
		case Seconds:
			all[name] = strconv.FormatInt(int64((t.Duration(name)+time.Second-1)/time.Second), 10)
		case OneOf:
			all[name] = t.Word(name)
		default:
			all[name] = strings.Join(t.values[name], "\n")
		}
	}
	return all
}

// Shown is the value of a key for people: without passwords.
func (t *Transport) Shown(key string) string {
	return ShownKey(key, strings.Join(t.values[key], ","))
}

// ShownKey is the value of a key of a transport for people: without passwords.
func ShownKey(key, value string) string {
	switch row := findKey(transportKeys, key); {
	case value == "":
		return ""
	case row != nil && row.Type == Secret:
		return "********"
	case key == "url" || key == "daemon":
		return ShownURL(value)
	}
	return value
}
