package config

import (
	"slices"
	"strings"

	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/property"
)

// transports checks the sections of transports.conf, in their order: rv_tport names
// one above.
func (k *checker) transports() {
	earlier := map[string]*transportRow{}
	for _, o := range k.Objects(Transports) {
		k.transport(o, earlier)
		if !o.Ignored {
			earlier[o.Name] = typeOf(o)
		}
	}
	k.namedTwice()
}

// namedTwice warns of two transports that are one to a server: they would take one
// another's messages.
func (k *checker) namedTwice() {
	names := map[string]string{}
	for _, o := range k.Objects(Transports) {
		t, ok := k.opened(o)
		if !ok || !t.Has("cm_name") {
			continue
		}
		for _, s := range t.servers() {
			at := s + " " + t.String("cm_name")
			if first := names[at]; first != "" && first != o.Name {
				a, _ := o.Attr("cm_name")
				k.warn(a.At, "transport-cm-name", first+" has the cm_name already, and reaches the same server: each would take the other's messages", "write another, or take the line out")
				break
			}
			names[at] = o.Name
		}
	}
}

// transport checks one; earlier has the types of those above it.
func (k *checker) transport(o *Object, earlier map[string]*transportRow) {
	row := typeOf(o)
	if row == nil {
		o.Ignored = true // its type was reported
		return
	}
	if len(o.Attrs) > 0 && o.Attrs[0].Name != "type" && !k.JSON {
		k.error(o.Attrs[0].NameAt, "transport-type", "type must be the first line of a transport", "put the line type = "+row.word+" below ["+o.Name+"]")
	}
	if row.is&typesCertified != 0 {
		k.base(o, row, earlier)
	}
	k.server(o, row)
	if policy, ok := o.Attr("rv_queue_policy"); ok && policy.Value != "" {
		k.queuePolicy(policy)
	}
	k.outsideNames(o, row)
	if !o.Ignored {
		k.opening(o, row)
	}
}

// base checks rv_tport.
func (k *checker) base(o *Object, row *transportRow, earlier map[string]*transportRow) {
	base, has := o.Attr("rv_tport")
	has = has && base.Value != ""
	url, own := o.Attr("url")
	switch of := earlier[base.Value]; {
	case !has && row.is == typeRVCM:
		k.refuseAll(o, o.At, "key-missing", o.Title()+" has no rv_tport", "add rv_tport = NAME, a transport of type tibrv above it")
	case !has:
	case of == nil || of.is&(typeNATS|typeRV) == 0:
		kinds := transportWords(typeRV)
		if row.is != typeRVCM || of != nil {
			kinds = transportWords(typeNATS | typeRV)
		}
		k.refuseAll(o, base.At, "transport-base", base.Value+" is no transport of type "+orList(kinds)+" above this one", "write the name of one, or move this section below it")
	case own && url.Value != "" && row.is == typeNATSJS:
		k.refuseAll(o, url.NameAt, "transport-base", o.Title()+" has a url, and that of "+base.Value+" by rv_tport", "take one of the two lines out")
	}
}

// server checks where a transport goes to.
func (k *checker) server(o *Object, row *transportRow) {
	if row.schemes == nil || o.Ignored {
		return
	}
	u, has := o.Attr("url")
	if row.is == typeNATS && !has {
		u, has = o.Attr("daemon")
	}
	has = has && u.Value != ""
	if !has {
		if base, ok := o.Attr("rv_tport"); ok && base.Value != "" && row.is == typeNATSJS {
			k.certificates(o, EmbeddedURL)
			return
		}
		fix := "add a line url = " + row.schemes[0] + "://HOST:PORT"
		if row.is&typesOfNATS != 0 {
			fix += ", or url = " + EmbeddedURL
		}
		if row.is == typeNATSJS {
			fix += ", or rv_tport = NAME of a transport of type nats above it"
		}
		k.refuseAll(o, o.At, "key-missing", o.Title()+" has no url", fix)
		return
	}
	if message, fix := checkTransportURL(row, u.Value); message != "" {
		at := u.At
		if strings.Contains(u.Value, "@") {
			at = u.NameAt // findings quote what stands there, and here it may be a password
		}
		k.refuseAll(o, at, "transport-url", u.Name+": "+message, fix)
		return
	}
	if d, ok := o.Attr("daemon"); ok && d.Value != "" && u.Name == "url" {
		k.warn(d.NameAt, "transport-url", "daemon stands beside url, and url counts", "take the line daemon out")
	}
	k.certificates(o, u.Value)
}

