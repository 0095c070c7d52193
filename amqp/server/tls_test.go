package server

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/sasl"
	"github.com/tidegate/tidegate/e2e/harness"
)

// pki is an authority and a server's certificate of it.
type pki struct {
	*harness.Authority
	dir string
}

func authority(t *testing.T) *pki {
	t.Helper()
	p := &pki{Authority: harness.NewAuthority(t), dir: t.TempDir()}
	p.Server(t, p.dir, "first")
	return p
}

func (p *pki) files() CertificateFiles {
	return CertificateFiles{Cert: filepath.Join(p.dir, "server.pem"), Key: filepath.Join(p.dir, "server.key"), ClientCA: p.File}
}

func (p *pki) certificates(t *testing.T) *Certificates {
	t.Helper()
	c, err := NewCertificates(p.files(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// listening serves on a free port of this host and gives its address.
func (s *shell) listening(t *testing.T, scheme string) (address string) {
	t.Helper()
	l, err := Listen(scheme + "://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Serve(l)
	if want := scheme + "://" + l.Addr().String(); l.URL() != want {
		t.Errorf("the listener's URL is %s, want %s", l.URL(), want)
	}
	return l.Addr().String()
}

// TestFirstBytes: AMQP, TLS, WebSocket, and WebSocket in TLS are told apart on
// one port, and an amqps:// listener takes only what is in TLS.
func TestFirstBytes(t *testing.T) {
	p := authority(t)
	s := newShell(t, Config{Certificates: p.certificates(t)})
	both, secure := s.listening(t, "amqp"), s.listening(t, "amqps")
	tests := []struct {
		url  string
		okay bool
	}{
		{"amqp://" + both, true},
		{"amqps://" + both, true},
		{"ws://" + both + "/any/path", true},
		{"wss://" + both, true},
		{"amqps://" + secure, true},
		{"wss://" + secure, true},
		{"amqp://" + secure, false},
		{"ws://" + secure, false},
	}
	for _, test := range tests {
		t.Run(test.url, func(t *testing.T) {
			c, err := client.Dial(t.Context(), test.url, client.Options{TLS: p.Trust(t)})
			if (err == nil) != test.okay {
				t.Fatalf("dial: %v", err)
			}
			if err != nil {
				return
			}
			if err := c.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
	if n := strings.Count(s.log.String(), "plain text refused"); n != 2 {
		t.Errorf("%d refusals logged, want 2:\n%s", n, s.log)
	}
}

// TestTLSWithoutCertificate: a client that speaks TLS to a listener without a
// certificate gets an AMQP header, and the log says what is missing.
func TestTLSWithoutCertificate(t *testing.T) {
	s := newShell(t, Config{})
	address := s.listening(t, "amqp")
	if _, err := client.Dial(t.Context(), "amqps://"+address, client.Options{}); err == nil {
		t.Fatal("connected")
	}
	<-s.closed
	if !strings.Contains(s.log.String(), "--tls-cert") {
		t.Errorf("logged:\n%s", s.log)
	}
}

// TestGoodbye: at the end of a connection a TLS client is told so, and a
// WebSocket client by code 1000: it can tell an end from a cut.
func TestGoodbye(t *testing.T) {
	p := authority(t)
	s := newShell(t, Config{Certificates: p.certificates(t)})
	address := s.listening(t, "amqp")
	const wrong = "AMQP\x00\x00\x09\x01" // answered with a header, and the end

	conn, err := tls.Dial("tcp", address, p.Trust(t))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, wrong)
	if answer, err := io.ReadAll(conn); err != nil || string(answer) != "AMQP\x03\x01\x00\x00" {
		t.Errorf("over TLS: %q, %v", answer, err)
	}
	d := websocket.Dialer{Subprotocols: []string{"amqp"}}
	ws, _, err := d.Dial("ws://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	if err := ws.WriteMessage(websocket.BinaryMessage, []byte(wrong)); err != nil {
		t.Fatal(err)
	}
	if kind, answer, err := ws.ReadMessage(); err != nil || kind != websocket.BinaryMessage || string(answer) != "AMQP\x03\x01\x00\x00" {
		t.Errorf("over WebSocket: kind %d, %q, %v", kind, answer, err)
	}
	if _, _, err := ws.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		t.Errorf("the WebSocket ended by %v, want 1000", err)
	}
}

// TestExternal: a client certificate logs its subject's common name in; without
// one, or with one of another authority, EXTERNAL is not to be had.
func TestExternal(t *testing.T) {
	p, others := authority(t), harness.NewAuthority(t)
	users := sasl.UserMap{"alice": {}}
	s := newShell(t, Config{
		Certificates: p.certificates(t),
		Engine:       func() engine.Config { return engine.Config{ContainerID: "test", SASL: &sasl.Server{Users: users}} },
	})
	url := "amqps://" + s.listening(t, "amqps")
	dial := func(ca *harness.Authority, name string) error {
		o := client.Options{TLS: p.Trust(t)}
		if ca != nil {
			cert, key := ca.Client(t, name)
			o.TLS = p.Trust(t, cert, key)
		}
		c, err := client.Dial(t.Context(), url, o)
		if err == nil {
			err = c.Close()
		}
		return err
	}
	if err := dial(p.Authority, "alice"); err != nil {
		t.Fatal(err)
	}
	if user := <-s.users; user != "alice" {
		t.Errorf("logged in as %q", user)
	}
	for name, err := range map[string]error{
		"a user who is not known":      dial(p.Authority, "mallory"),
		"another authority":            dial(others, "alice"),
		"no certificate":               dial(nil, ""),
		"a certificate without a name": dial(p.Authority, ""),
	} {
		if err == nil {
			t.Errorf("%s: let in", name)
		}
	}
	if len(s.users) != 0 {
		t.Errorf("also logged in: %q", <-s.users)
	}
	if !strings.Contains(s.log.String(), `\"mallory\", who is not known`) {
		t.Errorf("the log does not say why:\n%s", s.log)
	}
}

// TestReload: files that change are read anew at the next handshake after a
// second, without a restart; what is broken is logged and changes nothing;
// SIGHUP's way reads at once.
func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := authority(t)
		var log logged
		certs, err := NewCertificates(p.files(), slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		serving := func() string {
			ours, theirs := net.Pipe()
			defer ours.Close()
			done := make(chan error, 1)
			go func() { done <- tls.Server(theirs, certs.Config()).HandshakeContext(context.Background()) }()
			trust := p.Trust(t)
			trust.ServerName = "localhost"
			c := tls.Client(ours, trust)
			if err := c.HandshakeContext(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			return c.ConnectionState().PeerCertificates[0].Subject.CommonName
		}
		want := func(name string) {
			t.Helper()
			if got := serving(); got != name {
				t.Errorf("serving %q, want %q", got, name)
			}
		}
		want("first")
		p.Server(t, p.dir, "second")
		want("first") // not looked yet
		time.Sleep(certificateCheck)
		want("second")
		if err := os.WriteFile(p.files().Key, []byte("no key"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(certificateCheck)
		want("second")
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
			t.Errorf("%d errors logged, want 1:\n%s", n, &log)
		}
		time.Sleep(certificateCheck)
		want("second")
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
			t.Errorf("%d errors logged, want the same one:\n%s", n, &log)
		}
		p.Server(t, p.dir, "third")
		certs.Reload()
		want("third")
	})
}

// TestBadFiles: a start with files that will not do says which and why.
func TestBadFiles(t *testing.T) {
	p := authority(t)
	good := p.files()
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]CertificateFiles{
		"TLS certificate: ": {Cert: "/no/such/file", Key: good.Key},
		"TLS key: ":         {Cert: good.Cert, Key: "/no/such/file"},
		empty:               {Cert: empty, Key: good.Key},
		"TLS client CA ":    {Cert: good.Cert, Key: good.Key, ClientCA: empty},
		good.Key:            {Cert: p.File, Key: good.Key}, // another's key
	}
	for want, files := range tests {
		if _, err := NewCertificates(files, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q in it", files, err, want)
		}
	}
}

// counting is a connection that counts its writes.
type counting struct {
	net.Conn
	writes int
}

func (c *counting) Write(b []byte) (int, error) {
	c.writes++
	return c.Conn.Write(b)
}

// TestRecords: what one write of the engine gives leaves in full TLS records,
// whatever parts it has.
func TestRecords(t *testing.T) {
	p := authority(t)
	ours, theirs := net.Pipe()
	defer ours.Close()
	server := &counting{Conn: theirs}
	r := records{tls.Server(server, p.certificates(t).Config())}
	trust := p.Trust(t)
	trust.ServerName = "localhost"
	c := tls.Client(ours, trust)
	var parts [][]byte
	size := 0
	for i := range 100 {
		parts = append(parts, make([]byte, 50), make([]byte, 8<<10+i))
		size += 50 + 8<<10 + i
	}
	sent := make(chan error, 1)
	go func() {
		if err := r.Handshake(); err != nil {
			sent <- err
			return
		}
		server.writes = 0
		sent <- r.WriteParts(parts)
	}()
	if _, err := io.CopyN(io.Discard, c, int64(size)); err != nil {
		t.Fatal(err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if most := size/recordSize + 1; server.writes > most {
		t.Errorf("%d bytes left in %d writes, want at most %d", size, server.writes, most)
	}
}

// upgrade is a WebSocket client's request.
func upgrade(protocol string, more ...string) string {
	lines := append([]string{
		"GET / HTTP/1.1", "Host: broker.example", "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13",
	}, more...)
	if protocol != "" {
		lines = append(lines, "Sec-WebSocket-Protocol: "+protocol)
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// TestUpgrade: which requests are upgraded, to which subprotocol, and what the
// others are told.
func TestUpgrade(t *testing.T) {
	s := newShell(t, Config{Origins: []string{"https://console.example"}})
	address := s.listening(t, "amqp")
	tests := map[string]struct {
		request  string
		status   int
		protocol string
	}{
		"amqp":                {upgrade("amqp"), 101, "amqp"},
		"an old Azure client": {upgrade("AMQPWSB10"), 101, "AMQPWSB10"},
		"a browser's rhea":    {upgrade("binary, AMQPWSB10, amqp"), 101, "amqp"},
		"no subprotocol":      {upgrade(""), 400, ""},
		"another subprotocol": {upgrade("mqtt"), 400, ""},
		"no upgrade":          {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 426, ""},
		"no HTTP":             {"GET out\r\n\r\n", 400, ""},
		"an old version":      {strings.Replace(upgrade("amqp"), "Version: 13", "Version: 8", 1), 400, ""},
		"a huge head":         {upgrade("amqp", "X: "+strings.Repeat("x", 20<<10)), 431, ""},
		"its own page":        {upgrade("amqp", "Origin: http://broker.example"), 101, "amqp"},
		"a page that may":     {upgrade("amqp", "Origin: https://console.example"), 101, "amqp"},
		"a page that may not": {upgrade("amqp", "Origin: https://evil.example"), 403, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(time.Minute))
			go func() { _, _ = io.WriteString(conn, test.request) }()
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != test.status || answer.Header.Get("Sec-WebSocket-Protocol") != test.protocol {
				t.Errorf("answered %s, subprotocol %q", answer.Status, answer.Header.Get("Sec-WebSocket-Protocol"))
			}
			_ = answer.Body.Close()
		})
	}
}
