package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOneUsersFile reads users.conf by itself, with all that real ones have.
func TestOneUsersFile(t *testing.T) {
	const file = byteOrderMark + "# users\r\n" +
		"admin:$tg1$10000$abc:\"Administrator\"\r\n" +
		"\t # indented comment\r\n" +
		"\r\n" +
		" testuser :whatever:\"\"  \r\n" +
		"empty::\r\n" +
		"short:pw \r\n" +
		"plain:p w:no quotes\r\n" +
		"mangled:$man$xyz:"
	c := LoadOne(Users, "u.conf", []byte(file))
	type user struct {
		name, password, description string
		line                        int
	}
	var got []user
	for _, o := range c.Objects(Users) {
		got = append(got, user{o.Name, o.Get("password"), o.Get("description"), o.At.Line})
	}
	want := []user{
		{"admin", "$tg1$10000$abc", "Administrator", 2},
		{"testuser", "whatever", "", 5},
		{"empty", "", "", 6},
		{"short", "pw", "", 7},
		{"plain", "p w", "no quotes", 8},
		{"mangled", "$man$xyz", "", 9},
	}
	if got[2].password != "" || len(c.Findings) > 0 {
		t.Error(c.Findings)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
	if text, _ := c.Text("u.conf"); string(text) != file {
		t.Error(cmp.Diff(file, string(text)))
	}
	if _, ok := c.Object(Users, "nobody"); ok {
		t.Error("found a user that is not there")
	}
	if _, ok := c.Object(Groups, "admin"); ok || c.Objects(Groups) != nil {
		t.Error("found a group in users.conf")
	}
}

func TestSetPassword(t *testing.T) {
	for _, c := range []struct{ name, file, user, password, want string }{
		{"in place", "# c\na:old:\"A\" \r\n#z", "a", "$x$y", "# c\na:$x$y:\"A\" \r\n#z"},
		{"to empty", "a:old:", "a", "", "a::"},
		{"without description", "a:old  \nb::\n", "a", "new", "a:new  \nb::\n"},
		{"empty file", "", "a", "p", "a:p:\"\"\n"},
		{"behind a line without end", "a:1", "b", "2", "a:1\nb:2:\"\"\n"},
		{"behind a comment without end", "a:1:\r\n#x", "b", "2", "a:1:\r\n#x\r\nb:2:\"\"\r\n"},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			cfg := LoadOne(Users, "u.conf", []byte(c.file))
			o := &Object{Class: Users, Name: c.user}
			if found, ok := cfg.Object(Users, c.user); ok {
				o = found
			}
			if err := cfg.Put(o.With("password", c.password)); err != nil {
				t.Fatal(err)
			}
			if changed := cfg.Changed(); len(changed) != 1 || changed[0].Path != "u.conf" || string(changed[0].Bytes) != c.want {
				t.Errorf("%q, want %q", changed, c.want)
			}
			if o, ok := cfg.Object(Users, c.user); !ok || o.Get("password") != c.password {
				t.Errorf("the model has %+v, %v", o, ok)
			}
		})
	}
}

func TestUsersThatCannotBeWritten(t *testing.T) {
	c := LoadOne(Users, "u.conf", []byte("a:1:\n"))
	for _, u := range [][2]string{
		{"", "p"},
		{" a", "p"},
		{"#a", "p"},
		{"a:b", "p"},
		{"a\n", "p"},
		{"a", "p:q"},
		{"a", "p\nq"},
		{"a", " p"},
		{"a", "\xff"},
		{"a", strings.Repeat("p", MaxLine)},
	} {
		if err := c.Put(Object{Class: Users, Name: u[0], Attrs: []Attr{{Name: "password", Value: u[1]}}}); err == nil {
			t.Errorf("%q with %.10q is taken", u[0], u[1])
		}
	}
	if len(c.Changed()) > 0 {
		t.Errorf("changed to %q", c.Changed()[0].Bytes)
	}
}

func TestUserLinesThatDoNotCount(t *testing.T) {
	for _, c := range []struct {
		file, message string
		line          int
	}{
		{"a:1:\nb\n", "no colon", 2},
		{"\n\n:x:\n", "no name", 3},
		{"a:1:\na:2:\n", "stands in line 1", 2},
		{"a:p:q:\"d\"\n", "quote inside", 1},
		{"a:\x00:\n", "NUL character", 1},
		{"a:\x01:\n", "control character", 1},
		{"a:\xff:\n", "not UTF-8", 1},
		{"a:" + strings.Repeat("x", MaxLine), "bytes", 1},
	} {
		cfg := LoadOne(Users, "u.conf", []byte(c.file))
		if len(cfg.Findings) != 1 || cfg.Findings[0].Line != c.line || cfg.Findings[0].Severity != Error || !strings.Contains(cfg.Findings[0].Message, c.message) {
			t.Errorf("%.20q: %v, want line %d: ...%s", c.file, cfg.Findings, c.line, c.message)
		}
	}
}
