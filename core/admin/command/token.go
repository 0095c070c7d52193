package command

import "strings"

// token is a word of a line. Its text is without quotes.
type token struct {
	text     string
	from, to int // where it stands in the line
	quoted   bool
}

// tokens cuts a line at its blanks. What stands between two double quotes is one
// piece with what it touches: selector="a > 1" is one word. There is no escape,
// as in EMS.
func tokens(line string) ([]token, *Error) {
	if len(line) > MaxLine {
		return nil, fault("", "the command has %d bytes; at most %d are read", len(line), MaxLine)
	}
	var list []token
	var text strings.Builder
	in, quoted, from := false, false, 0
	end := func(to int) {
		if in {
			list = append(list, token{text.String(), from, to, quoted})
			text.Reset()
			in, quoted = false, false
		}
	}
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case ' ', '\t', '\r', '\n':
			end(i)
			continue
		case '"':
			if !in {
				in, from = true, i
			}
			quoted = true
			n := strings.IndexByte(line[i+1:], '"')
			if n < 0 {
				return nil, fault("", "the quote at character %d is not closed: write another \" behind what it begins", i+1)
			}
			text.WriteString(line[i+1 : i+1+n])
			i += n + 1
			continue
		case 0:
			return nil, fault("", "the command has a NUL character at %d", i+1)
		default:
			if !in {
				in, from = true, i
			}
			text.WriteByte(c)
		}
	}
	end(len(line))
	return list, nil
}

// Masked is a command line without passwords: what follows password= (with or
// without letters before it) and credentials=, what a URL has between its user and its
// host, and the last word of `set password NAME WORD`.
func Masked(line string) string {
	list, err := tokens(line)
	if err != nil {
		return "..."
	}
	var b strings.Builder
	kept := 0
	for i, t := range list {
		key, value, ok := strings.Cut(t.text, "=")
		small := strings.ToLower(key)
		switch {
		case ok && (strings.HasSuffix(small, "password") || small == "credentials"):
			b.WriteString(line[kept:t.from] + key + "=...")
		case ok && hasUser(value):
			b.WriteString(line[kept:t.from] + key + "=" + withoutUsers(value))
		case i == 3 && strings.EqualFold(list[0].text+list[1].text, "setpassword"):
			b.WriteString(line[kept:t.from] + "...")
		default:
			continue
		}
		kept = t.to
	}
	return b.String() + line[kept:]
}

// hasUser says whether a list of URLs has one with a user.
func hasUser(urls string) bool {
	_, rest, ok := strings.Cut(urls, "://")
	return ok && strings.Contains(rest, "@")
}

// withoutUsers takes users and passwords out of a list of URLs. A password may have any
// character but a blank: what stands before the last @ of each URL is taken for it.
func withoutUsers(urls string) string {
	all := strings.Split(urls, "://")
	for i := 1; i < len(all); i++ {
		if at := strings.LastIndexByte(all[i], '@'); at >= 0 {
			all[i] = "..." + all[i][at:]
		}
	}
	return strings.Join(all, "://")
}

// Blank says whether a line of a script is empty or a comment.
func Blank(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || line[0] == '#'
}

// Pair is a key=value of a rest of a line.
type Pair struct {
	Key, Value string
}

// Pairs cuts a rest of a line into key=value words (`set server`, factories). A
// word without = has no value.
func Pairs(rest string) ([]Pair, error) {
	list, err := tokens(rest)
	if err != nil {
		return nil, err
	}
	pairs := make([]Pair, 0, len(list))
	for _, t := range list {
		key, value, _ := strings.Cut(t.text, "=")
		pairs = append(pairs, Pair{key, value})
	}
	return pairs, nil
}

// Words cuts a rest of a line at commas and blanks, as lists of permissions and
// members are written: `create, delete,modify`.
func Words(rest string) []string {
	return strings.FieldsFunc(rest, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
}
