package sasl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestMechanisms(t *testing.T) {
	users := UserMap{}
	for _, c := range []struct {
		server Server
		want   []string
	}{
		{Server{}, []string{Plain, Anonymous}},
		{Server{Anonymous: true}, []string{Plain, Anonymous}},
		{Server{Users: users}, []string{SCRAMSHA512, SCRAMSHA256, Plain}},
		{Server{Users: users, Anonymous: true}, []string{SCRAMSHA512, SCRAMSHA256, Plain, Anonymous}},
	} {
		if got := c.server.Mechanisms(); !slices.Equal(got, c.want) {
			t.Errorf("%+v offers %q, want %q", c.server, got, c.want)
		}
		for _, name := range []string{SCRAMSHA512, SCRAMSHA256, Plain, Anonymous, "", "plain", "EXTERNAL"} {
			_, err := c.server.Start(name)
			if slices.Contains(c.want, name) != (err == nil) || err != nil && !errors.Is(err, ErrMechanism) {
				t.Errorf("%+v starts %q with %v", c.server, name, err)
			}
		}
	}
}

func TestPlain(t *testing.T) {
	withUsers := testServer(map[string]string{"user": "pencil", "empty": ""})
	open := &Server{}
	for _, c := range []struct {
		name    string
		server  *Server
		message string
		user    string // empty: refused
	}{
		{"right", withUsers, "\x00user\x00pencil", "user"},
		{"identity is the name", withUsers, "user\x00user\x00pencil", "user"},
		{"no password", withUsers, "\x00empty\x00", "empty"},
		{"wrong password", withUsers, "\x00user\x00pencil2", ""},
		{"empty password", withUsers, "\x00user\x00", ""},
		{"unknown user", withUsers, "\x00nobody\x00pencil", ""},
		{"no user", withUsers, "\x00\x00", ""},
		{"acts as another", withUsers, "admin\x00user\x00pencil", ""},
		{"two fields", withUsers, "user\x00pencil", ""},
		{"four fields", withUsers, "\x00user\x00pencil\x00", ""},
		{"not UTF-8", withUsers, "\x00user\x00\xff", ""},
		{"long name", open, "\x00" + strings.Repeat("u", MaxName+1) + "\x00", ""},
		{"long password", open, "\x00user\x00" + strings.Repeat("p", MaxPassword+1), ""},
		{"too long", open, strings.Repeat("x", MaxMessage+1), ""},
		{"anybody when open", open, "\x00anybody\x00anything", "anybody"},
		{"nobody when open", open, "\x00\x00", AnonymousUser},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, err := c.server.Start(Plain)
			if err != nil {
				t.Fatal(err)
			}
			challenge, done, err := x.Next([]byte(c.message))
			if done != (c.user != "") || x.User() != c.user || done && (err != nil || challenge != nil) ||
				!done && !errors.Is(err, ErrAuthentication) {
				t.Errorf("got %q, done %v, user %q, %v", challenge, done, x.User(), err)
			}
			if err != nil && strings.Contains(err.Error(), "pencil") {
				t.Errorf("the password is in %q", err)
			}
			if _, _, err = x.Next([]byte(c.message)); !errors.Is(err, ErrAuthentication) {
				t.Errorf("goes on after its end: %v", err)
			}
		})
	}
}

// TestBothRoles logs our client in at our server by each mechanism, with and
// without an initial response.
func TestBothRoles(t *testing.T) {
	server := testServer(map[string]string{"user": "pencil"})
	server.Anonymous = true
	for _, mechanism := range server.Mechanisms() {
		for _, password := range []string{"pencil", "wrong"} {
			for _, late := range []bool{false, true} {
				t.Run(fmt.Sprint(mechanism, password, late), func(t *testing.T) {
					user, err := login(server, &Client{Mechanism: mechanism, User: "user", Password: password, Nonce: nonces("client")}, late)
					switch {
					case mechanism == Anonymous:
						if err != nil || user != AnonymousUser {
							t.Errorf("user %q, %v", user, err)
						}
					case password == "pencil":
						if err != nil || user != "user" {
							t.Errorf("user %q, %v", user, err)
						}
					case !errors.Is(err, ErrAuthentication):
						t.Errorf("user %q, %v", user, err)
					}
				})
			}
		}
	}
}

// login runs one login; late sends the initial response only when asked.
func login(server *Server, client *Client, late bool) (string, error) {
	name, response, err := client.Start(server.Mechanisms())
	if err != nil {
		return "", err
	}
	x, err := server.Start(name)
	if err != nil {
		return "", err
	}
	if late && name != Anonymous {
		if challenge, done, err := x.Next(nil); err != nil || done || challenge == nil || len(challenge) > 0 {
			return "", fmt.Errorf("without response: %q, %v, %w", challenge, done, err)
		}
	}
	for {
		challenge, done, err := x.Next(response)
		if err != nil {
			return "", err
		}
		if done {
			return x.User(), client.Finish(challenge)
		}
		if response, err = client.Next(challenge); err != nil {
			return "", err
		}
	}
}

