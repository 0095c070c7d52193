package sasl

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/xdg-go/scram"
)

var testSalt = []byte("0123456789abcdef")

// nonces gives a source that counts: no two nonces are alike.
func nonces(prefix string) func() string {
	n := 0
	return func() string { n++; return prefix + strconv.Itoa(n) }
}

func testServer(passwords map[string]string) *Server {
	users := UserMap{}
	for name, password := range passwords { // order: irrelevant
		users[name] = NewVerifier(password, testSalt, MinIterations)
	}
	return &Server{Users: users, Nonce: nonces("server"), Iterations: MinIterations}
}

// oracles are the library's hashes by mechanism.
var oracles = map[string]scram.HashGeneratorFcn{SCRAMSHA256: scram.SHA256, SCRAMSHA512: scram.SHA512}

// credentials are pairs of names and passwords with what needs care in them.
var credentials = [][2]string{
	{"user", "pencil"},
	{"comma,equals=", "p=a,s=s"},
	{"jürgen", "pa\u00DFwort \u2168"},
	{"user", "soft\u00ADhyphen no\u00A0break"},
	{"long", strings.Repeat("x", 300)},
}

func TestScramServerAgainstLibrary(t *testing.T) {
	for mechanism, hash := range oracles { // order: irrelevant
		for _, c := range credentials {
			server := testServer(map[string]string{c[0]: c[1]})
			x, err := server.Start(mechanism)
			if err != nil {
				t.Fatal(err)
			}
			client, err := hash.NewClient(c[0], c[1], "")
			if err != nil {
				t.Fatal(err)
			}
			conv := client.NewConversation()
			message := ""
			for range 2 {
				response, err := conv.Step(message)
				if err != nil {
					t.Fatalf("%s %q: client: %v", mechanism, c, err)
				}
				challenge, _, err := x.Next([]byte(response))
				if err != nil {
					t.Fatalf("%s %q: server: %v", mechanism, c, err)
				}
				message = string(challenge)
			}
			if _, err := conv.Step(message); err != nil || !conv.Valid() || x.User() != c[0] {
				t.Errorf("%s %q: %v, valid %v, user %q", mechanism, c, err, conv.Valid(), x.User())
			}
		}
	}
}

func TestScramClientAgainstLibrary(t *testing.T) {
	for mechanism, hash := range oracles { // order: irrelevant
		for _, c := range credentials {
			seed, err := hash.NewClient(c[0], c[1], "")
			if err != nil {
				t.Fatal(err)
			}
			stored, err := seed.GetStoredCredentialsWithError(scram.KeyFactors{Salt: string(testSalt), Iters: MinIterations})
			if err != nil {
				t.Fatal(err)
			}
			server, err := hash.NewServer(func(string) (scram.StoredCredentials, error) { return stored, nil })
			if err != nil {
				t.Fatal(err)
			}
			for _, inOutcome := range []bool{true, false} {
				conv := server.NewConversation()
				client := Client{User: c[0], Password: c[1], Nonce: nonces("client")}
				name, response, err := client.Start([]string{Anonymous, Plain, mechanism})
				if err != nil || name != mechanism {
					t.Fatalf("%s %q: starts %q, %v", mechanism, c, name, err)
				}
				first, err := conv.Step(string(response))
				if err != nil {
					t.Fatalf("%s %q: server: %v", mechanism, c, err)
				}
				if response, err = client.Next([]byte(first)); err != nil {
					t.Fatalf("%s %q: client: %v", mechanism, c, err)
				}
				final, err := conv.Step(string(response))
				if err != nil || !conv.Valid() {
					t.Fatalf("%s %q: server: %v", mechanism, c, err)
				}
				if inOutcome {
					err = client.Finish([]byte(final))
				} else if response, err = client.Next([]byte(final)); err == nil && len(response) == 0 {
					err = client.Finish(nil)
				}
				if err != nil {
					t.Errorf("%s %q, in outcome %v: %v", mechanism, c, inOutcome, err)
				}
			}
		}
	}
}

