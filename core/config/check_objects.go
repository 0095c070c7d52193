package config

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/core/auth"
	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/property"
)

// maxName is the longest name of a user, group, durable, client id (ems 3.2).
const maxName = 255

// maxSuggested bounds among how many names the one is looked for that was meant: a
// file of noise beside a large one would take hours.
const maxSuggested = 2000

// systemStores always exist (ems 12.1).
var systemStores = []string{property.MetaStore, property.NonFailsafeStore, property.FailsafeStore}

// StoreNames lists the stores that always exist, and those of stores.conf behind them.
func (c *Config) StoreNames() []string {
	all := slices.Clone(systemStores)
	for _, o := range c.Objects(Stores) {
		if !slices.Contains(systemStores, o.Name) {
			all = append(all, o.Name)
		}
	}
	return all
}

// SyncStore says whether a store is of mode sync, which of those that nobody gives a
// mode $sys.failsafe alone is (ems 12.1).
func (c *Config) SyncStore(n string) bool {
	if o, ok := c.Object(Stores, n); ok && o.Has("mode") {
		return strings.EqualFold(o.Get("mode"), "sync")
	}
	return n == property.FailsafeStore
}

func (k *checker) stores() {
	files := map[string]*Object{}
	said := false
	for _, o := range k.Objects(Stores) {
		if strings.HasPrefix(o.Name, "$") && !slices.Contains(systemStores, o.Name) {
			k.refuseAll(o, o.At, "store-name", "names that begin with $ belong to the server", "choose another name")
			continue
		}
		kind, _ := o.Attr("type")
		file, has := o.Attr("file")
		switch strings.ToLower(kind.Value) {
		case "file", "mstore":
			if !has {
				k.refuseAll(o, o.At, "key-missing", o.Title()+" has no file", "add a line file = NAME.db")
				continue
			}
			if first := files[file.Value]; first != nil {
				k.refuseAll(o, file.At, "store-file", "store "+first.Name+" has the file already", "write another file")
				continue
			}
			files[file.Value] = o
			if !said {
				said = true
				k.warn(file.At, "store-effect", "all stores are one log in the data directory: files, checksums and sizes of a store have no meaning, its name and mode have", "")
			}
			if strings.EqualFold(kind.Value, "mstore") {
				k.warn(kind.At, "store-effect", "an mstore is a store like the others: nothing is scanned in the background", "write type=file")
			}
		default:
			k.warn(kind.At, "store-effect", "a store of type "+kind.Value+" is kept in the log like the others: nothing is written to a database, FTL or grid", "write type=file")
		}
	}
}

func (k *checker) channels() {
	for _, o := range k.Objects(Channels) {
		a, _ := o.Attr("address")
		group, err := netip.ParseAddrPort(a.Value)
		if err != nil || !group.Addr().Is4() || !group.Addr().IsMulticast() {
			k.refuseAll(o, a.At, "channel-address", "the address is no multicast group with a port", "write one from 224.0.0.0 to 239.255.255.255 with :PORT")
		}
	}
}

func orNearest(word string, known []string) string {
	if fix := didYouMean(word, known); fix != "" {
		return strings.TrimSuffix(strings.TrimPrefix(fix, "did you mean "), "?") + " was meant: write that"
	}
	return "take it out"
}

// names lists a class for suggestions; more than maxSuggested are none.
func (k *checker) names(class Class, more ...string) []string {
	all, ok := k.named[class]
	if !ok {
		for _, o := range k.Objects(class) {
			all = append(all, o.Name)
		}
		k.named[class] = all
	}
	if len(all) > maxSuggested {
		return more
	}
	return append(slices.Clone(more), all...)
}

func (k *checker) users() {
	open := false // to more than this machine
	for _, v := range k.ParamAll("listen") {
		e, _ := ParseListen(v)
		open = open || !loopback(e.Host)
	}
	open = open || !k.IsSet("listen")
	for _, o := range k.Objects(Users) {
		if k.tooLong(o, "user-name") {
			continue
		}
		p, _ := o.Attr("password")
		at := o.At // never quote a password
		switch scheme := auth.Scheme(p.Value); {
		case p.Value == "" && o.Name == "admin" && open:
			k.warn(o.At, "admin-password", "admin has no password, and the server listens to other machines", "set one: set password admin PASSWORD")
		case p.Value == "" || scheme == "tg1":
		case scheme == "":
			k.warn(at, "password-clear", "the password of "+o.Name+" is in clear text; it is hashed when the file is next written", "set it with the admin tool: set password "+o.Name)
		default:
			k.warn(at, "password-hash", "the password of "+o.Name+" is a hash of another server ($"+scheme+"$): it is kept as it is, and the user cannot log in", "set it anew: set password "+o.Name)
		}
	}
}

// tooLong refuses a name of more than maxName bytes.
func (k *checker) tooLong(o *Object, rule string) bool {
	if len(o.Name) <= maxName {
		return false
	}
	k.refuseAll(o, o.At, rule, "the name is too long", "at most "+number(maxName)+" bytes are allowed")
	return true
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// local says whether all users stand in users.conf.
func (k *checker) local() bool {
	v := k.Param("user_auth")
	return v == "" || strings.EqualFold(v, "local")
}

// unknownUser says what follows where a user does not stand in users.conf.
func (k *checker) unknownUser(a *Attr, what string) {
	_, ok := k.Object(Users, a.Value)
	switch {
	case ok || a.Value == "admin" || a.Value == "anonymous":
	case k.local():
		fix := didYouMean(a.Value, k.names(Users))
		if fix == "" {
			fix = "add the user, or take the line out"
		}
		k.refuse(a, "user-unknown", "there is no user "+a.Value+" "+what, fix)
	default:
		k.warn(a.At, "user-unknown", "there is no user "+a.Value+" in users.conf; if another source knows the name, this counts then", "")
	}
}

func (k *checker) groups() {
	for _, o := range k.Objects(Groups) {
		if k.tooLong(o, "group-name") {
			continue
		}
		for i := range o.Attrs {
			a := &o.Attrs[i]
			switch {
			case a.Name != "member":
			case a.Value == "":
				a.Ignored = true
				k.warn(a.At, "member-empty", "a member of "+o.Name+" without a name", "take it out")
			default:
				k.unknownUser(a, "to be a member of "+o.Name)
			}
		}
	}
}

func (k *checker) acls() {
	for _, o := range k.Objects(ACLs) {
		k.acl(o)
	}
}

func (k *checker) acl(o *Object) {
	if kind, n, ok := strings.Cut(o.Name, ":"); ok {
		if err := name.Validate(n); err != nil {
			k.refuseAll(o, o.At, "destination-name", err.Error(), "write the name of a "+kind+", or a wildcard")
			return
		}
	}
	for i := range o.Attrs {
		switch a := &o.Attrs[i]; a.Name {
		case "user":
			k.unknownUser(a, "to have rights")
			o.Ignored = a.Ignored
		case "group":
			if _, ok := k.Object(Groups, a.Value); ok || oneOf(a.Value, []string{"all", "$all", "$admin"}) || !k.local() {
				continue
			}
			fix := didYouMean(a.Value, k.names(Groups, "all"))
			if fix == "" {
				fix = "add the group, or take the line out"
			}
			k.refuseAll(o, a.At, "group-unknown", "there is no group "+a.Value, fix)
		}
	}
	if !o.Ignored && !o.Has("perm") {
		o.Ignored = true
	}
}
