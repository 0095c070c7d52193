package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tidegate/tidegate/amqp/sasl"
	"github.com/tidegate/tidegate/core/auth"
)

// saltSize is the salt of a verifier in bytes.
const saltSize = 16

// userTable is the users who may log in, read once at start.
type userTable map[string]sasl.Verifier

// Lookup is sasl.Users.
func (u userTable) Lookup(name string) (sasl.Verifier, bool) { v, ok := u[name]; return v, ok }

func loadUsers(file string, log *slog.Logger) (userTable, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--users: %w", err)
	}
	parsed, err := auth.ParseUsers(text)
	if err != nil {
		return nil, fmt.Errorf("--users %s: %w", file, err)
	}
	table := userTable{}
	for _, u := range parsed.Users() {
		switch u.Scheme() {
		case "": // clear text, or none
			table[u.Name] = sasl.NewVerifier(u.Password, salt(), sasl.DefaultIterations)
		case "tg1":
			v, err := sasl.ParseVerifier(u.Password)
			if err != nil {
				return nil, fmt.Errorf("--users %s: line %d: user %s: %w; write it anew with tidegate passwd", file, u.Line, u.Name, err)
			}
			table[u.Name] = v
		default:
			log.Warn("a user cannot log in: the password is a hash of another program; set it with tidegate passwd", "file", file, "line", u.Line, "user", u.Name)
		}
	}
	return table, nil
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
	users, err := auth.ParseUsers(text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	password, err := readPassword(cmd)
	if err != nil {
		return err
	}
	if err := users.Set(user, sasl.NewVerifier(password, salt(), sasl.DefaultIterations).Text()); err != nil {
		return err
	}
	return replaceFile(file, users.Bytes())
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

// replaceFile writes a file whole or not at all; only its owner may read it.
func replaceFile(file string, text []byte) error {
	next := file + ".new"
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return err
	}
	return os.Rename(next, file)
}
