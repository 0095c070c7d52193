package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Action is one line of a plan: a verb and its numbers. Numbers that name
// something that is not there, or not yet, are taken modulo what is, or the
// action does nothing: a plan stays one when lines are taken out.
type Action struct {
	Verb string
	Args []int
}

// verbs are the actions with the names of their numbers.
var verbs = map[string][]string{
	"world":      {"failsafe", "segment", "memory", "held", "window", "frame", "bridged"},
	"define":     {"dest", "redelivery", "wait", "msgs", "overflow", "exclusive", "expiry"},
	"connect":    {"client"},
	"close":      {"client"},
	"cut":        {"client", "up", "down"},
	"sender":     {"client", "dest", "mode"},
	"receiver":   {"client", "source", "mode"},
	"send":       {"client", "link", "n", "flags", "size", "ttl", "delay"},
	"credit":     {"client", "link", "n", "drain"},
	"settle":     {"client", "link", "n", "how", "flags"},
	"begin":      {"client"},
	"discharge":  {"client", "txn", "fail"},
	"detach":     {"client", "link", "closed"},
	"unlink":     {"client", "link"},
	"end":        {"client", "second"},
	"session":    {"client"},
	"run":        {"steps", "seed"},
	"tick":       {"ms"},
	"checkpoint": {"steps", "seed"},
	"kill":       {},
	"power":      {"seed"},
	"stop":       {},
	"crashat":    {"calls", "power", "seed"},
	"fail":       {"op", "calls"},
	"full":       {"bytes"},
	"room":       {},
}

func (a Action) String() string {
	var b strings.Builder
	b.WriteString(a.Verb)
	for i, name := range verbs[a.Verb] {
		fmt.Fprintf(&b, " %s=%d", name, a.Args[i])
	}
	return b.String()
}

// Script is a plan as text, a line an action.
func Script(plan []Action) string {
	var b strings.Builder
	for _, a := range plan {
		b.WriteString(a.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// ParseScript reads what Script wrote; # begins a comment. Errors name the line.
func ParseScript(text string) (plan []Action, err error) {
	for n, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		names, ok := verbs[words[0]]
		if !ok {
			return nil, fmt.Errorf("line %d: %q is no action", n+1, words[0])
		}
		a := Action{words[0], make([]int, len(names))}
		for _, w := range words[1:] {
			name, value, _ := strings.Cut(w, "=")
			i := slices.Index(names, name)
			v, err := strconv.Atoi(value)
			if i < 0 || err != nil {
				return nil, fmt.Errorf("line %d: %q: %s takes %s", n+1, w, words[0], strings.Join(names, ", "))
			}
			a.Args[i] = v
		}
		plan = append(plan, a)
	}
	if len(plan) == 0 || plan[0].Verb != "world" {
		return nil, fmt.Errorf("a script begins with world")
	}
	return plan, nil
}
