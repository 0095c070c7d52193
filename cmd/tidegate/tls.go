package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	amqpserver "github.com/tidegate/tidegate/amqp/server"
)

// certificates reads the server's, where they are named; nil: no TLS.
func certificates(v *viper.Viper, log *slog.Logger) (*amqpserver.Certificates, error) {
	files := amqpserver.CertificateFiles{
		Cert: v.GetString("tls-cert"), Key: v.GetString("tls-key"), ClientCA: v.GetString("tls-client-ca"),
	}
	switch {
	case files == amqpserver.CertificateFiles{}:
		return nil, nil
	case files.Cert == "" || files.Key == "":
		return nil, errors.New("TLS needs both --tls-cert and --tls-key")
	}
	return amqpserver.NewCertificates(files, log)
}

// listen opens the listeners, and warns of passwords in clear text.
func listen(urls []string, secure, passwords bool, log *slog.Logger) (listeners []*amqpserver.Listener, err error) {
	defer func() {
		if err != nil {
			for _, l := range listeners {
				_ = l.Close()
			}
		}
	}()
	for _, u := range urls {
		l, err := amqpserver.Listen(u)
		if errors.Is(err, syscall.EADDRINUSE) {
			return listeners, fmt.Errorf("%w: a program listens there already: end it, or choose another port (--listen, or listen in tibemsd.conf)", err)
		}
		if err != nil {
			return listeners, err
		}
		listeners = append(listeners, l)
		if l.Secure && !secure {
			return listeners, fmt.Errorf("listen %q: an amqps:// listener needs --tls-cert and --tls-key", u)
		}
		if passwords && !l.Secure && !local(l) {
			log.Warn("passwords can come in clear text: PLAIN without TLS on an address that is not loopback; amqps:// refuses plain text",
				"listen", l.URL())
		}
	}
	return listeners, nil
}

// local says whether only this machine can connect.
func local(l *amqpserver.Listener) bool {
	a, ok := l.Addr().(*net.TCPAddr)
	return !ok || a.IP.IsLoopback()
}

// tlsFlags are a client command's.
type tlsFlags struct {
	ca, cert, key string
	insecure      bool
}

func (t *tlsFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&t.ca, "tls-ca", "", "trust the authorities in `FILE` (PEM) instead of the system's")
	f.BoolVar(&t.insecure, "tls-insecure", false, "trust any server: no protection against one that pretends")
	f.StringVar(&t.cert, "tls-cert", "", "show the client certificate in `FILE` (PEM); without a user it logs in (SASL EXTERNAL)")
	f.StringVar(&t.key, "tls-key", "", "the client certificate's key in `FILE` (PEM)")
}

// authorities reads the certificates to trust; option is what names their files.
func authorities(option string, files ...string) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", option, err)
		}
		if !pool.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s %s: there is no certificate in it (PEM)", option, f)
		}
	}
	return pool, nil
}

func (t *tlsFlags) config() (*tls.Config, error) {
	if *t == (tlsFlags{}) {
		return nil, nil
	}
	if t.insecure && t.ca != "" {
		return nil, errors.New("--tls-ca and --tls-insecure exclude each other")
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: t.insecure}
	if t.ca != "" {
		var err error
		if c.RootCAs, err = authorities("--tls-ca", t.ca); err != nil {
			return nil, err
		}
	}
	if (t.cert == "") != (t.key == "") {
		return nil, errors.New("--tls-cert and --tls-key go together")
	}
	if t.cert != "" {
		pair, err := tls.LoadX509KeyPair(t.cert, t.key)
		if err != nil {
			return nil, fmt.Errorf("--tls-cert: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
