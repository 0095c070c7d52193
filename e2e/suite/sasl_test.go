package suite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// users writes a users file with one user, as an operator does.
func users(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "users.conf")
	r := harness.Tool(t, "s3cret\n", "passwd", file, "alice")
	if r.Code != 0 {
		t.Fatalf("passwd: exit code %d\n%s", r.Code, r.Stderr)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "s3cret") {
		t.Fatal("the password stands in the file")
	}
	return file
}

// credentials of the user above.
func credentials(password string) harness.Fields {
	return harness.Fields{"user": "alice", "password": password}
}

// TestUsers: with a users file the right password is let in over every mechanism
// that the library has, and a wrong one or none is not.
func TestUsers(t *testing.T) {
	s := harness.Start(t, "--users", users(t))
	mechanisms := map[string]string{"PLAIN": "sasl-plain", "SCRAM-SHA-256": "sasl-scram", "SCRAM-SHA-512": "sasl-scram"}
	for mechanism, needs := range mechanisms {
		t.Run(mechanism, func(t *testing.T) {
			each(t, []string{needs}, func(t *testing.T, c *harness.Client) {
				sasl := harness.Fields{"sasl": mechanism}
				queue := mechanism + "." + c.Name
				send(t, c, s, queue, sasl, credentials("s3cret"), harness.Fields{"count": 10})
				inOrder(t, receive(t, c, s, queue, 10, sasl, credentials("s3cret")), c.Name, 1, 64)
				for _, password := range []string{"wrong", ""} {
					refused(t, c, with(sasl, credentials(password), harness.Fields{"url": s.URL}))
				}
			})
		})
	}
	t.Run("ANONYMOUS", func(t *testing.T) {
		each(t, []string{"anonymous"}, func(t *testing.T, c *harness.Client) { refused(t, c, harness.Fields{"url": s.URL}) })
	})
}

// refused wants no connection, and the library to say that the credentials
// were why.
func refused(t *testing.T, c *harness.Client, f harness.Fields) {
	t.Helper()
	e := c.Do(t, with(harness.Fields{"cmd": "connect", "timeout_ms": 30_000}, f)).Error(t)
	text := strings.ToLower(e.Error + " " + e.Condition)
	for _, word := range []string{"auth", "sasl", "credential", "mech"} {
		if strings.Contains(text, word) {
			return
		}
	}
	t.Errorf("refused, but for another reason: %s %s", e.Condition, e.Error)
}

// TestAnonymousBesideUsers: --anonymous lets those in who do not say who they are.
func TestAnonymousBesideUsers(t *testing.T) {
	s := harness.Start(t, "--users", users(t), "--anonymous")
	each(t, []string{"anonymous"}, func(t *testing.T, c *harness.Client) {
		send(t, c, s, "anonymous."+c.Name, harness.Fields{"count": 1})
		refused(t, c, with(credentials("wrong"), harness.Fields{"url": s.URL}))
	})
}

// TestAnyCredentials: without users authorization is off, and any credentials
// are taken.
func TestAnyCredentials(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"sasl-plain"}, func(t *testing.T, c *harness.Client) {
		send(t, c, s, "any."+c.Name, credentials("whatever"), harness.Fields{"count": 1})
		send(t, c, s, "any."+c.Name, harness.Fields{"count": 1})
	})
}
