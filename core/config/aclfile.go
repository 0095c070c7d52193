package config

import (
	"slices"
	"strings"

	"github.com/tidegate/tidegate/core/auth"
)

// acl.conf: KEY=VALUE words in any order, or ADMIN in front (ems 6.3).
var aclGrammar = lineGrammar{class: ACLs, comment: "#", read: readACL, write: writeACL}

// pairs cuts a line into KEY=VALUE. A value that ends in a comma goes on behind
// the blank: TIBCO's own examples write `PERM=create, delete`.
func pairs(body string) []span {
	var all []span
	for _, w := range words(body) {
		if n := len(all); n > 0 && strings.HasSuffix(all[n-1].of(body), ",") {
			all[n-1].to = w.to
			continue
		}
		all = append(all, w)
	}
	return all
}

// aclLine is a line of acl.conf, cut up.
type aclLine struct {
	admin       bool
	target      Attr // queue or topic
	who         Attr // user or group
	perms       span // the value of PERM
	given       bool // there is a PERM
	targetTwice bool
	whoTwice    bool
	unknown     []span
	emptyAt     []span
}

func (f *lineFile) cutACL(l *line, body string) aclLine {
	var a aclLine
	for i, s := range pairs(body) {
		key, _, ok := strings.Cut(s.of(body), "=")
		value := span{s.from + len(key) + 1, s.to}
		switch {
		case !ok && i == 0 && strings.EqualFold(key, "admin"):
			a.admin = true
			continue
		case !ok:
			a.unknown = append(a.unknown, s)
			continue
		case value.from >= value.to:
			a.emptyAt = append(a.emptyAt, s)
			continue
		}
		switch strings.ToLower(key) {
		case "queue", "topic":
			a.targetTwice = a.targetTwice || a.target.Name != ""
			a.target = f.attr(l, strings.ToLower(key), value)
		case "user", "group":
			a.whoTwice = a.whoTwice || a.who.Name != ""
			a.who = f.attr(l, strings.ToLower(key), value)
		case "perm":
			a.perms, a.given = value, true
		default:
			a.unknown = append(a.unknown, s)
		}
	}
	return a
}

func readACL(f *lineFile, l *line, body string, r *report) *Object {
	const form = "write QUEUE=NAME USER=NAME PERM=send,receive (or TOPIC, GROUP), or ADMIN USER=NAME PERM=view-all"
	a := f.cutACL(l, body)
	whole := f.place2(l, trim(body, span{0, len(body)}))
	for _, s := range a.unknown {
		r.error(f.place2(l, s), "acl-line", "not a word of acl.conf", form)
	}
	for _, s := range a.emptyAt {
		r.error(f.place2(l, s), "acl-line", "there is nothing behind the equals sign", form)
	}
	switch {
	case len(a.unknown)+len(a.emptyAt) > 0:
		return nil
	case a.admin == (a.target.Name != ""):
		r.error(whole, "acl-line", "a line is for a QUEUE, a TOPIC, or ADMIN", form)
		return nil
	case a.targetTwice:
		r.error(a.target.At, "acl-line", "a line is for one destination", "write a line for each")
		return nil
	case a.who.Name == "":
		r.error(whole, "acl-line", "the line names neither USER nor GROUP", form)
		return nil
	case a.whoTwice:
		r.error(a.who.At, "acl-line", "a line is for one user or one group", "write a line for each")
		return nil
	case !a.given:
		r.error(whole, "acl-line", "the line has no PERM", form)
		return nil
	}
	o := &Object{Name: "admin", At: whole, Attrs: []Attr{a.who}}
	if !a.admin {
		o.Name, o.At = a.target.Name+":"+a.target.Value, a.target.At
	}
	f.readPerms(l, body, a, o, r)
	return o
}

// readPerms adds the permissions; unknown ones are reported and left out.
func (f *lineFile) readPerms(l *line, body string, a aclLine, o *Object, r *report) {
	known := Permissions(o.Name)
	from := a.perms.from
	for p := range strings.SplitSeq(a.perms.of(body), ",") {
		s := trim(body, span{from, from + len(p)})
		from += len(p) + 1
		word := strings.ToLower(s.of(body))
		if !slices.Contains(known, word) {
			fix := didYouMean(word, known)
			if fix == "" {
				fix = "it is one of " + strings.Join(known, ", ")
			}
			r.error(f.place2(l, s), "permission", "there is no such permission on "+aclKind(o.Name), fix)
			continue
		}
		o.Attrs = append(o.Attrs, Attr{Name: "perm", Value: word, At: f.place2(l, s)})
	}
}

func aclKind(name string) string {
	kind, _, _ := strings.Cut(name, ":")
	switch kind {
	case "queue":
		return "queues"
	case "topic":
		return "topics"
	}
	return "the server"
}

// Permissions lists what may be granted on what an object of ACLs is named after:
// queue:NAME, topic:NAME or admin (ems 6.3, 6.5).
func Permissions(name string) []string {
	switch kind, _, _ := strings.Cut(name, ":"); kind {
	case "queue", "topic":
		return auth.Permissions(kind == "topic")
	}
	return auth.GlobalPermissions
}

func writeACL(o *Object, body string) string {
	perms := strings.Join(o.All("perm"), ",")
	if body != "" {
		a := (&lineFile{text: &text{}}).cutACL(&line{raw: body}, body)
		return replace(body, a.perms, "", perms)
	}
	target := "ADMIN"
	if kind, name, ok := strings.Cut(o.Name, ":"); ok {
		target = strings.ToUpper(kind) + "=" + quoteIf(name)
	}
	if o.Has("group") {
		return target + " GROUP=" + quoteIf(o.Get("group")) + " PERM=" + perms
	}
	return target + " USER=" + quoteIf(o.Get("user")) + " PERM=" + perms
}
