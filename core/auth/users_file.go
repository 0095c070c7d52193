package auth

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits on users.conf.
const (
	MaxUsersFile = 64 << 20 // bytes
	MaxUserLine  = 64 << 10 // bytes of one line
	MaxUsers     = 1 << 20
)

// byteOrderMark is what some editors begin a UTF-8 file with.
const byteOrderMark = "\uFEFF"

// UsersFile is users.conf: a line <user>:[password]:["]description["] for each
// user, comments behind # and empty lines (ems 1.1). What is not changed is
// written back byte by byte.
type UsersFile struct {
	lines  []usersLine
	byName map[string]int // index in lines
	ending string         // of added lines
}

// usersLine is a line with its ending; a user's is cut where the password is.
type usersLine struct {
	before, after string // all of it, but for user.Password
	user          User
	isUser        bool
}

// ParseUsers reads users.conf. Its errors are *SyntaxError.
func ParseUsers(file []byte) (*UsersFile, error) {
	if len(file) > MaxUsersFile {
		return nil, syntaxError(1, "the file has %d bytes; at most %d are read", len(file), MaxUsersFile)
	}
	f := &UsersFile{byName: map[string]int{}, ending: "\n"}
	if bytes.Contains(file, []byte("\r\n")) {
		f.ending = "\r\n"
	}
	number := 0
	for text := range strings.Lines(string(file)) {
		number++
		line, err := parseUsersLine(text, number)
		if err != nil {
			return nil, err
		}
		if line.isUser {
			if first, twice := f.byName[line.user.Name]; twice {
				return nil, syntaxError(number, "user %q stands in line %d already: remove one of the two",
					line.user.Name, f.lines[first].user.Line)
			}
			if len(f.byName) == MaxUsers {
				return nil, syntaxError(number, "more than %d users", MaxUsers)
			}
			f.byName[line.user.Name] = len(f.lines)
		}
		f.lines = append(f.lines, line)
	}
	return f, nil
}

func parseUsersLine(text string, number int) (usersLine, error) {
	if len(text) > MaxUserLine {
		return usersLine{}, syntaxError(number, "the line has %d bytes; at most %d are read", len(text), MaxUserLine)
	}
	if !utf8.ValidString(text) {
		return usersLine{}, syntaxError(number, "the line is not UTF-8: convert the file")
	}
	body := strings.TrimRight(text, "\r\n")
	if number == 1 {
		body = strings.TrimPrefix(body, byteOrderMark)
	}
	if trimmed := strings.TrimSpace(body); trimmed == "" || trimmed[0] == '#' {
		return usersLine{before: text}, nil
	}
	if i := strings.IndexFunc(body, isControl); i >= 0 {
		return usersLine{}, syntaxError(number, "control character %q", body[i])
	}
	name, rest, ok := strings.Cut(body, ":")
	if !ok {
		return usersLine{}, syntaxError(number, `no colon; a line is user:password:"description"`)
	}
	user := User{Name: strings.TrimSpace(name), Line: number}
	if user.Name == "" {
		return usersLine{}, syntaxError(number, `no user name in front of the colon; a line is user:password:"description"`)
	}
	password, description, closed := strings.Cut(rest, ":")
	if !closed { // the description and its colon are left out
		password = strings.TrimRightFunc(password, unicode.IsSpace)
	}
	user.Password = password
	var err error
	if user.Description, err = parseDescription(description, number); err != nil {
		return usersLine{}, err
	}
	at := strings.Index(text, ":") + 1
	return usersLine{
		before: text[:at], after: text[at+len(password):],
		user: user, isUser: true,
	}, nil
}

// parseDescription takes the quotes off. A quote elsewhere is taken for a sign
// of a colon inside the password, which would silently become another password.
func parseDescription(s string, number int) (string, error) {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	if strings.Contains(s, `"`) {
		return "", syntaxError(number, `a quote inside the description; a password cannot have a colon, a description no quote`)
	}
	return s, nil
}

func isControl(r rune) bool { return r != '\t' && unicode.IsControl(r) }

// Get finds a user.
func (f *UsersFile) Get(name string) (User, bool) {
	i, ok := f.byName[name]
	if !ok {
		return User{}, false
	}
	return f.lines[i].user, true
}

// Users lists all, in the file's order.
func (f *UsersFile) Users() []User {
	users := make([]User, 0, len(f.byName))
	for i := range f.lines {
		if f.lines[i].isUser {
			users = append(users, f.lines[i].user)
		}
	}
	return users
}

// Set replaces the password field of a user, or adds a user at the end. It
// refuses what could not be read again.
func (f *UsersFile) Set(name, password string) error {
	switch {
	case name == "" || name != strings.TrimSpace(name) || name[0] == '#' ||
		strings.HasPrefix(name, byteOrderMark) || unwritable(name):
		return fmt.Errorf("%q cannot be a user's name: it may not be empty, begin with # or a blank, end with one, or have a colon or control character", name)
	case password != strings.TrimSpace(password) || unwritable(password):
		return fmt.Errorf("the password of %q cannot be written: it may not begin or end with a blank or have a colon or control character", name)
	case len(name)+len(password) > MaxUserLine/2:
		return fmt.Errorf("the name and password of %.40q have more than %d bytes", name, MaxUserLine/2)
	}
	if i, ok := f.byName[name]; ok {
		f.lines[i].user.Password = password
		return nil
	}
	if n := len(f.lines); n > 0 && !strings.HasSuffix(f.lines[n-1].text(), "\n") {
		f.lines[n-1].after += f.ending
	}
	f.byName[name] = len(f.lines)
	f.lines = append(f.lines, usersLine{
		before: name + ":", after: `:""` + f.ending,
		user: User{Name: name, Password: password}, isUser: true,
	})
	return nil
}

func unwritable(s string) bool {
	return !utf8.ValidString(s) || strings.Contains(s, ":") || strings.ContainsFunc(s, unicode.IsControl)
}

func (l *usersLine) text() string { return l.before + l.user.Password + l.after }

// Bytes is the file to write.
func (f *UsersFile) Bytes() []byte {
	var b bytes.Buffer
	for i := range f.lines {
		b.WriteString(f.lines[i].text())
	}
	return b.Bytes()
}
