package admin

import (
	"context"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/screen"
)

var connectionOperations = []Operation{
	{
		Usage: "show connections [type=q|t|s] [host=HOST] [user=USER] [version] [address] [counts] [full]",
		Help:  "Connections of clients and administrators.", Right: Right{Global: "view-connection"}, Run: showConnections,
	},
	{Usage: "delete connection ID", Help: "Close a connection; its client is told why.", Right: Right{Global: "change-connection"}, Asks: true, Run: deleteConnection},
}

func showConnections(ctx context.Context, c *Call) (*screen.Result, error) {
	all, err := connections(ctx, c.Service)
	if err != nil {
		return nil, err
	}
	columns := "library text;"
	version, address, counts := c.Has("version") || c.Has("full"), c.Has("address") || c.Has("full"), c.Has("counts") || c.Has("full")
	if version {
		columns += "version text;"
	}
	columns += "id text;flags text;started text;host text;"
	if address {
		columns += "address text;port text;"
	}
	columns += "user text;client_id text;sessions count;"
	if counts {
		columns += "producers count;consumers count;temporary_topics count;temporary_queues count;uncommitted_msgs count;uncommitted_bytes bytes;"
	}
	t := newTable("connections", columns+"uptime millis")
	var now time.Time
	c.step(func(at time.Time, _ *core.Broker, _ *core.Effects) { now = at })
	for i := range all {
		v := &all[i]
		host, port, _ := net.SplitHostPort(v.Peer.Address)
		if !c.wants(v, host) {
			continue
		}
		row := []any{library(v)}
		if version {
			row = append(row, valueOr(v.Peer.Version, "-"))
		}
		row = append(row, strconv.FormatUint(v.Number, 10), connectionFlags(v), "+", host)
		if address {
			row = append(row, host, port)
		}
		row = append(row, userOrAnonymous(v.User), shownClientID(v), v.Sessions)
		if counts {
			row = append(row, v.Producers, v.Consumers, v.TempTopics, v.TempQueues, v.Uncommitted, v.UncommittedBytes)
		}
		t.Add(append(row, uptime(now, v.Since))...)
	}
	return shown(t), nil
}

// wants applies the filters. Connections over AMQP are of no type of their own:
// `type=s` is those of administrators, q and t all others.
func (c *Call) wants(v *core.ConnView, host string) bool {
	switch {
	case c.Has("host") && c.Get("host") != host,
		c.Has("user") && c.Get("user") != userOrAnonymous(v.User):
		return false
	case c.Has("type"):
		return (c.Get("type") == "s") == v.Admin
	}
	return true
}

// library is EMS's letter of the client library (ems 10.5), as far as an AMQP
// client says what it is; docs/admin-screens.md lists them.
func library(v *core.ConnView) string {
	said := strings.ToLower(v.Peer.Product + " " + v.Peer.Platform)
	switch {
	case v.Admin:
		return "C" // EMS's own tool is written in it
	case strings.Contains(said, "javascript"), strings.Contains(said, "rhea"), strings.Contains(said, "node"):
		return "-"
	case strings.Contains(said, "jms"), strings.Contains(said, "java"):
		return "J"
	case strings.Contains(said, ".net"), strings.Contains(said, "amqpnetlite"):
		return "#"
	case strings.Contains(said, "proton"):
		return "C"
	}
	return "-"
}

// connectionFlags are the letters under FSXT: fault tolerant, TLS, XA, type.
func connectionFlags(v *core.ConnView) string {
	secure, kind := "-", "G"
	if v.Peer.Secure {
		secure = "S"
	}
	if v.Admin {
		kind = "A"
	}
	return "-" + secure + "-" + kind
}

// shownClientID leaves out the container-id of tools and of clients that were
// given none.
func shownClientID(v *core.ConnView) string {
	if v.Admin {
		return ""
	}
	return v.ClientID
}

func deleteConnection(_ context.Context, c *Call) (*screen.Result, error) {
	n, err := strconv.ParseUint(c.Get("id"), 10, 64)
	if err != nil {
		return nil, refuse(core.Invalid, "%q is no connection's ID: show connections lists them", c.Get("id"))
	}
	c.step(func(now time.Time, b *core.Broker, fx *core.Effects) {
		err = b.Evict(now, n, "it was closed by an administrator", fx)
	})
	if err != nil {
		return nil, missing("connection", c.Get("id"))
	}
	return screen.Said("Connection '%d' has been deleted", n), nil
}
