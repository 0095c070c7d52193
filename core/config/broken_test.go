package config

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the messages of testdata/broken anew; places, rules and words stay")

// TestBrokenSets reads each set of testdata/broken, in which one mistake is
// planted, and wants that one finding and no other. expected.txt has four lines:
// file:line:column severity rule; the words at fault; the message; what to write.
// also.txt has the rules of what such a set has said of it besides, mistake or not.
func TestBrokenSets(t *testing.T) {
	dirs, err := filepath.Glob("testdata/broken/*")
	if err != nil || len(dirs) < 60 {
		t.Fatalf("%d broken sets, %v", len(dirs), err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c, err := Load(disk{}, dir, Options{})
			if err != nil {
				t.Fatal(err)
			}
			also, _ := os.ReadFile(filepath.Join(dir, "also.txt")) // mostly there is none
			findings := slices.DeleteFunc(c.Findings, func(f Finding) bool { return slices.Contains(strings.Split(string(also), "\n"), f.Rule) })
			if len(findings) != 1 {
				t.Fatalf("%d findings: %v", len(findings), findings)
			}
			f := findings[0]
			name := filepath.Join(dir, "expected.txt")
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.SplitN(string(b), "\n", 3)
			got := []string{fmt.Sprintf("%s:%d:%d %s %s", f.File, f.Line, f.Column, f.Severity, f.Rule), f.Text, f.Message + "\n" + f.Fix + "\n"}
			for i := range 2 {
				if got[i] != want[i] {
					t.Errorf("got  %s\nwant %s", got[i], want[i])
				}
			}
			if *rewrite && !t.Failed() {
				if err := os.WriteFile(name, []byte(strings.Join(got, "\n")), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got[2] != want[2] {
				t.Errorf("got  %swant %s", got[2], want[2])
			}
		})
	}
}

// TestBrokenSetsRoundTrip: what is wrong is kept byte for byte as well.
func TestBrokenSetsRoundTrip(t *testing.T) {
	dirs, _ := filepath.Glob("testdata/broken/*")
	sets, _ := filepath.Glob("testdata/sets/*")
	dirs = append(dirs, sets...)
	for _, dir := range dirs {
		c, err := Load(disk{}, dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range c.FileNames() {
			got, _ := c.Text(name)
			want, err := os.ReadFile(c.Path(name))
			if err != nil || string(got) != string(want) {
				t.Errorf("%s/%s is not as it was: %v", dir, name, err)
			}
		}
	}
}
