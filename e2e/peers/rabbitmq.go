package peers

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/tidegate/tidegate/e2e/harness"
)

// RabbitMQ starts a RabbitMQ for a test; dir "" is a folder of the test's own.
// AMQP 0-9-1 is at its URL, guest may do everything on the virtual host /.
func RabbitMQ(t testing.TB, dir string, o Options) *Peer {
	t.Helper()
	p, err := StartRabbitMQ(folder(t, dir), o)
	return forTest(t, p, err)
}

// StartRabbitMQ starts a RabbitMQ, its data in dir.
func StartRabbitMQ(dir string, o Options) (*Peer, error) {
	node := &erlang{}
	return launch(kind{
		name:   "RabbitMQ",
		scheme: "amqp",
		user:   "guest:guest@",
		begin:  func(p *Peer) (*harness.Child, error) { return node.begin(p, o) },
		enter:  enterRabbitMQ,
		end:    node.end,
	}, dir)
}

// erlang is what an Erlang node needs beside the broker's port: a port for other
// nodes, and epmd, the daemon that knows the ports of nodes by their names. Erlang
// would start one for all and leave it running; this one is the instance's own
// child, lives as long as the peer, and survives the broker's kills.
type erlang struct {
	dist, names port
	epmd        *harness.Child // nil before the first start
}

// reserve draws the node's ports, once.
func (e *erlang) reserve() (err error) {
	for _, p := range []*port{&e.dist, &e.names} {
		if p.lock != nil {
			continue
		}
		if *p, err = reserve(); err != nil {
			return err
		}
	}
	return nil
}

func (e *erlang) end() {
	if e.epmd != nil {
		_ = e.epmd.Kill()
	}
	e.dist.release()
	e.names.release()
}

func (e *erlang) begin(p *Peer, o Options) (*harness.Child, error) {
	launcher := "rabbitmq-server-plain"
	if len(o.Plugins) > 0 {
		launcher = "rabbitmq-server"
	}
	path, err := installed(launcher)
	if err != nil {
		return nil, err
	}
	if err := e.reserve(); err != nil {
		return nil, err
	}
	if err := e.beginNames(p); err != nil {
		return nil, err
	}
	files := map[string]string{
		"rabbitmq.conf":   fmt.Sprintf(rabbitmqConf, p.Addr()) + o.Config + "\n",
		"enabled_plugins": "[" + strings.Join(o.Plugins, ",") + "].\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
			return nil, fmt.Errorf("configuring RabbitMQ: %w", err)
		}
	}
	return harness.StartChild("RabbitMQ", p.dir, path, nil, e.env(p), func(line string) bool {
		return strings.Contains(line, "Server startup complete")
	})
}

// rabbitmqConf is the shipped configuration but for: loopback, the log on the
// terminal, no alarm before the disk is really full, and a small log for quorum
// queues: it is written with zeros at each start, of 512 MiB that takes seconds.
const rabbitmqConf = `listeners.tcp.1 = %s
log.console = true
log.console.level = info
log.file = false
disk_free_limit.absolute = 16MB
raft.wal_max_size_bytes = 16777216
`

// env is all of the broker's environment: nothing of the machine's own RabbitMQ
// or of the user's Erlang cookie reaches it.
func (e *erlang) env(p *Peer) []string {
	in := func(name string) string { return filepath.Join(p.dir, name) }
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + p.dir, // where the node's cookie is
		"LANG=C.UTF-8",
		// The start script becomes the Erlang machine: the process that is
		// killed is the broker.
		"RUNNING_UNDER_SYSTEMD=true",
		"RABBITMQ_CONF_ENV_FILE=" + in("rabbitmq-env.conf"), // not there: no word of the machine's
		"RABBITMQ_CONFIG_FILE=" + in("rabbitmq.conf"),
		"RABBITMQ_ADVANCED_CONFIG_FILE=" + in("advanced.config"),
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + in("enabled_plugins"),
		"RABBITMQ_MNESIA_BASE=" + in("data"),
		"RABBITMQ_LOG_BASE=" + in("log"),
		"RABBITMQ_LOGS=-",
		"RABBITMQ_NODENAME=" + e.node(),
		"RABBITMQ_DIST_PORT=" + e.dist.String(),
		"ERL_EPMD_PORT=" + e.names.String(),
		"ERL_EPMD_ADDRESS=127.0.0.1",
		// For the node and for those that its start asks epmd with.
		"ERL_AFLAGS=-kernel inet_dist_use_interface {127,0,0,1}",
		"ERL_CRASH_DUMP_BYTES=0",
	}
}

// node is the Erlang name, the instance's own on the machine.
func (e *erlang) node() string { return "tidegate" + e.names.String() + "@localhost" }

// beginNames starts epmd unless it runs.
func (e *erlang) beginNames(p *Peer) error {
	if e.epmd != nil {
		select {
		case <-e.epmd.Ended():
		default:
			return nil
		}
	}
	path, err := installed("epmd")
	if err != nil {
		return err
	}
	e.epmd, err = harness.StartChild("epmd", p.dir, path, []string{"-d", "-d", "-port", e.names.String(), "-address", "127.0.0.1"}, nil, func(line string) bool {
		return strings.Contains(line, "entering the main select() loop")
	})
	if err != nil {
		return err
	}
	return e.epmd.Ready(Patience)
}

func enterRabbitMQ(url string) error {
	c, err := amqp.DialConfig(url, amqp.Config{Dial: func(network, addr string) (net.Conn, error) {
		return net.DialTimeout(network, addr, Patience)
	}})
	if err != nil {
		return err
	}
	return c.CloseDeadline(time.Now().Add(Patience))
}
