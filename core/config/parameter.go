package config

import (
	"slices"
	"strings"
)

// Type is the grammar of a parameter's or key's value.
type Type uint8

// The types.
const (
	String  Type = 1 + iota
	Secret       // not to be shown
	Bool         // enable, enabled, true, yes, on and their opposites, in any case
	Int          // a whole number
	Bytes        // a size, with KB, MB or GB
	Seconds      // a time, a bare number being seconds
	Millis       // a whole number of milliseconds
	Period       // a time that needs its unit
	OneOf        // one of Words
	ListOf       // words of Words, separated by commas
	Trace        // trace items, each plain, with + or with -
	Listen       // tcp://[HOST:]PORT or ssl://
	Health       // http://[HOST]:PORT
	URLs         // where a client or server connects to: comma for a pair, | for balance
	File         // must exist, if it is for something that is asked for
	Path         // a file or directory that may come into being
	Cores        // numbers of processors, separated by commas
)

var typeWords = [...]string{
	String: "text", Secret: "password", Bool: "yes or no", Int: "whole number", Bytes: "size", Seconds: "time", Millis: "milliseconds", Period: "time",
	OneOf: "word", ListOf: "words", Trace: "trace items", Listen: "URL to listen at", Health: "HTTP URL", URLs: "URLs", File: "file", Path: "path", Cores: "numbers",
}

// String names the type to people.
func (t Type) String() string { return typeWords[t] }

// Effect says what becomes of a parameter here.
type Effect uint8

// The effects.
const (
	Honoured Effect = 1 + iota
	Shown           // read, kept, shown by the admin tool; has no effect yet
	Ignored         // has no meaning here, or no longer
)

// String names the effect to people.
func (e Effect) String() string {
	return [...]string{Honoured: "honoured", Shown: "kept, without effect yet", Ignored: "kept, without meaning here"}[e]
}

// Parameter is a row of the table of tibemsd.conf.
type Parameter struct {
	Name     string
	Type     Type
	Effect   Effect
	Default  string // as documentation says it
	Meaning  string // what it means here
	Min, Max int64  // of numbers, sizes (bytes) and times (milliseconds), if Max is not 0
	Zero     bool   // 0 is allowed below Min
	Words    []string
	Repeat   bool   // each line adds a value
	Quiet    string // values that ask for nothing out of the ordinary, as a comma list: no warning
	Group    string // heading in the documentation
}

var parametersByName = func() map[string]*Parameter {
	m := make(map[string]*Parameter, len(Parameters))
	for i := range Parameters {
		m[Parameters[i].Name] = &Parameters[i]
	}
	return m
}()

// LookupParameter finds a parameter by its name, in any case. The tls_ names of
// EMS 10 are those of ssl_ (decision 0052).
func LookupParameter(name string) (*Parameter, bool) {
	p, ok := parametersByName[canonical(name)]
	return p, ok
}

func canonical(name string) string {
	name = strings.ToLower(name)
	for _, prefix := range []string{"tls_", "ft_tls_"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return strings.Replace(prefix, "tls", "ssl", 1) + rest
		}
	}
	return name
}

// quiet says whether a value asks for nothing out of the ordinary.
func (p *Parameter) quiet(value string) bool {
	if p.Effect == Honoured {
		return true
	}
	return slices.ContainsFunc(strings.Split(p.Quiet, ","), func(q string) bool {
		return q != "" && sameValue(p.Type, q, value)
	})
}

func parameterNames() []string {
	all := make([]string, len(Parameters))
	for i := range Parameters {
		all[i] = Parameters[i].Name
	}
	return all
}
