package main

import (
	"cmp"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/spf13/viper"

	"github.com/tidegate/tidegate/amqp/sasl"
	amqpserver "github.com/tidegate/tidegate/amqp/server"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin"
	"github.com/tidegate/tidegate/core/auth"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/server"
)

// gate is who may log in, and who may do what: as the definitions say, which change
// at run time, and beside them --users and tidegate.yaml.
type gate struct {
	only   *fileOnly
	always bool // --users: authorization is on, whatever the definitions say
	log    *slog.Logger
	edge   *slog.Logger // for what clients can cause

	on     atomic.Bool
	rights atomic.Pointer[auth.Model]
	broker *server.Server // nil before it is there; its changes come under the definitions' lock

	mu    sync.RWMutex // guards what follows
	fixed accounts     // of --users
	users accounts     // of the definitions
}

// openGate reads who there is, and refuses settings that do not go together.
func openGate(v *viper.Viper, d *admin.Definitions, only *fileOnly, log *slog.Logger) (*gate, error) {
	var fixed accounts
	if file := v.GetString("users"); file != "" {
		var err error
		if fixed, err = loadUsers(file, log); err != nil {
			return nil, err
		}
	}
	d.HashPasswords(hashed)
	g := newGate(d, fixed, only, log)
	if v.GetBool("anonymous") && !g.on.Load() {
		return nil, errors.New("--anonymous goes with --users: without users everybody is let in")
	}
	return g, only.check(g.on.Load())
}

// newGate reads who there is. fixed is nil without --users.
func newGate(d *admin.Definitions, fixed accounts, only *fileOnly, log *slog.Logger) *gate {
	g := &gate{only: only, always: fixed != nil, log: log, edge: amqpserver.Quiet(log), fixed: fixed, users: accounts{}}
	d.View(func(c *config.Config) {
		if g.always && c.IsSet("authorization") && !c.Bool("authorization") {
			log.Info("a setting goes over the configuration", "setting", "--users", "parameter", "authorization", "there", c.Param("authorization"))
		}
		g.switchOn(c)
		g.weigh(c)
		for _, o := range c.Objects(config.Users) {
			g.admit(o.Name, o, true)
		}
		if _, ok := g.users[auth.Admin]; !ok {
			g.admit(auth.Admin, nil, true)
		}
	})
	return g
}

// follow has what administrators change take effect at once.
func (g *gate) follow(d *admin.Definitions, broker *server.Server) {
	d.View(func(*config.Config) { g.broker = broker })
	d.Watch(func(c *config.Config, what admin.Change) {
		switch {
		case what.Class == config.Users:
			o, ok := c.Object(config.Users, what.Name)
			if !ok {
				o = nil
			}
			g.admit(what.Name, o, false)
		case what.Class == config.Groups:
			g.rights.Store(g.rights.Load().WithGroups(admin.GroupsOf(c)))
			g.broker.Authorize(g.on.Load(), g.authority())
		case what.Class == config.ACLs:
			g.regrant(c, what.Who)
			g.broker.Authorize(g.on.Load(), g.authority())
		case what.Class == 0 && what.Name == "authorization":
			if g.always && !c.Bool("authorization") {
				g.log.Warn("authorization stays on: the server was started with --users")
			}
			if g.switchOn(c) {
				g.log.Info("authorization is switched", "on", g.on.Load())
				g.broker.Authorize(g.on.Load(), g.authority())
			}
		}
	})
}

// switchOn takes over whether authorization is on, and says whether that is new.
func (g *gate) switchOn(c *config.Config) bool {
	on := g.always || c.Bool("authorization")
	return g.on.Swap(on) != on
}

// regrant takes over what one user or group has been granted: compiling all of a large
// acl.conf at each line of a script would take minutes.
func (g *gate) regrant(c *config.Config, who auth.Who) {
	grants, global := admin.GrantsTo(c, who)
	for _, also := range g.only.grants {
		if also.Who.Same(who) {
			grants = append(grants, also)
		}
	}
	g.rights.Store(g.rights.Load().With(who, grants, global))
}

// weigh compiles rights.
func (g *gate) weigh(c *config.Config) {
	s := admin.RightsOf(c)
	s.Grants = append(s.Grants, g.only.grants...)
	g.rights.Store(auth.Compile(s))
}

// admit takes over a user of the definitions; nil: there is none of the name. At the
// start the configuration's findings tell of hashes of other programs. The
// user admin always is, without a password, but where --users says who is.
func (g *gate) admit(n string, o *config.Object, starting bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case o != nil:
		a := newAccount(o.Get("password"))
		g.users[n] = a
		if known := starting && auth.Scheme(o.Get("password")) != ours; a.why != "" && !known {
			g.log.Warn("a user cannot log in", "user", n, "file", o.At.File, "line", o.At.Line, "reason", a.why)
		}
	case n == auth.Admin && !g.always:
		g.users[n] = newAccount("")
	default:
		delete(g.users, n)
	}
}

// account finds a user; --users goes before the definitions. nil: there is none.
func (g *gate) account(n string) *account {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return cmp.Or(g.fixed[n], g.users[n])
}

// Lookup is sasl.Users. Why a user who is there cannot log in is told in the log.
func (g *gate) Lookup(n string) (sasl.Verifier, bool) {
	a := g.account(n)
	switch {
	case a == nil:
		return sasl.Verifier{}, false
	case a.why != "":
		g.edge.Warn("login refused", "user", n, "reason", a.why)
		return sasl.Verifier{}, false
	}
	return a.verifier(), true
}

// warnOfAdmin tells of an administrator without a password who can be reached from
// other machines.
func (g *gate) warnOfAdmin(listeners []*amqpserver.Listener) {
	if a := g.account(auth.Admin); a == nil || !a.empty {
		return
	}
	for _, l := range listeners {
		if !local(l) {
			g.log.Warn("user admin has no password, and other machines can connect: whoever can may administer; set one with: tidegate admin set password admin PASSWORD", "listen", l.URL())
			return
		}
	}
}

// monitored begins the topics that are always secure (ems 6.1).
const monitored = "$sys.monitor."

// authority is who may do what now.
func (g *gate) authority() core.Authority {
	return authorityOf(g.on.Load(), g.rights.Load(), g.only)
}

// authorityOf is who may do what; nil: everybody everything.
func authorityOf(on bool, m *auth.Model, only *fileOnly) core.Authority {
	if !on && len(only.secureQueues)+len(only.secureTopics) == 0 {
		return nil
	}
	rights := auth.NewCache(m)
	return func(user string, p core.Permission, d core.Destination, secure bool) bool {
		switch {
		case d.Temporary:
			return true // who knows its name may send, its connection consume
		case p < core.MayView && !secure && !only.secure(d) && !(d.Kind == core.Topic && strings.HasPrefix(d.Name, monitored)):
			return true
		case !on && p >= core.MayView:
			return true // nobody is an administrator where nobody logs in
		case !on && user == auth.Admin:
			user = "" // anybody can say so
		case on && user == "":
			user = sasl.AnonymousUser // ems 6.2
		}
		return rights.Rights(user, d.Kind == core.Topic, d.Name)&admin.RightOf[p] != 0
	}
}

// secure says whether tidegate.yaml has the permissions of a destination checked.
func (o *fileOnly) secure(d core.Destination) bool {
	patterns := o.secureQueues
	if d.Kind == core.Topic {
		patterns = o.secureTopics
	}
	if len(patterns) == 0 {
		return false
	}
	match := name.Match
	if name.IsWildcard(d.Name) {
		match = name.Overlap
	}
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, d.Name) })
}
