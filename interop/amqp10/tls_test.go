package amqp10_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/amqp10"
	"github.com/tidegate/tidegate/interop/interoptest"
)

// behindTLS has a proxy speak TLS, with a certificate for a name; the answers are its
// address and the certificate's file.
func behindTLS(t *testing.T, plain, name string) (at, file string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	model := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, model, model, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(plain)
	if err != nil {
		t.Fatal(err)
	}
	p := newProxy(t, u.Host, func(l net.Listener) net.Listener {
		return tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	})
	return "amqps://" + p.listener.Addr().String(), file
}

// TestTLS: a peer's certificate is verified, its name as well, unless a setting says
// otherwise; what is wrong with it is said.
func TestTLS(t *testing.T) {
	at, ca := behindTLS(t, startTidegate(t).url, "broker.example")
	for _, c := range []struct {
		name string
		keys map[string]string
		says string // "": it connects
	}{
		{"stranger", nil, "failed to verify certificate"},
		{"another name", map[string]string{"ssl_trusted": ca}, "127.0.0.1"},
		{"its name", map[string]string{"ssl_trusted": ca, "ssl_expected_hostname": "broker.example"}, ""},
		{"any name", map[string]string{"ssl_trusted": ca, "ssl_verify_hostname": "disabled"}, ""},
		{"any name, of a stranger", map[string]string{"ssl_verify_hostname": "disabled"}, "unknown authority"},
		{"anybody", map[string]string{"ssl_verify_host": "disabled"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := interoptest.NewGateway(t, interoptest.GatewayOptions{Factories: amqp10.Factories()})
			spec := interop.Spec{Name: "T", Type: "amqp10", Keys: map[string]string{"url": at}}
			for k, v := range c.keys {
				spec.Keys[k] = v
			}
			g.Manager.Apply([]interop.Spec{spec})
			got := g.Until("T", "an answer", func(s interop.Status) bool { return s.State == interop.Connected || s.Error != "" })
			if (c.says == "") != (got.State == interop.Connected) || !strings.Contains(got.Error, c.says) {
				t.Errorf("it is %s, %q, and should say %q", got.State, got.Error, c.says)
			}
		})
	}
}
