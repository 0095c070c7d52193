package suite

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/Azure/go-amqp"
	"github.com/google/go-cmp/cmp"

	"github.com/tidegate/tidegate/e2e/harness"
)

var rewriteAdmin = flag.Bool("admin.rewrite", false, "write the expected output of the administration's scripts anew")

var (
	tmpNames  = regexp.MustCompile(`\$TMP\$\.tidegate\.[0-9a-f]+\.[0-9]+`)
	labelLine = regexp.MustCompile(`^ ([A-Z][A-Za-z ]*):( +)`)
	numbers   = regexp.MustCompile(` *[0-9][0-9.]*`)
	hosts     = regexp.MustCompile(`( Hostname: +| Runtime Module Path: +| File: +| Average Write Time: +).*`)
)

// masked is output whose numbers are the same in every run: an N that ends where
// the number ended, so that columns are still compared.
func masked(out string) string {
	lines := strings.Split(out, "\n")
	for i, l := range lines {
		l = tmpNames.ReplaceAllStringFunc(l, func(n string) string { return "$TMP$.tidegate." + strings.Repeat("x", len(n)-len("$TMP$.tidegate.")) })
		l = hosts.ReplaceAllString(l, "${1}X")
		switch {
		case strings.HasPrefix(l, "Command: "):
		case labelLine.MatchString(l):
			at := len(labelLine.FindString(l))
			l = l[:at] + regexp.MustCompile(`[0-9][0-9.]*`).ReplaceAllString(l[at:], "N")
			l = regexp.MustCompile(`N (day|hour|minute|second)s?( N .*)?$`).ReplaceAllString(l, "TIME")
		default:
			l = numbers.ReplaceAllStringFunc(l, func(n string) string { return strings.Repeat(" ", len(n)-1) + "N" })
		}
		lines[i] = l
	}
	return strings.Join(lines, "\n")
}

