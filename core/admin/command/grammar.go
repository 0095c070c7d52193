package command

import (
	"slices"
	"strings"
)

// Grammar is all commands.
type Grammar struct {
	all []*Syntax
}

// NewGrammar puts commands together; it panics where two have the same words.
func NewGrammar(all []*Syntax) *Grammar {
	g := &Grammar{all: slices.Clone(all)}
	seen := map[string]bool{}
	for _, s := range all {
		if seen[s.Name()] {
			panic("command: two of the name " + s.Name())
		}
		seen[s.Name()] = true
	}
	slices.SortFunc(g.all, func(a, b *Syntax) int { return strings.Compare(a.Name(), b.Name()) })
	return g
}

// Parse reads a line. Its errors are *Error.
func (g *Grammar) Parse(line string) (*Syntax, *Args, error) {
	list, err := tokens(line)
	if err != nil {
		return nil, nil, err
	}
	if len(list) == 0 {
		return nil, nil, fault("", "the command is empty: write help to see what there is")
	}
	s := g.find(list)
	if s == nil {
		return nil, nil, g.unknown(list)
	}
	a, err := s.parse(line, list[len(s.words):])
	if err != nil {
		return nil, nil, err
	}
	return s, a, nil
}

// find is the command with the most words that the line begins with.
func (g *Grammar) find(list []token) (best *Syntax) {
	for _, s := range g.all {
		if common(s, list) == len(s.words) && (best == nil || len(s.words) > len(best.words)) {
			best = s
		}
	}
	return best
}

// common is how many words of a command the line begins with.
func common(s *Syntax, list []token) int {
	n := 0
	for n < len(s.words) && n < len(list) && strings.EqualFold(s.words[n], list[n].text) {
		n++
	}
	return n
}

// unknown says what could have been written in place of a line that is none.
func (g *Grammar) unknown(list []token) *Error {
	most := 0
	for _, s := range g.all {
		most = max(most, common(s, list))
	}
	next := g.next(list[:most])
	if most == len(list) {
		return fault("", "the command is not complete: behind %q write one of %s", joined(list), strings.Join(next, ", "))
	}
	if most == 0 {
		return fault("", "there is no command %q: write help to see what there is", list[0].text)
	}
	return fault("", "%q is not known behind %q: write one of %s", list[most].text, joined(list[:most]), strings.Join(next, ", "))
}

func joined(list []token) string {
	words := make([]string, len(list))
	for i, t := range list {
		words[i] = t.text
	}
	return strings.Join(words, " ")
}

// next lists the words that may stand behind the first ones of commands.
func (g *Grammar) next(list []token) (words []string) {
	for _, s := range g.all {
		if n := len(list); common(s, list) == n && len(s.words) > n && !slices.Contains(words, s.words[n]) {
			words = append(words, s.words[n])
		}
	}
	return words
}

// Complete lists what the last, unfinished word of a line may become: words of
// commands, words and keys of options.
func (g *Grammar) Complete(line string) []string {
	list, err := tokens(line)
	if err != nil {
		return nil
	}
	last := ""
	if n := len(list); n > 0 && !strings.HasSuffix(line, " ") && !strings.HasSuffix(line, "\t") {
		last = strings.ToLower(list[n-1].text)
		list = list[:n-1]
	}
	words := g.next(list)
	if s := g.find(list); s != nil {
		for _, p := range s.parts {
			switch p.kind {
			case option:
				words = append(words, p.name+"=")
			case choice:
				words = append(words, p.words...)
			case argument, rest:
			}
		}
	}
	words = slices.DeleteFunc(words, func(w string) bool { return !strings.HasPrefix(w, last) || w == last })
	slices.Sort(words)
	return slices.Compact(words)
}
