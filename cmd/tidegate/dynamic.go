package main

import (
	"fmt"
	"slices"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/name"
)

// mayCreate says which destinations come into being by being used: those that
// match a pattern (ems 3.2). nil: all.
func mayCreate(queues, topics []string) (func(core.Destination) bool, error) {
	for flag, patterns := range map[string][]string{"queues": queues, "topics": topics} { // order: irrelevant
		for _, p := range patterns {
			if err := name.Validate(p); err != nil {
				return nil, fmt.Errorf("--dynamic-%s: %w", flag, err)
			}
		}
	}
	if slices.Contains(queues, ">") && slices.Contains(topics, ">") {
		return nil, nil //nolint:nilnil // nil is what says all
	}
	return func(d core.Destination) bool {
		patterns := queues
		if d.Kind == core.Topic {
			patterns = topics
		}
		return slices.ContainsFunc(patterns, func(p string) bool { return name.Match(p, d.Name) })
	}, nil
}
