package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/core/config"
)

// calledAs turns the options of EMS's programs into ours where the binary is
// called by their names (a link), so that start scripts and admin scripts go on.
// What it has to say goes to notes.
func calledAs(args []string, notes io.Writer) ([]string, bool) {
	switch name := strings.TrimSuffix(filepath.Base(args[0]), ".exe"); name {
	case "tibemsadmin":
		return append([]string{"admin"}, args[1:]...), true
	case "tibemsd", "tibemsd64":
		return append([]string{"serve"}, serveArgs(args[1:], notes)...), true
	}
	return nil, false
}

// serverOption is one of tibemsd's (ems 1.1) and what it is here.
type serverOption struct {
	flag   string
	values int
	// without says why an option without a flag has no effect; "": there is nothing
	// that it could change.
	without string
}

const noPairYet = "there is no pair yet: the server runs alone"

var serverOptions = map[string]serverOption{
	"config": {"--config", 1, ""}, "trace": {"--trace", 1, ""}, "secondary": {"--secondary", 0, ""}, "help": {"--help", 0, ""},
	"ft_active": {"", 1, noPairYet}, "ft_heartbeat": {"", 1, noPairYet}, "ft_activation": {"", 1, noPairYet},
	"ssl_password": {"", 1, "keys with a password are not read: write the key without one, readable by the server alone"},
	"ssl_trace":    {"", 0, "--verbose says more about connections"}, "ssl_debug_trace": {"", 0, "--verbose says more about connections"},
	"module_path": {"", 1, ""}, "license": {"", 1, ""},
}

// serveArgs are serve's for tibemsd's. Without -config it is the tibemsd.conf of the
// current directory, as EMS has it.
func serveArgs(args []string, notes io.Writer) (out []string) {
	named := false
	for i := 0; i < len(args); i++ {
		name := strings.TrimPrefix(strings.TrimPrefix(args[i], "-"), "-")
		named = named || name == "config" || name == "help" || strings.HasPrefix(name, "config=")
		o, ok := serverOptions[name]
		if !ok || args[i] == name {
			out = append(out, args[i]) // one of ours, or a mistake that serve explains
			continue
		}
		if o.flag != "" {
			out = append(out, o.flag)
			out = append(out, args[i+1:min(i+1+o.values, len(args))]...)
		} else if o.without != "" {
			fmt.Fprintf(notes, "tibemsd: -%s has no effect: %s\n", name, o.without)
		}
		i += o.values
	}
	if named {
		return out
	}
	for _, file := range []string{config.MainFile, config.MainFileJSON} {
		if _, err := os.Stat(file); err == nil {
			return slices.Concat([]string{"--config", file}, out)
		}
	}
	fmt.Fprintf(notes, "tibemsd: there is no %s in this directory: the server begins without a configuration; -config FILE names one\n", config.MainFile)
	return out
}
