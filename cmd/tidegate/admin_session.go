package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core/admin"
	"github.com/tidegate/tidegate/core/admin/command"
	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/auth"
)

// maxTimeout is as long as an answer may be waited for, in seconds: a century.
const maxTimeout = 100 * 365 * 24 * 3600

// adminTimeout is how long an answer may take (`timeout` changes it).
const adminTimeout = 60 * time.Second

// adminSession is the tool: what is said to it, and the connection.
type adminSession struct {
	o    *adminOptions
	in   *os.File
	out  io.Writer
	ask  func(question string) bool // before what Asks; nil: nobody is asked
	read func(question string, secret bool) (string, error)

	url        string // as the user said it
	conn       *client.Conn
	answers    *client.Receiver
	requests   *client.Sender
	asked      int
	autocommit bool
	changed    bool // and not saved yet
	echo       bool
	showTime   bool
	timeout    time.Duration
	after      map[string]string // by what is listed: where next=N goes on
	failed     bool
}

func newAdminSession(o *adminOptions, in *os.File, out io.Writer) *adminSession {
	return &adminSession{o: o, in: in, out: out, echo: true, timeout: adminTimeout, after: map[string]string{}}
}

// errLeave is exit and quit.
var errLeave = errors.New("leave")

// banner is what the tool begins with, in the shape of EMS's (ems 10.1).
func (s *adminSession) banner() {
	if !s.o.json {
		fmt.Fprintf(s.out, "Tidegate Administration Tool.\nCopyright 2026 by the Tidegate authors.\nApache License 2.0.\n\nVersion %s\n\n", version)
	}
}

// connect logs in; of several URLs the first that answers is taken.
func (s *adminSession) connect(ctx context.Context, server, user, password string) error {
	list, err := addresses(server)
	if err != nil {
		return err
	}
	secure, err := s.o.tls()
	if err != nil {
		return err
	}
	s.close()
	var failed error
	for _, a := range list {
		c, err := client.Dial(ctx, a[0], client.Options{User: user, Password: password, TLS: secure, Product: "tidegate admin", Version: version})
		if err == nil {
			err = s.open(c)
		}
		if err == nil {
			s.url = a[1]
			return nil
		}
		failed = errors.Join(failed, fmt.Errorf("%s: %w", redacted(a[1]), err))
	}
	return failed
}

func (s *adminSession) open(c *client.Conn) (err error) {
	if s.answers, err = c.NewReceiver(client.ReceiverOptions{Dynamic: true, Credit: 100}); err == nil {
		s.requests, err = c.NewSender("$sys.admin", nil, false)
	}
	if err != nil {
		_ = c.Close()
		return err
	}
	s.conn = c
	return nil
}

func (s *adminSession) close() {
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn, s.url = nil, ""
	}
}

// request has the server do a command.
func (s *adminSession) request(ctx context.Context, line, after string) (*screen.Result, error) {
	if s.conn == nil {
		return nil, errors.New("not connected to a server: connect URL USER PASSWORD")
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	body, err := json.Marshal(admin.WireRequest{Version: admin.ProtocolVersion, Command: line, Save: s.autocommit, After: after})
	if err != nil {
		return nil, err
	}
	s.asked++
	id := strconv.Itoa(s.asked)
	b := message.NewBuilder()
	b.Properties.MessageID, b.Properties.ReplyTo = id, s.answers.Address
	b.SetText(string(body))
	if err := s.requests.Send(ctx, b.Append(nil)); err != nil {
		return nil, s.waited(err)
	}
	if err := s.requests.Flush(ctx); err != nil {
		return s.last(id, s.waited(err))
	}
	var g admin.Gather
	for {
		d, err := s.answers.Receive(ctx)
		if err != nil {
			return nil, s.waited(err)
		}
		s.answers.Settle(d, nil)
		if d.Message.CorrelationID() != id {
			continue // of a request that was given up
		}
		text, _ := d.Message.Text()
		done, err := g.Add([]byte(text))
		if err != nil || done {
			return g.Result, err
		}
	}
}

// last is an answer that came with the end of the connection, as that to a
// shutdown does.
func (s *adminSession) last(id string, failed error) (*screen.Result, error) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // only what is here
	d, err := s.answers.Receive(ctx)
	if err != nil || d.Message.CorrelationID() != id {
		return nil, failed
	}
	var g admin.Gather
	text, _ := d.Message.Text()
	if done, err := g.Add([]byte(text)); err != nil || !done {
		return nil, errors.Join(err, failed)
	}
	return g.Result, nil
}

