package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUpToDate fails when the table or the generator was changed without
// running go generate.
func TestUpToDate(t *testing.T) {
	const folder = "../.."
	files, err := generate(filepath.Join(folder, "spec.txt"))
	if err != nil {
		t.Fatal(err)
	}
	there, err := filepath.Glob(filepath.Join(folder, "*_gen.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range there {
		if _, ok := files[filepath.Base(name)]; !ok {
			t.Errorf("%s is no longer generated: run go generate ./amqp/frame", filepath.Base(name))
		}
	}
	for name, want := range files { // order: irrelevant
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is out of date: run go generate ./amqp/frame (%v)", name, err)
		}
	}
}

func TestMistakesInTheTable(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"typ open 0x10 2.7.1", "spec.txt:1"},
		{"\n  lost uint", "spec.txt:2"},
		{"alias milliseconds", "not understood"},
		{"type open 0x10 2.7.1\n  container-id", "spec.txt:2"},
	} {
		if _, err := parse(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
	s, err := parse("type open 0x10 2.7.1\n  container-id strnig")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.shape(s.types[0].fields[0]); err == nil || !strings.Contains(err.Error(), "strnig") {
		t.Errorf("an unknown type of a field: %v", err)
	}
}
