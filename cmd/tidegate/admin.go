package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// defaultServer is where the tool connects to (ems 10.1).
const defaultServer = "tcp://localhost:7222"

// adminOptions are those of EMS's tool (ems 10.1), with one dash or two.
type adminOptions struct {
	server, user, password, script string
	serverGiven, userGiven         bool
	hasPassword, ignore, json      bool
	mangle, help                   bool
	mangled                        string
	trusted                        []string
	identity, key, hostname        string
	noVerifyHost, noVerifyName     bool
	command                        []string
	passwordFile                   string
}

const adminUsage = `Administer a running server, as EMS's tool does.

Usage:
  tidegate admin [options] [COMMAND...]

Options (one dash or two):
  -server URL          tcp://HOST:PORT or ssl://HOST:PORT, several with commas
                       (default ` + defaultServer + `); amqp://, amqps:// and ws:// as well
  -user NAME           log in as NAME (default admin)
  -password PASSWORD   with this password; in TIDEGATE_PASSWORD nobody sees it
  -pwdfile FILE        or with the one in FILE
  -script FILE         do the commands in FILE, one a line, and show them
  -ignore              go on after a command that could not be done
  --json               print a line of JSON for each command
  -mangle [PASSWORD]   print a password as users.conf can have it
  -ssl_trusted FILE    trust the authorities in FILE; without one, any server
  -ssl_identity FILE   show the client certificate in FILE
  -ssl_key FILE        its key, if that is not in the same file
  -ssl_hostname NAME   the name in the server's certificate
  -ssl_noverifyhost    trust any certificate
  -ssl_noverifyhostname  take a certificate of another host
  -help                print this

Without COMMAND and -script it reads commands: from a terminal with history (up
and down), completion (tab) and help. Exits with 0 when all was done, with 1 when
a command failed, with 2 when there is no server or the command cannot be read.
`

func adminCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "admin [-server URL] [-user U] [-password P | -pwdfile F] [-script F] [-ignore] [--json] [COMMAND...]",
		Short: "Administer a running server",
		Long:  adminUsage, DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return administer(cmd.Context(), args, os.Stdin, cmd.OutOrStdout())
		},
	}
}

// ignoredAdminOptions are read for scripts' sake; the number of values is theirs.
var ignoredAdminOptions = map[string]int{
	"ssl_password": 1, "ssl_pwdfile": 1, "ssl_issuer": 1, "ssl_ciphers": 1, "ssl_trace": 0, "ssl_debug_trace": 0, "module_path": 1, "oauth2_access_token": 1,
}

func parseAdminOptions(args []string) (*adminOptions, error) {
	o := &adminOptions{server: defaultServer}
	texts := map[string]*string{
		"server": &o.server, "user": &o.user, "password": &o.password, "pwdfile": &o.passwordFile, "script": &o.script,
		"ssl_identity": &o.identity, "ssl_key": &o.key, "ssl_hostname": &o.hostname,
	}
	words := map[string]*bool{
		"ignore": &o.ignore, "json": &o.json, "help": &o.help, "h": &o.help,
		"ssl_noverifyhost": &o.noVerifyHost, "ssl_noverifyhostname": &o.noVerifyName,
	}
	for i := 0; i < len(args); i++ {
		if !strings.HasPrefix(args[i], "-") {
			o.command = args[i:]
			break
		}
		option := args[i]
		name, given, hasValue := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(option, "-"), "-"), "=")
		values, ignored := ignoredAdminOptions[name]
		if texts[name] != nil || name == "ssl_trusted" {
			values = 1
		}
		if values == 1 && !hasValue {
			if i++; i == len(args) {
				return nil, fmt.Errorf("%s has no value", option)
			}
			given = args[i]
		}
		switch {
		case texts[name] != nil:
			*texts[name] = given
			o.serverGiven = o.serverGiven || name == "server"
			o.userGiven = o.userGiven || name == "user"
			o.hasPassword = o.hasPassword || name == "password"
		case words[name] != nil:
			*words[name] = true
		case name == "ssl_trusted":
			o.trusted = append(o.trusted, given)
		case name == "mangle":
			o.mangle = true
			if i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
				i++
				o.mangled = args[i]
			}
		case !ignored:
			return nil, fmt.Errorf("%s is no option: tidegate admin -help lists them", option)
		}
	}
	return o, nil
}

// secret is the password to log in with: -password beats -pwdfile (ems 10.1).
func (o *adminOptions) secret() (string, error) {
	if o.hasPassword {
		return o.password, nil
	}
	return passwordIn(o.passwordFile)
}

// addresses are a server's URLs as our client knows them, with what they were.
func addresses(server string) (list [][2]string, err error) {
	for u := range strings.SplitSeq(server, ",") {
		u = strings.TrimSpace(u)
		scheme, rest, ok := strings.Cut(u, "://")
		if !ok {
			scheme, rest = "tcp", u
		}
		if !strings.ContainsAny(rest, ":@.[") && strings.Trim(rest, "0123456789") == "" && rest != "" {
			rest = net.JoinHostPort("localhost", rest) // tcp://7222
		}
		switch scheme {
		case "tcp":
			list = append(list, [2]string{"amqp://" + withPort(rest, "7222"), u})
		case "ssl", "tls":
			list = append(list, [2]string{"amqps://" + withPort(rest, "7243"), u})
		case "amqp", "amqps", "ws", "wss":
			list = append(list, [2]string{u, u})
		default:
			return nil, fmt.Errorf("%s: write tcp://HOST:PORT or ssl://HOST:PORT", u)
		}
	}
	return list, nil
}

func withPort(hostport, port string) string {
	if u, err := url.Parse("x://" + hostport); err == nil && u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), port)
	}
	return hostport
}

// tls is how a server is verified: without trusted authorities any is, as EMS's
// tool does (ems 6.7).
func (o *adminOptions) tls() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: o.hostname, InsecureSkipVerify: len(o.trusted) == 0 || o.noVerifyHost}
	if len(o.trusted) > 0 {
		var err error
		if c.RootCAs, err = authorities("-ssl_trusted", o.trusted...); err != nil {
			return nil, err
		}
	}
	if o.noVerifyName && !c.InsecureSkipVerify {
		roots := c.RootCAs
		c.InsecureSkipVerify = true
		c.VerifyConnection = func(s tls.ConnectionState) error {
			middle := x509.NewCertPool()
			for _, cert := range s.PeerCertificates[1:] {
				middle.AddCert(cert)
			}
			_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: middle})
			return err
		}
	}
	if o.identity != "" {
		pair, err := tls.LoadX509KeyPair(o.identity, cmp.Or(o.key, o.identity))
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

func administer(ctx context.Context, args []string, in *os.File, out io.Writer) error {
	o, err := parseAdminOptions(args)
	if err != nil {
		return err
	}
	switch {
	case o.help:
		fmt.Fprint(out, adminUsage)
		return nil
	case o.mangle:
		fmt.Fprintln(out, hashed(o.mangled))
		return nil
	}
	s := newAdminSession(o, in, out)
	defer s.close()
	switch {
	case len(o.command) > 0:
		return s.once(ctx)
	case o.script != "":
		return s.script(ctx)
	}
	return s.interactive(ctx)
}
