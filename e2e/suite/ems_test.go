package suite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/Azure/go-amqp"

	"github.com/tidegate/tidegate/e2e/harness"
)

// emsSet writes an EMS configuration and gives its directory.
func emsSet(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	layOut(t, dir, files)
	return dir
}

func layOut(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files { // order: irrelevant
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// field is a connection of go-amqp's, with one session.
type field struct {
	t         testing.TB
	conn      *amqp.Conn
	session   *amqp.Session
	server    *harness.Server // for the admin tool
	addresses map[*amqp.Receiver]string
	ends      int
}

func dialField(t testing.TB, url string, o *amqp.ConnOptions) *field {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	c, err := amqp.Dial(ctx, url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	s, err := c.NewSession(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &field{t: t, conn: c, session: s, addresses: map[*amqp.Receiver]string{}}
}

// on names what a link is attached to: a queue, or with topic: a topic.
func on(address string) (name string, capabilities []string) {
	if n, ok := strings.CutPrefix(address, "topic:"); ok {
		return n, []string{"topic"}
	}
	return address, []string{"queue"}
}

func (f *field) trySender(address string) (*amqp.Sender, error) {
	name, capabilities := on(address)
	return f.session.NewSender(f.t.Context(), name, &amqp.SenderOptions{TargetCapabilities: capabilities})
}

func (f *field) sender(address string) *amqp.Sender {
	f.t.Helper()
	s, err := f.trySender(address)
	if err != nil {
		f.t.Fatalf("%s: %v", address, err)
	}
	return s
}

// receiver gives credit only as it is asked to.
func (f *field) receiver(address string, change ...func(o *amqp.ReceiverOptions)) *amqp.Receiver {
	f.t.Helper()
	name, capabilities := on(address)
	o := &amqp.ReceiverOptions{Credit: -1, SourceCapabilities: capabilities}
	for _, c := range change {
		c(o)
	}
	r, err := f.session.NewReceiver(f.t.Context(), name, o)
	if err != nil {
		f.t.Fatalf("%s: %v", address, err)
	}
	f.addresses[r] = address
	return r
}

// durableAs makes a receiver a durable subscription's.
func durableAs(name string) func(o *amqp.ReceiverOptions) {
	return func(o *amqp.ReceiverOptions) {
		o.Name, o.Durability, o.ExpiryPolicy = name, amqp.DurabilityUnsettledState, amqp.ExpiryPolicyNever
	}
}

// text is a persistent message.
func textMessage(text string) *amqp.Message {
	m := &amqp.Message{Value: text}
	m.Header = &amqp.MessageHeader{Durable: true, Priority: 4}
	return m
}

// put sends, and gives the condition of a refusal.
func (f *field) put(s *amqp.Sender, m *amqp.Message) string {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), harness.Patience)
	defer cancel()
	return condition(f.t, s.Send(ctx, m, nil))
}

func condition(t testing.TB, err error) string {
	t.Helper()
	var refused *amqp.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refused):
		return string(refused.Condition)
	}
	t.Fatal(err)
	return ""
}

// next waits for a message.
func (f *field) next(r *amqp.Receiver) *amqp.Message {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), harness.Patience)
	defer cancel()
	if err := r.IssueCredit(1); err != nil {
		f.t.Fatal(err)
	}
	m, err := r.Receive(ctx, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return m
}

// take waits for a message, accepts it and gives its text.
func (f *field) take(r *amqp.Receiver) string {
	f.t.Helper()
	m := f.next(r)
	if err := r.AcceptMessage(f.t.Context(), m); err != nil {
		f.t.Fatal(err)
	}
	text, _ := m.Value.(string)
	return text
}

// end is the text of messages that say that nothing was before them.
const end = "end of "

