package main

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/core/admin"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/config/disk"
	"github.com/tidegate/tidegate/persist/vfs"
)

// followed is a log that follows a configuration of these lines.
func followed(t *testing.T, conf string) (*traceLog, *admin.Definitions, *bytes.Buffer, string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tibemsd.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(disk.Files{FS: vfs.OS}, dir, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := admin.NewDefinitions(c, func(*config.Config) error { return nil })
	var console bytes.Buffer
	l := newTraceLog(&console, slog.LevelInfo)
	l.follow(d)
	t.Cleanup(func() { _ = l.close() })
	return l, d, &console, filepath.Join(dir, "ems.log")
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Lines are EMS's: time with milliseconds, WARNING: or ERROR:, who in brackets.
func TestTraceLines(t *testing.T) {
	l, _, console, file := followed(t, "logfile = ems.log\n")
	log := l.logger()
	log.Info("recovered", "queues", 3)
	log.With("peer", "10.0.0.1:5").Warn("connection refused", "user", "ann", "err", errors.New("not authorized"))
	log.Info("administration", "user", "admin", "command", "create queue q")
	log.Info("Received message 'ID:1' into queue 'q'", "trace", "MSG")
	log.Error("store failed", "error", "no space")
	log.Warn("login refused", "user", "x]: y\n2026-11-25 12:00:00.000 [admin]: commit", "reason", "a\rb")
	log.Info("Received message 'ID:1\n\x1b[2J' into queue 'q'", "trace", "MSG")
	log.Debug("connected", "client", "c")
	want := []string{
		"recovered queues=3",
		`WARNING: [ann@10.0.0.1:5]: connection refused err="not authorized"`,
		"[admin]: create queue q",
		"Received message 'ID:1' into queue 'q'",
		`ERROR: store failed error="no space"`,
		`WARNING: [x]: y\n2026-11-25 12:00:00.000 [admin]: commit]: login refused reason=a\rb`,
		`Received message 'ID:1\n\x1b[2J' into queue 'q'`,
	}
	lines := strings.Split(strings.TrimSpace(read(t, file)), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines: %q", len(lines), lines)
	}
	for i, l := range lines {
		if !regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} `).MatchString(l) || l[24:] != want[i] {
			t.Errorf("%q, want ... %q", l, want[i])
		}
	}
	if got := console.String(); strings.Count(got, "level=") != 7 {
		t.Errorf("the console has its own lines: %s", got)
	}
}

// log_trace and console_trace choose by items, each for itself, also when they
// change.
func TestTraceItems(t *testing.T) {
	l, d, console, file := followed(t, "logfile = ems.log\nlog_trace = DEFAULT,-ADMIN,+CONNECT\nconsole_trace = ADMIN\n")
	log := l.logger()
	say := func() {
		log.Info("administration", "user", "admin", "command", "commit")
		log.Debug("connected", "client", "c")
		log.Warn("something")
	}
	say()
	if got := read(t, file); strings.Contains(got, "commit") || !strings.Contains(got, " connected client=c\n") || !strings.Contains(got, "WARNING: something\n") {
		t.Errorf("the file has %s", got)
	}
	if got := console.String(); !strings.Contains(got, "[admin]: commit\n") || strings.Contains(got, "connected") || strings.Contains(got, "something") {
		t.Errorf("the console has %s", got)
	}
	s := admin.New(admin.Options{Broker: memoryBroker(t), Definitions: d})
	defer s.Close()
	if _, err := s.Do(t.Context(), admin.Request{Command: "set server log_trace=-CONNECT,+ADMIN"}); err != nil {
		t.Fatal(err)
	}
	before := len(read(t, file))
	say()
	if got := read(t, file)[before:]; !strings.Contains(got, "commit") || strings.Contains(got, "connected") {
		t.Errorf("behind the change the file has %s", got)
	}
}

// -trace counts in place of both lists, also when they change; what is said of the
// configuration and what ends the server are in the file; a file that cannot be
// opened is left out.
func TestTraceFromTheStart(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) *config.Config {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "tibemsd.conf"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(disk.Files{FS: vfs.OS}, dir, config.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	var console bytes.Buffer
	l := newTraceLog(&console, slog.LevelInfo)
	l.instead = "DEFAULT,-ADMIN"
	c := write("logfile = ems.log\nlog_trace = ADMIN\n")
	l.apply(c)
	l.follow(admin.NewDefinitions(c, func(*config.Config) error { return nil })) // the file that is open stays
	log := l.logger()
	log.Warn("configuration", "finding", "queues.conf:3:1: warning: odd")
	log.Info("administration", "user", "admin", "command", "commit")
	l.last(errors.New("no listener is left"))
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	got := read(t, filepath.Join(dir, "ems.log"))
	if !strings.Contains(got, " WARNING: configuration: queues.conf:3:1: warning: odd\n") || strings.Contains(got, "commit") || !strings.HasSuffix(got, " ERROR: no listener is left\n") {
		t.Errorf("the file has %s", got)
	}
	if s := console.String(); strings.Contains(s, "commit") || strings.Contains(s, "no listener") || !strings.Contains(s, " WARNING: configuration: queues") {
		t.Errorf("the console has %s", s)
	}

	console.Reset()
	l = newTraceLog(&console, slog.LevelInfo)
	l.apply(write("logfile = nowhere/ems.log\n"))
	if s := console.String(); !strings.Contains(s, "the log file cannot be opened") || !strings.Contains(s, "nowhere/ems.log") {
		t.Errorf("the console has %s", s)
	}
}

// A file that would grow above its size is renamed, and so many are kept.
func TestLogRotation(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ems.log")
	f, err := openLogFile(name, 100, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if err := f.write(strings.Repeat(string(rune('a'+i)), 59) + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	for n, want := range map[string]byte{"": 'j', ".9": 'i', ".8": 'h'} { // order: irrelevant
		if got := read(t, name+n); len(got) != 60 || got[0] != want {
			t.Errorf("%s has %q", name+n, got)
		}
	}
	if entries, _ := os.ReadDir(filepath.Dir(name)); len(entries) != 3 {
		t.Errorf("%d files: %v", len(entries), entries)
	}
	again, err := openLogFile(name, 100, 2) // numbers go on
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(again.rotate(), again.close()); err != nil {
		t.Fatal(err)
	}
	if got := read(t, name+".10"); got[0] != 'j' {
		t.Errorf("%q", got)
	}
}
