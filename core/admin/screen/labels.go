package screen

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/core/property"
)

// label is one line of a screen about one thing.
type label struct {
	title string
	text  func(r row) string
	only  string // table column without a value of which there is no such line
	some  bool   // there is none for a number that is 0 either
}

// labels is the layout of a table about one thing.
type labels struct {
	at    int // where values begin
	lines []label
}

func said(title, name string) label {
	return label{title: title, only: name, text: func(r row) string { return cmp.Or(r.plain(name), "<none>") }}
}

// lossLines are about messages that never came to a consumer, where there are any.
func lossLines() []label {
	return []label{
		some("Refused Msgs", "refused_msgs"), some("Discarded Msgs", "discarded_msgs"), some("Expired Msgs", "expired_msgs"),
		some("Max Redelivery Msgs", "max_redelivery_msgs"), some("Undelivered Msgs", "undelivered_msgs"),
	}
}

// some is a line about a number, and none where it is 0.
func some(title, name string) label {
	l := said(title, name)
	l.some = true
	return l
}

func outOf(used, limit string) func(r row) string {
	return func(r row) string {
		if n := r.int(limit); n > 0 {
			return Size(r.int(used)) + " out of " + property.FormatSize(n)
		}
		return Size(r.int(used))
	}
}

// rate is a number a second and its bytes; the bytes begin in the same place for
// the longest unit.
func rate(count, bytes, unit string) func(r row) string {
	return func(r row) string {
		blanks := "  "
		if unit == "writes" {
			blanks = " "
		}
		return fmt.Sprintf("%d %s/sec,%s%s per second", r.int(count), unit, blanks, Size(r.int(bytes)))
	}
}

func serverLines() []label {
	return []label{
		{title: "Server", text: func(r row) string { return fmt.Sprintf("%s (version: %s)", r.text("server"), r.text("version")) }},
		said("Hostname", "hostname"),
		said("Process Id", "process_id"),
		said("State", "state"),
		said("Runtime Module Path", "module_path"),
		{title: "Topics", text: func(r row) string {
			return fmt.Sprintf("%d (%d dynamic, %d temporary)", r.int("topics"), r.int("dynamic_topics"), r.int("temporary_topics"))
		}},
		{title: "Queues", text: func(r row) string {
			return fmt.Sprintf("%d (%d dynamic, %d temporary)", r.int("queues"), r.int("dynamic_queues"), r.int("temporary_queues"))
		}},
		said("Client Connections", "client_connections"),
		said("Admin Connections", "admin_connections"),
		said("Sessions", "sessions"),
		said("Producers", "producers"),
		said("Consumers", "consumers"),
		said("Durables", "durables"),
		{title: "Log File Size", text: outOf("log_file_size", "log_file_max")},
		said("Pending Messages", "pending_msgs"),
		said("Pending Message Size", "pending_bytes"),
		said("Inbound Messages", "inbound_msgs"),
		{title: "Message Memory Usage", text: outOf("memory", "memory_max")},
		said("Message Memory Pooled", "memory_pooled"),
		said("Synchronous Storage", "sync_storage"),
		said("Asynchronous Storage", "async_storage"),
		{title: "Fsync for Sync Storage", text: func(r row) string {
			if r.bool("fsync") {
				return "enabled"
			}
			return "disabled"
		}},
		{title: "Inbound Message Rate", text: rate("inbound_msg_rate", "inbound_byte_rate", "msgs")},
		{title: "Outbound Message Rate", text: rate("outbound_msg_rate", "outbound_byte_rate", "msgs")},
		{title: "Storage Read Rate", text: rate("read_rate", "read_byte_rate", "reads")},
		{title: "Storage Write Rate", text: rate("write_rate", "write_byte_rate", "writes")},
		{title: "Uptime", text: func(r row) string { return long(r.int("uptime")) }},
	}
}

func pending(title string) label {
	return label{title: title, text: func(r row) string {
		return fmt.Sprintf("%d, (%d persistent)", r.int("msgs"), r.int("persistent_msgs"))
	}}
}

func pendingSize(title string) label {
	return label{title: title, text: func(r row) string {
		return fmt.Sprintf("%s, (%s persistent)", Size(r.int("bytes")), Size(r.int("persistent_bytes")))
	}}
}

var labelled = map[string]*labels{
	"server": {at: 27, lines: serverLines()},
	"queue": {at: 24, lines: append([]label{
		said("Queue", "name"), said("Type", "type"), said("Properties", "properties"), said("JNDI Names", "jndi_names"),
		said("Bridges", "bridges"), said("Receivers", "receivers"), pending("Pending Msgs"), said("Delivered Msgs", "delivered_msgs"),
		pendingSize("Pending Msgs Size"),
	}, lossLines()...)},
	"topic": {at: 24, lines: append([]label{
		said("Topic", "name"), said("Type", "type"), said("Properties", "properties"), said("JNDI Names", "jndi_names"),
		said("Bridges", "bridges"), said("Consumers", "subscribers"), said("Durable Consumers", "durables"), pending("Pending Msgs"),
		pendingSize("Pending Msgs Size"),
	}, lossLines()...)},
}

// labels is the layout of a table about one thing: its own, or a line a column
// that has a title.
func (t *Table) labels() *labels {
	if l := labelled[t.Name]; l != nil {
		return l
	}
	l := &labels{}
	longest := 0
	for _, c := range t.Columns {
		if c.Title != "" {
			l.lines = append(l.lines, said(c.Title, c.Name))
			longest = max(longest, len(c.Title))
		}
	}
	l.at = max(24, longest+3)
	return l
}

func (l *labels) render(b *strings.Builder, r row) {
	for _, k := range l.lines {
		if k.only != "" && !r.has(k.only) || k.some && r.int(k.only) == 0 {
			continue
		}
		start := " " + k.title + ":"
		line(b, start+strings.Repeat(" ", max(1, l.at-len(start)))+k.text(r))
	}
}
