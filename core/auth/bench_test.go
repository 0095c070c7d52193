package auth

import (
	"fmt"
	"testing"
)

// BenchmarkCompile is what one `grant` costs besides: 1,000 users in 100 groups with
// 10,000 grants.
func BenchmarkCompile(b *testing.B) {
	s := Source{Groups: map[string][]string{}}
	for i := range 1000 {
		g := fmt.Sprintf("group%d", i%100)
		s.Groups[g] = append(s.Groups[g], fmt.Sprintf("user%d", i))
	}
	for i := range 10_000 {
		s.Grants = append(s.Grants, Grant{Who: Who{fmt.Sprintf("group%d", i%100), true}, Topic: i%2 == 0, Pattern: fmt.Sprintf("app%d.*.q%d", i%50, i), Rights: Send | Receive})
	}
	b.ReportAllocs()
	for b.Loop() {
		Compile(s)
	}
}

// BenchmarkRights is the first question about a destination.
func BenchmarkRights(b *testing.B) {
	s := Source{Groups: map[string][]string{"g": {"u"}}}
	for i := range 10_000 {
		s.Grants = append(s.Grants, Grant{Who: Who{"g", true}, Pattern: fmt.Sprintf("app%d.*.q%d", i%50, i), Rights: Send})
	}
	m := Compile(s)
	b.ReportAllocs()
	for b.Loop() {
		if m.Rights("u", false, "app7.x.q57") != Send {
			b.Fatal("no right")
		}
	}
}
