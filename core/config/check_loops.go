package config

import (
	"slices"
	"strings"

	"github.com/tidegate/tidegate/core/property"
)

// loops warns where messages may go out by a transport and come in again to where
// they went out.
func (k *checker) loops() {
	w := k.newWays()
	rounds, whole := w.rounds()
	for _, round := range rounds {
		first := round[0]
		message, fix := describeLoop(round)
		k.warn(k.dests[treeIndex(classOf(first.dest))].place(first.def.Name, property.Export.String()), "transport-loop", message, fix)
	}
	if whole {
		return
	}
	message := "there may be more loops than are told here: " + number(maxLoops) + " are told"
	if len(rounds) < maxLoops {
		message = "not all loops were looked for: too many wildcards lead to one another"
	}
	k.warn(k.top(Transports), "transport-loop", message, "name single destinations in place of wildcards")
}

// LoopsAt says which loops a destination is part of by its own import and export, in
// words: what an administrator should hear who has just changed them.
func (c *Config) LoopsAt(kind property.Kind, n string) []string {
	return c.loopsFrom(func(w *way) bool { return w.def != nil && w.dest == kind && w.def.Name == n })
}

// LoopsOver is LoopsAt for a bridge from `queue:NAME` or `topic:NAME` to a target as
// bridges.conf has it.
func (c *Config) LoopsOver(source string, target Attr) []string {
	return c.loopsFrom(func(w *way) bool {
		return w.kind == wayOver && w.source == source && w.dest.String() == target.Name && w.target == target.Value
	})
}

// maxMoving is of how many destinations that import or export LoopsAt looks at all: a
// script that makes one after the other would wait for each longer than for the last.
// With more of them, loops are told at the next load.
const maxMoving = 1000

func (c *Config) loopsFrom(starts func(*way) bool) (all []string) {
	if imports, exports := c.moving(); imports == 0 || exports == 0 || imports+exports > maxMoving {
		return nil
	}
	k := &checker{Config: c, report: &report{}, named: map[Class][]string{}}
	w := k.newWays()
	for _, start := range w.all {
		if !starts(start) || len(all) == maxLoops {
			continue
		}
		round := w.round(start)
		if round == nil {
			continue
		}
		out := slices.IndexFunc(round, func(l leg) bool { return l.kind == wayOut })
		message, fix := describeLoop(slices.Concat(round[out:], round[:out]))
		if message += ": " + fix; !slices.Contains(all, message) {
			all = append(all, message)
		}
	}
	return all
}

// moving counts the destinations that import, and those that export.
func (c *Config) moving() (imports, exports int) {
	for _, t := range c.trees {
		for d := range t.All() {
			if d.Set.Has(property.Import) {
				imports++
			}
			if d.Set.Has(property.Export) {
				exports++
			}
		}
	}
	return imports, exports
}

// top is the beginning of a class's file.
func (k *checker) top(class Class) Place {
	if k.JSON {
		return Place{File: k.Config.files[0].name, Line: 1, Column: 1}
	}
	f := k.Param(classTable[class].parameter)
	return Place{File: f, Line: 1, Column: 1}
}

// describeLoop puts a loop into words, all of it in order.
func describeLoop(round []leg) (message, fix string) {
	var b strings.Builder
	b.WriteString("a loop: ")
	for i, l := range round {
		if i == 0 {
			b.WriteString(l.place())
		} else {
			b.WriteString(",")
		}
		switch l.kind {
		case wayOut:
			b.WriteString(" goes out by " + l.transport)
			if l.way.add != "" {
				b.WriteString(" as " + l.names)
			}
		case wayIn:
			b.WriteString(" comes in by " + l.transport + " to " + l.place())
		case wayOver:
			b.WriteString(" is bridged to " + l.place())
		}
	}
	return b.String(), "take import or export off one of them, or set them apart by a subject_prefix; until then the guard against loops drops what comes round (max_hops)"
}

// place names the destination that a way is about.
func (w *way) place() string {
	if w.def != nil {
		return w.dest.String() + " " + w.def.Name
	}
	return w.dest.String() + " " + w.target
}