func TestClientChooses(t *testing.T) {
	all := []string{Anonymous, "EXTERNAL", Plain, SCRAMSHA256, SCRAMSHA512}
	for _, c := range []struct {
		mechanism, user string
		offered         []string
		want            string // empty: refused
	}{
		{"", "u", all, SCRAMSHA512},
		{"", "u", all[:4], SCRAMSHA256},
		{"", "u", all[:3], Plain},
		{"", "u", all[:1], Anonymous},
		{"", "", all, Anonymous},
		{"", "", all[1:], ""},
		{"", "u", nil, ""},
		{"", "u", []string{"EXTERNAL"}, ""},
		{Plain, "u", all, Plain},
		{Plain, "", all, Plain},
		{Plain, "u", all[3:], ""},
		{"GSSAPI", "u", all, ""},
		{"", "zero\x00byte", all, ""},
	} {
		client := Client{Mechanism: c.mechanism, User: c.user, Nonce: nonces("client")}
		got, _, err := client.Start(c.offered)
		if got != c.want || (err == nil) != (c.want != "") || err != nil && !errors.Is(err, ErrMechanism) {
			t.Errorf("%+v: chooses %q, %v", c, got, err)
		}
	}
}

func TestVerifierText(t *testing.T) {
	v := NewVerifier("pencil", testSalt, MinIterations)
	text := v.Text()
	if strings.ContainsAny(text, ":\" \t") || !strings.HasPrefix(text, Scheme) {
		t.Errorf("text %q", text)
	}
	again, err := ParseVerifier(text)
	if err != nil || again.Text() != text {
		t.Fatalf("%q is read as %q, %v", text, again.Text(), err)
	}
	if !again.CheckPlain("pencil") || again.CheckPlain("Pencil") || again.CheckPlain("") {
		t.Error("the password is not checked")
	}
	if got := fmt.Sprintf("%v %+v %s", v, v, v); strings.Contains(got, "[") {
		t.Errorf("keys are printed: %s", got)
	}
	for cut := range len(text) {
		if _, err := ParseVerifier(text[:cut]); err == nil {
			t.Errorf("%q is taken", text[:cut])
		}
	}
	for _, bad := range []string{
		"", "clear", "$man$abc", strings.Replace(text, "4096", "1", 1), strings.Replace(text, "4096", "99999999", 1),
		strings.Replace(text, "4096", "x", 1), text + "$", text + "A", strings.Repeat("$", 1<<20),
	} {
		if _, err := ParseVerifier(bad); err == nil {
			t.Errorf("%.80q is taken", bad)
		}
	}
}

// TestExternal: a peer known by other means is let in as that user and no other.
func TestExternal(t *testing.T) {
	tests := map[string]struct {
		users    Users
		external string
		response string
		want     string
	}{
		"no response":          {nil, "alice", "", "alice"},
		"its own name":         {nil, "alice", "alice", "alice"},
		"a known user":         {UserMap{"alice": {}}, "alice", "", "alice"},
		"another's name":       {nil, "alice", "bob", ""},
		"a user unknown":       {UserMap{"bob": {}}, "alice", "", ""},
		"a long name":          {nil, "alice", strings.Repeat("a", MaxName+1), ""},
		"nobody, not offered":  {nil, "", "alice", ""},
		"nobody, no response ": {nil, "", "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := &Server{Users: test.users, External: test.external}
			if offered := slices.Contains(s.Mechanisms(), External); offered != (test.external != "") {
				t.Errorf("offered: %v", offered)
			}
			x, err := s.Start(External)
			if err != nil {
				if test.external != "" || !errors.Is(err, ErrMechanism) {
					t.Fatal(err)
				}
				return
			}
			_, done, err := x.Next([]byte(test.response))
			if done != (test.want != "") || x.User() != test.want || (err == nil) != done {
				t.Errorf("done %v, user %q, %v; want user %q", done, x.User(), err, test.want)
			}
			if _, _, err := x.Next(nil); err == nil {
				t.Error("a second response was taken")
			}
		})
	}
	c := &Client{External: true}
	if m, initial, err := c.Start([]string{External, Plain, Anonymous}); m != External || initial == nil || len(initial) != 0 || err != nil {
		t.Errorf("the client chose %s, %q, %v", m, initial, err)
	}
	c = &Client{External: true, User: "bob", Password: "p"}
	if m, _, err := c.Start([]string{External, Plain}); m != Plain || err != nil {
		t.Errorf("a client with a user chose %s, %v", m, err)
	}
}

type tokens map[string]string

func (t tokens) Check(_, token string) (string, bool) { n, ok := t[token]; return n, ok }

func TestXOAUTH2(t *testing.T) {
	s := &Server{Users: UserMap{}, Tokens: tokens{"good": "ann"}}
	for _, c := range []struct{ message, user string }{
		{"user=ann\x01auth=Bearer good\x01\x01", "ann"},
		{"auth=Bearer good\x01\x01", "ann"},
		{"user=ann\x01auth=Bearer bad\x01\x01", ""},
		{"user=ann\x01auth=Basic good\x01\x01", ""},
		{"user=ann\x01auth=Bearer good\x01", ""},
		{"user=" + strings.Repeat("a", MaxName+1) + "\x01auth=Bearer good\x01\x01", ""},
		{"auth=Bearer " + strings.Repeat("a", MaxMessage) + "\x01\x01", ""},
		{"", ""},
	} {
		x, err := s.Start(XOAUTH2)
		if err != nil {
			t.Fatal(err)
		}
		_, done, err := x.Next([]byte(c.message))
		if done != (c.user != "") || x.User() != c.user || (err == nil) != done {
			t.Errorf("%.40q: done %v, user %q, %v", c.message, done, x.User(), err)
		}
		if _, _, err := x.Next([]byte(c.message)); err == nil {
			t.Errorf("%.40q: a second time", c.message)
		}
	}
	if _, err := (&Server{}).Start(XOAUTH2); err == nil {
		t.Error("offered without Tokens")
	}
}
