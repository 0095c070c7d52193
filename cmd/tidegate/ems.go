package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/viper"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/property"
	"github.com/tidegate/tidegate/core/server"
)

// emsSet says whether --config names an EMS configuration: its directory, or its main
// file, whatever that is called. The .yaml is tidegate's own.
func emsSet(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext != ".yaml" && ext != ".yml"
}

// readSet reads an EMS configuration, tells what is to be said about it once, and
// stops at what startup_abort_list names.
func readSet(path string, o config.Options, trace *traceLog, log *slog.Logger) (*config.Config, error) {
	c, err := loadSet(path, o)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	trace.apply(c) // its own log has what is said about it
	for _, f := range c.Findings {
		if f.Severity == config.Error {
			log.Error("configuration: it does not count", "finding", f.String())
		} else {
			log.Warn("configuration", "finding", f.String())
		}
	}
	if fatal := c.Fatal(); len(fatal) > 0 {
		var all []error
		for _, f := range fatal {
			all = append(all, errors.New(f.String()))
		}
		return nil, fmt.Errorf("startup_abort_list=%s: %w", c.Param("startup_abort_list"), errors.Join(all...))
	}
	return c, nil
}

// openSet reads the EMS configuration at path and has it stand behind the settings; no
// path: there is none.
func openSet(v *viper.Viper, path, rendezvous string, trace *traceLog, log *slog.Logger) (*config.Config, map[string]core.Need, error) {
	if path == "" {
		return nil, nil, nil
	}
	c, err := readSet(path, config.Options{Secondary: v.GetBool("secondary"), RendezvousURL: rendezvous}, trace, log)
	if err != nil {
		return nil, nil, err
	}
	if err := fromSet(v, c, log); err != nil {
		return nil, nil, err
	}
	return c, storeModes(v, c, log), nil
}

// brokerFromSet is what a set says of the broker itself.
func brokerFromSet(o *server.Options, c *config.Config) {
	if n := c.Param("server"); n != "" {
		o.Name = n
	}
	if n, ok := property.ParseSize(c.Param("max_msg_field_print_size")); ok {
		o.FieldPrint = int(n)
	}
	if n, ok := property.ParseSize(c.Param("max_msg_print_size")); ok {
		o.Print = int(n)
	}
	if n, ok := property.ParseSize(c.Param("max_msg_memory")); ok && n > 0 && !c.Bool("msg_swapping") {
		o.MaxHeld, o.RefuseHeld = n, true
	}
}

// fromSet has the parameters of an EMS configuration stand where tidegate's own
// settings do. What a flag, the environment or tidegate.yaml says goes over them,
// and is told.
func fromSet(v *viper.Viper, c *config.Config, log *slog.Logger) error {
	s := setting{v: v, c: c, log: log}
	s.put("npsend-check-mode", "npsend_check_mode", cmp.Or(c.Param("npsend_check_mode"), "default"))
	s.seconds("login-timeout", "handshake_timeout", 1)
	// The server drops a client that was silent for twice what it tells it.
	s.seconds("idle-timeout", "server_timeout_client_connection", 2)
	s.bytes("max-message-size", "max_client_msg_size")
	s.number("max-connections", "max_connections")
	if n, ok := property.ParseSize(c.Param("max_msg_memory")); ok && n > 0 {
		s.put("memory", "max_msg_memory", strconv.FormatInt(max(min(n, math.MaxInt64/contentsShare)*contentsShare, minMemory), 10))
	}
	s.listens()
	s.certificates()
	s.data()
	return s.err
}

// setting is one parameter on its way to be a setting of tidegate's.
type setting struct {
	v   *viper.Viper
	c   *config.Config
	log *slog.Logger
	err error
}

// put sets what nobody else has; parameter is what the set calls it.
func (s *setting) put(name, parameter string, value any) {
	if !s.v.IsSet(name) {
		s.v.SetDefault(name, value)
		return
	}
	if s.c.IsSet(parameter) {
		s.log.Info("a setting goes over the configuration", "setting", "--"+name, "value", s.v.Get(name), "parameter", parameter, "there", s.c.Param(parameter))
	}
}

func (s *setting) seconds(name, parameter string, share time.Duration) {
	if ms, ok := property.ParsePeriod(s.c.Param(parameter)); s.c.IsSet(parameter) && ok && ms > 0 {
		s.put(name, parameter, max(time.Duration(ms)*time.Millisecond/share, time.Second))
	}
}

func (s *setting) bytes(name, parameter string) {
	if n, ok := property.ParseSize(s.c.Param(parameter)); s.c.IsSet(parameter) && ok && n > 0 {
		s.put(name, parameter, strconv.FormatInt(n, 10))
	}
}

