package auth

import "strings"

// Scheme names the kind of a password field of users.conf: empty for clear text (and
// for no password), else what stands between the dollars it begins with, as "tg1" in
// $tg1$... A login must be refused where the scheme is not known: such a field is
// never clear text.
func Scheme(password string) string {
	rest, ok := strings.CutPrefix(password, "$")
	if !ok {
		return ""
	}
	scheme, _, ok := strings.Cut(rest, "$")
	if !ok || scheme == "" {
		return ""
	}
	return scheme
}
