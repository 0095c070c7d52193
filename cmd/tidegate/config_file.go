package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/tidegate/tidegate/core/auth"
)

// defaultConfig is read if it is there and nothing else is named.
const defaultConfig = "tidegate.yaml"

// maxConfig is the length of a configuration file in bytes.
const maxConfig = 1 << 20

// notInFile are flags that a file cannot set.
var notInFile = []string{"config", "help"}

// fileOnly is what stands in tidegate.yaml and has no flag: names of destinations
// never pass through viper, which folds case and splits at dots.
type fileOnly struct {
	secureQueues, secureTopics []string // patterns
	grants                     []auth.Grant

	tokens     []token
	mechanisms []string // nil: all
	claims     bool
	management bool

	rendezvous string // rendezvous.url: where sections for Rendezvous go; "": the embedded NATS server
	natsListen string // nats.listen: where the embedded NATS server listens
}

// configFile reads tidegate.yaml. values are those of flags, for viper.
type configFile struct {
	name   string
	flags  *pflag.FlagSet
	values map[string]any
	only   fileOnly
	errs   []error
}

// readConfig reads a file; one that is not there is none, unless it was asked for.
func readConfig(file string, flags *pflag.FlagSet) (*configFile, error) {
	c := &configFile{name: file, flags: flags, values: map[string]any{}, only: fileOnly{management: true, natsListen: defaultNATSListen}}
	if file == "" {
		c.name = defaultConfig
	}
	if ext := filepath.Ext(c.name); ext != ".yaml" && ext != ".yml" {
		return nil, fmt.Errorf("--config %s: write the name of a .yaml or .yml file", c.name)
	}
	f, err := os.Open(c.name)
	if err != nil {
		if file == "" && errors.Is(err, os.ErrNotExist) {
			return c, nil
		}
		return nil, fmt.Errorf("--config: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("--config: %w", err)
	case len(text) > maxConfig:
		return nil, fmt.Errorf("--config %s: it has more than %d bytes", c.name, maxConfig)
	}
	c.parse(text)
	return c, errors.Join(c.errs...)
}

// bad notes what stands wrongly at n, and what to write.
func (c *configFile) bad(n *yaml.Node, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("%s:%d:%d: %s", c.name, n.Line, n.Column, fmt.Sprintf(format, args...)))
}

func (c *configFile) parse(text []byte) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		reason := strings.TrimPrefix(err.Error(), "yaml: ")
		if line, rest, ok := strings.Cut(strings.TrimPrefix(reason, "line "), ": "); ok && strings.HasPrefix(reason, "line ") {
			c.errs = append(c.errs, fmt.Errorf("%s:%s: this is no YAML: %s", c.name, line, rest))
			return
		}
		c.errs = append(c.errs, fmt.Errorf("%s: this is no YAML: %s", c.name, reason))
		return
	}
	if len(doc.Content) == 0 {
		return // empty, or comments only
	}
	c.mapping(doc.Content[0], "the file", func(key string, k, v *yaml.Node) { c.setting(key, k, v) })
}

// mapping goes through keys and values; a key written twice is an error, and _
// stands for - in it, as ems writes its parameters.
func (c *configFile) mapping(n *yaml.Node, what string, each func(key string, k, v *yaml.Node)) {
	if n.Kind == yaml.AliasNode || n.Kind != yaml.MappingNode {
		c.bad(n, "%s must be lines of `key: value`", what)
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		key := strings.ReplaceAll(k.Value, "_", "-")
		if line := seen[key]; line != 0 {
			c.bad(k, "%s stands in line %d already: write it once", k.Value, line)
			continue
		}
		seen[key] = k.Line
		each(key, k, v)
	}
}

