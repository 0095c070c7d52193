// Command go drives go-amqp over the line protocol of ../PROTOCOL.md.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/Azure/go-amqp"
)

// command is one line of input; its fields are explained in PROTOCOL.md.
type command struct {
	ID           int    `json:"id"`
	Cmd          string `json:"cmd"`
	URL          string `json:"url"`
	User         string `json:"user"`
	Password     string `json:"password"`
	SASL         string `json:"sasl"`
	Container    string `json:"container"`
	MaxFrameSize uint32 `json:"max_frame_size"`
	TimeoutMS    int    `json:"timeout_ms"`
	CA           string `json:"ca"`
	Cert         string `json:"cert"`
	Key          string `json:"key"`

	Address    string         `json:"address"`
	Kind       string         `json:"kind"`
	Producer   string         `json:"producer"`
	First      int64          `json:"first"`
	Count      int64          `json:"count"`
	Size       int            `json:"size"`
	Body       string         `json:"body"`
	Text       *string        `json:"text"`
	Properties map[string]any `json:"properties"`
	Durable    *bool          `json:"durable"`
	Priority   *uint8         `json:"priority"`
	TTLMS      int            `json:"ttl_ms"`
	DelayMS    int64          `json:"delay_ms"`
	Window     int            `json:"window"`
	Settled    bool           `json:"settled"`
	Reconnect  bool           `json:"reconnect"`

	Value           any            `json:"value"`
	TypedProperties map[string]any `json:"typed_properties"`
	MessageID       any            `json:"message_id"`
	CorrelationID   any            `json:"correlation_id"`

	IdleMS   int    `json:"idle_ms"`
	Credit   int32  `json:"credit"`
	Ack      string `json:"ack"`
	Settle   string `json:"settle"`
	Batch    int    `json:"batch"`
	Drain    bool   `json:"drain"`
	Selector string `json:"selector"`
	Browse   bool   `json:"browse"`
	Dynamic  bool   `json:"dynamic"`

	Subscription string `json:"subscription"`
	Typed        bool   `json:"typed"`

	Relay         bool           `json:"relay"`
	Fields        map[string]any `json:"fields"`
	Annotations   map[string]any `json:"annotations"`
	NoLocal       bool           `json:"no_local"`
	Publish       int64          `json:"publish"`
	Link          string         `json:"link"`
	Shared        bool           `json:"shared"`
	Global        bool           `json:"global"`
	Volatile      bool           `json:"volatile"`
	Failed        bool           `json:"failed"`
	Undeliverable bool           `json:"undeliverable"`

	ModifyAnnotations map[string]any `json:"modify_annotations"`

	out *output
}

// output writes events, one whole line at a time.
type output struct {
	mu  sync.Mutex
	enc *json.Encoder
}

type fields map[string]any

func (c *command) event(name string, f fields) {
	if f == nil {
		f = fields{}
	}
	f["id"], f["event"] = c.ID, name
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if err := c.out.enc.Encode(f); err != nil {
		os.Exit(1) // nobody reads any more
	}
}

func main() {
	out := &output{enc: json.NewEncoder(os.Stdout)}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		c := &command{out: out, First: 1, Size: 64, Window: 1, TimeoutMS: 60_000, IdleMS: 5_000, Credit: 100, Batch: 1, Failed: true}
		if err := json.Unmarshal(in.Bytes(), c); err != nil {
			c.event("error", fields{"error": err.Error()})
			continue
		}
		if c.Cmd == "quit" {
			return
		}
		go c.run()
	}
}

func (c *command) run() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(c.TimeoutMS)*time.Millisecond)
	defer cancel()
	var done fields
	var err error
	switch c.Cmd {
	case "capabilities":
		done = capabilities()
	case "connect":
		done, err = c.connect(ctx)
	case "send":
		done, err = (&sending{command: c}).run(ctx)
	case "receive":
		done, err = c.receive(ctx)
	case "unsubscribe":
		done, err = c.unsubscribe(ctx)
	case "request":
		done, err = c.request(ctx)
	case "respond":
		done, err = c.respond(ctx)
	default:
		err = fmt.Errorf("no command %q", c.Cmd)
	}
	if err != nil {
		c.event("error", fields{"error": err.Error(), "condition": condition(err)})
		return
	}
	c.event("done", done)
}

