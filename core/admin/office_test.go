package admin

import (
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/config"
	coremessage "github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/server"
	"github.com/tidegate/tidegate/persist/store"
	"github.com/tidegate/tidegate/persist/vfs"
)

// memory is a set in memory: file name to text.
type memory map[string]string

func (m memory) Read(name string) ([]byte, error) {
	if text, ok := m[name]; ok {
		return []byte(text), nil
	}
	return nil, fs.ErrNotExist
}

// main is the file that names the others, or has all in it.
func (m memory) main() string {
	if m[config.MainFileJSON] != "" {
		return config.MainFileJSON
	}
	return config.MainFile
}

func (m memory) Exists(name string) bool { _, ok := m[name]; return ok }

// office is a service over a broker in memory.
type office struct {
	*Service
	t      testing.TB
	broker *server.Server
	files  memory
	fail   error // of saving
	saved  int
}

func newOffice(t testing.TB, files memory) *office {
	t.Helper()
	o := &office{t: t, files: files}
	main := files.main()
	if files[main] == "" {
		files[main] = "server = test\n"
	}
	st, err := store.Open(store.Options{FS: vfs.NewMem(), Dir: "d", SegmentBytes: 1 << 20, OnStable: func() {
		if o.broker != nil {
			o.broker.Stable()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(files, main, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := NewDefinitions(c, func(c *config.Config) error {
		if o.fail != nil {
			return o.fail
		}
		o.saved++
		for _, f := range c.Changed() {
			files[f.Path] = string(f.Bytes)
			c.Saved(f.Name)
		}
		return nil
	})
	o.broker, err = server.New(st, server.Options{
		Name: "test", MayCreate: d.MayCreate,
		Make: message.FromBytes,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := start(d, o.broker); err != nil {
		t.Fatal(err)
	}
	o.Service = New(Options{Broker: o.broker, Name: "test", Definitions: d})
	t.Cleanup(func() {
		o.Service.Close()
		o.broker.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

// does wants a command to be done, and gives what is printed.
func (o *office) does(line string) string {
	o.t.Helper()
	r, err := o.Do(o.t.Context(), Request{User: "admin", Command: line, Save: true})
	if err != nil {
		o.t.Fatalf("%s: %v", line, err)
	}
	return r.Print()
}

// refuses wants a command to be refused so.
func (o *office) refuses(line string, kind core.ErrorKind, says string) {
	o.t.Helper()
	_, err := o.Do(o.t.Context(), Request{User: "admin", Command: line})
	if err == nil || KindOf(err) != kind || !strings.Contains(err.Error(), says) {
		o.t.Errorf("%s: %v (%v), want %v: ...%s", line, err, KindOf(err), kind, says)
	}
}

// client is a connection of a program's.
func (o *office) client(user string) *server.Conn {
	o.t.Helper()
	c, err := o.broker.Attach(core.ConnectOptions{User: user, ClientID: user}, func() {})
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(c.Close)
	return c
}

// send puts n messages into a queue.
func (o *office) send(c *server.Conn, queue string, n int) {
	o.t.Helper()
	o.sendTo(c, core.Destination{Kind: core.Queue, Name: queue}, n)
}

func (o *office) sendTo(c *server.Conn, to core.Destination, n int) {
	o.t.Helper()
	c.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		p, _, err := b.OpenProducer(now, c.ID(), core.ProducerOptions{Destination: to}, fx)
		if err != nil {
			o.t.Error(err)
			return
		}
		for range n {
			m := message.NewBuilder()
			m.SetText("x")
			b.Publish(now, p, core.Send{Settled: true}, coremessage.Envelope{Durable: true, Content: m.Message()}, fx)
		}
		b.CloseProducer(now, p, fx)
	})
}
