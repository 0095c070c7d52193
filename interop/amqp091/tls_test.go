package amqp091

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/interoptest"
)

// secure puts TLS before a broker, as RabbitMQ's own listener for it does. It wants a
// client's certificate.
func secure(t *testing.T, a *harness.Authority, to string) (addr string) {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(a.Server(t, t.TempDir(), "rabbit"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(a.File)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert})
	if err != nil {
		t.Fatal(err)
	}
	var over sync.WaitGroup
	var mu sync.Mutex
	var all []net.Conn
	over.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			mu.Lock()
			all = append(all, in, out)
			mu.Unlock()
			pass := func(from, to net.Conn) {
				_, _ = io.Copy(to, from)
				_ = errors.Join(from.Close(), to.Close())
			}
			over.Go(func() { pass(in, out) })
			over.Go(func() { pass(out, in) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range all {
			_ = c.Close()
		}
		mu.Unlock()
		over.Wait()
	})
	return l.Addr().String()
}

// TestTLS: a broker whose certificate is trusted and that trusts ours is reached, of two
// URLs the one that answers; one that is not trusted is not, and the error says how to
// mend it.
func TestTLS(t *testing.T) {
	r := newRig(t)
	authority := harness.NewAuthority(t)
	addr := secure(t, authority, r.Addr())
	identity, key := authority.Client(t, "tidegate")
	url := "amqps://guest:guest@" + addr + "/"
	keys := func(more ...string) map[string]string {
		k := map[string]string{"url": url, "ssl_trusted": authority.File, "ssl_identity": identity, "ssl_private_key": key}
		for i := 0; i < len(more); i += 2 {
			k[more[i]] = more[i+1]
		}
		return k
	}
	to := r.named(t, topic("out"))
	r.spec.Exports = []interop.Destination{to}
	r.g.Topic(to.Name, r.spec.Name)
	r.spec.Keys = keys("url", "amqp://guest:guest@127.0.0.1:1/,"+url)
	r.g.Connected(r.spec)
	box := r.Listen(t, to)
	r.send(to, said("1", "by TLS"))
	if m := heardNext(t, box); m.ID != "ID:1" {
		t.Errorf("message %s came", m.ID)
	}
	r.g.Manager.Apply(nil)

	other := harness.NewAuthority(t)
	for name, c := range map[string]struct {
		keys map[string]string
		says string
	}{
		"stranger": {keys("ssl_trusted", other.File), "ssl_trusted"},
		"host":     {keys("ssl_expected_hostname", "elsewhere"), "ssl_expected_hostname"},
		"missing":  {keys("ssl_trusted", "/no/such.pem"), "ssl_trusted"},
	} {
		spec := interop.Spec{Name: "T" + name, Type: "amqp091", Keys: c.keys}
		r.g.Manager.Apply([]interop.Spec{spec})
		s := r.g.Until(spec.Name, "an error", func(s interop.Status) bool { return s.Error != "" })
		if !strings.Contains(s.Error, c.says) || strings.Contains(s.Error, "guest:guest") {
			t.Errorf("%s: the error is %q, and should say %q", name, s.Error, c.says)
		}
	}
	spec := interop.Spec{Name: "TANY", Type: "amqp091", Keys: keys("ssl_trusted", other.File, "ssl_verify_host", "disabled")}
	r.g.Connected(spec)
}

// TestReplyQueues: a reply queue that is deleted outside is made again under the name that
// requests have gone out with; with the lease's end it goes.
func TestReplyQueues(t *testing.T) {
	r := openRabbit(t)
	tr, err := newTransport(interop.Settings{Name: "R", Server: "gw", Keys: map[string]string{"url": r.URL()}})
	if err != nil {
		t.Fatal(err)
	}
	h := &hoarder{more: make(chan struct{}, 1)}
	s, err := tr.Open(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	address, err := s.Reply(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.Reply(t.Context(), "a"); err != nil || again != address {
		t.Errorf("the second time its address is %s, %v", again, err)
	}
	if _, err := r.channel(t).QueueDelete(address, false, false, false); err != nil {
		t.Fatal(err)
	}
	until(t, "the queue to be there again", func() bool { _, ok := r.exists(t, address); return ok })
	r.Answer(t, address, &interoptest.Mail{Fields: *said("reply", "here")})
	until(t, "the reply", func() bool { return h.count() == 1 })
	if h.got[0].Token != "a" || h.got[0].Fields.MessageID != "ID:reply" {
		t.Errorf("message %v came for token %q", h.got[0].Fields.MessageID, h.got[0].Token)
	}
	s.EndReply("a")
	until(t, "the queue to go", func() bool { _, ok := r.exists(t, address); return !ok })
}
