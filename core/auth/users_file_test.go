package auth

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseUsers(t *testing.T) {
	const file = "\uFEFF# users\r\n" +
		"admin:$tg1$10000$abc:\"Administrator\"\r\n" +
		"\t # indented comment\r\n" +
		"\r\n" +
		" testuser :whatever:\"\"  \r\n" +
		"empty::\r\n" +
		"short:pw \r\n" +
		"plain:p w:no quotes\r\n" +
		"mangled:$man$xyz:"
	f, err := ParseUsers([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	want := []User{
		{"admin", "$tg1$10000$abc", "Administrator", 2},
		{"testuser", "whatever", "", 5},
		{"empty", "", "", 6},
		{"short", "pw", "", 7},
		{"plain", "p w", "no quotes", 8},
		{"mangled", "$man$xyz", "", 9},
	}
	if diff := cmp.Diff(want, f.Users()); diff != "" {
		t.Error(diff)
	}
	if got := string(f.Bytes()); got != file {
		t.Errorf("not lossless:\n%q\n%q", got, file)
	}
	if _, ok := f.Get("nobody"); ok {
		t.Error("found a user that is not there")
	}
}

func TestUsersFirstLineWithMark(t *testing.T) {
	f, err := ParseUsers([]byte("\uFEFFa:1:\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Set("a", "2"); err != nil {
		t.Fatal(err)
	}
	if got := string(f.Bytes()); got != "\uFEFFa:2:\n" {
		t.Errorf("got %q", got)
	}
}

func TestSetUsers(t *testing.T) {
	for _, c := range []struct{ name, file, user, password, want string }{
		{"in place", "# c\na:old:\"A\" \r\n#z", "a", "$x$y", "# c\na:$x$y:\"A\" \r\n#z"},
		{"to empty", "a:old:", "a", "", "a::"},
		{"without description", "a:old  \nb::\n", "a", "new", "a:new  \nb::\n"},
		{"empty file", "", "a", "p", "a:p:\"\"\n"},
		{"behind a line without end", "a:1", "b", "2", "a:1\nb:2:\"\"\n"},
		{"behind a comment without end", "a:1:\r\n#x", "b", "2", "a:1:\r\n#x\r\nb:2:\"\"\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := ParseUsers([]byte(c.file))
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Set(c.user, c.password); err != nil {
				t.Fatal(err)
			}
			if got := string(f.Bytes()); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if u, ok := f.Get(c.user); !ok || u.Password != c.password {
				t.Errorf("Get gives %+v, %v", u, ok)
			}
		})
	}
}

func TestSetRefuses(t *testing.T) {
	f, _ := ParseUsers([]byte("a:1:\n"))
	for _, c := range [][2]string{
		{"", "p"},
		{" a", "p"},
		{"#a", "p"},
		{"a:b", "p"},
		{"a\n", "p"},
		{"a", "p:q"},
		{"a", "p\nq"},
		{"a", " p"},
		{"a", "\xff"},
		{"a", strings.Repeat("p", MaxUserLine)},
	} {
		if err := f.Set(c[0], c[1]); err == nil {
			t.Errorf("Set(%q, %.10q) is taken", c[0], c[1])
		}
	}
	if got := string(f.Bytes()); got != "a:1:\n" {
		t.Errorf("changed to %q", got)
	}
}

func TestUsersErrors(t *testing.T) {
	for _, c := range []struct {
		file, reason string
		line         int
	}{
		{"a:1:\nb\n", "no colon", 2},
		{"\n\n:x:\n", "no user name", 3},
		{"a:1:\na:2:\n", "stands in line 1", 2},
		{"a:p:q:\"d\"\n", "quote inside", 1},
		{"a:\x00:\n", "control character", 1},
		{"a:\xff:\n", "not UTF-8", 1},
		{"a:" + strings.Repeat("x", MaxUserLine), "at most", 1},
	} {
		_, err := ParseUsers([]byte(c.file))
		var e *SyntaxError
		if !errors.As(err, &e) || e.Line != c.line || !strings.Contains(e.Reason, c.reason) {
			t.Errorf("%.20q: got %v, want line %d: ...%s", c.file, err, c.line, c.reason)
		}
	}
}

func TestScheme(t *testing.T) {
	for password, want := range map[string]string{ // order: irrelevant
		"": "", "clear": "", "$": "", "$5": "", "$$x": "", "$tg1$1$2": "tg1", "$man$x": "man",
	} {
		if got := (User{Password: password}).Scheme(); got != want {
			t.Errorf("%q: scheme %q, want %q", password, got, want)
		}
	}
}

// FuzzParseUsers: what is read is written back, and stays readable after a Set.
func FuzzParseUsers(f *testing.F) {
	f.Add([]byte("\uFEFF# users\r\na:b:\"c\"\n d : e : f \ng:h"))
	f.Add([]byte("a::\n\n#\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		u, err := ParseUsers(file)
		if err != nil {
			return
		}
		if string(u.Bytes()) != string(file) {
			t.Fatalf("%q becomes %q", file, u.Bytes())
		}
		names := append(u.Users(), User{Name: "new user"})
		for _, user := range names {
			if err := u.Set(user.Name, "new"); err != nil && user.Line == 0 {
				t.Fatal(err)
			}
		}
		again, err := ParseUsers(u.Bytes())
		if err != nil {
			t.Fatalf("%q: %v", u.Bytes(), err)
		}
		if got, ok := again.Get("new user"); !ok || got.Password != "new" {
			t.Fatalf("%q: the new user is %+v", u.Bytes(), got)
		}
	})
}
