package admin

import (
	"context"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/screen"
)

// laterOperations are read, and answered with what they wait for: routes between
// servers come with a later version; AMQP has no multicast.
var laterOperations = []Operation{
	later("suspend route NAME", "change-route", "routes are stored and shown; this version does not connect them, so there is none to suspend"),
	later("resume route NAME", "change-route", "routes are stored and shown; this version does not connect them, so there is none to resume"),
	later("show stat routes", "view-server", "routes are stored and shown; this version does not connect them, so they carry nothing"),
	later("show stat channels", "view-server", "AMQP has no multicast: channels are stored and shown, subscribers get the messages over their connections"),
	later("jaci clear", "change-server", "permissions are decided by acl.conf; there is no Java access control to cache"),
	later("jaci resetstats", "change-server", "permissions are decided by acl.conf; there is no Java access control to count"),
	later("jaci showstats", "view-server", "permissions are decided by acl.conf; there is no Java access control to count"),
}

func later(usage, right, why string) Operation {
	return Operation{Usage: usage, Help: "Not in this version: " + why + ".", Right: Right{Global: right}, Run: func(context.Context, *Call) (*screen.Result, error) {
		return nil, refuse(core.Invalid, "%s", why)
	}}
}

// localOperations are the tool's own: the server knows their syntax, so that help
// and completion have them.
var localOperations = []Operation{
	{Usage: "connect [URL] [USER] [PASSWORD]", Help: "Connect to a server.", Local: true},
	{Usage: "disconnect", Help: "Leave the server.", Local: true},
	{Usage: "autocommit [on|off]", Help: "Whether every command is saved at once.", Local: true},
	{Usage: "echo [on|off]", Help: "Whether commands of a script are shown.", Local: true},
	{Usage: "time [on|off]", Help: "Whether the time stands before each command's answer.", Local: true},
	{Usage: "timeout [SECONDS]", Help: "How long to wait for an answer.", Local: true},
	{Usage: "help [COMMAND...]", Help: "What commands there are, or one of them.", Local: true},
	{Usage: "exit", Help: "Leave the tool.", Local: true},
	{Usage: "quit", Help: "Leave the tool.", Local: true},
}