// admin runs the tool against a server and wants that exit code.
func admin(t *testing.T, s *harness.Server, code int, args ...string) string {
	t.Helper()
	r := s.Tool(t, "", append([]string{"admin", "-server", "{url}"}, args...)...)
	if r.Code != code {
		t.Fatalf("admin %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), r.Code, code, r.Stdout, r.Stderr)
	}
	return r.Stdout
}

// scriptPath is absolute: tools run in folders of their own.
func scriptPath(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", "admin", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestAdminScript: more than 80 commands in EMS's syntax, as -script does them.
// The screens that the reference shows are compared with it byte by byte in
// core/admin/screen; here they come out of a real server, numbers masked.
func TestAdminScript(t *testing.T) {
	s := harness.Start(t)
	got := masked(admin(t, s, 0, "-user", "admin", "-script", scriptPath(t, "80.ems")))
	expected := filepath.Join("testdata", "admin", "80.txt")
	if *rewriteAdmin {
		if err := os.WriteFile(expected, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(expected)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(got, "Command: "); n < 80 {
		t.Errorf("%d commands", n)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(got, "Error: ") || strings.Contains(got, "Warning: command script") {
		t.Error("a command failed, or commit did not count")
	}
	before := admin(t, s, 0, "show queues static")
	s.Restart(t)
	if after := admin(t, s, 0, "show queues static"); after != before {
		t.Errorf("behind a restart:\n%s\nbefore:\n%s", after, before)
	}
	if got := admin(t, s, 0, "show durables"); !strings.Contains(got, "wm_report") {
		t.Errorf("durables behind a restart:\n%s", got)
	}
}

// TestAdminFilesRule: what was committed is there after a crash, what was not is
// gone with its definition; a queue that holds messages lives on as dynamic.
func TestAdminFilesRule(t *testing.T) {
	s := harness.Start(t)
	script := filepath.Join(t.TempDir(), "s.ems")
	write := func(text string) {
		if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("create queue kept exclusive\ncreate queue full\ncommit\n")
	admin(t, s, 0, "-script", script)
	tool(t, s, "", 0, "send", "--url", "{url}", "--queue", "full", "--text", "x")
	write("create queue lost\nshow queue lost\nset server statistics=sometimes\n")
	dying := s.Tool(t, "", "admin", "-server", "{url}", "-script", script) // its end commits
	if dying.Code != 1 || !strings.Contains(dying.Stdout, "Trying to commit now") {
		t.Errorf("a script that fails: %d %s", dying.Code, dying.Stdout)
	}
	admin(t, s, 0, "delete queue lost")
	s.Kill(t)
	s.Run(t)
	got := admin(t, s, 0, "show queues")
	for _, want := range []string{"  kept  ", "  full  "} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing:\n%s", want, got)
		}
	}
	if strings.Contains(got, "  lost  ") {
		t.Errorf("a deleted queue is back:\n%s", got)
	}
	conf := filepath.Join(s.Data, "conf", "queues.conf")
	text, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	s.Stop(t)
	if err := os.WriteFile(conf, []byte(strings.ReplaceAll(string(text), "full\n", "")), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Run(t)
	if got := admin(t, s, 0, "show queues"); !strings.Contains(got, "* full  ") {
		t.Errorf("a queue with messages that lost its line is not dynamic:\n%s", got)
	}
}

// scraped reads a screen as monitoring agents do: by the positions of its titles.
func scraped(t *testing.T, out string, titles ...string) []map[string]string {
	t.Helper()
	lines := strings.Split(strings.TrimRight(out, "\n"), "\n")
	head := -1
	for i, l := range lines {
		if strings.Contains(l, titles[0]) {
			head = i
			break
		}
	}
	if head < 0 {
		t.Fatalf("no title %q in\n%s", titles[0], out)
	}
	type column struct {
		title      string
		start, end int
	}
	var columns []column
	at := 0
	for _, title := range titles {
		i := strings.Index(lines[head][at:], title)
		if i < 0 {
			t.Fatalf("no title %q in %q", title, lines[head])
		}
		columns = append(columns, column{title, at + i, at + i + len(title)})
		at += i + len(title)
	}
	var rows []map[string]string
	for _, l := range lines[head+1:] {
		row := map[string]string{}
		for i, c := range columns {
			l := l + strings.Repeat(" ", 200)
			// The field that overlaps the title, to its blanks on both sides.
			from, to := c.start, c.end
			for from > 0 && l[from-1] != ' ' {
				from--
			}
			for to < len(l) && l[to] != ' ' {
				to++
			}
			if i+1 < len(columns) && to > columns[i+1].start {
				to = columns[i+1].start
			}
			row[c.title+suffix(row, c.title)] = strings.TrimSpace(l[from:to])
		}
		rows = append(rows, row)
	}
	return rows
}

// suffix tells the second column of a title from the first.
func suffix(row map[string]string, title string) string {
	if _, twice := row[title]; twice {
		return "2"
	}
	return ""
}

// TestAdminScraper: an agent that knows nothing but titles finds the figures.
func TestAdminScraper(t *testing.T) {
	s := harness.Start(t)
	long := "a.queue.with.a.name.that.is.longer.than.its.column"
	for _, c := range []string{"create queue " + long + " exclusive,secure", "create queue short", "create topic news", "create durable news d clientid=c"} {
		admin(t, s, 0, c)
	}
	tool(t, s, "", 0, "send", "--url", "{url}", "--queue", long, "--size", "2048", "--count", "12")
	tool(t, s, "", 0, "send", "--url", "{url}", "--queue", "short", "--text", "x", "--count", "3", "--non-persistent")
	tool(t, s, "", 0, "send", "--url", "{url}", "--topic", "news", "--text", "x", "--count", "5")
	find := func(rows []map[string]string, title, value string) map[string]string {
		t.Helper()
		for _, r := range rows {
			if r[title] == value {
				return r
			}
		}
		t.Fatalf("no row %q in %v", value, rows)
		return nil
	}
	want := func(row map[string]string, pairs ...string) {
		t.Helper()
		for i := 0; i < len(pairs); i += 2 {
			if row[pairs[i]] != pairs[i+1] {
				t.Errorf("%s is %q, want %q: %v", pairs[i], row[pairs[i]], pairs[i+1], row)
			}
		}
	}
	queues := scraped(t, admin(t, s, 0, "show queues"), "Queue Name", "SNFGXIBCT", "Pre", "Rcvrs", "Msgs", "Size", "Msgs", "Size")
	want(find(queues, "Queue Name", long), "SNFGXIBCT", "+---+----", "Pre", "5*", "Msgs", "12", "Msgs2", "12")
	want(find(queues, "Queue Name", "short"), "SNFGXIBCT", "---------", "Rcvrs", "0", "Msgs", "3", "Msgs2", "0", "Size2", "0.0")
	topics := scraped(t, admin(t, s, 0, "show topics"), "Topic Name", "SNFGEIBCTM", "Subs", "Durs", "Msgs", "Size", "Msgs", "Size")
	want(find(topics, "Topic Name", "news"), "Durs", "1", "Msgs", "5", "Msgs2", "5")
	durables := scraped(t, admin(t, s, 0, "show durables"), "Topic Name", "Durable", "Shared", "User", "Msgs", "Size")
	want(find(durables, "Topic Name", "news"), "Durable", "d", "Shared", "N", "User", "<offline>", "Msgs", "5")
	// Ours is the newest; those of the commands before may still be about to go.
	connections := scraped(t, admin(t, s, 0, "show connections full"), "L", "Version", "ID", "FSXT", "S", "Host", "IP address", "Port", "User", "ClientID", "Sess", "Prod", "Cons", "TmpT", "TmpQ", "Uncomm", "UncommSize", "Uptime")
	want(connections[len(connections)-1], "L", "C", "FSXT", "---A", "IP address", "127.0.0.1", "User", "admin", "Sess", "1", "Prod", "1", "Cons", "1", "TmpQ", "1", "Uncomm", "0")
	stat := scraped(t, admin(t, s, 0, "show stat consumers"), "User", "Conn", "T", "Destination", "Msgs", "Size", "Msgs", "Size")
	want(stat[len(stat)-1], "User", "admin", "T", "Q")
	server := admin(t, s, 0, "show server")
	for _, l := range []string{" State:                    active", " Pending Messages:         20", " Durables:                 1"} {
		if !strings.Contains(server, l+"\n") {
			t.Errorf("%q is not in\n%s", l, server)
		}
	}
}

// TestAdminJSON: a line of JSON a command, the errors as well.
func TestAdminJSON(t *testing.T) {
	s := harness.Start(t)
	admin(t, s, 0, "create", "queue", "q", "prefetch=7")
	var out struct {
		Queues []struct {
			Name     string
			Prefetch string
			Msgs     int
		}
	}
	if err := json.Unmarshal([]byte(admin(t, s, 0, "--json", "show queues q")), &out); err != nil || len(out.Queues) != 1 || out.Queues[0].Prefetch != "7" {
		t.Errorf("%v: %+v", err, out)
	}
	var failed struct {
		Error struct{ Kind, Message string }
	}
	if err := json.Unmarshal([]byte(admin(t, s, 1, "--json", "show queue nowhere")), &failed); err != nil || failed.Error.Kind != "not found" || failed.Error.Message != "queue 'nowhere' does not exist" {
		t.Errorf("%v: %+v", err, failed)
	}
}

// TestAdminFailures: exit codes, -ignore, and that a fault of syntax ends a script
// in any case.
func TestAdminFailures(t *testing.T) {
	s := harness.Start(t)
	script := filepath.Join(t.TempDir(), "s.ems")
	for _, c := range []struct {
		text  string
		args  []string
		code  int
		says  []string
		never string
	}{
		{"delete queue none\ncreate queue a\n", nil, 1, []string{"Error: queue 'none' does not exist"}, "'a' has been"},
		{"delete queue none\ncreate queue b\n", []string{"-ignore"}, 0, []string{"does not exist", "Queue 'b' has been created", "Warning: command script did not commit changes before exiting\nTrying to commit now...\nConfiguration has been saved\n"}, ""},
		{"creat queue c\ncreate queue d\n", []string{"-ignore"}, 2, []string{`there is no command "creat"`}, "'d' has been"},
		{"create queue e maxbytes=lots\n", nil, 1, []string{"maxbytes"}, "'e' has been"},
		{"create queue $sys.new\n", nil, 1, []string{"Error: "}, "has been"},
		{"create queue f\nquit\ncreate queue g\n", nil, 0, []string{"'f' has been created", "Trying to commit now"}, "'g' has been"},
		{"delete queue $sys.admin\n", nil, 1, []string{"cannot be deleted"}, "has been"},
		{"suspend route X\n", nil, 1, []string{"this version does not connect them"}, "has been"},
		{"show message ID:1\n", nil, 1, []string{"is in no queue"}, "has been"},
		{"# nothing\n\n", nil, 0, []string{"Connected to: "}, "Command:"},
	} {
		if err := os.WriteFile(script, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := admin(t, s, c.code, append([]string{"-script", script}, c.args...)...)
		for _, want := range c.says {
			if !strings.Contains(got, want) {
				t.Errorf("%q does not say %q:\n%s", c.text, want, got)
			}
		}
		if c.never != "" && strings.Contains(got, c.never) {
			t.Errorf("%q says %q:\n%s", c.text, c.never, got)
		}
	}
	if r := s.Tool(t, "", "admin", "-server", "tcp://127.0.0.1:1", "show server"); r.Code != 2 || !strings.Contains(r.Stdout, "Error: connect failed: ") {
		t.Errorf("without a server: %d %s", r.Code, r.Stdout)
	}
	if r := s.Tool(t, "", "admin", "-what"); r.Code != 2 || !strings.Contains(r.Stderr, "-what is no option") {
		t.Errorf("an unknown option: %d %s", r.Code, r.Stderr)
	}
}

// TestAdminPipe: a script around the tool that writes to its input.
func TestAdminPipe(t *testing.T) {
	s := harness.Start(t)
	r := s.Tool(t, "create queue q\nautocommit\nshow queue q\nexit\n", "admin", "-server", "{url}", "-user", "admin")
	for _, want := range []string{"Queue 'q' has been created\n", "> Autocommit is on\n", " Type:                  static\n", "> bye\n", "Type 'help' for commands help, 'exit' to exit:\n"} {
		if !strings.Contains(r.Stdout, want) {
			t.Errorf("%q is missing in\n%s", want, r.Stdout)
		}
	}
	if r.Code != 0 {
		t.Errorf("exit code %d: %s", r.Code, r.Stderr)
	}
}

// TestAdminConnections: a connection that is deleted hears why.
func TestAdminConnections(t *testing.T) {
	s := harness.Start(t)
	c, err := amqp.Dial(t.Context(), s.URL, &amqp.ConnOptions{ContainerID: "worker"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	id := ""
	for _, r := range scraped(t, admin(t, s, 0, "show connections"), "L", "ID", "FSXT", "S", "Host", "User", "ClientID") {
		if r["ClientID"] == "worker" && r["FSXT"] == "---G" {
			id = r["ID"]
		}
	}
	if got := admin(t, s, 0, "delete connection "+id); got != "Connection '"+id+"' has been deleted\n" {
		t.Error(got)
	}
	<-c.Done()
	if err := c.Err(); err == nil || !strings.Contains(err.Error(), "closed by an administrator") {
		t.Errorf("the client heard %v", err)
	}
	wait(t, "the connection to be gone", func() bool {
		return s.Tool(t, "", "admin", "-server", "{url}", "delete connection "+id).Code == 1
	})
}

// TestAdminShutdown: the server answers, and ends in good order.
func TestAdminShutdown(t *testing.T) {
	s := harness.Start(t)
	if got := admin(t, s, 0, "shutdown"); got != "Server is shutting down\n" {
		t.Error(got)
	}
	s.Ended(t)
}

// TestAdminManyQueues: `first=` and `next=` step through 100,000 queues, of which
// the short form has a tenth.
func TestAdminManyQueues(t *testing.T) {
	queues, step := 100_000, 20_000
	if testing.Short() {
		queues, step = queues/10, step/10
	}
	s := harness.Start(t)
	admin(t, s, 0, "create queue seed")
	s.Stop(t)
	var conf strings.Builder
	for i := range queues {
		fmt.Fprintf(&conf, "many.q%06d\n", i)
	}
	if err := os.WriteFile(filepath.Join(s.Data, "conf", "queues.conf"), []byte(conf.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Run(t)
	script := "show queues many.> first=" + itoa(step) + "\n" + strings.Repeat("show queues many.> next="+itoa(step)+"\n", queues/step)
	r := s.Tool(t, script, "admin", "-server", "{url}", "--json")
	seen, last := 0, ""
	for line := range strings.SplitSeq(strings.TrimSpace(r.Stdout), "\n") {
		var out struct {
			Queues []struct{ Name string }
			More   bool
		}
		if err := json.Unmarshal([]byte(line), &out); err != nil {
			t.Fatalf("%v in %.200q", err, line)
		}
		for _, q := range out.Queues {
			if q.Name <= last {
				t.Fatalf("%s behind %s", q.Name, last)
			}
			last = q.Name
			seen++
		}
		if out.More != (seen < queues) {
			t.Errorf("more is %v after %d", out.More, seen)
		}
	}
	if seen != queues {
		t.Errorf("%d queues of %d", seen, queues)
	}
}

// TestAdminTraceLog: the file of logfile has EMS's lines, follows `set server
// log_trace`, and is rotated by command; show server tells its size.
func TestAdminTraceLog(t *testing.T) {
	s := harness.Start(t)
	admin(t, s, 0, "create queue q")
	s.Stop(t)
	conf := filepath.Join(s.Data, "conf", "tibemsd.conf")
	text, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(conf, append(text, "logfile = ems.log\nlogfile_max_size = 1MB\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Run(t)
	admin(t, s, 0, "create user operator password=o")
	admin(t, s, 0, "grant admin operator create-destination")
	admin(t, s, 0, "-user", "operator", "-password", "o", "create queue logged")
	admin(t, s, 0, "set server log_trace=DEFAULT,-ADMIN")
	admin(t, s, 0, "create queue silent")
	if got := admin(t, s, 0, "show server"); !regexp.MustCompile(`Log File Size: +\d+\.\d Kb out of 1MB\n`).MatchString(got) {
		t.Errorf("show server says %s", got)
	}
	admin(t, s, 0, "rotatelog")
	log, err := os.ReadFile(filepath.Join(s.Data, "conf", "ems.log.1"))
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \[operator\]: create queue logged$`).Match(log) || strings.Contains(string(log), "silent") {
		t.Errorf("the log has\n%s", log)
	}
}

// TestAdminAuthorization: with authorization the tool logs in, and who is no
// administrator may do nothing.
func TestAdminAuthorization(t *testing.T) {
	users := filepath.Join(t.TempDir(), "users.conf")
	if err := os.WriteFile(users, []byte("admin:top:\njoe:secret:\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := harness.Start(t, "--users", users)
	admin(t, s, 0, "-user", "admin", "-password", "top", "create user joe")
	admin(t, s, 0, "-user", "admin", "-password", "top", "grant admin joe view-destination")
	if got := admin(t, s, 1, "-user", "joe", "-password", "secret", "create queue q"); !strings.Contains(got, "Error: not permitted: user 'joe'") {
		t.Error(got)
	}
	admin(t, s, 0, "-user", "joe", "-password", "secret", "show queues")
	if got := admin(t, s, 2, "-user", "admin", "-password", "wrong", "show queues"); !strings.Contains(got, "Error: connect failed: ") {
		t.Error(got)
	}
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("top\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := admin(t, s, 0, "-pwdfile", file, "whoami"); !strings.Contains(got, " User:                  admin\n") {
		t.Error(got)
	}
}

// TestAdminByEMSName: a link called tibemsadmin takes EMS's options, over TLS.
func TestAdminByEMSName(t *testing.T) {
	a := harness.NewAuthority(t)
	dir := t.TempDir()
	cert, key := a.Server(t, dir, "server")
	s := harness.Start(t, "--tls-cert", cert, "--tls-key", key)
	link := filepath.Join(dir, "tibemsadmin")
	if err := os.Symlink(harness.Binary(t), link); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"tcp://" + s.Addr(), "ssl://" + s.Addr()} {
		out, err := exec.CommandContext(t.Context(), link, "-server", url, "-user", "admin", "-script", scriptPath(t, "state.ems")).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "Connected to: "+url+"\nCommand: show state\n State:                 active\n") {
			t.Errorf("%s: %v\n%s", url, err, out)
		}
	}
}

// TestAdminLimits: max_connections and max_msg_memory take effect at once.
func TestAdminLimits(t *testing.T) {
	s := harness.Start(t)
	admin(t, s, 0, "set server max_msg_memory=64MB")
	if got := admin(t, s, 0, "show server"); !strings.Contains(got, " out of 64MB\n") {
		t.Error(got)
	}
	for range 2 {
		c, err := amqp.Dial(t.Context(), s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	admin(t, s, 0, "set server max_connections=2") // those that are connected, stay
	if c, err := amqp.Dial(t.Context(), s.URL, nil); err == nil {
		t.Error("another connection is let in beside two")
		_ = c.Close()
	}
}
