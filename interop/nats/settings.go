package nats

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/translate"
)

// maxServers bounds url: they are tried one after the other in one try to connect.
const maxServers = 32

// settings are a transport's, read.
type settings struct {
	name, gateway string
	log           *slog.Logger

	servers  []string
	embedded *Embedded // nil: servers
	login    []nats.Option
	tls      *tls.Config // nil: as the servers ask for it
	noEcho   bool

	names    names
	group    string // queue_group
	encoding translate.Encoding
	options  translate.Options
	prefetch int

	certified certifiedSettings
}

// certifiedSettings are those that natsjs has besides.
type certifiedSettings struct {
	stream       string
	cmName       string
	ttl          time.Duration // default_ttl; 0: messages stay until all listeners have them
	requestOld   bool
	explicitOnly bool
	oneByOne     bool // sync_ledger
}

func read(s interop.Settings) (*settings, error) {
	c := &settings{name: s.Name, gateway: s.Gateway, log: s.Log, group: s.Get("queue_group", "")}
	var err error
	if err = c.readServers(&s); err != nil {
		return nil, err
	}
	if c.login, err = login(&s); err != nil {
		return nil, err
	}
	if c.tls, err = tlsOf(&s); err != nil {
		return nil, err
	}
	if c.names, err = newNames(s.Get("subject_prefix", "")); err != nil {
		return nil, err
	}
	if strings.ContainsAny(c.group, " \t\r\n") {
		return nil, fmt.Errorf("queue_group %q: NATS takes no spaces in it", c.group)
	}
	if c.encoding, err = translate.ParseEncoding(s.Get("encoding", "")); err != nil {
		return nil, err
	}
	c.options = translate.DefaultOptions()
	if c.options.ExportHeaders, err = s.Bool("export_headers", true); err != nil {
		return nil, err
	}
	if c.options.ExportProperties, err = s.Bool("export_properties", true); err != nil {
		return nil, err
	}
	if c.noEcho, err = s.Bool("no_echo", c.encoding == translate.Raw); err != nil {
		return nil, err
	}
	if c.prefetch, err = s.Int("prefetch", interop.DefaultPrefetch, 1, interop.MaxPrefetch); err != nil {
		return nil, err
	}
	return c, c.readCertified(&s)
}

func (c *settings) readCertified(s *interop.Settings) error {
	k := &c.certified
	k.stream = s.Get("stream", "EMS_EXPORT")
	if k.stream != legal(k.stream) {
		return fmt.Errorf("stream %q: the name of a stream has no spaces, dots, wildcards and slashes: write %s", k.stream, legal(k.stream))
	}
	k.cmName = s.Get("cm_name", s.Server+":"+s.Name)
	seconds, err := s.Int("default_ttl", 0, 0, 1<<30)
	if err != nil {
		return err
	}
	k.ttl = time.Duration(seconds) * time.Second
	if k.requestOld, err = s.Bool("request_old", true); err != nil {
		return err
	}
	if k.explicitOnly, err = s.Bool("explicit_config_only", false); err != nil {
		return err
	}
	k.oneByOne, err = s.Bool("sync_ledger", false)
	return err
}

// readServers reads url: a list, or the server in this process.
func (c *settings) readServers(s *interop.Settings) error {
	text := s.Get("url", "")
	if text == "" {
		return errors.New("url is missing: write url = nats://HOST:4222 (several with commas between), or url = embedded for the NATS server in this process")
	}
	if text == "embedded" {
		e, _ := s.Shared[SharedName].(*Embedded)
		if e == nil {
			return errors.New("url = embedded: this process has no NATS server; write url = nats://HOST:4222")
		}
		c.embedded = e
		return nil
	}
	for one := range strings.SplitSeq(text, ",") {
		one = strings.TrimSpace(one)
		if one == "" {
			continue
		}
		if !strings.Contains(one, "://") {
			one = "nats://" + one
		}
		u, err := url.Parse(one)
		if err != nil {
			return fmt.Errorf("url %q: %w", one, err)
		}
		switch u.Scheme {
		case "nats", "tls", "ws", "wss":
		default:
			return fmt.Errorf("url %s: %s is no scheme of NATS: write nats://, tls://, ws:// or wss://", u.Redacted(), u.Scheme)
		}
		if u.Hostname() == "" {
			return fmt.Errorf("url %s: it names no host", u.Redacted())
		}
		c.servers = append(c.servers, one)
	}
	if len(c.servers) == 0 || len(c.servers) > maxServers {
		return fmt.Errorf("url lists %d servers: write one to %d", len(c.servers), maxServers)
	}
	return nil
}

// login reads credentials: a file (of NATS's credentials, or an nkey's seed), a seed
// itself, or user/password.
func login(s *interop.Settings) ([]nats.Option, error) {
	if user := s.Get("username", ""); user != "" {
		return []nats.Option{nats.UserInfo(user, s.Get("password", ""))}, nil
	}
	text := s.Get("credentials", "")
	if text == "" {
		return nil, nil
	}
	if seed := []byte(text); strings.HasPrefix(text, "SU") {
		if o, err := nkey(seed); err == nil {
			return []nats.Option{o}, nil
		}
	}
	data, err := os.ReadFile(text)
	if err == nil {
		if strings.Contains(string(data), "BEGIN NATS USER JWT") {
			return []nats.Option{nats.UserCredentials(text)}, nil
		}
		o, err := nats.NkeyOptionFromSeed(text)
		if err != nil {
			return nil, fmt.Errorf("credentials %s: the file has neither NATS credentials nor an nkey seed: %w", text, err)
		}
		return []nats.Option{o}, nil
	}
	if user, password, ok := strings.Cut(text, "/"); ok && user != "" && !strings.Contains(password, "/") {
		return []nats.Option{nats.UserInfo(user, password)}, nil
	}
	return nil, fmt.Errorf("credentials: write a file of NATS credentials or with an nkey seed, a seed (SU...), or USER/PASSWORD: %w", err)
}

func nkey(seed []byte) (nats.Option, error) {
	pair, err := nkeys.FromSeed(seed)
	if err != nil {
		return nil, err
	}
	public, err := pair.PublicKey()
	if err != nil {
		return nil, err
	}
	return nats.Nkey(public, pair.Sign), nil
}

// tlsOf gives what ssl_* keys ask for; nil: there are none, and the URL decides.
func tlsOf(s *interop.Settings) (*tls.Config, error) {
	for k, v := range s.Keys {
		if strings.HasPrefix(k, "ssl_") && v != "" {
			c, _, err := s.TLS()
			return c, err
		}
	}
	return nil, nil
}
