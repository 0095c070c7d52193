package interop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTLSSettings: what the keys ssl_* name is read, and what cannot be is named with
// its key.
func TestTLSSettings(t *testing.T) {
	dir := t.TempDir()
	write := func(name, kind string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	model := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "us"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, model, model, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	locked, err := x509.EncryptPEMBlock(rand.Reader, "EC PRIVATE KEY", private, []byte("open sesame"), x509.PEMCipherAES256) //nolint:staticcheck // the form that EMS's tools write
	if err != nil {
		t.Fatal(err)
	}
	cert, plain := write("cert.pem", "CERTIFICATE", der), write("key.pem", "EC PRIVATE KEY", private)
	pkcs8 := write("pkcs8.pem", "ENCRYPTED PRIVATE KEY", []byte("x"))
	secret := filepath.Join(dir, "secret.pem")
	if err := os.WriteFile(secret, pem.EncodeToMemory(locked), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		keys      map[string]string
		certified bool
		err       string
	}{
		{map[string]string{}, false, ""},
		{map[string]string{"ssl_trusted": cert + "\n" + cert, "ssl_identity": cert, "ssl_issuer": cert, "ssl_private_key": plain}, true, ""},
		{map[string]string{"ssl_identity": cert, "ssl_key": secret, "ssl_password": "open sesame"}, true, ""},
		{map[string]string{"ssl_identity": cert, "ssl_key": secret, "ssl_password": "shut"}, false, "ssl_password: "},
		{map[string]string{"ssl_identity": cert, "ssl_key": pkcs8}, false, "openssl pkcs8"},
		{map[string]string{"ssl_identity": cert}, false, "ssl_identity: "},
		{map[string]string{"ssl_trusted": plain}, false, "has no certificate"},
		{map[string]string{"ssl_trusted": dir + "/none"}, false, "ssl_trusted: "},
	} {
		s := Settings{Keys: c.keys}
		made, certified, err := s.TLS()
		switch {
		case c.err == "" && (err != nil || certified != c.certified || len(made.Certificates) > 0 != c.certified):
			t.Errorf("%v: %v %v", c.keys, certified, err)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%v: %v, not %q", c.keys, err, c.err)
		}
	}
}
