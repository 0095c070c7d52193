package amqp10

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/tidegate/tidegate/interop"
)

// settings are what a transport is told, read.
type settings struct {
	urls           []string
	user, password string
	tls            *tls.Config
	prefix         string // before every name outside
	prefetch       int
	cmName         string // begins the names of durable subscriptions
	container      string
	azure          bool
}

// read reads the keys of a section. Errors name the key, and how to mend it.
func read(s *interop.Settings, azure bool) (*settings, error) {
	made := &settings{
		user: s.Get("username", ""), password: s.Get("password", ""), prefix: s.Get("subject_prefix", ""),
		cmName: s.Get("cm_name", s.Server+":"+s.Name), container: "tidegate-" + s.Gateway + "-" + s.Name, azure: azure,
	}
	var err error
	if made.prefetch, err = s.Int("prefetch", interop.DefaultPrefetch, 1, interop.MaxPrefetch); err != nil {
		return nil, err
	}
	if v := s.Get("encoding", "headers"); v != "headers" {
		return nil, fmt.Errorf("encoding=%s: messages go byte for byte by this transport: leave it out", v)
	}
	for u := range strings.SplitSeq(s.Get("url", ""), ",") {
		if u = strings.TrimSpace(u); u == "" {
			continue
		}
		if err := checkURL(u); err != nil {
			return nil, err
		}
		made.urls = append(made.urls, u)
	}
	if len(made.urls) == 0 {
		return nil, errors.New("url: " + form)
	}
	c, certified, err := s.TLS()
	if err != nil {
		return nil, err
	}
	made.tls = c
	if azure {
		return made, made.checkAzure()
	}
	if made.user == "" && !certified {
		made.tls.Certificates = nil
	}
	return made, nil
}

const form = "write amqp://[user:password@]HOST[:PORT] or amqps://, several with commas"

// checkURL looks at one URL. Its password is not to be seen in an error.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return errors.New("a URL of url cannot be read: " + form)
	}
	switch u.Scheme {
	case "amqp", "amqps", "ws", "wss":
	default:
		return fmt.Errorf("url=%s: %s", u.Redacted(), form)
	}
	if u.Hostname() == "" {
		return fmt.Errorf("url=%s: it names no host: %s", u.Redacted(), form)
	}
	return nil
}

// login is the user and password for a URL.
func (s *settings) login(u *url.URL) (user, password string) {
	if u.User != nil {
		password, _ = u.User.Password()
		return u.User.Username(), password
	}
	return s.user, s.password
}