// TestScramVector is the exchange printed in rfc 7677 section 3.
func TestScramVector(t *testing.T) {
	client := Client{User: "user", Password: "pencil", Nonce: func() string { return "rOprNGfwEbeRWgbNEkqO" }}
	_, initial, err := client.Start([]string{SCRAMSHA256})
	if err != nil || string(initial) != "n,,n=user,r=rOprNGfwEbeRWgbNEkqO" {
		t.Fatalf("initial %q, %v", initial, err)
	}
	response, err := client.Next([]byte("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"))
	const want = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
	if err != nil || string(response) != want {
		t.Fatalf("response %q, %v", response, err)
	}
	if err := client.Finish([]byte("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")); err != nil {
		t.Error(err)
	}
}

// TestScramUnknownUser: a stranger sees the same course for a user who is not
// there as for a wrong password, and the same salt each time.
func TestScramUnknownUser(t *testing.T) {
	server := testServer(map[string]string{"user": "pencil"})
	var salts []string
	for range 2 {
		client := Client{User: "nobody", Password: "pencil", Nonce: nonces("client")}
		name, response, _ := client.Start(server.Mechanisms())
		x, _ := server.Start(name)
		challenge, done, err := x.Next(response)
		if err != nil || done {
			t.Fatalf("the name alone is refused: %v", err)
		}
		fields := strings.Split(string(challenge), ",")
		salts = append(salts, fields[1]+fields[2])
		if response, err = client.Next(challenge); err != nil {
			t.Fatal(err)
		}
		if _, _, err = x.Next(response); !errors.Is(err, ErrAuthentication) || x.User() != "" {
			t.Errorf("got %v, user %q", err, x.User())
		}
		if _, _, err = x.Next(response); !errors.Is(err, ErrAuthentication) {
			t.Errorf("goes on after its end: %v", err)
		}
	}
	if salts[0] != salts[1] {
		t.Errorf("salts differ: %q", salts)
	}
}

func TestScramServerRefuses(t *testing.T) {
	const first = "n,,n=user,r=abc"
	for _, c := range []struct {
		name   string
		first  string
		second string // with the nonce in place of %
	}{
		{"no header", "n=user,r=abc", ""},
		{"channel binding", "p=tls-unique,,n=user,r=abc", ""},
		{"acts as another", "n,a=admin,n=user,r=abc", ""},
		{"odd identity", "n,x=user,n=user,r=abc", ""},
		{"mandatory extension", "n,,m=1,n=user,r=abc", ""},
		{"no name", "n,,r=abc", ""},
		{"empty name", "n,,n=,r=abc", ""},
		{"long name", "n,,n=" + strings.Repeat("u", MaxName+1) + ",r=abc", ""},
		{"wrong escape", "n,,n=us=er,r=abc", ""},
		{"empty nonce", "n,,n=user,r=", ""},
		{"unprintable nonce", "n,,n=user,r=a\x01", ""},
		{"long nonce", "n,,n=user,r=" + strings.Repeat("r", MaxNonce), ""},
		{"not UTF-8", "n,,n=\xff,r=abc", ""},
		{"too long", "n,,n=user,r=abc," + strings.Repeat("x", MaxMessage), ""},
		{"empty answer", first, ""},
		{"other binding", first, "c=eSws,r=%,p=AAAA"},
		{"other nonce", first, "c=biws,r=abcx,p=AAAA"},
		{"no proof", first, "c=biws,r=%"},
		{"short proof", first, "c=biws,r=%,p=AAAA"},
		{"proof not base64", first, "c=biws,r=%,p=!!"},
		{"wrong proof", first, "c=biws,r=%,p=" + strings.Repeat("A", 43) + "="},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, err := testServer(map[string]string{"user": "pencil"}).Start(SCRAMSHA256)
			if err != nil {
				t.Fatal(err)
			}
			challenge, done, err := x.Next([]byte(c.first))
			if err == nil {
				nonce, _, _ := strings.Cut(strings.TrimPrefix(string(challenge), "r="), ",")
				_, done, err = x.Next([]byte(strings.ReplaceAll(c.second, "%", nonce)))
			}
			if !errors.Is(err, ErrAuthentication) || done || x.User() != "" {
				t.Errorf("got done %v, %v, user %q", done, err, x.User())
			}
		})
	}
}

