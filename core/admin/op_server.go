package admin

import (
	"context"
	"strings"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/screen"
)

var serverOperations = []Operation{
	{Usage: "show server [status]", Help: "What the server is and how much it holds.", Right: Right{Global: "view-server"}, Run: showServer},
	{Usage: "info", Help: "The same as show server.", Right: Right{Global: "view-server"}, Run: showServer},
	{Usage: "show state", Help: "Whether the server is active.", Right: Right{Global: "view-server"}, Run: showState},
	{Usage: "show dropped", Help: "Messages that were dropped although nobody was told, and what limits, expiration and maxRedelivery did to others, by the reason.", Right: Right{Global: "view-server"}, Run: showDropped},
	{Usage: "whoami", Help: "Who you are to the server.", Run: whoAmI},
	{Usage: "rotatelog", Help: "Begin a new log file.", Right: Right{Global: "change-server"}, Run: rotateLog},
	{Usage: "shutdown", Help: "End the server in good order.", Right: Right{Global: "shutdown"}, Asks: true, Run: shutDown},
	{Usage: "updatecrl", Help: "Read revocation lists of certificates anew.", Right: Right{Global: "change-server"}, Run: func(context.Context, *Call) (*screen.Result, error) {
		return nil, refuse(core.Invalid, "revocation lists are not read by this version: certificates of clients are checked against their authorities alone")
	}},
}

const serverColumns = "server text;version text;hostname text;process_id text;state text;module_path text;" +
	"topics count;dynamic_topics count;temporary_topics count;queues count;dynamic_queues count;temporary_queues count;" +
	"client_connections count;admin_connections count;sessions count;producers count;consumers count;durables count;" +
	"log_file_size bytes;log_file_max bytes;pending_msgs count;pending_bytes bytes;inbound_msgs count;inbound_bytes bytes;" +
	"outbound_msgs count;outbound_bytes bytes;memory bytes;memory_max bytes;memory_pooled bytes;sync_storage bytes;async_storage bytes;" +
	"fsync bool;inbound_msg_rate count;inbound_byte_rate bytes;outbound_msg_rate count;outbound_byte_rate bytes;" +
	"read_rate count;read_byte_rate bytes;write_rate count;write_byte_rate bytes;uptime millis;listens list"

func showServer(_ context.Context, c *Call) (*screen.Result, error) {
	var t core.Totals
	var now time.Time
	c.step(func(at time.Time, b *core.Broker, _ *core.Effects) { t, now = b.Totals(), at })
	f, disk := c.facts(), c.sampler.diskRates()
	queues, topics := c.o.Definitions.extras()
	s := newTable("server", serverColumns)
	s.Single = true
	s.Add(c.o.Name, c.o.Version, f.Hostname, decimal(f.ProcessID), f.State, f.DataDir,
		t.Topics+topics, t.DynamicTopics, t.TempTopics, t.Queues+queues, t.DynamicQueues, t.TempQueues,
		t.Connections, t.AdminConnections, t.Sessions, t.Producers, t.Consumers, t.Durables,
		f.LogFileSize, f.LogFileMax, t.Msgs, t.Bytes, t.In.Msgs, t.In.Bytes, t.Out.Msgs, t.Out.Bytes,
		f.MemoryUsed+t.HeldBytes, f.MemoryMax, 0, f.SyncStorage, f.AsyncStorage, f.Fsync,
		t.In.MsgRate, t.In.ByteRate, t.Out.MsgRate, t.Out.ByteRate, disk.reads, disk.readBytes, disk.writes, disk.writeBytes,
		uptime(now, f.Started), f.Listens)
	return shown(s), nil
}

func uptime(now, since time.Time) int64 {
	if since.IsZero() {
		return 0
	}
	return max(0, now.Sub(since).Milliseconds())
}

func showState(_ context.Context, c *Call) (*screen.Result, error) {
	t := newTable("state", "state text State")
	t.Single = true
	t.Add(c.facts().State)
	return shown(t), nil
}

func showDropped(_ context.Context, c *Call) (*screen.Result, error) {
	var d core.Drops
	var l core.Losses
	c.step(func(_ time.Time, b *core.Broker, _ *core.Effects) { d, l = b.Drops(), b.Losses() })
	t := newTable("dropped", "denied count Denied;full count Full;gone count Gone;refused_msgs count Refused;discarded_msgs count Discarded;"+
		"expired_msgs count Expired;max_redelivery_msgs count Max Redelivery;undelivered_msgs count Undelivered")
	t.Single = true
	t.Add(append([]any{d.Denied, d.Full, d.Gone}, losses(l)...)...)
	return shown(t), nil
}

func whoAmI(_ context.Context, c *Call) (*screen.Result, error) {
	t := newTable("whoami", "user text User;groups list Groups")
	t.Single = true
	t.Add(userOrAnonymous(c.User), c.o.Definitions.groupsOf(c.User))
	return shown(t), nil
}

// userOrAnonymous is the name under which EMS knows who gave none (ems 6.2).
func userOrAnonymous(u string) string {
	if u == "" {
		return "anonymous"
	}
	return u
}

func rotateLog(_ context.Context, c *Call) (*screen.Result, error) {
	if c.o.RotateLog == nil {
		return nil, refuse(core.Invalid, "there is no log file to rotate: set logfile in tibemsd.conf and start the server anew")
	}
	if err := c.o.RotateLog(); err != nil {
		return nil, refuse(core.Internal, "the log file could not be rotated: %v", err)
	}
	return screen.Said("Log file has been rotated"), nil
}

func shutDown(_ context.Context, c *Call) (*screen.Result, error) {
	if c.o.Shutdown == nil {
		return nil, refuse(core.Invalid, "this server cannot be ended by a command: stop its process")
	}
	c.then = c.o.Shutdown
	return screen.Said("Server is shutting down"), nil
}

// valueOr is a text, or what stands for none.
func valueOr(s, none string) string {
	if strings.TrimSpace(s) == "" {
		return none
	}
	return s
}