// wantRest takes what is there for a receiver, and wants just that. A message that is
// sent behind it says that there is no more.
func (f *field) wantRest(r *amqp.Receiver, want ...string) {
	f.t.Helper()
	address := f.addresses[r]
	s := f.sender(address)
	defer s.Close(f.t.Context())
	f.ends++
	last := fmt.Sprint(end, address, f.ends)
	var got []string
	for sent := false; ; {
		if !sent && len(got) >= len(want) { // now there is room, if there is a limit
			if c := f.put(s, textMessage(last)); c != "" {
				f.t.Fatalf("%s: %s", address, c)
			}
			sent = true
		}
		text := f.take(r)
		if text == last {
			break
		}
		if !strings.HasPrefix(text, end) {
			got = append(got, text)
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		f.t.Errorf("%s has %q, want %q", address, got, want)
	}
}

// turn is a message's way through the server and back.
func (f *field) turn() {
	f.t.Helper()
	s, r := f.sender("turn"), f.receiver("turn")
	f.put(s, textMessage("turn"))
	f.take(r)
	_, _ = s.Close(f.t.Context()), r.Close(f.t.Context())
}

// freePort is one that nobody listens on. It lies below those that systems hand out by
// themselves: nobody is given it before the server takes it.
func freePort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := 20_000 + rand.IntN(10_000)
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// TestServeListensWhereItsSetSays: one ready line a listen line, on AMQP 1.0; the log
// lies where `store` says.
func TestServeListensWhereItsSetSays(t *testing.T) {
	one, two := freePort(t), freePort(t)
	dir := emsSet(t, map[string]string{"tibemsd.conf": fmt.Sprintf("server = E\nlisten = tcp://127.0.0.1:%d\nlisten = tcp://localhost:%d\nstore = messages\n", one, two), "queues.conf": ">\n"})
	cmd := exec.Command(harness.Binary(t), "serve", "--config", filepath.Join(dir, "tibemsd.conf"))
	cmd.Dir = t.TempDir()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for _, port := range []int{one, two} {
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), "ready amqp://") || !strings.HasSuffix(lines.Text(), fmt.Sprint(":", port)) {
			t.Fatalf("%q is not ready at port %d", lines.Text(), port)
		}
		f := dialField(t, fmt.Sprintf("amqp://127.0.0.1:%d", port), nil)
		if c := f.put(f.sender("q"), textMessage("x")); c != "" {
			t.Error(c)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		t.Errorf("also printed: %s", lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "messages")); err != nil {
		t.Error(err)
	}
}

// TestServeWithoutUsablePaths: a store that is a path of Windows, and a certificate that is
// not there, warn; --data and the plain listener serve.
func TestServeWithoutUsablePaths(t *testing.T) {
	dir := emsSet(t, map[string]string{"tibemsd.conf": fmt.Sprintf(
		"store = \"C:/tibco/datastore\"\nlisten = tcp://127.0.0.1:%d\nlisten = ssl://127.0.0.1:%d\nssl_server_identity = none.pem\n", freePort(t), freePort(t),
	)})
	cmd := exec.Command(harness.Binary(t), "serve", "--config", dir)
	cmd.Dir = t.TempDir()
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ready []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		ready = append(ready, lines.Text())
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, log.String())
	}
	if len(ready) != 1 || !strings.HasPrefix(ready[0], "ready amqp://") {
		t.Errorf("%q is ready", ready)
	}
	for _, want := range []string{"path of Windows", "none.pem"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no warning has %q:\n%s", want, log.String())
		}
	}
	if _, err := os.Stat(filepath.Join(cmd.Dir, "tidegate-data")); err != nil {
		t.Error(err)
	}
}

// TestServeOpensNoOtherListener: where no listen line of the set can be done, nothing is
// opened instead, and the server says why and ends.
func TestServeOpensNoOtherListener(t *testing.T) {
	for name, lines := range map[string]string{ // order: irrelevant
		"a port that is none":     "listen = tcp://127.0.0.1:70000\n",
		"TLS without certificate": "listen = ssl://127.0.0.1:7243\n",
		"a certificate not there": "listen = ssl://127.0.0.1:7243\nssl_server_identity = none.pem\n",
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
			defer cancel()
			cmd := exec.CommandContext(ctx, harness.Binary(t), "serve", "--config", emsSet(t, map[string]string{"tibemsd.conf": lines}))
			cmd.Dir = t.TempDir()
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "no listener is left") || strings.Contains(string(out), "ready ") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	s := harness.Start(t, "--config", emsSet(t, map[string]string{"tibemsd.conf": "listen = tcp://127.0.0.1:70000\n"})) // with --listen
	dialField(t, s.URL, nil)
}