func TestScramClientRefuses(t *testing.T) {
	for _, c := range []struct{ name, challenge string }{
		{"empty", ""},
		{"nonce not continued", "r=other,s=MDEyMzQ1Njc=,i=4096"},
		{"nonce not lengthened", "r=client1,s=MDEyMzQ1Njc=,i=4096"},
		{"few iterations", "r=client1x,s=MDEyMzQ1Njc=,i=1"},
		{"endless iterations", "r=client1x,s=MDEyMzQ1Njc=,i=4000000000"},
		{"no salt", "r=client1x,s=,i=4096"},
		{"salt not base64", "r=client1x,s=!,i=4096"},
		{"mandatory extension", "m=x,r=client1x,s=MDEyMzQ1Njc=,i=4096"},
		{"too long", "r=client1x,s=MDEyMzQ1Njc=,i=4096," + strings.Repeat("x", MaxMessage)},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := Client{User: "user", Password: "pencil", Nonce: nonces("client")}
			if _, _, err := client.Start([]string{SCRAMSHA256}); err != nil {
				t.Fatal(err)
			}
			if response, err := client.Next([]byte(c.challenge)); !errors.Is(err, ErrAuthentication) {
				t.Errorf("answers %q, %v", response, err)
			}
			if err := client.Finish(nil); !errors.Is(err, ErrAuthentication) {
				t.Errorf("finishes with %v", err)
			}
		})
	}
}

// TestScramServerMustProve: a server that lets anybody in is not trusted.
func TestScramServerMustProve(t *testing.T) {
	for _, final := range []string{"", "e=other-error", "v=", "v=AAAA", "x=1"} {
		client := Client{User: "user", Password: "pencil", Nonce: nonces("client")}
		if _, _, err := client.Start([]string{SCRAMSHA512}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Next([]byte("r=client1x,s=MDEyMzQ1Njc=,i=4096")); err != nil {
			t.Fatal(err)
		}
		if err := client.Finish([]byte(final)); !errors.Is(err, ErrAuthentication) {
			t.Errorf("%q: finishes with %v", final, err)
		}
	}
	early := Client{User: "user", Password: "pencil", Nonce: nonces("client")}
	if _, _, err := early.Start([]string{SCRAMSHA512}); err != nil {
		t.Fatal(err)
	}
	if err := early.Finish([]byte("v=")); !errors.Is(err, ErrAuthentication) {
		t.Errorf("let in without a challenge: %v", err)
	}
}

func FuzzServer(f *testing.F) {
	for _, s := range [][2]string{
		{"n,,n=user,r=abc", "c=biws,r=abcserver1,p=" + strings.Repeat("A", 43) + "="},
		{"y,a=user,n=user,r=abc,x=1", "c=eSxhPXVzZXIs,r=abcserver1,x=2,p=AA=="},
		{"\x00user\x00pencil", ""},
		{"", "user\x00user\x00wrong"},
	} {
		f.Add([]byte(s[0]), []byte(s[1]))
	}
	server := testServer(nil)
	f.Fuzz(func(t *testing.T, first, second []byte) {
		for _, name := range []string{SCRAMSHA512, SCRAMSHA256, Plain} {
			server.Nonce = nonces("server")
			x, err := server.Start(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, response := range [][]byte{first, second} {
				challenge, done, err := x.Next(response)
				if done || x.User() != "" {
					t.Fatalf("%s: let in", name)
				}
				if err == nil && challenge == nil || err != nil && !errors.Is(err, ErrAuthentication) {
					t.Fatalf("%s: challenge %q, %v", name, challenge, err)
				}
			}
			client := Client{Mechanism: name, User: "user", Password: "pencil", Nonce: nonces("client")}
			if _, _, err := client.Start([]string{name}); err != nil {
				t.Fatal(err)
			}
			_, _ = client.Next(bytes.Replace(first, []byte("abc"), []byte("client1"), 1))
			if err := client.Finish(second); err == nil && name != Plain {
				t.Fatalf("%s: a server without the password is trusted", name)
			}
		}
	})
}

func BenchmarkPlain(b *testing.B) {
	v := NewVerifier("pencil", testSalt, DefaultIterations)
	b.ReportAllocs()
	for b.Loop() {
		if !v.CheckPlain("pencil") {
			b.Fatal("refused")
		}
	}
}
