package sasl

import (
	"slices"
	"testing"
)

// While authorization is off everybody is let in as whom they say, and what they
// show is compared all the same (ems 6.1).
func TestLenient(t *testing.T) {
	s := testServer(map[string]string{"user": "pencil", "empty": ""})
	s.Lenient, s.External = true, "user"
	if got := s.Mechanisms(); !slices.Equal(got, []string{External, Plain, Anonymous}) {
		t.Errorf("it offers %q", got)
	}
	stranger := *s
	stranger.External = "mallory"
	anybody := *s
	anybody.Anonymous = true
	for _, c := range []struct {
		name, mechanism string
		server          *Server
		message, user   string
		proven          bool
	}{
		{"right", Plain, s, "\x00user\x00pencil", "user", true},
		{"no password", Plain, s, "\x00empty\x00", "empty", true},
		{"wrong password", Plain, s, "\x00user\x00pen", "user", false},
		{"unknown user", Plain, s, "\x00nobody\x00pencil", "nobody", false},
		{"no user", Plain, s, "\x00\x00", AnonymousUser, false},
		{"certificate", External, s, "", "user", true},
		{"certificate of an unknown user", External, &stranger, "", "mallory", false},
		{"anonymous", Anonymous, s, "", AnonymousUser, false},
		{"anonymous where that is wanted", Anonymous, &anybody, "", AnonymousUser, true},
	} {
		x, err := c.server.Start(c.mechanism)
		if err != nil {
			t.Fatal(err)
		}
		if x.Proven() {
			t.Errorf("%s: proven before anything was said", c.name)
		}
		if _, done, err := x.Next([]byte(c.message)); !done || err != nil || x.User() != c.user || x.Proven() != c.proven {
			t.Errorf("%s: done %v, %v, user %q, proven %v", c.name, done, err, x.User(), x.Proven())
		}
	}
}

// Where authorization is on, whoever is let in is proven.
func TestProven(t *testing.T) {
	s := testServer(map[string]string{"user": "pencil"})
	for _, m := range []string{SCRAMSHA256, SCRAMSHA512, Plain} {
		for password, want := range map[string]bool{"pencil": true, "pen": false} { // order: irrelevant
			x, err := s.Start(m)
			if err != nil {
				t.Fatal(err)
			}
			c := &Client{User: "user", Password: password, Nonce: func() string { return "nonce-of-the-client" }}
			_, response, err := c.Start([]string{m})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				challenge, done, err := x.Next(response)
				if done || err != nil {
					break
				}
				if response, err = c.Next(challenge); err != nil {
					t.Fatal(err)
				}
			}
			if x.Proven() != want {
				t.Errorf("%s with %s: proven %v", m, password, x.Proven())
			}
		}
	}
	if x, _ := (&Server{}).Start(Plain); x != nil {
		if _, done, _ := x.Next([]byte("\x00user\x00pencil")); !done || x.Proven() {
			t.Error("proven where there are no users")
		}
	}
}
