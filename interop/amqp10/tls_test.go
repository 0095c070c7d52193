package amqp10_test

import (
	"crypto/tls"
	"maps"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/amqp10"
	"github.com/tidegate/tidegate/interop/interoptest"
)

// TestTLS: a peer's certificate is verified, its name as well, unless a setting says
// otherwise, and what is wrong with it is said; ours is shown to a peer that asks for it.
func TestTLS(t *testing.T) {
	u, err := url.Parse(startTidegate(t).url)
	if err != nil {
		t.Fatal(err)
	}
	ca := harness.NewAuthority(t)
	server, key := ca.Server(t, t.TempDir(), "broker")
	pair, err := tls.LoadX509KeyPair(server, key)
	if err != nil {
		t.Fatal(err)
	}
	ours, ourKey := ca.Client(t, "gateway")
	asks := &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Trust(t).RootCAs,
	}
	plain := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	for _, c := range []struct {
		name   string
		server *tls.Config
		keys   map[string]string
		says   string // "": it connects
	}{
		{"trusted", plain, map[string]string{"ssl_trusted": ca.File}, ""},
		{"stranger", plain, nil, "unknown authority"},
		{"another name", plain, map[string]string{"ssl_trusted": ca.File, "ssl_expected_hostname": "elsewhere"}, "elsewhere"},
		{"any name", plain, map[string]string{"ssl_trusted": ca.File, "ssl_expected_hostname": "elsewhere", "ssl_verify_hostname": "disabled"}, ""},
		{"any name, of a stranger", plain, map[string]string{"ssl_verify_hostname": "disabled"}, "unknown authority"},
		{"anybody", plain, map[string]string{"ssl_verify_host": "disabled"}, ""},
		{"asked for ours", asks, map[string]string{"ssl_trusted": ca.File, "ssl_identity": ours, "ssl_private_key": ourKey}, ""},
		{"asked for ours, and there is none", asks, map[string]string{"ssl_trusted": ca.File}, "127.0.0.1"}, // its alert may be overtaken by the end of the connection,
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newProxy(t, u.Host, func(l net.Listener) net.Listener { return tls.NewListener(l, c.server) })
			g := interoptest.NewGateway(t, interoptest.GatewayOptions{Factories: amqp10.Factories()})
			spec := interop.Spec{Name: "T", Type: "amqp10", Keys: map[string]string{"url": "amqps://" + p.listener.Addr().String()}}
			maps.Copy(spec.Keys, c.keys)
			g.Manager.Apply([]interop.Spec{spec})
			got := g.Until("T", "an answer", func(s interop.Status) bool { return s.State == interop.Connected || s.Error != "" })
			if (c.says == "") != (got.State == interop.Connected) || !strings.Contains(got.Error, c.says) {
				t.Errorf("it is %s, %q, and should say %q", got.State, got.Error, c.says)
			}
		})
	}
}