// certificates warns of keys for TLS where nothing is encrypted.
func (k *checker) certificates(o *Object, url string) {
	if encrypted(url) {
		return
	}
	for _, a := range o.Attrs {
		if strings.HasPrefix(a.Name, "ssl_") && !a.Ignored && a.Value != "" {
			k.warn(a.NameAt, "transport-tls", a.Name+" has an effect only where the url is one with TLS", "write tls://, wss:// or amqps:// in the url, or take the line out")
			return
		}
	}
}

func (k *checker) queuePolicy(a Attr) {
	parts := strings.Split(a.Value, ":")
	word, ok := strings.CutPrefix(parts[0], "TIBRVQUEUE_DISCARD_")
	numbers := len(parts) == 3 && allDigits(parts[1]) && allDigits(parts[2])
	if !ok || word != "NONE" && word != "FIRST" && word != "LAST" || word != "NONE" && !numbers {
		k.error(a.At, "key-value", "rv_queue_policy is no policy of a Rendezvous queue", "write TIBRVQUEUE_DISCARD_NONE, or TIBRVQUEUE_DISCARD_FIRST or _LAST with :MAXIMUM:DISCARD")
	}
}

// outsideNames checks the parts that names have outside.
func (k *checker) outsideNames(o *Object, row *transportRow) {
	wrong := func(key, message, fix string) {
		if a, ok := o.Attr(key); ok && !o.Ignored {
			k.refuseAll(o, a.At, "transport-name", key+": "+message, fix)
		}
	}
	if v := o.Get("subject_prefix"); v != "" {
		if message, fix := checkPrefix(v, row); message != "" {
			wrong("subject_prefix", message, fix)
		}
	}
	if v := o.Get("service"); v != "" && strings.ContainsAny(v, ". \t*>$") {
		wrong("service", "it is one word or number, since it becomes an element of subjects", "write a number or name: service = 7650")
	}
	if v := o.Get("queue_group"); strings.ContainsAny(v, " \t*>") {
		wrong("queue_group", "a group's name has neither blanks nor wildcards", "write one word")
	}
	if v := o.Get("stream"); v != "" && (len(v) > maxName || strings.ContainsAny(v, ". \t*>/\\")) {
		wrong("stream", "a stream's name has no dots, blanks, wildcards or slashes", "write letters, digits, - and _: EMS_EXPORT")
	}
	if v := o.Get("exchange"); len(v) > maxName || strings.HasPrefix(v, "amq.") && v != "amq.topic" {
		wrong("exchange", "names that begin with amq. belong to RabbitMQ", "write amq.topic, or another name")
	}
}

// checkPrefix says what is wrong with what stands before names outside.
func checkPrefix(v string, row *transportRow) (message, fix string) {
	nats := row.is&typesOfNATS != 0
	switch {
	case strings.ContainsAny(v, "*> \t"):
		return "it has a wildcard or blank", "write elements and dots: rv.7650."
	case len(v) > maxName:
		return "it is too long", "at most " + number(maxName) + " bytes are allowed"
	case nats && name.Validate(v+"x") != nil:
		return "it has an empty element", "write elements with single dots: rv.7650."
	case nats && !strings.HasSuffix(v, "."):
		return "it does not end with a dot: wildcards could not stand behind it", "write subject_prefix = " + v + "."
	case nats && (strings.HasPrefix(v, "$") || strings.HasPrefix(v, "_")):
		return "subjects that begin with $ or _ belong to NATS", "write another first element"
	}
	return "", ""
}

