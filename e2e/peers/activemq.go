package peers

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/Azure/go-amqp"

	"github.com/tidegate/tidegate/e2e/harness"
)

// Artemis starts an ActiveMQ Artemis for a test; dir "" is a folder of the test's
// own. AMQP 1.0 is at its URL, guest and clients without a name may do everything.
// Queues and topics are made when first used: topics by the capability "topic",
// everything else is a queue.
func Artemis(t testing.TB, dir string, o Options) *Peer {
	t.Helper()
	p, err := StartArtemis(folder(t, dir), o)
	return forTest(t, p, err)
}

// StartArtemis starts an ActiveMQ Artemis, its journal in dir.
func StartArtemis(dir string, o Options) (*Peer, error) {
	return launch(onJava("Artemis", "artemis-broker", o), dir)
}

// ActiveMQ starts an ActiveMQ Classic for a test, as Artemis does its own. Topics
// are told by the capability "topic" or the prefix topic://.
func ActiveMQ(t testing.TB, dir string, o Options) *Peer {
	t.Helper()
	p, err := StartActiveMQ(folder(t, dir), o)
	return forTest(t, p, err)
}

// StartActiveMQ starts an ActiveMQ Classic, its KahaDB in dir.
func StartActiveMQ(dir string, o Options) (*Peer, error) {
	return launch(onJava("ActiveMQ Classic", "activemq-broker", o), dir)
}

// onJava is a broker in one of the programs beside this file.
func onJava(name, launcher string, o Options) kind {
	return kind{
		name:   name,
		scheme: "amqp",
		user:   "guest:guest@",
		begin: func(p *Peer) (*harness.Child, error) {
			path, err := installed(launcher)
			if err != nil {
				return nil, err
			}
			env := append(os.Environ(), "JAVA_TOOL_OPTIONS="+properties(o.Config))
			return harness.StartChild(name, p.dir, path, []string{p.port.String(), p.dir}, env, func(line string) bool {
				return line == "ready"
			})
		},
		enter: enterAMQP,
	}
}

// properties are the JVM's options for NAME=VALUE lines.
func properties(config string) string {
	var options []string
	for line := range strings.Lines(config) {
		if line = strings.TrimSpace(line); line != "" {
			options = append(options, "-D"+line)
		}
	}
	return strings.Join(options, " ")
}

func enterAMQP(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	c, err := amqp.Dial(ctx, url, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := c.NewSession(ctx, nil)
	if err != nil {
		return err
	}
	return s.Close(ctx)
}
