package config

import (
	"cmp"
	"fmt"
	"slices"
)

// Severity says how bad a finding is.
type Severity string

// The severities. An Error is what EMS would refuse or what has no meaning: the
// line does not count. A Warning is what the server goes on without, or what means
// something else here.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Category is a word of startup_abort_list (ems 1.2): errors of a category that
// the list names keep the server from starting.
type Category string

// The categories.
const (
	CategoryConfig     Category = "CONFIG_ERRORS"
	CategoryFiles      Category = "CONFIG_FILES"
	CategorySSL        Category = "SSL"
	CategoryTransports Category = "TRANSPORTS"
	CategoryStores     Category = "DB_FILES"
)

// Finding is something to say about a configuration. Its JSON form is an
// interface: `tidegate config check --json` prints it.
type Finding struct {
	File     string   `json:"file"`   // as the main file names it
	Line     int      `json:"line"`   // from 1
	Column   int      `json:"column"` // from 1, in characters
	Severity Severity `json:"severity"`
	Rule     string   `json:"rule"`
	Text     string   `json:"text"` // the words at fault as they stand there
	Message  string   `json:"message"`
	Fix      string   `json:"fix"`
	Category Category `json:"-"`
	also     Category // a second one
}

func (f Finding) String() string {
	s := fmt.Sprintf("%s:%d:%d: %s: %s", f.File, f.Line, f.Column, f.Severity, f.Message)
	if f.Fix != "" {
		s += ": " + f.Fix
	}
	return s
}

// MaxFindings is how many are kept; a file of noise says no more after that. An
// error takes the place of a warning then: no number of warnings hides what keeps a
// server from starting.
const MaxFindings = 10_000

// Place is where something stands.
type Place struct {
	File         string
	Line, Column int    // from 1
	Text         string // the words
}

// report collects findings.
type report struct {
	list []Finding
}

func (r *report) add(at Place, s Severity, rule, message, fix string) *Finding {
	f := Finding{
		File: at.File, Line: max(at.Line, 1), Column: max(at.Column, 1), Severity: s, Rule: rule,
		Text: at.Text, Message: message, Fix: fix, Category: CategoryConfig,
	}
	if len(r.list) < MaxFindings {
		r.list = append(r.list, f)
		return &r.list[len(r.list)-1]
	}
	if s == Error {
		for i := range slices.Backward(r.list) {
			if r.list[i].Severity == Warning {
				r.list[i] = f
				return &r.list[i]
			}
		}
	}
	return &Finding{} // for the caller to write to
}

func (r *report) error(at Place, rule, message, fix string) *Finding {
	return r.add(at, Error, rule, message, fix)
}

func (r *report) warn(at Place, rule, message, fix string) {
	r.add(at, Warning, rule, message, fix)
}

// sorted gives the findings by file in the order of files, then by place.
func (r *report) sorted(files []string) []Finding {
	rank := map[string]int{}
	for i, f := range files {
		rank[f] = i + 1
	}
	slices.SortStableFunc(r.list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(rank[a.File], rank[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return r.list
}
