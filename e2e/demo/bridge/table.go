package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
)

// cell is one order at one system.
type cell struct{ order, where string }

// table gathers what arrived, and what was answered.
type table struct {
	systems  []string
	ids      map[string]string // of orders, as their publisher has them
	seen     map[cell]seen
	times    map[cell]int
	answered map[cell]bool
	faults   []string
}

func newTable(all []*system) *table {
	t := &table{ids: map[string]string{}, seen: map[cell]seen{}, times: map[cell]int{}, answered: map[cell]bool{}}
	for _, s := range all {
		t.systems = append(t.systems, s.name)
	}
	return t
}

func (t *table) arrived(s seen) {
	at := cell{s.correlation, s.where}
	t.seen[at] = s
	t.times[at]++
}

// told takes a line of the JMS program: "published ORDER ID KIND", or "answer ORDER: WHERE took
// ORDER".
func (t *table) told(words []string) {
	switch {
	case len(words) == 4 && words[0] == "published":
		t.ids[words[1]] = words[2]
	case len(words) == 5 && words[0] == "answer" && words[4]+":" == words[1]:
		t.answered[cell{words[4], words[2]}] = true
	}
}

// print prints the table; an error says what is not as it should be.
func (t *table) print() error {
	fmt.Println()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "message\treceived on\theaders\tproperties\tbody\tanswered")
	for _, order := range orders {
		for _, where := range t.systems {
			at := cell{order, where}
			s, ok := t.seen[at]
			row := []string{"missing", "missing", "missing"}
			if ok {
				f := s.compare(t.ids[order])
				row = []string{t.verdict(at, "headers", f.headers), t.verdict(at, "properties", f.properties), t.verdict(at, "body", f.body)}
			}
			if t.times[at] != 1 {
				t.faults = append(t.faults, fmt.Sprintf("%s came to %s %d times", order, where, t.times[at]))
			}
			answered := "yes"
			if !t.answered[at] {
				answered = "no"
				t.faults = append(t.faults, fmt.Sprintf("the answer to %s from %s did not come back", order, where))
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", order, where, strings.Join(row, "\t"), answered)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(t.faults) > 0 {
		return fmt.Errorf("not everything arrived as it was sent:\n  %s", strings.Join(t.faults, "\n  "))
	}
	fmt.Println("\neverything arrived as it was sent")
	return nil
}

func (t *table) verdict(at cell, what, fault string) string {
	if fault == "" {
		return "as sent"
	}
	t.faults = append(t.faults, fmt.Sprintf("%s of %s on %s: %s", what, at.order, at.where, fault))
	return "altered"
}