func capabilities() fields {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "github.com/Azure/go-amqp" {
				version = d.Version
			}
		}
	}
	return fields{"client": "go-amqp", "version": version, "can": []string{
		"topic", "text", "settled", "reconnect", "settle-second", "batch", "drain", "selector", "browse", "dynamic",
		"request", "respond", "frame-size", "sasl-plain", "anonymous", "modify", "durable", "map", "list", "nested", "types",
		"message-id", "correlation-id", "tls", "sasl-external", "relay", "fields", "all-fields", "annotations",
		"no-local", "shared", "modify-plain", "modify-annotations", "undeliverable", "conditions",
	}, "cannot": fields{
		"transactions": "go-amqp has neither a coordinator to attach to nor transactional states",
		"sole":         "go-amqp desires no capabilities of a connection",
		"websocket":    "go-amqp dials TCP and TLS only; another connection is the application's to bring",
		"sasl-scram":   "go-amqp has the mechanisms ANONYMOUS, PLAIN, EXTERNAL and XOAUTH2 only",
		"symbols":      "go-amqp hands symbols over as strings",
		"char":         "go-amqp has not implemented the type: it cannot send it, and a message that holds one does not decode",
	}, "types": []string{
		"null", "boolean", "ubyte", "ushort", "uint", "ulong", "byte", "short", "int", "long", "float", "double",
		"timestamp", "uuid", "binary", "string", "symbol",
	}}
}

// dial opens a connection as the command asks.
func (c *command) dial(ctx context.Context) (*amqp.Conn, error) {
	opts := &amqp.ConnOptions{ContainerID: c.Container, MaxFrameSize: c.MaxFrameSize, SASLType: amqp.SASLTypeAnonymous()}
	if c.User != "" || c.SASL == "PLAIN" {
		opts.SASLType = amqp.SASLTypePlain(c.User, c.Password)
	}
	switch c.SASL {
	case "", "PLAIN", "ANONYMOUS":
	case "EXTERNAL":
		opts.SASLType = amqp.SASLTypeExternal("")
	default:
		return nil, fmt.Errorf("go-amqp has no SASL mechanism %s", c.SASL)
	}
	var err error
	if opts.TLSConfig, err = c.tls(); err != nil {
		return nil, err
	}
	return amqp.Dial(ctx, c.URL, opts)
}

// session opens a connection with a session. hangUp closes both: what the command
// did over them is what counts, not how they ended.
func (c *command) session(ctx context.Context) (session *amqp.Session, hangUp func(), err error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	hangUp = func() { _ = conn.Close() }
	if session, err = conn.NewSession(ctx, nil); err != nil {
		hangUp()
		return nil, nil, err
	}
	return session, hangUp, nil
}

func (c *command) connect(ctx context.Context) (fields, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	return fields{}, conn.Close()
}

// terminus are the capabilities that say what kind of node an address names, and
// what is wanted of a subscription to it.
func (c *command) terminus() []string {
	words := []string{"queue"}
	if c.Kind != "" {
		words[0] = c.Kind
	}
	if c.Shared {
		words = append(words, "shared")
	}
	if c.Global {
		words = append(words, "global")
	}
	return words
}

// condition is the AMQP error condition inside err, or nothing.
func condition(err error) string {
	var link *amqp.LinkError
	var session *amqp.SessionError
	var conn *amqp.ConnError
	var plain *amqp.Error
	var remote *amqp.Error
	switch {
	case errors.As(err, &link):
		remote = link.RemoteErr
	case errors.As(err, &session):
		remote = session.RemoteErr
	case errors.As(err, &conn):
		remote = conn.RemoteErr
	case errors.As(err, &plain):
		remote = plain
	}
	if remote == nil {
		return ""
	}
	return string(remote.Condition)
}
