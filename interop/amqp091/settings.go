package amqp091

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/translate"
)

// Defaults of a section's keys.
const (
	defaultExchange = "ems.topic"
	defaultType     = amqp.QueueTypeQuorum
	defaultLease    = 600 // seconds
)

// settings are a section of transports.conf, read.
type settings struct {
	name, server string
	urls         []string
	secrets      []string // what errors must not show
	user         string   // of the keys; "" the URL's
	password     string
	tls          *tls.Config
	certified    bool // there is a certificate to log in with

	prefix    string
	exchange  string
	queueType string
	prefetch  int
	lease     int // seconds that an unused reply queue is kept
	owner     string
	encoding  translate.Encoding
	options   translate.Options
}

// parse reads a section. Errors name the key and say how to mend it.
func parse(s interop.Settings) (*settings, error) {
	c := &settings{
		name: s.Name, server: s.Server, user: s.Get("username", ""), password: s.Get("password", ""),
		prefix: s.Get("subject_prefix", ""), exchange: s.Get("exchange", defaultExchange), queueType: s.Get("queue_type", defaultType),
		owner: s.Get("cm_name", s.Server+"."+s.Name), options: translate.DefaultOptions(),
	}
	for _, u := range strings.Split(s.Get("url", ""), ",") {
		if u = strings.TrimSpace(u); u != "" {
			c.urls = append(c.urls, u)
		}
	}
	var err error
	if err = c.checkURLs(&s); err != nil {
		return nil, err
	}
	if c.encoding, err = translate.ParseEncoding(s.Get("encoding", "")); err != nil {
		return nil, err
	}
	if len(c.exchange) > maxShort {
		return nil, fmt.Errorf("exchange: the name has %d bytes, and AMQP 0-9-1 allows %d", len(c.exchange), maxShort)
	}
	if c.queueType != amqp.QueueTypeClassic && c.queueType != amqp.QueueTypeQuorum {
		return nil, fmt.Errorf("queue_type: %q is none: write classic or quorum", c.queueType)
	}
	if c.prefetch, err = s.Int("prefetch", interop.DefaultPrefetch, 1, interop.MaxPrefetch); err != nil {
		return nil, err
	}
	if c.lease, err = s.Int("temp_destination_timeout", defaultLease, 1, 1<<22); err != nil {
		return nil, err
	}
	if c.options.ExportHeaders, err = s.Bool("export_headers", true); err != nil {
		return nil, err
	}
	c.options.ExportProperties, err = s.Bool("export_properties", true)
	return c, err
}

func (c *settings) checkURLs(s *interop.Settings) error {
	if len(c.urls) == 0 {
		return fmt.Errorf("url: it is missing: write url = amqp://HOST:5672/VHOST")
	}
	for i, u := range c.urls {
		parsed, err := url.Parse(u)
		if err != nil { // its text may have a password
			return fmt.Errorf("url: the URL number %d cannot be read: write amqp://USER:PASSWORD@HOST:5672/VHOST, with %%XX for characters that URLs reserve", i+1)
		}
		if parsed.User != nil {
			if p, ok := parsed.User.Password(); ok && p != "" {
				c.secrets = append(c.secrets, p)
			}
		}
		if _, err := amqp.ParseURI(u); err != nil {
			return fmt.Errorf("url: %s: %w: write amqp://HOST:5672/VHOST, or amqps:// for TLS", parsed.Redacted(), err)
		}
		if parsed.Scheme == "amqps" && c.tls == nil {
			if c.tls, c.certified, err = s.TLS(); err != nil {
				return err
			}
		}
	}
	return nil
}