// fileKeys are the keys that have no flag.
var fileKeys = map[string]func(c *configFile, v *yaml.Node){
	"secure-queues": func(c *configFile, v *yaml.Node) { c.only.secureQueues = c.patterns(v) },
	"secure-topics": func(c *configFile, v *yaml.Node) { c.only.secureTopics = c.patterns(v) },
	"permissions":   func(c *configFile, v *yaml.Node) { c.each(v, "permissions", c.grant) },
	"tokens":        func(c *configFile, v *yaml.Node) { c.each(v, "tokens", c.token) },
	"mechanisms":    (*configFile).mechanisms,
	"claims":        func(c *configFile, v *yaml.Node) { c.only.claims = c.boolean(v) },
	"management":    func(c *configFile, v *yaml.Node) { c.only.management = c.boolean(v) },
	"rendezvous":    (*configFile).rendezvous,
	"nats":          (*configFile).nats,
}

func (c *configFile) setting(key string, k, v *yaml.Node) {
	if read := fileKeys[key]; read != nil {
		read(c, v)
		return
	}
	f := c.flags.Lookup(key)
	if f == nil || slices.Contains(notInFile, key) {
		c.bad(k, "%s is not known here%s", k.Value, c.suggestion(key))
		return
	}
	if f.Value.Type() == "stringArray" {
		c.values[key] = c.texts(v)
		return
	}
	if v.Kind != yaml.ScalarNode || v.Tag == "!!null" {
		c.bad(v, "%s takes one value: write %s: %s", key, key, exampleOf(f))
		return
	}
	var err error
	switch f.Value.Type() {
	case "bool":
		c.values[key] = c.boolean(v)
		return
	case "int", "int64":
		_, err = strconv.ParseInt(v.Value, 10, 64)
	case "duration":
		_, err = time.ParseDuration(v.Value)
	}
	if err != nil {
		c.bad(v, "%s: %q is no %s: write %s: %s", key, v.Value, f.Value.Type(), key, exampleOf(f))
		return
	}
	c.values[key] = v.Value
}

func exampleOf(f *pflag.Flag) string {
	if f.DefValue != "" {
		return f.DefValue
	}
	name, _ := pflag.UnquoteUsage(f)
	return name
}

// suggestion names the known key that is most like one that is not.
func (c *configFile) suggestion(key string) string {
	var known []string
	c.flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && !slices.Contains(notInFile, f.Name) {
			known = append(known, f.Name)
		}
	})
	for k := range fileKeys { // order: sorted below
		known = append(known, k)
	}
	slices.Sort(known)
	bare := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "-", "")) }
	for _, k := range known {
		if b, o := bare(k), bare(key); b == o || strings.HasPrefix(b, o) || strings.HasPrefix(o, b) {
			return ": write " + k
		}
	}
	return ": write one of " + strings.Join(known, ", ")
}

func (c *configFile) boolean(v *yaml.Node) bool {
	if v.Kind != yaml.ScalarNode || v.Tag != "!!bool" {
		c.bad(v, "%q is neither true nor false: write one of them", v.Value)
	}
	return v.Value == "true"
}

// text is a value that stands for itself, whatever type YAML makes of it.
func (c *configFile) text(v *yaml.Node) string {
	if v.Kind != yaml.ScalarNode || v.Tag == "!!null" || v.Value == "" {
		c.bad(v, "here must be one text")
		return ""
	}
	return v.Value
}

// texts is a list, or one value for a list of one.
func (c *configFile) texts(v *yaml.Node) []string {
	if v.Kind == yaml.ScalarNode {
		return []string{c.text(v)}
	}
	all := []string{} // an empty list says none, not the default
	if v.Kind != yaml.SequenceNode {
		c.bad(v, "here must be a list: write [\"a\", \"b\"]")
	}
	for _, e := range v.Content {
		all = append(all, c.text(e))
	}
	return all
}

// each goes through a list of mappings.
func (c *configFile) each(v *yaml.Node, key string, one func(*yaml.Node)) {
	if v.Kind != yaml.SequenceNode {
		c.bad(v, "%s must be a list: write each entry behind a `-`", key)
		return
	}
	for _, e := range v.Content {
		one(e)
	}
}
