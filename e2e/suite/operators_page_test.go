package suite

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

var rewriteOperators = flag.Bool("operators.rewrite", false, "write the outputs of docs/operators.md anew")

const operatorsPort = "7222" // that the page has; the test takes a free one

// operatorsDesk is where the page's commands are typed.
type operatorsDesk struct {
	t        *testing.T
	dir, bin string
	port     string
	server   *exec.Cmd
}

// TestOperatorsPage does what docs/operators.md shows, and compares what comes of it:
// all but numbers, and what only a machine or a moment has.
func TestOperatorsPage(t *testing.T) {
	d := &operatorsDesk{t: t, dir: t.TempDir(), bin: t.TempDir(), port: fmt.Sprint(freePort(t))}
	if err := os.CopyFS(d.dir, os.DirFS(filepath.Join("testdata", "operators"))); err != nil {
		t.Fatal(err)
	}
	main := filepath.Join(d.dir, "orders", "tibemsd.conf")
	if err := os.WriteFile(main, []byte(strings.ReplaceAll(readFile(t, main), operatorsPort, d.port)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tidegate", "tibemsd", "tibemsadmin"} {
		if err := os.Symlink(harness.Binary(t), filepath.Join(d.bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	defer d.leave()
	page := filepath.Join("..", "..", "docs", "operators.md")
	before := readFile(t, page)
	after := d.walk(before)
	if *rewriteOperators {
		if err := os.WriteFile(page, []byte(after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, got := strings.Split(maskedPage(before), "\n"), strings.Split(maskedPage(after), "\n")
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			t.Fatalf("line %d is not what comes of it (-operators.rewrite writes the page anew):\n%s", i+1, strings.Join(got[i:min(i+8, len(got))], "\n"))
		}
	}
}

// walk types the commands of a page and puts what they print in place of what it has.
func (d *operatorsDesk) walk(page string) string {
	var out strings.Builder
	in, commands := false, 0
	for line := range strings.Lines(page) {
		switch command, typed := strings.CutPrefix(line, "$ "); {
		case line == "```console\n":
			in = true
			out.WriteString(line)
		case line == "```\n":
			in = false
			out.WriteString(line)
		case in && typed:
			commands++
			out.WriteString(line)
			out.WriteString(d.typed(strings.TrimSuffix(command, "\n")))
		case !in:
			out.WriteString(line)
		}
	}
	if commands < 10 {
		d.t.Errorf("only %d commands on the page", commands)
	}
	return out.String()
}

// typed does a command and gives what it prints. One that ends in & is a server, and
// prints until it is ready.
func (d *operatorsDesk) typed(line string) string {
	d.t.Helper()
	line = strings.ReplaceAll(line, operatorsPort, d.port)
	server := strings.HasSuffix(line, "&")
	cmd := exec.Command("bash", "-c", "exec "+strings.TrimSuffix(line, "&"))
	if !server {
		cmd = exec.CommandContext(d.t.Context(), "bash", "-c", line)
	}
	cmd.Dir = d.dir
	cmd.Env = append(os.Environ(), "PATH="+d.bin+string(os.PathListSeparator)+os.Getenv("PATH"), "LC_ALL=C")
	if !server {
		out, _ := cmd.CombinedOutput()
		return strings.ReplaceAll(string(out), d.port, operatorsPort)
	}
	d.leave()
	cmd.Stderr = io.Discard
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.server = cmd
	ready, _ := bufio.NewReader(out).ReadString('\n')
	return strings.ReplaceAll(ready, d.port, operatorsPort)
}

// leave waits for the server that was shut down, or ends it.
func (d *operatorsDesk) leave() {
	if d.server == nil {
		return
	}
	_ = d.server.Process.Signal(os.Interrupt)
	if err := d.server.Wait(); err != nil {
		d.t.Errorf("the server: %v", err)
	}
	d.server = nil
}

var (
	pageHashes  = regexp.MustCompile(`\$tg1\$[^:\s]*`)
	pageTemps   = regexp.MustCompile(`\$TMP\$\.ORDERS\.[0-9a-f.]+`)
	pageNumbers = regexp.MustCompile(`[0-9][0-9.:]*`)
	pageNames   = regexp.MustCompile(`(Hostname: +|version: |Version |client=|Uptime: +).*`)
	pageBlanks  = regexp.MustCompile(` +`)
)

func maskedPage(s string) string {
	s = pageTemps.ReplaceAllString(s, "TMP")
	s = pageHashes.ReplaceAllString(s, "HASH")
	s = pageNames.ReplaceAllString(s, "${1}X")
	return pageBlanks.ReplaceAllString(pageNumbers.ReplaceAllString(s, "N"), " ")
}
