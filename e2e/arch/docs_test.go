package arch

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	link     = regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)
	codePath = regexp.MustCompile("`((?:amqp|cmd|core|docs|e2e|interop|persist)/[A-Za-z0-9_./-]+\\.(?:go|md|txt|yml|sh|py|java))`")
	// In a folder's own DESIGN.md the files of that folder are named from there.
	localPath = regexp.MustCompile("`([a-z0-9_]+(?:/[a-z0-9_]+)*\\.go)`")
)

// documents are the Markdown files of the repository.
func documents(t *testing.T) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || slices.Contains([]string{"target", "node_modules", "tidegate-data"}, d.Name())) {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, ".md") {
			all = append(all, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestDocuments: what the documents link to or name by its path exists.
func TestDocuments(t *testing.T) {
	for _, path := range documents(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.Dir(path)
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(m[1], "://") && !strings.HasPrefix(m[1], "mailto:") {
				named(t, path, m[1], folder)
			}
		}
		for _, m := range codePath.FindAllStringSubmatch(string(text), -1) {
			named(t, path, m[1], top)
		}
		if filepath.Base(path) == "DESIGN.md" {
			for _, m := range localPath.FindAllStringSubmatch(string(text), -1) {
				named(t, path, m[1], folder, top)
			}
		}
	}
}

func named(t *testing.T, document, path string, folders ...string) {
	t.Helper()
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(folder, path)); err == nil {
			return
		}
	}
	t.Errorf("%s names %s, which is not there", document, path)
}

// TestDecisions: each has a number of its own, and three parts. Gaps may be:
// people who work side by side take ranges.
func TestDecisions(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(top, "docs/decisions/*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no decisions: %v", err)
	}
	slices.Sort(files)
	name := regexp.MustCompile(`^(\d{4})-[a-z0-9-]+\.md$`)
	last := 0
	for _, f := range files {
		m := name.FindStringSubmatch(filepath.Base(f))
		if m == nil || atoi(m[1]) <= last {
			t.Fatalf("%s: want NNNN-slug.md with a number above %04d", f, last)
		}
		last = atoi(m[1])
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"## Context", "## Decision", "## Consequences"} {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s has no part %q", f, part)
			}
		}
	}
}

func atoi(digits string) int {
	n := 0
	for _, d := range digits {
		n = 10*n + int(d-'0')
	}
	return n
}

// TestTopLevel: the top of the repository holds what it should and no more.
func TestTopLevel(t *testing.T) {
	want := []string{
		".ci", ".git", ".gitignore", ".golangci.yml", "ARCHITECTURE.md", "LICENSE", "Makefile",
		"README.md", "amqp", "cmd", "core", "docker-compose.yml", "docs", "e2e", "go.mod", "go.sum", "interop", "persist",
	}
	made := []string{".cache", "bin", "tidegate-data"} // by the Makefile; ignored by git
	entries, err := os.ReadDir(top)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(want, e.Name()) && !slices.Contains(made, e.Name()) {
			t.Errorf("%s does not belong at the top", e.Name())
		}
	}
	for _, name := range []string{"LICENSE", "README.md", "ARCHITECTURE.md", "Makefile", ".ci/run", "docker-compose.yml", ".golangci.yml"} {
		mustExist(t, filepath.Join(top, name))
	}
}