func (s *adminSession) waited(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %v; the command may still be under way: timeout SECONDS waits longer", s.timeout)
	}
	return err
}

// do does one command and prints what comes of it. Errors: errLeave,
// *command.Error, and others of commands that could not be done; they are printed.
func (s *adminSession) do(ctx context.Context, line string) error {
	err := s.carryOut(ctx, line)
	if err == nil || errors.Is(err, errLeave) {
		return err
	}
	s.failed = true
	s.complain(err)
	return err
}

func (s *adminSession) complain(err error) {
	if s.o.json {
		kind := admin.KindOf(err).String()
		var said *admin.WireError
		if errors.As(err, &said) {
			kind = said.Kind
		}
		text, _ := json.Marshal(map[string]any{"error": map[string]string{"kind": kind, "message": err.Error()}})
		fmt.Fprintf(s.out, "%s\n", text)
		return
	}
	fmt.Fprintf(s.out, "Error: %s\n", err)
}

func (s *adminSession) carryOut(ctx context.Context, line string) error {
	op, args, err := admin.Parse(line)
	if err != nil {
		return err
	}
	if s.showTime && !s.o.json {
		fmt.Fprintln(s.out, time.Now().Format("2006-01-02 15:04:05"))
	}
	if op.Local {
		return s.local(ctx, op, args)
	}
	if op.Asks && s.ask != nil && !s.ask("Are you sure? [y/N] ") {
		s.say("Nothing has been done")
		return nil
	}
	listed := op.Name() + " " + args.Get("pattern")
	r, err := s.request(ctx, line, s.after[listed])
	if err != nil {
		return err
	}
	if args.Has("first") || args.Has("next") {
		s.after[listed] = r.Last
	}
	s.changed = (s.changed || r.Changed) && !r.Saved
	return s.print(r)
}

func (s *adminSession) print(r *screen.Result) error {
	if !s.o.json {
		_, err := io.WriteString(s.out, r.Print())
		return err
	}
	text, err := r.JSON()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s\n", text)
	return err
}

func (s *adminSession) say(format string, args ...any) { _ = s.print(screen.Said(format, args...)) }

// local does the tool's own commands.
func (s *adminSession) local(ctx context.Context, op *admin.Operation, args *command.Args) error {
	toggle := func(name string, v *bool) {
		*v = args.Has("on") || *v && !args.Has("off")
		s.say("%s is %s", name, map[bool]string{true: "on", false: "off"}[*v])
	}
	switch op.Name() {
	case "exit", "quit":
		return errLeave
	case "connect":
		return s.reconnect(ctx, args)
	case "disconnect":
		s.finish(ctx)
		s.close()
		s.say("Disconnected")
	case "autocommit":
		toggle("Autocommit", &s.autocommit)
	case "echo":
		toggle("Echo", &s.echo)
	case "time":
		toggle("Time", &s.showTime)
	case "timeout":
		if n := args.Int("seconds"); n > 0 {
			s.timeout = time.Duration(min(n, maxTimeout)) * time.Second
		} else if args.Has("seconds") {
			return errors.New("timeout needs a time above 0 seconds")
		}
		s.say("Timeout is %d seconds", int(s.timeout/time.Second))
	case "help":
		return s.help(args.Get("command"))
	}
	return nil
}

func (s *adminSession) reconnect(ctx context.Context, args *command.Args) error {
	server, user, password := cmp.Or(args.Get("url"), s.o.server), args.Get("user"), args.Get("password")
	if user == "" {
		var err error
		if user, password, err = s.credentials(); err != nil {
			return err
		}
	}
	if err := s.connect(ctx, server, user, password); err != nil {
		return err
	}
	s.say("Connected to: %s", redacted(s.url))
	return nil
}

