package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tidegate/tidegate/amqp/sasl"
	"github.com/tidegate/tidegate/core/auth"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/config/disk"
	"github.com/tidegate/tidegate/persist/vfs"
)

// saltSize is the salt of a verifier in bytes.
const saltSize = 16

// accounts are users who may log in, by name.
type accounts map[string]*account

// account is one of them.
type account struct {
	why      string // the user cannot log in; "": can
	empty    bool   // the password is
	verifier func() sasl.Verifier
}

// newAccount reads the password field of a users.conf (docs/decisions/0077-passwords-of-users-conf.md).
func newAccount(field string) *account {
	switch scheme := auth.Scheme(field); scheme {
	case "": // clear text, or none; deriving takes milliseconds, and a file may have thousands
		return &account{empty: field == "", verifier: sync.OnceValue(func() sasl.Verifier {
			return sasl.NewVerifier(field, salt(), sasl.DefaultIterations)
		})}
	case ours:
		v, err := sasl.ParseVerifier(field)
		if err != nil {
			return &account{why: err.Error()}
		}
		return &account{verifier: func() sasl.Verifier { return v }}
	default:
		return &account{why: "the password is a hash of another program ($" + scheme + "$), which cannot be checked here; set it anew: set password"}
	}
}

// ours is the scheme of the hashes that are made here.
const ours = "tg1"

// loadUsers reads the file of --users.
func loadUsers(file string, log *slog.Logger) (accounts, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--users: %w", err)
	}
	parsed, err := parseUsers(file, text)
	if err != nil {
		return nil, fmt.Errorf("--users: %w", err)
	}
	all := accounts{}
	for _, u := range parsed.Objects(config.Users) {
		password := u.Get("password")
		a := newAccount(password)
		switch {
		case a.why != "" && auth.Scheme(password) == ours:
			return nil, fmt.Errorf("--users %s: line %d: user %s: %s; write it anew with tidegate passwd", file, u.At.Line, u.Name, a.why)
		case a.why != "":
			log.Warn("a user cannot log in: the password is a hash of another program; set it with tidegate passwd", "file", file, "line", u.At.Line, "user", u.Name)
		}
		all[u.Name] = a
	}
	return all, nil
}

// hashed is a password as users.conf has it.
func hashed(password string) string {
	return sasl.NewVerifier(password, salt(), sasl.DefaultIterations).Text()
}

// parseUsers reads a users.conf that stands alone: whoever names one means every
// line of it, so the first mistake is the error.
func parseUsers(file string, text []byte) (*config.Config, error) {
	c := config.LoadOne(config.Users, file, text)
	for _, f := range c.Findings {
		if f.Severity == config.Error {
			return nil, errors.New(f.String())
		}
	}
	return c, nil
}

func salt() []byte {
	b := make([]byte, saltSize)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

func passwdCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "passwd FILE USER",
		Short: "Set a user's password in a users.conf",
		Long: `Set a user's password in a users.conf, adding the user, and the file, where
they are missing. Asks for the password, or reads a line of standard input.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return passwd(cmd, args[0], args[1]) },
	}
}

func passwd(cmd *cobra.Command, file, user string) error {
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	users, err := parseUsers(file, text)
	if err != nil {
		return err
	}
	password, err := readPassword(cmd)
	if err != nil {
		return err
	}
	u, ok := users.Object(config.Users, user)
	if !ok {
		u = &config.Object{Class: config.Users, Name: user}
	}
	if err := users.Put(u.With("password", hashed(password))); err != nil {
		return err
	}
	if text == nil { // a new one is for its owner alone; one that is there keeps its permissions
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			return err
		}
	}
	return disk.Save(vfs.OS, users)
}

func readPassword(cmd *cobra.Command) (string, error) {
	if f, ok := cmd.InOrStdin().(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(cmd.ErrOrStderr(), "password: ")
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(cmd.ErrOrStderr())
		return string(b), err
	}
	var line []byte
	b := make([]byte, 1)
	for {
		n, err := cmd.InOrStdin().Read(b)
		if n == 0 || b[0] == '\n' {
			if err != nil && len(line) == 0 {
				return "", errors.New("no password on standard input")
			}
			return strings.TrimSuffix(string(line), "\r"), nil
		}
		line = append(line, b[0])
	}
}
