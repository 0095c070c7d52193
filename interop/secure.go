package interop

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
)

// TLS makes the configuration for TLS that the keys ssl_* ask for. Where a key may stand
// several times its values are one a line. certified says whether there is a certificate
// to log in with. Errors name the key.
func (s *Settings) TLS() (c *tls.Config, certified bool, err error) {
	c = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.Get("ssl_expected_hostname", "")}
	if trusted := s.Get("ssl_trusted", ""); trusted != "" {
		c.RootCAs = x509.NewCertPool()
		for path := range strings.Lines(trusted) {
			path = strings.TrimSpace(path)
			data, err := os.ReadFile(path)
			if err != nil {
				return nil, false, fmt.Errorf("ssl_trusted: %w", err)
			}
			if !c.RootCAs.AppendCertsFromPEM(data) {
				return nil, false, fmt.Errorf("ssl_trusted: %s has no certificate: a file in PEM is needed", path)
			}
		}
	}
	host, err := s.Bool("ssl_verify_host", true)
	if err != nil {
		return nil, false, err
	}
	name, err := s.Bool("ssl_verify_hostname", true)
	if err != nil {
		return nil, false, err
	}
	if !host {
		c.InsecureSkipVerify = true
	} else if !name {
		c.InsecureSkipVerify = true
		c.VerifyConnection = withoutName(c.RootCAs)
	}
	if s.Get("ssl_identity", "") == "" {
		return c, false, nil
	}
	pair, err := s.identity()
	if err != nil {
		return nil, false, err
	}
	c.Certificates = []tls.Certificate{pair}
	return c, true, nil
}

// withoutName verifies a server's certificate, whatever name is in it.
func withoutName(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		between := x509.NewCertPool()
		for _, c := range state.PeerCertificates[1:] {
			between.AddCert(c)
		}
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
		return err
	}
}

// identity reads our certificate, those of its chain, and its key.
func (s *Settings) identity() (tls.Certificate, error) {
	path := s.Get("ssl_identity", "")
	chain, err := os.ReadFile(path)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("ssl_identity: %w", err)
	}
	for issuer := range strings.Lines(s.Get("ssl_issuer", "")) {
		more, err := os.ReadFile(strings.TrimSpace(issuer))
		if err != nil {
			return tls.Certificate{}, fmt.Errorf("ssl_issuer: %w", err)
		}
		chain = append(append(chain, '\n'), more...)
	}
	key := chain
	if at := s.Get("ssl_private_key", s.Get("ssl_key", "")); at != "" {
		if key, err = os.ReadFile(at); err != nil {
			return tls.Certificate{}, fmt.Errorf("ssl_private_key: %w", err)
		}
	}
	if key, err = unlocked(key, s.Get("ssl_password", "")); err != nil {
		return tls.Certificate{}, err
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return pair, fmt.Errorf("ssl_identity: %s: %w", path, err)
	}
	return pair, nil
}

// unlocked opens a key that is encrypted in the manner of PEM (rfc 1423), as EMS's are.
func unlocked(key []byte, password string) ([]byte, error) {
	for rest := key; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return key, nil
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" {
			return nil, errors.New("ssl_private_key: it is encrypted by PKCS#8, which is not read here: write it anew with openssl pkcs8 -in KEY -out PLAIN, readable for this server alone")
		}
		if !x509.IsEncryptedPEMBlock(block) { //nolint:staticcheck // the form that EMS's tools write
			return key, nil
		}
		plain, err := x509.DecryptPEMBlock(block, []byte(password)) //nolint:staticcheck // the same
		if err != nil {
			return nil, fmt.Errorf("ssl_password: the key cannot be opened with it: %w", err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: plain}), nil
	}
}