// credentials are those of the options, or what the user answers.
func (s *adminSession) credentials() (user, password string, err error) {
	password, err = s.o.secret()
	if err != nil || s.o.userGiven || s.read == nil {
		return cmp.Or(s.o.user, auth.Admin), password, err
	}
	if user, err = s.read("Login name (admin): ", false); err != nil {
		return "", "", err
	}
	password, err = s.read("Password: ", true)
	return cmp.Or(user, auth.Admin), password, err
}

func (s *adminSession) help(what string) error {
	if what != "" {
		found := false
		for _, o := range admin.Table {
			if strings.HasPrefix(o.Name()+" ", strings.ToLower(what)+" ") {
				found = true
				fmt.Fprintf(s.out, "%s\n    %s\n", o.Usage, o.Help)
			}
		}
		if !found {
			return fmt.Errorf("there is no command %q: help lists all", what)
		}
		return nil
	}
	for _, o := range admin.Table {
		fmt.Fprintln(s.out, o.Usage)
	}
	return nil
}

// finish commits what a script or a session has not.
func (s *adminSession) finish(ctx context.Context) {
	if !s.changed || s.conn == nil {
		return
	}
	if !s.o.json {
		fmt.Fprint(s.out, "Warning: command script did not commit changes before exiting\nTrying to commit now...\n")
	}
	if err := s.do(ctx, "commit"); err != nil {
		s.failed = true
	}
}

// once does the command of the command line, and prints nothing else.
func (s *adminSession) once(ctx context.Context) error {
	s.autocommit = true
	if err := s.start(ctx); err != nil {
		return err
	}
	line := quoted(s.o.command)
	if err := s.do(ctx, line); err != nil && !errors.Is(err, errLeave) {
		return exitOf(err)
	}
	return nil
}

// start connects as the options say.
func (s *adminSession) start(ctx context.Context) error {
	user, password, err := s.credentials()
	if err != nil {
		return err
	}
	if err := s.connect(ctx, s.o.server, user, password); err != nil {
		s.complain(fmt.Errorf("connect failed: %w", err))
		return &exit{exitError, ""}
	}
	return nil
}

// exitOf is the exit code for a command that failed; what there is to say has been
// said.
func exitOf(err error) error {
	var syntax *command.Error
	if errors.As(err, &syntax) {
		return &exit{exitError, ""}
	}
	return &exit{exitNo, ""}
}

// quoted is a command line of what the shell has cut: what has blanks is in quotes
// again, behind its key.
func quoted(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	out := make([]string, len(words))
	for i, w := range words {
		key, value, isOption := strings.Cut(w, "=")
		switch {
		case w != "" && !strings.ContainsAny(w, " \t"), strings.Contains(w, `"`):
			out[i] = w
		case isOption && !strings.ContainsAny(key, " \t"):
			out[i] = key + `="` + value + `"`
		default:
			out[i] = `"` + w + `"`
		}
	}
	return strings.Join(out, " ")
}

// script does the commands of a file.
func (s *adminSession) script(ctx context.Context) error {
	f, err := os.Open(s.o.script)
	if err != nil {
		return err
	}
	defer f.Close()
	s.banner()
	if err := s.start(ctx); err != nil {
		return err
	}
	if !s.o.json {
		fmt.Fprintf(s.out, "Connected to: %s\n", redacted(s.url))
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, command.MaxLine+1)
	for lines.Scan() {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff")) // Notepad begins a file with one
		if command.Blank(line) {
			continue
		}
		if s.echo && !s.o.json {
			fmt.Fprintf(s.out, "Command: %s\n", line)
		}
		err := s.do(ctx, line)
		var syntax *command.Error
		switch {
		case errors.Is(err, errLeave):
			s.finish(ctx)
			return s.ended()
		case errors.As(err, &syntax), err != nil && !s.o.ignore:
			s.finish(ctx)
			return exitOf(err)
		}
	}
	s.finish(ctx)
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", s.o.script, err)
	}
	return s.ended()
}

// ended is the end of a script that went on to its end: -ignore makes failures
// good.
func (s *adminSession) ended() error {
	if s.failed && !s.o.ignore {
		return &exit{exitNo, ""}
	}
	return nil
}
