package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// certificateCheck is how often handshakes look whether the files changed, at
	// most.
	certificateCheck = time.Second
	// maxPEM is the largest certificate, key or CA file in bytes.
	maxPEM = 4 << 20
)

// CertificateFiles are a server's in PEM.
type CertificateFiles struct {
	// Cert is the certificate with its chain, Key its key.
	Cert, Key string
	// ClientCA are the authorities whose client certificates are accepted; empty:
	// none are asked for. A client may come without one.
	ClientCA string
}

// Certificates are a server's, read anew when their files change: a handshake
// looks at the files, so nothing runs while nobody connects. What cannot be read
// is logged and the certificates before stay in use.
type Certificates struct {
	files CertificateFiles
	log   *slog.Logger

	current atomic.Pointer[tls.Config]
	checked atomic.Int64 // when the files were looked at, in Unix nanoseconds

	mu   sync.Mutex // held while reading
	seen []stamp    // of the files at the last try, good or bad
}

// stamp tells one content of a file from another without reading it.
type stamp struct {
	size     int64
	modified time.Time
	info     os.FileInfo // to tell a file from another that has its name now
}

// NewCertificates reads the files. An error says which and why.
func NewCertificates(files CertificateFiles, log *slog.Logger) (*Certificates, error) {
	c := &Certificates{files: files, log: log}
	c.seen = c.stamps()
	config, err := c.read()
	if err != nil {
		return nil, err
	}
	c.current.Store(config)
	c.checked.Store(time.Now().UnixNano())
	return c, nil
}

// Config is the TLS configuration for handshakes, each of which uses the
// certificates of its time.
func (c *Certificates) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			c.check()
			return c.current.Load(), nil
		},
	}
}

// check reloads if it is time to look and the files changed.
func (c *Certificates) check() {
	now := time.Now().UnixNano()
	last := c.checked.Load()
	if now-last < int64(certificateCheck) || !c.checked.CompareAndSwap(last, now) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.stamps(); !slices.EqualFunc(s, c.seen, stamp.same) {
		c.reload(s)
	}
}

// Reload reads the files now, changed or not (SIGHUP).
func (c *Certificates) Reload() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reload(c.stamps())
}

// reload reads the files; s was taken before. The caller holds mu.
func (c *Certificates) reload(s []stamp) {
	c.seen = s
	config, err := c.read()
	if err != nil {
		c.log.Error("TLS certificates not reloaded: those before stay in use", "err", err)
		return
	}
	c.current.Store(config)
	c.log.Info("TLS certificates reloaded", "cert", c.files.Cert, "valid_until", config.Certificates[0].Leaf.NotAfter)
}

func (c *Certificates) stamps() []stamp {
	var all []stamp
	for _, file := range []string{c.files.Cert, c.files.Key, c.files.ClientCA} {
		info, err := os.Stat(file)
		if err != nil {
			all = append(all, stamp{})
			continue
		}
		all = append(all, stamp{info.Size(), info.ModTime(), info})
	}
	return all
}

func (s stamp) same(o stamp) bool {
	if s.info == nil || o.info == nil {
		return s.info == nil && o.info == nil
	}
	return s.size == o.size && s.modified.Equal(o.modified) && os.SameFile(s.info, o.info)
}

func (c *Certificates) read() (*tls.Config, error) {
	cert, err := readPEM(c.files.Cert)
	if err != nil {
		return nil, fmt.Errorf("TLS certificate: %w", err)
	}
	key, err := readPEM(c.files.Key)
	if err != nil {
		return nil, fmt.Errorf("TLS key: %w", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("TLS certificate %s with key %s: %w", c.files.Cert, c.files.Key, err)
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair},
		DynamicRecordSizingDisabled: true, // small first records are for browsers; here each is a system call
	}
	if c.files.ClientCA != "" {
		text, err := readPEM(c.files.ClientCA)
		if err != nil {
			return nil, fmt.Errorf("TLS client CA: %w", err)
		}
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("TLS client CA %s: no certificate in PEM in it", c.files.ClientCA)
		}
		config.ClientAuth = tls.VerifyClientCertIfGiven
	}
	return config, nil
}

func readPEM(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxPEM {
		return nil, errors.New(file + " is too large for a PEM file")
	}
	return os.ReadFile(file)
}
