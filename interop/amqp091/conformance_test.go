package amqp091

import (
	"fmt"
	"os"
	"testing"

	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/interoptest"
	"github.com/tidegate/tidegate/interop/translate"
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "amqp091")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	started.dir = dir
	code := m.Run()
	if started.peer != nil {
		_ = started.peer.Close()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// TestConformance holds the transport to the suite of all transports, against a real
// RabbitMQ.
func TestConformance(t *testing.T) {
	interoptest.Run(t, interoptest.Kit{
		Factory: Factory(),
		Open:    func(t testing.TB) interoptest.Peer { return openRabbit(t) },
		// A quorum queue of RabbitMQ 3.10 that was declared a moment before its broker is
		// killed never has a leader again; TestQuorum has those.
		Keys:      map[string]string{"queue_type": "classic"},
		Encodings: []translate.Encoding{translate.Headers, translate.JSON, translate.Raw},
		Queues:    true, TTL: true, TooLarge: tooLargeHere + 1,
		ReplyName: func(d interop.Destination) string { return d.Name },
		Garbage: func(t testing.TB, p interoptest.Peer, to interop.Destination) {
			r := p.(*rabbit)
			bad := native(t, &interoptest.Mail{Fields: translate.Message{Body: translate.Body{Form: translate.Text, Text: "not a map"}}})
			bad.Headers["JMS-Body"] = "map"
			if err := r.channel(t).PublishWithContext(t.Context(), "", to.Name, false, false, bad); err != nil {
				t.Fatal(err)
			}
		},
		Wrong: func(_ testing.TB, p interoptest.Peer) []interoptest.Wrong {
			at := p.(*rabbit).Addr()
			return []interoptest.Wrong{
				{Name: "NoURL", Keys: map[string]string{"url": ""}, Says: "write url ="},
				{Name: "NotAMQP", Keys: map[string]string{"url": "nats://" + at}, Says: "write amqp://"},
				{Name: "NobodyThere", Keys: map[string]string{"url": "amqp://127.0.0.1:1/"}, Says: "refused"},
				{Name: "Password", Keys: map[string]string{"url": "amqp://" + at + "/", "username": "guest", "password": "wrong"}, Says: "check username and password"},
				{Name: "VirtualHost", Keys: map[string]string{"url": "amqp://guest:guest@" + at + "/nowhere"}, Says: "check the virtual host"},
				{Name: "TLS", Keys: map[string]string{"url": "amqps://guest:guest@" + at + "/"}, Says: "not one with TLS"},
				{Name: "Encoding", Keys: map[string]string{"encoding": "xml"}, Says: "encoding ="},
				{Name: "QueueType", Keys: map[string]string{"queue_type": "stream"}, Says: "write classic or quorum"},
			}
		},
	})
}
