package admin

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/config"
)

func showTransports(ctx context.Context, c *Call) (*screen.Result, error) {
	t := newTable("transports", "name text;type text;stand_in text;url text;state text;since text;imports count;exports count;imported_msgs count;exported_msgs count;waiting_msgs count;lost_msgs count;error text")
	t.Empty = "No transports."
	c.settle(ctx)
	for _, o := range c.o.Definitions.objects(config.Transports) {
		v := c.look(&o)
		n, _ := c.waiting(o.Name)
		t.Add(o.Name, v.typed, v.standIn, v.url, v.state, since(v.Since), len(v.Imports), len(v.Exports), v.Counts.Imported, v.Counts.Exported, n, v.Lost(), oneLine(v.Error))
	}
	return shown(t), nil
}

// looked is what there is to see of a transport.
type looked struct {
	TransportStatus
	runs    bool
	typed   string // as its file says
	standIn string // what it is opened as, where that is another type
	url     string // without passwords
	state   string
	keys    config.Transport
	opened  bool
}

// look puts together what is defined and what runs.
func (c *Call) look(o *config.Object) looked {
	v := looked{typed: strings.ToLower(o.Get("type"))}
	v.keys, v.opened = c.o.Definitions.opened(o.Name, c.o.RendezvousURL)
	v.TransportStatus, v.runs = c.status(o.Name)
	v.url = config.ShownKey("url", valueOr(o.Get("url"), o.Get("daemon")))
	if v.opened {
		v.url = v.keys.Shown("url")
	}
	if v.keys.StandIn {
		v.standIn = v.keys.Kind
	}
	switch {
	case v.runs:
		v.state = v.State
	case !v.opened:
		v.state = "not opened"
	case c.o.Transports == nil:
		v.state = "not running"
	default:
		v.state = "starting"
	}
	return v
}

// since is a point in time; "" there is none.
func since(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// maxOutside bounds, in bytes, what a screen shows of one text that comes from outside.
const maxOutside = 500

// oneLine keeps what the outside says from being several lines, or a page.
func oneLine(s string) string {
	whole := len(s) <= maxOutside
	s = strings.ToValidUTF8(s[:min(len(s), maxOutside)], "")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if !whole {
		s += "..."
	}
	return s
}

// transportColumns are those of `show transport`. Of a transport that does not run there
// are no counts, of a certified one no losses.
const transportColumns = "name text Transport;type text Type;stand_in text Stand-in;state text State;since text Since;delivery text Delivery;" +
	"lost_export_msgs count Lost Msgs Exporting;lost_import_msgs count Lost Msgs Importing;error text Last Error;connects count Connects;" +
	"imported_msgs count Imported Msgs;imported_bytes bytes Imported Size;exported_msgs count Exported Msgs;exported_bytes bytes Exported Size;" +
	"waiting_msgs count Waiting Msgs;waiting_bytes bytes Waiting Size;under_way_msgs count Msgs Under Way;leases count Reply Leases;" +
	"resent_msgs count Resent Msgs;redelivered_msgs count Redelivered Msgs;duplicate_msgs count Duplicate Msgs;refused_msgs count Refused Msgs;" +
	"loop_dropped_msgs count Loop Dropped Msgs;loop_suspect_msgs count Loop Suspect Msgs;late_replies count Late Replies"

func showTransport(ctx context.Context, c *Call) (*screen.Result, error) {
	o, ok := c.o.Definitions.object(config.Transports, c.Get("name"))
	if !ok {
		return nil, missing("transport", c.Get("name"))
	}
	c.settle(ctx)
	v := c.look(&o)
	t := newTable("transport", transportColumns)
	t.Single = true
	waiting, bytes := c.waiting(o.Name)
	row := make([]any, len(t.Columns))
	row[0], row[1], row[3] = o.Name, v.typed, v.state
	if v.standIn != "" {
		row[2] = v.standIn
	}
	if v.runs {
		n := &v.Counts
		row = append(row[:4], since(v.Since), delivery(&v), lost(&v, n.LostOut), lost(&v, n.LostIn), said(v.Error), v.Connects,
			n.Imported, n.ImportedBytes, n.Exported, n.ExportedBytes, waiting, bytes, v.UnderWay, v.Leases,
			n.Resent, n.Redelivered, n.Duplicates, n.Refused, n.LoopDropped, n.LoopSuspect, n.LateReplies)
	}
	t.Add(row...)
	return shown(t, transportWays(&v), transportKeys(&o, &v), transportRemarks(&v)), nil
}

// said is an empty cell where nothing is said.
func said(text string) any {
	if text = oneLine(text); text != "" {
		return text
	}
	return nil
}

func delivery(v *looked) string {
	if v.Certified {
		return "certified"
	}
	return "reliable: what is sent while it is not connected is lost"
}

func lost(v *looked, n uint64) any {
	if v.Certified && n == 0 {
		return nil
	}
	return n
}

// transportWays are the destinations that a transport imports and exports.
func transportWays(v *looked) *screen.Table {
	t := newTable("transport destinations", "way text Way;type text T;name text Destination Name")
	t.Empty = "It imports and exports nothing."
	for _, d := range v.Imports {
		t.Add("import", kindLetter(d.Kind), d.Name)
	}
	for _, d := range v.Exports {
		t.Add("export", kindLetter(d.Kind), d.Name)
	}
	return t
}

// transportKeys are the keys as they are set, and what holds.
func transportKeys(o *config.Object, v *looked) *screen.Table {
	t := newTable("transport keys", "key text Key;value text Set;effective text Effective")
	var keys []string
	for _, a := range o.Attrs {
		if !slices.Contains(keys, a.Name) {
			keys = append(keys, a.Name)
		}
	}
	for _, k := range v.keys.Keys() {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	for _, k := range keys {
		effective := v.keys.Shown(k)
		if k == "type" {
			effective = v.keys.Kind
		}
		t.Add(k, config.ShownKey(k, strings.Join(o.All(k), ",")), effective)
	}
	return t
}

// transportRemarks are what the outside cannot do, and what was made there.
func transportRemarks(v *looked) *screen.Table {
	t := newTable("transport notes", "note text Notes")
	t.Empty = "No notes."
	for _, n := range v.Notes {
		t.Add(oneLine(n))
	}
	return t
}
