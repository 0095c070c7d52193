package auth

import "strings"

// User is a line of users.conf.
type User struct {
	Name        string
	Password    string // the field as it stands: empty, clear text, or a hash
	Description string // without its quotes
	Line        int    // from 1; 0 for a user added since
}

// Scheme names the kind of the password field: empty for clear text (and for no
// password), else what stands between the dollars it begins with, as "tg1" in
// $tg1$... A login must be refused where the scheme is not known: such a field is
// never clear text.
func (u User) Scheme() string {
	rest, ok := strings.CutPrefix(u.Password, "$")
	if !ok {
		return ""
	}
	scheme, _, ok := strings.Cut(rest, "$")
	if !ok || scheme == "" {
		return ""
	}
	return scheme
}
