package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/command"
	"github.com/tidegate/tidegate/core/admin/screen"
)

// What travels: parts of a long table come together again; an error is one.
func TestReplies(t *testing.T) {
	table := newTable("queues", "name text;msgs count")
	for i := range 2*MaxPartRows + 1 {
		table.Add(fmt.Sprint("q", i), i)
	}
	small := newTable("users", "name text")
	small.Add("joe")
	want := &screen.Result{Message: "m", Tables: []*screen.Table{table, newTable("none", "name text"), small}, Last: "l", More: true}
	parts := Replies(want, nil)
	if len(parts) != 3 {
		t.Errorf("%d parts", len(parts))
	}
	var g Gather
	for i, p := range parts {
		done, err := g.Add(p)
		if err != nil || done != (i == len(parts)-1) {
			t.Fatalf("part %d: %v %v", i, done, err)
		}
	}
	a, _ := want.JSON()
	b, _ := g.Result.JSON()
	if string(a) != string(b) {
		t.Error("another result came out")
	}
	long := newTable("durables", "name text;selectors list")
	for range 50 {
		long.Add(strings.Repeat("n", 1<<10), []string{strings.Repeat("s", 63<<10)})
	}
	for i, p := range Replies(&screen.Result{Tables: []*screen.Table{long}}, nil) {
		if len(p) < MaxPartBytes/8 || len(p) > MaxPartBytes+80<<10 {
			t.Errorf("part %d of long rows has %d bytes", i, len(p))
		}
	}
	if _, err := new(Gather).Add(parts[1]); err == nil {
		t.Error("a part is missing, and nobody says so")
	}
	_, err := new(Gather).Add(Replies(nil, missing("queue", "q"))[0])
	var said *WireError
	if !errors.As(err, &said) || said.Kind != "not found" || said.Message != "queue 'q' does not exist" {
		t.Errorf("%v", err)
	}
}

// What changes something is in the log, with who did it and without passwords,
// whatever command has them.
func TestAudit(t *testing.T) {
	o := newOffice(t, memory{})
	var log strings.Builder
	o.o.Log = slog.New(slog.NewTextHandler(&log, nil))
	for _, line := range []string{
		`create user joe "Joe B" password=hidden`, "set password joe hidden", "set server ssl_password=hidden",
		"create factory f generic ssl_password=hidden url=tcp://h:1", "addprop factory f SSL_PASSWORD=hidden", "addprop factory none ssl_password=hidden",
	} {
		_, _ = o.Do(t.Context(), Request{User: "admin", Command: line})
	}
	got := log.String()
	if strings.Count(got, "user=admin") != 6 || strings.Contains(got, "hidden") {
		t.Error(got)
	}
	for _, want := range []string{`msg=administration `, `msg="administration failed"`, `\"Joe B\" password=...`, "f generic ssl_password=... url=tcp://h:1"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing: %s", want, got)
		}
	}
}

func TestRequests(t *testing.T) {
	for text, says := range map[string]string{ // order: irrelevant
		"":                                   "no JSON object",
		`{"version":2,"command":"x"}`:        `write "version":1`,
		strings.Repeat(" ", MaxRequest+1):    "at most",
		`{"version":1,"command":"x"} beside`: "no JSON object",
	} {
		if _, err := ParseRequest([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.30q: %v, want %s", text, err, says)
		}
	}
	o := newOffice(t, memory{})
	_, err := o.Do(t.Context(), Request{Command: "quit"})
	if err == nil || !strings.Contains(err.Error(), "tool itself") {
		t.Errorf("a command of the tool's: %v", err)
	}
	var syntax *command.Error
	if _, err := o.Do(t.Context(), Request{Command: "shwo"}); !errors.As(err, &syntax) {
		t.Errorf("no command: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.Do(ctx, Request{Command: "show queues"}); KindOf(err) != core.Unavailable {
		t.Errorf("a request whose time is over: %v", err)
	}
}

// Closing ends what is under way, and begins nothing.
func TestClosing(t *testing.T) {
	o := newOffice(t, memory{})
	begun, ended := make(chan struct{}), make(chan struct{})
	if err := o.Serve("admin", 0, []byte(`{"version":1,"command":"show server"}`), func([]byte) {
		close(begun)
		<-ended
	}); err != nil {
		t.Fatal(err)
	}
	ctx, end, ok := o.begin()
	if !ok {
		t.Fatal("it is closed already")
	}
	<-begun
	closed := make(chan struct{})
	go func() {
		o.Service.Close()
		close(closed)
	}()
	<-ctx.Done() // Close ends what is under way
	select {
	case <-closed:
		t.Error("Close does not wait")
	default:
	}
	end()
	close(ended)
	<-closed
	if err := o.Serve("admin", 0, []byte(`{"version":1,"command":"show server"}`), func([]byte) {}); KindOf(err) != core.Unavailable {
		t.Errorf("behind Close: %v", err)
	}
}

// More than MaxRunning requests are refused while they run, and not after.
func TestRunningRequests(t *testing.T) {
	o := newOffice(t, memory{})
	body := []byte(`{"version":1,"command":"show server"}`)
	hold, answered := make(chan struct{}), make(chan struct{}, MaxRunning+1)
	for range MaxRunning {
		if err := o.Serve("admin", 0, body, func([]byte) { answered <- struct{}{}; <-hold }); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Serve("admin", 0, body, func([]byte) {}); KindOf(err) != core.Limit {
		t.Errorf("one more: %v", err)
	}
	for range MaxRunning {
		<-answered
	}
	close(hold)
	for o.running.Load() > 0 { // each ends once its answer has been taken
		o.does("show state")
	}
	if err := o.Serve("admin", 0, body, func([]byte) { answered <- struct{}{} }); err != nil {
		t.Error(err)
	}
	<-answered
}

// FuzzGather: no answer of a server's brings the tool down; what is put together can be
// printed.
func FuzzGather(f *testing.F) {
	table := newTable("queues", "name text;msgs count;flags list")
	table.Add("q", 1, []string{"a"})
	for _, parts := range [][][]byte{
		Replies(&screen.Result{Message: "m", Tables: []*screen.Table{table}}, nil),
		{[]byte(`{"version":1,"result":{"tables":[null]}}`)},
		{[]byte(`{"version":1,"result":{"tables":[{"name":"queues","rows":[[]]}]}}`)},
		{
			[]byte(`{"version":1,"more":true,"result":{"tables":[{"name":"queues","columns":[{"name":"a","kind":"text"}],"rows":[["x"]]}]}}`),
			[]byte(`{"version":1,"part":1,"result":{"tables":[{"name":"queues","rows":[[]]}]}}`),
		},
		{[]byte(`{"version":1,"result":{"tables":[{"name":"queue","single":true,"columns":[{"name":"msgs","kind":"text"}],"rows":[[null],["x"]]}]}}`)},
	} {
		f.Add(parts[0], parts[len(parts)-1])
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var g Gather
		if done, err := g.Add(first); !done && err == nil {
			_, _ = g.Add(second)
		}
		if g.Result == nil {
			return
		}
		_ = g.Result.Print()
		if _, err := g.Result.JSON(); err != nil {
			t.Error(err)
		}
	})
}