// TestStartupAbortList: a mistake of a kind that it names keeps the server from
// starting, and any other does not count.
func TestStartupAbortList(t *testing.T) {
	files := map[string]string{"tibemsd.conf": "startup_abort_list = CONFIG_ERRORS\n", "queues.conf": "q maxRedelivery=1\n"}
	out, err := exec.Command(harness.Binary(t), "serve", "--config", emsSet(t, files), "--listen", "amqp://127.0.0.1:0").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), "queues.conf:1:3") {
		t.Errorf("%v\n%s", err, out)
	}
	files["tibemsd.conf"] = ""
	s := harness.Start(t, "--config", emsSet(t, files))
	f := dialField(t, s.URL, nil)
	if c := f.put(f.sender("q"), textMessage("x")); c != "" {
		t.Errorf("the queue is not there without the property that is wrong: %s", c)
	}
}

// TestStaticAndDynamic: wildcards say what may be created by being used; what is static
// is there; a queue that is defined no longer and holds messages lives on as a dynamic
// one, with a warning, over a crash too.
func TestStaticAndDynamic(t *testing.T) {
	dir := emsSet(t, map[string]string{"tibemsd.conf": "", "queues.conf": "static.q\ndyn.>\n", "topics.conf": "static.t\n"})
	s := harness.Start(t, "--config", dir)
	f := dialField(t, s.URL, nil)
	for address, want := range map[string]string{ // order: irrelevant
		"static.q": "", "dyn.q": "", "other": "amqp:not-found", "dyn": "amqp:not-found", "topic:static.t": "", "topic:other": "amqp:not-found",
	} {
		_, err := f.trySender(address)
		if got := condition(t, err); got != want {
			t.Errorf("%s is answered %q, want %q", address, got, want)
		}
	}
	if c := f.put(f.sender("static.q"), textMessage("kept")); c != "" {
		t.Fatal(c)
	}
	s.Kill(t)
	layOut(t, dir, map[string]string{"queues.conf": "static.p\n"})
	s.Run(t)
	wantLogged(t, s, "queue=static.q")
	wantLogged(t, s, "defined no longer")
	f = dialField(t, s.URL, nil)
	r := f.receiver("static.q")
	if got := f.take(r); got != "kept" {
		t.Errorf("%q is left of it", got)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.trySender("static.q"); condition(t, err) != "amqp:not-found" {
		t.Errorf("it is there without messages and users: %v", err)
	}
	if _, err := f.trySender("dyn.q"); condition(t, err) != "amqp:not-found" {
		t.Errorf("dyn.> is gone: %v", err)
	}
}

// wantLogged waits until the server's log has words: it is read beside the server's other
// output.
func wantLogged(t testing.TB, s *harness.Server, words string) {
	t.Helper()
	wait(t, fmt.Sprintf("%q in the log", words), func() bool { return strings.Contains(s.Log(), words) })
}

// TestFlagsGoOverASet: and say so.
func TestFlagsGoOverASet(t *testing.T) {
	dir := emsSet(t, map[string]string{"tibemsd.conf": "max_client_msg_size = 100\nlisten = tcp://7222\n", "queues.conf": "\n"})
	s := harness.Start(t, "--config", dir, "--max-message-size", "1MB", "--dynamic-queues", ">")
	f := dialField(t, s.URL, nil)
	if c := f.put(f.sender("any"), textMessage(strings.Repeat("x", 1000))); c != "" {
		t.Errorf("refused: %s", c)
	}
	for _, want := range []string{"max_client_msg_size", "parameter=listen", "wildcards"} {
		wantLogged(t, s, want)
	}
}
