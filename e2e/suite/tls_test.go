package suite

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// secured is a server with a certificate, and an authority that signed it and
// those of clients. It has an amqp:// and an amqps:// listener.
type secured struct {
	*harness.Server
	ca  *harness.Authority
	dir string // of server.pem and server.key
}

func secure(t *testing.T, args ...string) *secured {
	t.Helper()
	s := &secured{ca: harness.NewAuthority(t), dir: t.TempDir()}
	cert, key := s.ca.Server(t, s.dir, "first")
	s.Server = harness.Start(t, append([]string{
		"--listen", "amqps://127.0.0.1:0", "--tls-cert", cert, "--tls-key", key, "--tls-client-ca", s.ca.File,
	}, args...)...)
	return s
}

// TestTLS: every library that can sends and receives over TLS, by the listener
// that takes plain text too and by the one that does not.
func TestTLS(t *testing.T) {
	s := secure(t)
	if len(s.More) != 1 || !strings.HasPrefix(s.More[0], "amqps://") {
		t.Fatalf("ready lines: %s, %v", s.URL, s.More)
	}
	for name, url := range map[string]string{"shared": s.By("amqps"), "secure": s.More[0]} {
		t.Run(name, func(t *testing.T) {
			each(t, []string{"tls"}, func(t *testing.T, c *harness.Client) {
				queue := "tls." + name + "." + c.Name
				over := harness.Fields{"url": url, "ca": s.ca.File}
				send(t, c, s.Server, queue, over, harness.Fields{"count": 20, "size": 50_000})
				inOrder(t, receive(t, c, s.Server, queue, 20, over), c.Name, 1, 50_000)
			})
		})
	}
	t.Run("plain text", func(t *testing.T) {
		for _, bytes := range []string{header, "GET / HTTP/1.1\r\n\r\n", "\x00"} {
			listener := &harness.Server{URL: "amqp" + strings.TrimPrefix(s.More[0], "amqps")}
			if answer := provoke(t, listener, bytes); answer != "" {
				t.Errorf("%q is answered %q", bytes, answer)
			}
		}
		wantLogged(t, s.Server, "plain text refused")
	})
}

// TestClientCertificates: a client certificate logs in the user it names, over
// every library that can, and only one who may.
func TestClientCertificates(t *testing.T) {
	s := secure(t, "--users", users(t))
	step(t, "libraries", func(t *testing.T) { clientCertificates(t, s) })
	wantLogged(t, s.Server, "login refused")
	wantLogged(t, s.Server, "mallory")
}

func clientCertificates(t *testing.T, s *secured) {
	each(t, []string{"sasl-external"}, func(t *testing.T, c *harness.Client) {
		external := func(ca *harness.Authority, name string) harness.Fields {
			cert, key := ca.Client(t, name)
			return harness.Fields{"url": s.More[0], "ca": s.ca.File, "cert": cert, "key": key, "sasl": "EXTERNAL"}
		}
		queue := "external." + c.Name
		send(t, c, s.Server, queue, external(s.ca, "alice"), harness.Fields{"count": 5})
		inOrder(t, receive(t, c, s.Server, queue, 5, external(s.ca, "alice")), c.Name, 1, 64)
		refused(t, c, external(s.ca, "mallory"))
		other := external(harness.NewAuthority(t), "alice")
		c.Do(t, with(harness.Fields{"cmd": "connect", "timeout_ms": 30_000}, other)).Error(t)
		// And a password still does, with a certificate or without.
		send(t, c, s.Server, queue, harness.Fields{"url": s.More[0], "ca": s.ca.File, "sasl": "PLAIN", "count": 1}, credentials("s3cret"))
	})
}

// TestCertificateReload: a certificate that was replaced is served without a
// restart, at SIGHUP at once; connections that are open go on.
func TestCertificateReload(t *testing.T) {
	s := secure(t)
	serving := func() string {
		c, err := tls.Dial("tcp", s.Addr(), s.ca.Trust(t))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	c := harness.Driver(t, "go")
	over := harness.Fields{"url": s.By("amqps"), "ca": s.ca.File}
	open := receiving(t, c, s.Server, "reload", over, harness.Fields{"count": 1, "idle_ms": 60_000})
	if name := serving(); name != "first" {
		t.Fatalf("serving %q", name)
	}
	s.ca.Server(t, s.dir, "second")
	s.Hangup(t)
	wait(t, "the new certificate", func() bool { return serving() == "second" })
	s.ca.Server(t, s.dir, "third")
	wait(t, "the new certificate without SIGHUP", func() bool { return serving() == "third" })
	send(t, c, s.Server, "reload", over, harness.Fields{"count": 1})
	inOrder(t, messages(t, open), "go", 1, 64)
}

// TestWebSocket: libraries that speak AMQP over WebSocket are served on the same
// port, in the clear and over TLS.
func TestWebSocket(t *testing.T) {
	s := secure(t)
	each(t, []string{"websocket"}, func(t *testing.T, c *harness.Client) {
		for _, scheme := range []string{"ws", "wss"} {
			queue := scheme + "." + c.Name
			over := harness.Fields{"url": s.By(scheme), "ca": s.ca.File}
			send(t, c, s.Server, queue, over, harness.Fields{"count": 20, "size": 200_000})
			inOrder(t, receive(t, c, s.Server, queue, 20, over), c.Name, 1, 200_000)
		}
	})
}

// TestToolsOverTLS: our own commands over every scheme.
func TestToolsOverTLS(t *testing.T) {
	s := secure(t, "--users", users(t))
	cert, key := s.ca.Client(t, "alice")
	for _, scheme := range []string{"amqps", "wss"} {
		url := s.By(scheme)
		r := harness.Tool(t, "", "send", "--url", url, "--tls-ca", s.ca.File, "--tls-cert", cert, "--tls-key", key, "--queue", scheme, "--text", "over "+scheme)
		if r.Code != 0 {
			t.Fatalf("send: %d\n%s", r.Code, r.Stderr)
		}
		as := strings.Replace(url, "://", "://alice:s3cret@", 1)
		r = harness.Tool(t, "", "receive", "--url", as, "--tls-insecure", "--queue", scheme, "--count", "1")
		if r.Code != 0 || !strings.Contains(r.Stdout, "over "+scheme) {
			t.Errorf("receive: %d %q\n%s", r.Code, r.Stdout, r.Stderr)
		}
		r = harness.Tool(t, "", "send", "--url", as, "--queue", scheme, "--text", "x")
		if r.Code != 2 || !strings.Contains(r.Stderr, "certificate") {
			t.Errorf("without --tls-ca: %d\n%s", r.Code, r.Stderr)
		}
	}
}

// TestTLSFromConfiguration: the flags can stand in tidegate.yaml.
func TestTLSFromConfiguration(t *testing.T) {
	ca, dir := harness.NewAuthority(t), t.TempDir()
	cert, key := ca.Server(t, dir, "configured")
	file := filepath.Join(dir, "tidegate.yaml")
	text := "tls-cert: " + cert + "\ntls-key: " + key + "\ntls-client-ca: " + ca.File + "\nmax-connections: 7\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := harness.Start(t, "--config", file)
	c, err := tls.Dial("tcp", s.Addr(), ca.Trust(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if name := c.ConnectionState().PeerCertificates[0].Subject.CommonName; name != "configured" {
		t.Errorf("serving %q", name)
	}
}
