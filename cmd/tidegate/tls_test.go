package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// TestListen: passwords that can come in clear text are warned of, once for each
// listener where they can; amqps:// without a certificate is refused.
func TestListen(t *testing.T) {
	tests := map[string]struct {
		urls              []string
		secure, passwords bool
		warnings          int
		refused           string
	}{
		"loopback":                {[]string{"amqp://127.0.0.1:0"}, false, true, 0, ""},
		"everywhere":              {[]string{"amqp://0.0.0.0:0"}, false, true, 1, ""},
		"everywhere, no users":    {[]string{"amqp://0.0.0.0:0"}, false, false, 0, ""},
		"everywhere, TLS too":     {[]string{"amqp://0.0.0.0:0"}, true, true, 1, ""},
		"everywhere, TLS only":    {[]string{"amqps://0.0.0.0:0"}, true, true, 0, ""},
		"both":                    {[]string{"amqps://0.0.0.0:0", "amqp://0.0.0.0:0", "amqp://127.0.0.1:0"}, true, true, 1, ""},
		"TLS, no certificate":     {[]string{"amqps://127.0.0.1:0"}, false, false, 0, "--tls-cert"},
		"another protocol":        {[]string{"http://127.0.0.1:0"}, false, false, 0, "amqp://HOST:PORT"},
		"the second is no better": {[]string{"amqp://127.0.0.1:0", "amqp://"}, false, false, 0, "amqp://HOST:PORT"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			listeners, err := listen(test.urls, test.secure, test.passwords, slog.New(slog.NewTextHandler(&log, nil)))
			for _, l := range listeners {
				_ = l.Close()
			}
			if test.refused != "" {
				if err == nil || !strings.Contains(err.Error(), test.refused) {
					t.Errorf("%v, want %q in it", err, test.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(log.String(), "clear text"); n != test.warnings {
				t.Errorf("%d warnings, want %d:\n%s", n, test.warnings, &log)
			}
		})
	}
}

// TestTLSFlags: what the client commands cannot use is said by the flag's name.
func TestTLSFlags(t *testing.T) {
	if c, err := (&tlsFlags{}).config(); c != nil || err != nil {
		t.Errorf("without flags: %v, %v", c, err)
	}
	for want, flags := range map[string]tlsFlags{
		"exclude each other": {ca: "x", insecure: true},
		"--tls-ca":           {ca: "/no/such/file"},
		"no certificate":     {ca: "tls_test.go"},
		"go together":        {cert: "x"},
		"--tls-cert":         {cert: "/no/such/file", key: "/no/such/file"},
	} {
		if _, err := flags.config(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q in it", flags, err, want)
		}
	}
}
