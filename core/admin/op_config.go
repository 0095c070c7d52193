package admin

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/command"
	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/property"
)

var configOperations = []Operation{
	{Usage: "commit", Help: "Write the files of all that was changed.", Right: Right{Global: "change-server"}, Run: commit},
	{Usage: "set server PARAMETERS...", Help: "Change parameters of tibemsd.conf: name=value, several with blanks between.", Right: Right{Global: "change-server"}, Writes: true, Run: setServer},
	{Usage: "show config", Help: "The parameters of tibemsd.conf that are set, and what they do here.", Right: Right{Global: "view-server"}, Run: showConfig},
}

func commit(_ context.Context, c *Call) (*screen.Result, error) {
	if err := c.o.Definitions.Save(); err != nil {
		return nil, err
	}
	return &screen.Result{Message: "Configuration has been saved", Saved: true}, nil
}

// settable are the parameters that `set server` changes (ems 10.2). Others are
// read at the start.
var settable = map[string]bool{
	"password": true, "authorization": true, "log_trace": true, "console_trace": true, "client_trace": true,
	"max_msg_memory": true, "max_connections": true, "track_message_ids": true, "track_correlation_ids": true,
	"ssl_password": true, "ft_ssl_password": true, "server_rate_interval": true, "statistics": true, "rate_interval": true,
	"detailed_statistics": true, "statistics_cleanup_interval": true, "max_stat_memory": true, "msg_swapping": true,
	"large_destination_memory": true, "large_destination_count": true, "always_exit_on_disk_error": true, "flow_control": true,
	"multicast_statistics_interval": true,
}

func setServer(_ context.Context, c *Call) (*screen.Result, error) {
	pairs, err := command.Pairs(c.Get("parameters"))
	if err != nil {
		return nil, err
	}
	for _, p := range pairs { // all or none
		row, ok := config.LookupParameter(p.Key)
		switch {
		case !ok:
			return nil, refuse(core.NotFound, "there is no parameter %q", p.Key)
		case !settable[strings.ToLower(row.Name)]:
			return nil, refuse(core.Invalid, "%s cannot be changed while the server runs: write it into %s and start the server anew", row.Name, config.MainFile)
		}
	}
	message := "Server parameters have been changed"
	for _, p := range pairs {
		value := p.Value
		row, _ := config.LookupParameter(p.Key)
		if row.Type == config.Trace { // +X and -X change what is traced now
			value = c.traceValue(row.Name, value)
		}
		if err := c.o.Definitions.change(func(cfg *config.Config) (Change, error) {
			if value == "" { // as in the file: the default
				return Change{Name: row.Name}, cfg.SetParam(row.Name)
			}
			return Change{Name: row.Name}, cfg.SetParam(row.Name, value)
		}); err != nil {
			return nil, err
		}
		message += lateEffect(row, p.Value)
	}
	c.applyParameters()
	return &screen.Result{Message: message}, nil
}

// atStart are parameters that the server reads when it starts, and then no more.
var atStart = map[string]bool{
	"password": true, "ssl_password": true, "ft_ssl_password": true, "msg_swapping": true,
	"large_destination_memory": true, "large_destination_count": true, "always_exit_on_disk_error": true,
}

// lateEffect is a line about a parameter that does not do at once what it says.
func lateEffect(row *config.Parameter, value string) string {
	quiet := slices.ContainsFunc(strings.Split(row.Quiet, ","), func(q string) bool { return strings.EqualFold(q, value) })
	switch {
	case row.Effect != config.Honoured && !quiet:
		return "\n" + row.Name + " is stored and has no effect here: " + row.Meaning
	case atStart[row.Name]:
		return "\n" + row.Name + " takes effect when the server is started anew"
	}
	return ""
}

// traceValue: what begins with + or - is about the items that are on. An item that it
// names takes the place of the same one before it: a script that adds one every night
// does not make the list longer.
func (c *Call) traceValue(name, value string) string {
	if !strings.HasPrefix(value, "+") && !strings.HasPrefix(value, "-") {
		return value
	}
	more := strings.Split(value, ",")
	item := func(s string) string { return strings.ToUpper(strings.TrimLeft(strings.TrimSpace(s), "+-")) }
	kept := slices.DeleteFunc(strings.Split(c.o.Definitions.param(name, "DEFAULT"), ","), func(old string) bool {
		modifies := strings.HasPrefix(strings.TrimSpace(old), "+") || strings.HasPrefix(strings.TrimSpace(old), "-")
		return item(old) == "" || modifies && slices.ContainsFunc(more, func(m string) bool { return item(m) == item(old) })
	})
	return strings.Join(append(kept, more...), ",")
}

// applyParameters has the parameters take effect that the administration itself
// has to do with; Definitions.Watch tells others of theirs.
func (s *Service) applyParameters() {
	server, each := defaultServerRate, defaultRate
	if ms, ok := property.ParsePeriod(s.o.Definitions.param("server_rate_interval", "1")); ok && ms > 0 {
		server = time.Duration(ms) * time.Millisecond
	}
	if ms, ok := property.ParsePeriod(s.o.Definitions.param("rate_interval", "3")); ok {
		each = time.Duration(ms) * time.Millisecond
	}
	if !s.o.Definitions.on("statistics", true) {
		each = 0
	}
	s.sampler.set(server, each)
	o := s.o.Definitions.detailed()
	if each == 0 { // nothing would sample, and forget
		o = core.Detailed{}
	}
	s.step(func(_ time.Time, b *core.Broker, _ *core.Effects) { b.Detail(o) })
}

// detailed reads detailed_statistics and what bounds it (ems 1.2).
func (d *Definitions) detailed() core.Detailed {
	o := core.Detailed{}
	for _, w := range command.Words(strings.ToUpper(d.param("detailed_statistics", ""))) {
		switch w {
		case "PRODUCERS":
			o.Producers = true
		case "CONSUMERS":
			o.Consumers = true
		}
	}
	if ms, ok := property.ParsePeriod(d.param("statistics_cleanup_interval", "30")); ok {
		o.Keep = time.Duration(ms) * time.Millisecond
	}
	if n, ok := property.ParseSize(d.param("max_stat_memory", "64MB")); ok {
		o.MaxBytes = n
	}
	return o
}

func showConfig(_ context.Context, c *Call) (*screen.Result, error) {
	t := newTable("config", "name text Parameter;value text Value;effect text Effect")
	t.Empty = "No parameters are set."
	c.o.Definitions.View(func(cfg *config.Config) {
		for i := range config.Parameters {
			p := &config.Parameters[i]
			for _, v := range cfg.ParamAll(p.Name) {
				if p.Type == config.Secret {
					v = "********"
				}
				t.Add(p.Name, v, p.Effect.String())
			}
		}
	})
	return shown(t), nil
}
