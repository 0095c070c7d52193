package harness

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// Fields are the words of one command, as e2e/clients/PROTOCOL.md names them.
type Fields map[string]any

// Event is one line from a driver.
type Event struct {
	ID    int    `json:"id"`
	Event string `json:"event"`

	Address    string  `json:"address"`
	Outcome    string  `json:"outcome"`
	Condition  string  `json:"condition"`
	Error      string  `json:"error"`
	Unanswered []int64 `json:"unanswered"`

	Producer      string         `json:"producer"`
	Seq           int64          `json:"seq"`
	Size          int            `json:"size"`
	SHA256        string         `json:"sha256"`
	Text          *string        `json:"text"`
	Durable       bool           `json:"durable"`
	Priority      int            `json:"priority"`
	Redelivered   bool           `json:"redelivered"`
	DeliveryCount int            `json:"delivery_count"`
	Properties    map[string]any `json:"properties"`

	// Told only when asked for with `typed`.
	Value           any            `json:"value"`
	TypedProperties map[string]any `json:"typed_properties"`
	MessageID       string         `json:"message_id"`
	Destination     string         `json:"destination"`
	CorrelationID   string         `json:"correlation_id"`
	Fields          map[string]any `json:"fields"`
	Annotations     map[string]any `json:"annotations"`

	Accepted   int    `json:"accepted"`
	Refused    int    `json:"refused"`
	Reconnects int    `json:"reconnects"`
	Received   int    `json:"received"`
	Reason     string `json:"reason"`

	Client  string            `json:"client"`
	Version string            `json:"version"`
	Can     []string          `json:"can"`
	Cannot  map[string]string `json:"cannot"`
	Types   []string          `json:"types"`

	Scenarios []string `json:"scenarios"` // of the java driver's JMS program
}

// Client is a running driver of one client library.
type Client struct {
	Name string // one of Names

	proc     *process
	declared Event // the answer to `capabilities`

	mu    sync.Mutex
	next  int
	calls map[int]*Call
	gone  bool // the driver ended
}

// Call is one command under way.
type Call struct {
	Client *Client
	events chan Event // closed after the last event
}

// Names are the drivers, each one client library.
var Names = []string{"go", "java", "python", "javascript", "cpp"}

// Javax is the java driver over Qpid JMS 1.x: the same sources, with the interfaces
// of JMS 2.0 (javax.jms) in place of those of Jakarta Messaging. It is not of
// Names, because on the wire it does what the other does: it runs the JMS program.
const Javax = "java-javax"

// Words are what a library may be able to express. Each driver says of each of
// them that it can, or why it cannot.
var Words = []string{
	"topic", "text", "settled", "reconnect", "settle-second", "batch", "drain", "selector", "browse", "dynamic", "request",
	"respond", "frame-size", "sasl-plain", "sasl-scram", "anonymous", "modify", "durable", "map", "list", "nested", "types",
	"message-id", "correlation-id", "char", "symbols", "tls", "sasl-external", "websocket", "relay", "conditions", "fields", "all-fields",
	"annotations", "no-local", "shared", "modify-plain", "modify-annotations", "undeliverable", "transactions", "sole",
}

var shared = struct {
	sync.Mutex
	clients map[string]*Client
}{clients: map[string]*Client{}}

// Driver is the driver of that name, started at first use and shared by the
// tests of a process: commands do not depend on each other.
func Driver(t testing.TB, name string) *Client {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if c := shared.clients[name]; c != nil && !c.ended() {
		return c
	}
	c, err := startClient(name)
	if err != nil {
		t.Fatal(err)
	}
	shared.clients[name] = c
	return c
}

// StopDrivers ends the shared drivers; for TestMain, after the tests.
func StopDrivers() {
	shared.Lock()
	defer shared.Unlock()
	for _, c := range shared.clients {
		_ = c.proc.stdin.Close()
		select {
		case <-c.proc.done:
		case <-time.After(Patience):
			_ = c.proc.cmd.Process.Kill()
		}
	}
}

func startClient(name string) (*Client, error) {
	launcher := filepath.Join(Root(), ".cache", "clients", name)
	if _, err := os.Stat(launcher); err != nil {
		return nil, fmt.Errorf("the %s client library is not installed: run `make clients` (needs Go, a JDK with Maven, Python 3, Node.js with npm, a C++ compiler with Proton C++): %w", name, err)
	}
	cmd := exec.Command(launcher)
	switch name {
	case "go": // built here, so that it is never older than its source
		path := launcher + ".test"
		build := exec.Command("go", "build", "-o", path, "./e2e/clients/go")
		build.Dir = Root()
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("building the go driver: %w\n%s", err, out)
		}
		cmd = exec.Command(path)
	case "cpp": // likewise; make knows what is newer
		build := exec.Command("make", "-s", "-C", "e2e/clients/cpp")
		build.Dir = Root()
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("building the cpp driver: %w\n%s", err, out)
		}
	}
	proc, err := start(name+" driver", cmd)
	if err != nil {
		return nil, err
	}
	c := &Client{Name: name, proc: proc, calls: map[int]*Call{}}
	go c.read()
	call, err := c.do(Fields{"cmd": "capabilities"}, eventRoom)
	if err != nil {
		return nil, err
	}
	select {
	case e, ok := <-call.events:
		if !ok || e.Event != "done" {
			return nil, fmt.Errorf("%s driver did not start: %s\n%s", name, e.Error, proc.log())
		}
		c.declared = e
		if err := c.complete(); err != nil {
			return nil, err
		}
	case <-time.After(Patience):
		return nil, fmt.Errorf("%s driver did not answer within %v\n%s", name, Patience, proc.log())
	}
	return c, nil
}

