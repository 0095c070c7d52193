package config

import (
	"iter"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/property"
)

// fault is what is wrong with one property of a destination.
type fault struct {
	id                 property.ID
	rule, message, fix string
}

// destinations checks what properties name in other files.
func (k *checker) destinations(kind property.Kind) {
	tree, doc := k.Tree(kind), k.dests[treeIndex(classOf(kind))]
	var changed []definition
	for d := range tree.All() {
		set := d.Set
		for f := range k.faults(kind, d) {
			k.error(doc.place(d.Name, f.id.String()), f.rule, f.message, f.fix)
			set = set.Without(f.id)
		}
		if len(set) != len(d.Set) {
			changed = append(changed, definition{Name: d.Name, Server: d.Server, Set: set})
		}
		if v, ok := set.Get(property.OverflowPolicy); ok && v.Text != "default" {
			if p := tree.Policy(d.Name); p.MaxBytes == 0 && p.MaxMsgs == 0 && !d.Wildcard() {
				k.warn(doc.place(d.Name, v.ID.String()), "property-effect", "overflowPolicy has an effect only with a limit, own or inherited", "add maxbytes or maxmsgs")
			}
		}
		if v, ok := set.Get(property.Import); ok {
			if message, fix := k.sameOutside(v); message != "" {
				k.warn(doc.place(d.Name, v.ID.String()), "import-twice", message, fix)
			}
		}
		if d.Server != "" && d.Server == k.Param("server") {
			k.warn(doc.place(d.Name, ""), "routed-home", "the queue's home is this server: @"+d.Server+" is ignored", "write "+d.Name)
		}
	}
	k.reduce(kind, changed)
}

// reduce gives destinations fewer properties, which Tree.Put has no reason to refuse.
func (k *checker) reduce(kind property.Kind, changed []definition) {
	for _, d := range changed {
		_ = k.Tree(kind).Put(d) // with less in it: nothing new to refuse
	}
}

// faults are the properties of a destination that speak of what there is not, or of
// transports that cannot be named there.
func (k *checker) faults(kind property.Kind, d *definition) iter.Seq[fault] {
	return func(yield func(fault) bool) {
		for _, v := range d.Set {
			f := fault{id: v.ID, rule: "property-reference"}
			switch v.ID {
			case property.Store:
				f.message, f.fix = k.storeNamed(v.Text)
			case property.Channel:
				if _, ok := k.Object(Channels, v.Text); !ok {
					f.message, f.fix = "there is no channel "+v.Text, "add ["+v.Text+"] to channels.conf, or "+orNearest(v.Text, k.names(Channels))
				}
			case property.Import, property.Export:
				f = k.transportsNamed(kind, d, v)
			}
			if f.message != "" && !yield(f) {
				return
			}
		}
	}
}

func (k *checker) storeNamed(n string) (message, fix string) {
	if _, ok := k.Object(Stores, n); !ok && !slices.Contains(systemStores, n) {
		return "there is no store " + n, "add [" + n + "] to stores.conf, or " + orNearest(n, k.names(Stores, systemStores...))
	}
	if n == property.MetaStore {
		return n + " is for the server's own records", "write store=" + property.FailsafeStore
	}
	return "", ""
}