func (s *setting) number(name, parameter string) {
	if n, err := strconv.Atoi(s.c.Param(parameter)); s.c.IsSet(parameter) && err == nil && n > 0 {
		s.put(name, parameter, n)
	}
}

// errNoListener: the set says where to listen, and none of it can be done. The default
// would be open to other machines, where the set may have said it should not be.
var errNoListener = errors.New("no listener is left: mend a listen line of the configuration " +
	"(an ssl:// one needs ssl_server_identity and ssl_server_key files that can be read), or give --listen URL")

// listens opens AMQP 1.0 where EMS would open its own protocol: `tcp://7222` is
// amqp://:7222, `ssl://` amqps://.
func (s *setting) listens() {
	var urls []string
	for _, text := range s.c.ParamAll("listen") {
		e, message := config.ParseListen(text)
		if message != "" {
			continue // a finding says so
		}
		scheme := "amqp"
		if e.Secure {
			scheme = "amqps"
			if s.c.Param("ssl_server_identity") == "" && s.v.GetString("tls-cert") == "" {
				s.log.Warn("a TLS listener without a certificate is not opened: set ssl_server_identity", "listen", text)
				continue
			}
		}
		urls = append(urls, scheme+"://"+net.JoinHostPort(e.Host, strconv.Itoa(e.Port)))
	}
	if len(urls) == 0 {
		if s.c.Mentions("listen") && !s.v.IsSet("listen") {
			s.err = errNoListener
			return
		}
		urls = []string{"amqp://:" + strconv.Itoa(config.DefaultPort)}
	}
	s.put("listen", "listen", urls)
}

// certificates are those of the ssl:// listeners. One that cannot be used costs the
// listeners that need it, unless startup_abort_list names SSL, which the findings see to.
func (s *setting) certificates() {
	identity := s.c.Param("ssl_server_identity")
	if identity == "" || !s.secureListener() {
		return
	}
	key := cmp.Or(s.c.Param("ssl_server_key"), identity)
	cert, keyFile := s.c.Path(identity), s.c.Path(key)
	for _, file := range []string{cert, keyFile} {
		if _, err := os.Stat(file); err != nil {
			s.log.Warn("the certificate of the ssl:// listeners cannot be read: they are not opened", "file", file, "err", err)
			s.dropSecure()
			return
		}
	}
	s.put("tls-cert", "ssl_server_identity", cert)
	s.put("tls-key", "ssl_server_key", keyFile)
	if trusted := s.c.ParamAll("ssl_server_trusted"); len(trusted) > 0 && s.c.Bool("ssl_use_cert_username") {
		if len(trusted) > 1 {
			s.log.Warn("only the first file of ssl_server_trusted is read: put all roots into one PEM file", "file", trusted[0])
		}
		s.put("tls-client-ca", "ssl_server_trusted", s.c.Path(trusted[0]))
	}
}

func (s *setting) secureListener() bool {
	for _, u := range s.v.GetStringSlice("listen") {
		if strings.HasPrefix(u, "amqps:") {
			return true
		}
	}
	return false
}

func (s *setting) dropSecure() {
	if s.v.IsSet("tls-cert") {
		return
	}
	var plain []string
	for _, u := range s.v.GetStringSlice("listen") {
		if !strings.HasPrefix(u, "amqps:") {
			plain = append(plain, u)
		}
	}
	if len(plain) == 0 {
		s.err = errNoListener
	}
	s.v.SetDefault("listen", plain)
}

// data is where the log lies: `store`, if that can be a directory of this system.
func (s *setting) data() {
	store := cmp.Or(s.c.Param("store"), "datastore")
	if s.v.IsSet("data") {
		s.put("data", "store", nil)
		return
	}
	if config.Foreign(store) {
		s.log.Warn("store is a path of Windows: messages are kept in --data", "store", store, "data", s.v.GetString("data"))
		return
	}
	dir := s.c.Path(store)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		s.log.Warn("store cannot be used: messages are kept in --data", "store", dir, "err", err, "data", s.v.GetString("data"))
		return
	}
	s.v.SetDefault("data", dir)
}

// storeModes says what a persistent message waits for in each store (ems 12.1), unless
// --durability goes over all of them.
func storeModes(v *viper.Viper, c *config.Config, log *slog.Logger) map[string]core.Need {
	if v.IsSet("durability") {
		log.Info("a setting goes over the configuration", "setting", "--durability", "value", v.GetString("durability"), "parameter", "mode of every store")
		return nil
	}
	modes := map[string]core.Need{}
	for _, n := range c.StoreNames() {
		modes[n] = core.Write
		if c.SyncStore(n) {
			modes[n] = core.Sync
		}
	}
	return modes
}
