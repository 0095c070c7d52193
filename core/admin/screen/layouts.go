package screen

// left, right, amount and size make the columns that layouts are of.

func left(title, name string, gap, width int) column {
	return column{title: title, left: true, gap: gap, width: width, cell: func(r row) (string, string) { return r.plain(name), "" }}
}

func right(title, name string, width int) column {
	c := left(title, name, 0, width)
	c.left = false
	return c
}

// size is a number of bytes: the number ends where the title ends.
func size(title, name string, width int) column {
	return column{title: title, width: width, suffix: 3, cell: func(r row) (string, string) {
		if !r.has(name) {
			return "", ""
		}
		return splitSize(r.int(name))
	}}
}

// dynamicMark is in front of what is dynamic or temporary (ems 10.4).
func dynamicMark(r row) string {
	if r.bool("dynamic") {
		return "* "
	}
	return "  "
}

// prefetch is a number, marked where it is inherited or the default; queues may
// have none.
func prefetch(r row) (string, string) {
	if r.bool("prefetch_inherited") {
		return r.text("prefetch"), "*"
	}
	return r.text("prefetch"), ""
}

func offline(r row) (string, string) {
	if u := r.text("user"); u != "" || r.bool("online") {
		return u, ""
	}
	return "<offline>", ""
}

// only leaves a column out of tables that have not the one it shows.
func only(name string, c column) column {
	c.only = name
	return c
}

// unless leaves a column out of tables that have the other.
func unless(name string, c column) column {
	c.unless = name
	return c
}

// under puts the title of a size above its unit as well.
func under(c column) column {
	c.over = true
	return c
}

// Widths and gaps of grids are those of the reference, 10.4 and 10.5; the rest
// are ours (docs/admin-screens.md says which).
var grids = map[string]*grid{
	"queues": {
		mark: dynamicMark,
		columns: []column{
			left("Queue Name", "name", 0, 32),
			left("SNFGXIBCT", "flags", 2, 9),
			{title: "Pre", width: 5, suffix: 1, cell: prefetch},
			right("Rcvrs", "receivers", 6),
			right("Msgs", "msgs", 9), size("Size", "bytes", 8),
			right("Msgs", "persistent_msgs", 9), size("Size", "persistent_bytes", 8),
		},
		headings: []heading{{4, "All Msgs"}, {6, "Persistent Msgs"}},
	},
	"topics": {
		mark: dynamicMark,
		columns: []column{
			left("Topic Name", "name", 0, 32),
			left("SNFGEIBCTM", "flags", 2, 10),
			right("Subs", "subscribers", 6), right("Durs", "durables", 6),
			right("Msgs", "msgs", 9), size("Size", "bytes", 8),
			right("Msgs", "persistent_msgs", 9), size("Size", "persistent_bytes", 8),
		},
		headings: []heading{{4, "All Msgs"}, {6, "Persistent Msgs"}},
	},
	"connections": {
		columns: []column{
			left("L", "library", 0, 1),
			only("version", left("Version", "version", 2, 7)),
			only("version", left("ID", "id", 1, 5)),
			unless("version", left("ID", "id", 2, 5)),
			left("FSXT", "flags", 1, 4),
			left("S", "started", 2, 1),
			left("Host", "host", 2, 4),
			only("address", left("IP address", "address", 1, 10)),
			only("address", left("Port", "port", 1, 5)),
			left("User", "user", 1, 6),
			left("ClientID", "client_id", 1, 8),
			right("Sess", "sessions", 5),
			only("producers", right("Prod", "producers", 5)),
			only("producers", right("Cons", "consumers", 5)),
			only("producers", right("TmpT", "temporary_topics", 5)),
			only("producers", right("TmpQ", "temporary_queues", 5)),
			only("producers", right("Uncomm", "uncommitted_msgs", 7)),
			only("producers", under(size("UncommSize", "uncommitted_bytes", 8))),
			right("Uptime", "uptime", 11),
		},
	},
	"durables": {
		mark: dynamicMark,
		columns: []column{
			left("Topic Name", "topic", 0, 16),
			left("Durable", "name", 2, 15),
			left("Shared", "shared", 2, 6),
			{title: "User", left: true, gap: 2, width: 9, cell: offline},
			right("Msgs", "msgs", 8), size("Size", "bytes", 8),
		},
	},
	"bridges": {
		columns: []column{
			left("", "type", 0, 1),
			left("Source Name", "name", 1, 32),
			right("Queue Targets", "queue_targets", 15), right("Topic Targets", "topic_targets", 15),
		},
	},
	"transports": {
		columns: []column{
			left("Transport Name", "name", 0, 16),
			left("Type", "type", 2, 7), left("Stand-in", "stand_in", 2, 8),
			left("State", "state", 2, 10), left("Since", "since", 2, 20),
			right("Imports", "imports", 9), right("Exports", "exports", 9),
			right("Imported", "imported_msgs", 11), right("Exported", "exported_msgs", 11),
			right("Waiting", "waiting_msgs", 9), right("Lost", "lost_msgs", 8),
			left("Last Error", "error", 2, 10),
		},
	},
	"stat consumers": statistics("Destination"),
	"stat producers": statistics("Destination"),
	"stat queues":    destinationStatistics("Queue Name"),
	"stat topics":    destinationStatistics("Topic Name"),
}

func statistics(destination string) *grid {
	return &grid{
		columns: []column{
			left("User", "user", 0, 10),
			right("Conn", "connection", 7),
			left("T", "type", 2, 1),
			left(destination, "destination", 2, 32),
			right("Msgs", "msgs", 8), size("Size", "bytes", 7),
			only("msg_rate", right("Msgs", "msg_rate", 7)), only("msg_rate", size("Size", "byte_rate", 7)),
		},
		headings: []heading{{4, "Total Count"}, {6, "Rate/Second"}},
	}
}

func destinationStatistics(title string) *grid {
	return &grid{
		columns: []column{
			left(title, "name", 0, 32),
			right("Msgs", "in_msgs", 8), size("Size", "in_bytes", 7),
			only("in_msg_rate", right("Msgs", "in_msg_rate", 7)), only("in_msg_rate", size("Size", "in_byte_rate", 7)),
			right("Msgs", "out_msgs", 8), size("Size", "out_bytes", 7),
			only("in_msg_rate", right("Msgs", "out_msg_rate", 7)), only("in_msg_rate", size("Size", "out_byte_rate", 7)),
			right("Lost", "lost_msgs", 8),
		},
		headings: []heading{{1, "In: Total Count"}, {3, "Rate/Second"}, {5, "Out: Total Count"}, {7, "Rate/Second"}},
	}
}

// grid is the layout of a table: its own, or one made of its columns.
func (t *Table) grid() *grid {
	if g := grids[t.Name]; g != nil {
		return g
	}
	g := &grid{}
	for i, c := range t.Columns {
		if c.Title == "" {
			continue // for machines
		}
		gap := 2
		if i == 0 {
			gap = 0
		}
		switch c.Kind {
		case Count, Millis:
			k := right(c.Title, c.Name, 0)
			k.gap = gap
			g.columns = append(g.columns, k)
		case Bytes:
			k := under(size(c.Title, c.Name, 5))
			k.gap = gap
			g.columns = append(g.columns, k)
		case Text, Bool, List:
			g.columns = append(g.columns, left(c.Title, c.Name, gap, 0))
		}
	}
	if t.has("dynamic") {
		g.mark = dynamicMark
	}
	return g
}
