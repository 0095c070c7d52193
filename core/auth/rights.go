package auth

import "slices"

// Rights are permissions on a destination, as bits (ems 6.3).
type Rights uint16

// The rights. Sending to a topic is its publish. The last five are those of
// administrators.
const (
	Send Rights = 1 << iota
	Receive
	Browse
	Subscribe
	Durable
	UseDurable
	View
	Create
	Modify
	Delete
	Purge

	administrative = View | Create | Modify | Delete | Purge
	queueRights    = Send | Receive | Browse | administrative
	topicRights    = Send | Subscribe | Durable | UseDurable | administrative
	every          = queueRights | topicRights
)

// All is the word for every permission.
const All = "all"

var (
	administrativePermissions = []string{"view", "create", "delete", "modify", "purge"}
	queuePermissions          = slices.Concat([]string{"receive", "send", "browse"}, administrativePermissions, []string{All})
	topicPermissions          = slices.Concat([]string{"subscribe", "publish", "durable", "use_durable"}, administrativePermissions, []string{All})
)

// Permissions are the words of acl.conf for rights on a topic or a queue. The list is
// not to be changed.
func Permissions(topic bool) []string {
	if topic {
		return topicPermissions
	}
	return queuePermissions
}

var rightWords = map[string]Rights{
	"send": Send, "publish": Send, "receive": Receive, "browse": Browse, "subscribe": Subscribe, "durable": Durable, "use_durable": UseDurable,
	"view": View, "create": Create, "modify": Modify, "delete": Delete, "purge": Purge,
}

// ParseRights gives what words of acl.conf stand for on a topic or queue. Words
// that are no permission there stand for none.
func ParseRights(topic bool, words []string) (r Rights) {
	all := queueRights
	if topic {
		all = topicRights
	}
	for _, w := range words {
		switch {
		case w == All:
			r |= all
		case slices.Contains(Permissions(topic), w):
			r |= rightWords[w]
		}
	}
	return r
}

// implied adds what comes with rights: who may make durable subscriptions may use
// them, and who may change a destination may look at it (ems 6.3).
func (r Rights) implied() Rights {
	if r&Durable != 0 {
		r |= UseDurable
	}
	if r&administrative != 0 {
		r |= View
	}
	return r
}

// Global are permissions of administrators on the whole server, as bits in the
// order of GlobalPermissions (ems 6.5).
type Global uint64

// GlobalPermissions are the words of acl.conf for them.
var GlobalPermissions = []string{
	All, "view-all", "change-acl", "change-admin-acl", "change-bridge", "change-channel", "change-connection",
	"create-destination", "modify-destination", "delete-destination", "change-durable", "change-factory", "change-group",
	"change-message", "change-route", "change-server", "change-user", "purge-destination", "purge-durable", "shutdown",
	"view-acl", "view-admin-acl", "view-bridge", "view-channel", "view-connection", "view-destination", "view-durable",
	"view-factory", "view-group", "view-message", "view-route", "view-server", "view-user",
	"protect1", "protect2", "protect3", "protect4",
}

// globalImplies is what a word gives besides itself.
var globalImplies = map[string][]string{
	"create-destination": {"view-destination"}, "modify-destination": {"view-destination"}, "delete-destination": {"view-destination"},
	"purge-destination": {"view-destination"}, "purge-durable": {"view-durable"},
}

// globalRights is what a permission on the server gives on each destination.
var globalRights = map[string]Rights{
	"view-destination": View, "create-destination": Create, "modify-destination": Modify, "delete-destination": Delete, "purge-destination": Purge,
}

// globalBits is each word's permissions, those that it implies included.
var globalBits = func() map[string]Global {
	bit := map[string]Global{}
	for i, w := range GlobalPermissions {
		bit[w] = 1 << i
	}
	all := map[string]Global{}
	for _, w := range GlobalPermissions {
		all[w] = bit[w]
		if len(w) > len("change-") && w[:len("change-")] == "change-" {
			all[w] |= bit["view-"+w[len("change-"):]]
		}
		for _, i := range globalImplies[w] {
			all[w] |= bit[i]
		}
	}
	for _, w := range GlobalPermissions {
		if len(w) > len("view-") && w[:len("view-")] == "view-" {
			all["view-all"] |= bit[w]
		}
		if !protects(w) {
			all[All] |= bit[w]
		}
	}
	return all
}()

// protects says whether a word is one of the four that only keep others away.
func protects(w string) bool { return len(w) == len("protect1") && w[:len(w)-1] == "protect" }

// protection is the bits of the four.
var protection = globalBits["protect1"] | globalBits["protect2"] | globalBits["protect3"] | globalBits["protect4"]

// ParseGlobal gives what words of ADMIN lines stand for. Unknown ones stand for none.
func ParseGlobal(words []string) (g Global) {
	for _, w := range words {
		g |= globalBits[w]
	}
	return g
}

// bit is a word's own permission; 0 for one that is not known.
func globalBit(w string) Global {
	if i := slices.Index(GlobalPermissions, w); i >= 0 {
		return 1 << i
	}
	return 0
}

// rights is what permissions on the server give on every destination.
func (g Global) rights() (r Rights) {
	for w, each := range globalRights { // order: irrelevant
		if g&globalBit(w) != 0 {
			r |= each
		}
	}
	return r
}
