// Command gen turns the table of the specification into the types of package
// frame: one file per type, and one each for enumerations, conditions and the
// tables of descriptors.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
)

func main() {
	table := flag.String("spec", "spec.txt", "the table to read")
	out := flag.String("out", ".", "the folder to write to")
	flag.Parse()
	if err := run(*table, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(table, out string) error {
	files, err := generate(table)
	if err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(out, "*_gen.go"))
	if err != nil {
		return err
	}
	for _, name := range old {
		if _, still := files[filepath.Base(name)]; !still {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	names := make([]string, 0, len(files))
	for name := range files { // order: irrelevant, sorted below
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(out, name), files[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate gives the contents of every generated file by name.
func generate(table string) (map[string][]byte, error) {
	text, err := os.ReadFile(table)
	if err != nil {
		return nil, err
	}
	s, err := parse(string(text))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	add := func(name string, f *file) error {
		source, err := f.source()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		files[name] = source
		return nil
	}
	for _, c := range s.types {
		if err := add(fileName(c.name), s.writeType(c)); err != nil {
			return nil, err
		}
	}
	if err := add("enums_gen.go", s.writeEnums()); err != nil {
		return nil, err
	}
	if err := add("conditions_gen.go", s.writeConditions()); err != nil {
		return nil, err
	}
	return files, add("codes_gen.go", s.writeCodes())
}