// opening says what becomes of a transport that is not opened as it stands there.
func (k *checker) opening(o *Object, row *transportRow) {
	kind, _ := o.Attr("type")
	switch {
	case row.kind == "":
		k.warn(kind.At, "transport-unsupported", o.Name+" is of type "+row.word+" and is not opened: nothing comes or goes by it", row.instead)
	case row.is&(typeRV|typeRVCM) == 0:
	case !k.Bool("tibrv_transports"):
		k.warn(kind.At, "transport-closed", o.Name+" is of type "+row.word+" and stays closed, because tibrv_transports is not enabled", "write tibrv_transports = enabled for its stand-in, or type = "+row.kind)
	default:
		message, fix := k.standIn(o, row)
		k.warn(kind.At, "transport-stand-in", message, fix)
	}
}

// standIn says in words what a section for Rendezvous is opened as.
func (k *checker) standIn(o *Object, row *transportRow) (message, fix string) {
	t, ok := k.opened(o)
	if !ok {
		return o.Name + " cannot be opened", "mend its rv_tport"
	}
	message = o.Name + " is of type " + row.word + " and is opened as " + row.kind + " at " + whereabouts(t.String("url"))
	if d := o.Get("daemon"); d != "" && t.String("url") != d {
		message += " (its daemon is no URL of NATS)"
	}
	if p := t.String("subject_prefix"); p != "" {
		message += ", with the prefix " + p
	}
	return message, "write type = " + row.kind + " once the file need not serve EMS any more"
}

// whereabouts is a URL in words, without a password.
func whereabouts(u string) string {
	if u == EmbeddedURL {
		return "the NATS server in this process"
	}
	return ShownURL(u)
}

// linkedTransport refuses what a changed transport would make wrong elsewhere: its
// destinations, the transports that build on it, and its listeners.
func (k *checker) linkedTransport(o *Object) error {
	earlier := map[string]*transportRow{}
	for _, other := range k.Objects(Transports) {
		if other.Name == o.Name {
			break
		}
		earlier[other.Name] = typeOf(other)
	}
	k.transport(o, earlier)
	if err := firstError(o.Title(), k.report); err != nil {
		return err
	}
	row := typeOf(o)
	if row == nil {
		return nil // validate says so
	}
	k.instead = o
	for _, u := range k.usesOf(o.Name) {
		message, fix := "", ""
		switch {
		case u.def != nil:
			for f := range k.faults(u.kind, u.def) {
				if f.id == u.id {
					message, fix = f.message, f.fix
				}
			}
		case u.listener && row.is&typesCertified == 0, !u.listener && row.is&(typeNATS|typeRV) == 0:
			message, fix = "a transport of type "+row.word+" cannot be that", "keep its type"
		}
		if message != "" {
			return &EditError{o.Title(), u.String() + " names it: " + message, fix}
		}
	}
	return nil
}

// use is something that names a transport.
type use struct {
	kind     property.Kind
	def      *definition // of a destination
	id       property.ID
	other    string // title of another object
	listener bool
}

func (u use) String() string {
	if u.def == nil {
		return u.other
	}
	return u.id.String() + " of " + u.kind.String() + " " + u.def.String()
}

// usesOf lists what names a transport.
func (k *checker) usesOf(n string) (all []use) {
	for _, kind := range []property.Kind{property.Queue, property.Topic} {
		for d := range k.Tree(kind).All() {
			for _, id := range []property.ID{property.Import, property.Export} {
				if v, ok := d.Set.Get(id); ok && slices.Contains(v.Words(), n) {
					all = append(all, use{kind: kind, def: d, id: id})
				}
			}
		}
	}
	for _, o := range k.Objects(Transports) {
		if o.Get("rv_tport") == n && o.Name != n {
			all = append(all, use{other: "rv_tport of " + o.Title()})
		}
	}
	for _, o := range k.Objects(Listeners) {
		if o.Get("transport") == n {
			all = append(all, use{other: o.Title() + " of tibrvcm.conf", listener: true})
		}
	}
	return all
}
