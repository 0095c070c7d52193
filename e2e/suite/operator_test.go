package suite

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// What an operator does with a server, by the names of EMS's programs.

// TestSetsAreServedWhole: each set of core/config's tests is served with all that it
// defines, durables on secure topics too; its log file has what is said about it; and a
// clean exit leaves the files as they were, but for passwords in clear text.
func TestSetsAreServedWhole(t *testing.T) {
	from := filepath.Join("..", "..", "core", "config", "testdata", "sets")
	for name, logfile := range map[string]string{"grid": "grid control.log", "museum": "", "shop": ""} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(filepath.Join(from, name))); err != nil {
				t.Fatal(err)
			}
			s := harness.Start(t, "--config", dir)
			s.Stop(t)
			if log := s.Log(); strings.Contains(log, "could be made") || !strings.Contains(log, "listening") {
				t.Errorf("it logged %s", log)
			}
			if logfile != "" {
				text, err := os.ReadFile(filepath.Join(dir, logfile))
				if err != nil || !bytes.Contains(text, []byte(" WARNING: configuration: ")) || !bytes.Contains(text, []byte(" listening url="+s.URL)) {
					t.Errorf("%v: the log file has %s", err, text)
				}
			}
			for _, file := range filesBelow(t, filepath.Join(from, name)) {
				before, after := readFile(t, filepath.Join(from, name, file)), readFile(t, filepath.Join(dir, file))
				for i, line := range strings.Split(before, "\n") {
					if now := strings.Split(after, "\n"); i >= len(now) || now[i] != line && !strings.Contains(now[i], "$tg1$") {
						t.Errorf("%s:%d was changed: %q", file, i+1, line)
					}
				}
			}
		})
	}
}

func filesBelow(t *testing.T, dir string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestOperatorIsToldOnce: what keeps a user from logging in is in the log once at the
// start, and who was refused, came and went is told by name.
func TestOperatorIsToldOnce(t *testing.T) {
	dir := emsSet(t, map[string]string{
		"tibemsd.conf": "authorization = enabled\nlogfile = ems.log\nlog_trace = DEFAULT,+CONNECT\n",
		"users.conf":   "admin:root:\"\"\nold:$1$Lq8vT3nWz:\"\"\n",
	})
	s := harness.Start(t, "--config", dir)
	r := s.Tool(t, "", "admin", "-server", "{url}", "-user", "admin", "-password", "wrong", "show", "state")
	if want := "the server refused the login: the user or the password is wrong"; r.Code != 2 || !strings.Contains(r.Stdout+r.Stderr, want) {
		t.Errorf("exit code %d, %s%s\nwant %s", r.Code, r.Stdout, r.Stderr, want)
	}
	bom := filepath.Join(t.TempDir(), "bom.ems")
	if err := os.WriteFile(bom, []byte("\xef\xbb\xbfcreate queue q\r\nshow queue q\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := admin(t, s, 0, "-user", "admin", "-password", "root", "-script", bom); !strings.Contains(out, "Command: create queue q\nQueue 'q' has been created\n") {
		t.Error(out)
	}
	s.Stop(t)
	log := readFile(t, filepath.Join(dir, "ems.log"))
	if n := strings.Count(log, "cannot log in"); n != 1 {
		t.Errorf("told %d times that old cannot log in: %s", n, log)
	}
	for _, want := range []string{`login refused err="authentication failed: SCRAM-SHA-512: user \\"admin\\"`, `\[admin@127\.0\.0\.1:\d+\]: connected client=`, `\[admin@127\.0\.0\.1:\d+\]: disconnected\n`} {
		if !regexp.MustCompile(want).MatchString(log) {
			t.Errorf("the log has no %s:\n%s", want, log)
		}
	}
}

// refusal is what a program that cannot start says, and its exit code.
func refusal(t *testing.T, dir, program string, args ...string) (said string, code int) {
	t.Helper()
	link := filepath.Join(t.TempDir(), program)
	if err := os.Symlink(harness.Binary(t), link); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), link, args...)
	cmd.Dir = dir
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

// TestServerSaysWhyItDoesNotStart: what, where and how to mend it.
func TestServerSaysWhyItDoesNotStart(t *testing.T) {
	dir := emsSet(t, map[string]string{"tibemsd.conf": "listen = tcp://127.0.0.1:0\n", "file": ""})
	taken := harness.Start(t)
	inUse := emsSet(t, map[string]string{"tibemsd.conf": "listen = tcp://" + taken.Addr() + "\nlogfile = ems.log\n"})
	for _, c := range []struct {
		program, args, want string
	}{
		{"tibemsd", "-config nowhere", "there is no configuration at nowhere: neither a file nor a directory with tibemsd.conf or tibemsd.json"},
		{"tibemsd", "-config", "flag needs an argument: --config"},
		{"tibemsd", "-colour", "unknown shorthand flag"},
		{"tibemsd", "-trace DEFAULT,+COLOUR", `"+COLOUR" is no trace item`},
		{"tidegate", "serve --data file", "--data file is a file: write the name of a directory"},
		{"tidegate", "serve --data file/x", "--data file/x: stat file/x: not a directory: write the name of a directory"},
		{"tidegate", "serve --data " + taken.Data + " --listen amqp://127.0.0.1:0", "is in use by process"},
		{"tibemsd", "-config " + inUse, "address already in use: a program listens there already: end it, or choose another port (--listen, or listen in tibemsd.conf)"},
	} {
		if said, code := refusal(t, dir, c.program, strings.Fields(c.args)...); code != 2 || !strings.Contains(said, c.want) {
			t.Errorf("%s %s: exit code %d, %s\nwant %s", c.program, c.args, code, said, c.want)
		}
	}
	if log := readFile(t, filepath.Join(inUse, "ems.log")); !strings.Contains(log, " ERROR: listen tcp ") {
		t.Errorf("the log file of what could not start has %q", log)
	}
}
