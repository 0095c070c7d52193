package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/amqp/jms"
	"github.com/tidegate/tidegate/amqp/wire"
)

// target is what send, receive and browse talk to.
type target struct {
	url          string
	passwordFile string
	queue, topic string
	tls          tlsFlags
}

func (t *target) flags(cmd *cobra.Command, topics bool) {
	f := cmd.Flags()
	f.StringVar(&t.url, "url", "amqp://127.0.0.1:5672", "the server: amqp://[USER[:PASSWORD]@]HOST:PORT, amqps://, ws:// or wss://; the password can come from TIDEGATE_PASSWORD")
	t.tls.flags(f)
	f.StringVar(&t.passwordFile, "password-file", "", "read the password from `FILE`")
	f.StringVar(&t.queue, "queue", "", "the queue's `NAME`")
	if topics {
		f.StringVar(&t.topic, "topic", "", "the topic's `NAME`")
	}
}

func (t *target) destination() (address string, capabilities []wire.Symbol, err error) {
	switch {
	case t.queue != "" && t.topic != "":
		return "", nil, errors.New("--queue and --topic exclude each other")
	case t.queue != "":
		return t.queue, []wire.Symbol{jms.CapabilityQueue}, nil
	case t.topic != "":
		return t.topic, []wire.Symbol{jms.CapabilityTopic}, nil
	}
	return "", nil, errors.New("name a destination: --queue NAME or --topic NAME")
}

func (t *target) dial(ctx context.Context, maxMessage uint64) (*client.Conn, error) {
	o := client.Options{MaxMessageSize: maxMessage}
	var err error
	if o.Password, err = passwordIn(t.passwordFile); err != nil {
		return nil, err
	}
	if o.TLS, err = t.tls.config(); err != nil {
		return nil, err
	}
	c, err := client.Dial(ctx, t.url, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", redacted(t.url), err)
	}
	return c, nil
}

// passwordIn is the password in a file; without one, that in TIDEGATE_PASSWORD.
func passwordIn(file string) (string, error) {
	if file == "" {
		return os.Getenv("TIDEGATE_PASSWORD"), nil
	}
	b, err := os.ReadFile(file)
	return strings.TrimRight(string(b), "\r\n"), err
}

// redacted is a URL without its password.
func redacted(u string) string {
	p, err := url.Parse(u)
	if err != nil {
		return "the URL"
	}
	return p.Redacted()
}
