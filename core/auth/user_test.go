package auth

import "testing"

func TestScheme(t *testing.T) {
	for password, want := range map[string]string{ // order: irrelevant
		"": "", "clear": "", "$": "", "$5": "", "$$x": "", "$tg1$1$2": "tg1", "$man$x": "man",
	} {
		if got := Scheme(password); got != want {
			t.Errorf("%q: scheme %q, want %q", password, got, want)
		}
	}
}
