package nats

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"github.com/tidegate/tidegate/e2e/harness"
	"github.com/tidegate/tidegate/e2e/peers"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/interoptest"
	"github.com/tidegate/tidegate/interop/translate"
)

// TestSettings: what is wrong is said by its key, and how to mend it.
func TestSettings(t *testing.T) {
	for _, c := range []struct{ key, value, says string }{
		{"url", "", "url is missing"},
		{"url", "http://h:1", "nats://"},
		{"url", "nats://", "no host"},
		{"url", ",", "one to"},
		{"url", "embedded", "no NATS server"},
		{"credentials", "/nowhere", "credentials"},
		{"subject_prefix", "a b", "subject_prefix"},
		{"queue_group", "a b", "queue_group"},
		{"encoding", "xml", "encoding"},
		{"export_headers", "perhaps", "export_headers"},
		{"prefetch", "-1", "prefetch"},
		{"prefetch", "many", "prefetch"},
		{"stream", "a.b", "a_b"},
		{"default_ttl", "x", "default_ttl"},
		{"ssl_trusted", "/nowhere.pem", "ssl_trusted"},
	} {
		keys := map[string]string{"url": "nats://h:4222"}
		keys[c.key] = c.value
		_, err := NewCertified(interop.Settings{Name: "T", Server: "S", Gateway: "g", Keys: keys})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s = %s: %v, and it should say %q", c.key, c.value, err, c.says)
		}
	}
	c, err := read(interop.Settings{Name: "T", Server: "EMS1", Keys: map[string]string{"url": "a:1, tls://b"}})
	if err != nil || len(c.servers) != 2 || c.servers[0] != "nats://a:1" || c.certified.cmName != "EMS1:T" || c.certified.stream != "EMS_EXPORT" || !c.certified.requestOld || c.prefetch != 1000 {
		t.Errorf("the defaults are %+v, %v", c, err)
	}
	if got := c.where(); got != "nats://a:1, tls://b" {
		t.Errorf("it is at %s", got)
	}
}

// TestPasswordIsNotTold: an error names the server without its password.
func TestPasswordIsNotTold(t *testing.T) {
	tr, err := New(interop.Settings{Name: "T", Keys: map[string]string{"url": "nats://u:secret@127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = tr.Open(t.Context(), newRecorder())
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("the error is %v", err)
	}
}

// TestNkeys: an nkey's seed logs in, from its file and as it is.
func TestNkeys(t *testing.T) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "user.nk")
	if err := os.WriteFile(file, seed, 0o600); err != nil {
		t.Fatal(err)
	}
	guarded := peers.NATS(t, "", peers.Options{Config: "authorization { users: [{nkey: " + public + "}] }"})
	for _, credentials := range []string{string(seed), file} {
		session(t, reliableType, map[string]string{"url": guarded.URL(), "credentials": credentials}, nil)
	}
}

// TestNoJetStream: a server without it says what to do.
func TestNoJetStream(t *testing.T) {
	guarded := peers.NATS(t, "", peers.Options{Config: `
accounts { A { users: [{user: a, password: a}] }, B { users: [{user: b, password: b}], jetstream: enabled } }`})
	tr, err := NewCertified(interop.Settings{Name: "T", Keys: map[string]string{"url": guarded.URL(), "credentials": "a/a"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = tr.Open(within(t), newRecorder()); err == nil || !strings.Contains(err.Error(), "JetStream") {
		t.Errorf("the error is %v", err)
	}
}

// TestTLS: a server with TLS is verified by ssl_trusted, and sees our certificate; one that
// nobody vouches for is not logged in to.
func TestTLS(t *testing.T) {
	authority := harness.NewAuthority(t)
	cert, key := authority.Server(t, t.TempDir(), "server")
	ours, ourKey := authority.Client(t, "gateway")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, TLS: true, TLSVerify: true,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: authority.Trust(t).RootCAs, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(interoptest.Patience) {
		t.Fatal("the server does not start")
	}
	keys := map[string]string{"url": "tls://" + s.Addr().String(), "ssl_trusted": authority.File, "ssl_identity": ours, "ssl_private_key": ourKey}
	out, r := session(t, reliableType, keys, nil)
	if err := out.Send(within(t), []interop.Outbound{{Tag: 1, To: topic("a"), Message: (&translate.Message{}).Build(nil)}}); err != nil {
		t.Fatal(err)
	}
	r.until(t, "it to be sent", func() bool { return len(r.sent) == 1 })
	delete(keys, "ssl_trusted")
	tr, err := New(interop.Settings{Name: "T", Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Open(within(t), newRecorder()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a server that nobody vouches for: %v", err)
	}
}
