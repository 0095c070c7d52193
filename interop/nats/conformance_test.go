package nats

import (
	"fmt"
	"testing"

	"github.com/tidegate/tidegate/e2e/peers"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/interoptest"
	"github.com/tidegate/tidegate/interop/translate"
)

var (
	reliableType  = Factories()[0]
	certifiedType = Factories()[1]
)

// TestConformance holds both types to the suite, with a nats-server of its own (a process,
// which is killed) and with the one in this process.
func TestConformance(t *testing.T) {
	for _, f := range []interop.Factory{reliableType, certifiedType} {
		t.Run(f.Type+"/process", func(t *testing.T) {
			p := startServer(t, f.Certified)
			k := kit(f, func(testing.TB) interoptest.Peer { return p })
			k.TooLarge = maxPayload + 1
			k.Wrong = wrong
			interoptest.Run(t, k)
		})
		t.Run(f.Type+"/embedded", func(t *testing.T) {
			p := startEmbedded(t, f.Certified)
			interoptest.Run(t, kit(f, func(testing.TB) interoptest.Peer { return p }))
		})
	}
}

func kit(f interop.Factory, open func(testing.TB) interoptest.Peer) interoptest.Kit {
	return interoptest.Kit{
		Factory: f, Open: open, Queues: true, Wildcards: true, Once: f.Certified,
		Encodings: []translate.Encoding{translate.Headers, translate.JSON, translate.Raw},
		ReplyName: func(d interop.Destination) string { return names{}.subject(d.Name) },
		Garbage: func(t testing.TB, p interoptest.Peer, to interop.Destination) {
			p.(interface {
				publishRaw(testing.TB, interop.Destination, map[string]string, []byte)
			}).publishRaw(t, to, map[string]string{"JMS-Body": "text", "JMS-Priority": "high"}, []byte("x"))
		},
	}
}

// maxPayload is the server's, in bytes.
const maxPayload = 8 << 20

// wrong are ways not to get in.
func wrong(t testing.TB, p interoptest.Peer) []interoptest.Wrong {
	guarded := peers.NATS(t, "", peers.Options{Config: "authorization { user: u, password: secret }"})
	return []interoptest.Wrong{
		{Name: "nobody listens", Keys: map[string]string{"url": "nats://127.0.0.1:1"}, Says: "127.0.0.1:1"},
		{Name: "no such scheme", Keys: map[string]string{"url": "http://127.0.0.1:4222"}, Says: "nats://"},
		{Name: "wrong password", Keys: map[string]string{"url": guarded.URL(), "username": "u", "password": "guess"}, Says: "refuses the login"},
		{Name: "no TLS there", Keys: map[string]string{"url": fmt.Sprintf("tls://%s", p.(*process).server.Addr())}, Says: "TLS"},
		{Name: "no such file", Keys: map[string]string{"credentials": "/nowhere/user.creds"}, Says: "credentials"},
		{Name: "no embedded server", Keys: map[string]string{"url": "embedded"}, Says: "embedded"},
	}
}