// transportsNamed says what is wrong with an import or export (ems 9; docs/transports.md).
func (k *checker) transportsNamed(kind property.Kind, d *definition, v property.Value) fault {
	f := fault{id: v.ID, rule: "property-reference"}
	first := ""
	for _, w := range v.Words() {
		o, ok := k.transportNamed(w)
		if !ok && k.docs[Transports] != nil && k.docs[Transports].find(w) != nil {
			f.message, f.fix = "transport "+w+" has an error and does not count", "mend its section in transports.conf"
			return f
		}
		if !ok {
			f.message, f.fix = "there is no transport "+w, "add ["+w+"] to transports.conf, or "+orNearest(w, k.names(Transports))
			return f
		}
		row := typeOf(o)
		switch {
		case v.ID == property.Import && first != "" && row.word != first:
			f.message, f.fix = "the transports of one import are of one type, and these are "+first+" and "+row.word, "import from one of them"
			return f
		case v.ID == property.Import && d.Wildcard() && row.is&typesOfWildcard == 0:
			f.rule = "import-wildcard"
			f.message = "a wildcard imports by transports of type " + orList(transportWords(typesOfWildcard)) + ", and " + w + " is of type " + row.word
			f.fix = "write a line with import=" + w + " for each " + kind.String()
			return f
		case v.ID == property.Export && kind == property.Queue && d.Wildcard():
			f.rule, f.message, f.fix = "export-queue", "queues are exported one by one, not by wildcards", "write a line with export="+w+" for each queue"
			return f
		case v.ID == property.Export && kind == property.Queue && !isOn(o, "allow_queue_export"):
			f.rule = "export-queue"
			f.message = "queues are exported only by transports that allow it, and " + w + " does not"
			f.fix = "bridge the queue's messages to a topic and export that"
			if row.is&typesOfOurs != 0 {
				f.fix = "write allow_queue_export = true into [" + w + "] of transports.conf, or " + f.fix
			}
			return f
		}
		first = row.word
	}
	return f
}

// transportNamed finds a transport that counts, as it is or as a change wants it.
func (k *checker) transportNamed(n string) (*Object, bool) {
	if k.instead != nil && k.instead.Name == n {
		return k.instead, true
	}
	return k.Object(Transports, n)
}

func isOn(o *Object, key string) bool {
	on, _ := property.ParseFlag(o.Get(key))
	return on
}

// sameOutside says where two transports of an import bring the same messages.
func (k *checker) sameOutside(v property.Value) (message, fix string) {
	if !strings.Contains(v.Text, ",") {
		return "", ""
	}
	places := map[string]string{}
	for _, w := range v.Words() {
		o, ok := k.transportNamed(w)
		if !ok {
			continue
		}
		t, ok := k.opened(o)
		if !ok {
			continue
		}
		for _, u := range t.servers() {
			at := u + " " + t.String("subject_prefix")
			if other := places[at]; other != "" && other != w {
				return other + " and " + w + " reach the same subjects of the same server: every message comes twice", "import from one of them, or give one a subject_prefix"
			}
			places[at] = w
		}
	}
	return "", ""
}

// importedOnce sees to it that of a topic and a queue of one name only one imports:
// the other side has one name for both.
func (k *checker) importedOnce() {
	var queues name.Trie[*definition]
	for d := range k.Tree(property.Queue).All() {
		if d.Set.Has(property.Import) {
			queues.Insert(d.Name, d)
		}
	}
	if queues.Len() == 0 {
		return
	}
	doc := k.dests[treeIndex(Topics)]
	var changed []definition
	for d := range k.Tree(property.Topic).All() {
		if !d.Set.Has(property.Import) {
			continue
		}
		queues.Overlapping(d.Name, func(q *definition) bool {
			message, fix := importedBoth(property.Queue, q.Name, property.Topic, d.Name)
			k.error(doc.place(d.Name, property.Import.String()), "import-both", message, fix)
			changed = append(changed, definition{Name: d.Name, Server: d.Server, Set: d.Set.Without(property.Import)})
			return false
		})
	}
	k.reduce(property.Topic, changed)
}

func importedBoth(k property.Kind, n string, other property.Kind, name string) (message, fix string) {
	return k.String() + " " + n + " imports, and " + other.String() + " " + name + " as well: of a topic and a queue of one name only one may",
		"take import off one of them; a bridge brings the messages to the other"
}

// importedElsewhere is importedOnce for one destination that is to be changed.
func (k *checker) importedElsewhere(kind property.Kind, d *definition) (message, fix string) {
	if !d.Set.Has(property.Import) {
		return "", ""
	}
	other := (property.Queue | property.Topic) ^ kind
	for o := range k.Tree(other).All() {
		if o.Set.Has(property.Import) && name.Overlap(o.Name, d.Name) {
			return importedBoth(other, o.Name, kind, d.Name)
		}
	}
	return "", ""
}
