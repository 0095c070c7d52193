package translate

import (
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestPropertyNames(t *testing.T) {
	for header, want := range map[string]string{
		"traceparent":  "traceparent",
		"X-Request-Id": "X_HYPHEN_Request_HYPHEN_Id",
		"a.b":          "a_DOT_b",
		"a/b c":        "a_x2f_b_x20_c",
		"a_b":          "a_b",
		"a_DOT_b":      "a_x5f_DOT_b",
		"_DOT-":        "_x5f_DOT_HYPHEN_",
		"1st":          "_x31_st",
		"JMSFoo":       "_x4a_MSFoo",
		"Like":         "_x4c_ike",
		"größe":        "größe",
		"":             "_x_",
	} {
		if got := PropertyName(header); got != want {
			t.Errorf("%q is %q, want %q", header, got, want)
		}
		if back := HeaderName(want); back != header {
			t.Errorf("%q comes back as %q", header, back)
		}
	}
}

// TestPropertyNamesAreIdentifiers: any header's name becomes one that a selector can
// write, and can be had back.
func TestPropertyNamesAreIdentifiers(t *testing.T) {
	parts := rapid.SampledFrom([]string{"_", "-", ".", "x", "DOT", "HYPHEN", "_x", "5f", "2d", "JMS", "1", "a", "é", " ", "/", "日", "not", "in"})
	rapid.Check(t, func(t *rapid.T) {
		header := ""
		for _, p := range rapid.SliceOfN(parts, 0, 8).Draw(t, "parts") {
			header += p
		}
		name := PropertyName(header)
		for i, c := range name {
			if !(unicode.IsLetter(c) || c == '_' || c == '$' || i > 0 && unicode.IsDigit(c)) {
				t.Fatalf("%q becomes %q", header, name)
			}
		}
		if unfit(name) {
			t.Fatalf("%q becomes %q", header, name)
		}
		if back := HeaderName(name); back != header {
			t.Fatalf("%q becomes %q becomes %q", header, name, back)
		}
	})
}
