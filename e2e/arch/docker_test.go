package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const top = "../.."

// TestDockerfile: an image on scratch, not run as root, with what it copies there.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(top, "cmd/tidegate/Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.ReplaceAll(string(text), "\\\n", " "), "\n")
	last := ""
	words := map[string][]string{}
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if f[0] == "FROM" {
			last = f[1]
		}
		if f[0] == "COPY" && !strings.HasPrefix(f[1], "--") {
			for _, source := range f[1 : len(f)-1] {
				mustExist(t, filepath.Join(top, source))
			}
		}
		words[f[0]] = append(words[f[0]], strings.Join(f[1:], " "))
	}
	if last != "scratch" {
		t.Errorf("the image stands on %s, want scratch", last)
	}
	if len(words["USER"]) != 1 || strings.HasPrefix(words["USER"][0], "0") {
		t.Errorf("USER %q", words["USER"])
	}
	if build := strings.Join(words["RUN"], "\n"); !strings.Contains(build, "CGO_ENABLED=0") {
		t.Error("the binary is not built static")
	}
	want, err := goVersion()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(words["FROM"], func(f string) bool { return strings.HasPrefix(f, "golang:"+want+" ") }) {
		t.Errorf("built with %q, go.mod says go %s", words["FROM"], want)
	}
}

// goVersion is go.mod's, without the patch level.
func goVersion() (string, error) {
	text, err := os.ReadFile(filepath.Join(top, "go.mod"))
	if err != nil {
		return "", err
	}
	return string(regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(text)[1]), nil
}

func mustExist(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Errorf("named, but not there: %v", err)
	}
}