// read hands events to their calls until the driver ends.
func (c *Client) read() {
	for line := range c.proc.lines {
		var e Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			e = Event{Event: "error", Error: fmt.Sprintf("driver printed %q: %v", line, err)}
		}
		c.mu.Lock()
		call := c.calls[e.ID]
		last := e.Event == "done" || e.Event == "error"
		if last {
			delete(c.calls, e.ID)
		}
		c.mu.Unlock()
		if call != nil {
			call.events <- e
			if last {
				close(call.events)
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	for id, call := range c.calls {
		close(call.events)
		delete(c.calls, id)
	}
}

func (c *Client) ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}

// complete wants a word on each of Words, and a reason for each that the library
// cannot express: what is left out must be left out on purpose.
func (c *Client) complete() error {
	for _, w := range Words {
		can, reason := slices.Contains(c.declared.Can, w), c.declared.Cannot[w]
		if can == (reason != "") {
			return fmt.Errorf("%s driver must say either that it can %q or why it cannot", c.Name, w)
		}
	}
	if n := len(c.declared.Can) + len(c.declared.Cannot); n != len(Words) {
		return fmt.Errorf("%s driver speaks of %d words, there are %d: see PROTOCOL.md", c.Name, n, len(Words))
	}
	return nil
}

// Can says whether the library can express all of these.
func (c *Client) Can(words ...string) bool { return c.Cannot(words...) == "" }

// Cannot is why the library cannot express all of these: the driver's reason for
// the first that it cannot, or nothing.
func (c *Client) Cannot(words ...string) string {
	for _, w := range words {
		if !slices.Contains(c.declared.Can, w) {
			return w + ": " + c.declared.Cannot[w]
		}
	}
	return ""
}

// Declaration is what the driver of that name said of its library, if this process
// has started it.
func Declaration(name string) *Event {
	shared.Lock()
	defer shared.Unlock()
	if c := shared.clients[name]; c != nil {
		return &c.declared
	}
	return nil
}

// Declared is all that the driver said of its library.
func (c *Client) Declared() Event { return c.declared }

// eventRoom is how many events of a call may wait for the test to read them. A
// driver must never wait for its reader, or what a test sees of timing is false.
const eventRoom = 1 << 16

// DoPaced sends a command whose driver waits where the test has not read all but
// so many events, and what a pipe holds: for a test that acts on the driver's
// progress, which on a busy machine would else be long over when it is read.
func (c *Client) DoPaced(t testing.TB, room int, f Fields) *Call {
	t.Helper()
	call, err := c.do(f, room)
	if err != nil {
		t.Fatalf("%s driver: %v\n%s", c.Name, err, c.proc.log())
	}
	return call
}

// Do sends a command.
func (c *Client) Do(t testing.TB, f Fields) *Call {
	t.Helper()
	return c.DoPaced(t, eventRoom, f)
}

func (c *Client) do(f Fields, room int) (*Call, error) {
	call := &Call{Client: c, events: make(chan Event, room)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return nil, fmt.Errorf("ended: %w", c.proc.err)
	}
	c.next++
	line := Fields{"id": c.next}
	maps.Copy(line, f)
	b, err := json.Marshal(line)
	if err != nil {
		return nil, err
	}
	c.calls[c.next] = call
	_, err = c.proc.stdin.Write(append(b, '\n'))
	return call, err
}

// Next waits for the call's next event.
func (c *Call) Next(t testing.TB) Event {
	t.Helper()
	select {
	case e, ok := <-c.events:
		if !ok {
			t.Fatalf("%s driver ended\n%s", c.Client.Name, c.Client.proc.log())
		}
		return e
	case <-time.After(Patience):
		t.Fatalf("%s driver told nothing for %v\n%s", c.Client.Name, Patience, c.Client.proc.log())
	}
	panic("unreachable")
}

// Until waits for an event of that name and returns it with all before it. The
// end of the command before is a failure.
func (c *Call) Until(t testing.TB, name string) (Event, []Event) {
	t.Helper()
	var before []Event
	for {
		e := c.Next(t)
		switch e.Event {
		case name:
			return e, before
		case "error":
			t.Fatalf("%s driver: %s (%s)", c.Client.Name, e.Error, e.Condition)
		case "done":
			t.Fatalf("%s driver was done before %q", c.Client.Name, name)
		}
		before = append(before, e)
	}
}

// Done waits for the command's success and returns all it told.
func (c *Call) Done(t testing.TB) (Event, []Event) {
	t.Helper()
	return c.Until(t, "done")
}

// Error waits for the command's failure.
func (c *Call) Error(t testing.TB) Event {
	t.Helper()
	for {
		switch e := c.Next(t); e.Event {
		case "error":
			return e
		case "done":
			t.Fatalf("%s driver succeeded, an error was expected", c.Client.Name)
		}
	}
}
