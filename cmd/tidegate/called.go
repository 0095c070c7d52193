package main

import (
	"path/filepath"
	"strings"
)

// calledAs turns the options of EMS's programs into ours where the binary is
// called by their names (a link), so that start scripts and admin scripts go on.
func calledAs(args []string) ([]string, bool) {
	switch name := strings.TrimSuffix(filepath.Base(args[0]), ".exe"); name {
	case "tibemsadmin":
		return append([]string{"admin"}, args[1:]...), true
	case "tibemsd", "tibemsd64":
		return append([]string{"serve"}, serveArgs(args[1:])...), true
	}
	return nil, false
}

// serverOptions are tibemsd's (ems 1.1) and what each is here; "": it is read and
// has no effect yet. The number of values follows.
var serverOptions = map[string]struct {
	flag   string
	values int
}{
	"config": {"--config", 1}, "trace": {"", 1}, "secondary": {"", 0}, "ft_active": {"", 1}, "ft_heartbeat": {"", 1}, "ft_activation": {"", 1},
	"ssl_password": {"", 1}, "ssl_trace": {"", 0}, "ssl_debug_trace": {"", 0}, "module_path": {"", 1}, "license": {"", 1}, "help": {"--help", 0},
}

func serveArgs(args []string) (out []string) {
	for i := 0; i < len(args); i++ {
		name := strings.TrimPrefix(strings.TrimPrefix(args[i], "-"), "-")
		o, ok := serverOptions[name]
		if !ok || args[i] == name {
			out = append(out, args[i]) // one of ours, or a mistake that serve explains
			continue
		}
		if o.flag != "" {
			out = append(out, o.flag)
			out = append(out, args[i+1:min(i+1+o.values, len(args))]...)
		}
		i += o.values
	}
	return out
}
