package config

import (
	"fmt"
	"strings"
)

// LoginModule is one module of a JAAS login configuration: read, and reported.
type LoginModule struct {
	Entry   string // EMSUserAuthentication is the one that EMS asks for
	Class   string
	Flag    string // required, requisite, sufficient or optional
	Options [][2]string
	At      Place
}

// MaxModules bounds jaas.conf.
const MaxModules = 1000

// jaasToken is a word, a quoted text, or one of { } ; =.
type jaasToken struct {
	text   string
	quoted bool
	at     Place
}

func (c *Config) loadJAAS(files Files, r *report) {
	v := c.params.values("jaas_config_file")
	if len(v) == 0 {
		return
	}
	name := v[len(v)-1].Value
	b, err := c.readPart(files, name)
	if err != nil {
		r.error(v[len(v)-1].At, "file-missing", "the JAAS configuration cannot be read: "+reason(err), "write the name of a file, or take the line out").Category = CategoryFiles
		return
	}
	t := newText(name, b, r)
	c.files = append(c.files, &file{name: name, path: c.Path(name), text: t, changed: &t.changed})
	c.Modules = readJAAS(t, r)
}

func jaasTokens(t *text) []jaasToken {
	var all []jaasToken
	comment := false // inside /* */
	for l := t.first; l != nil; l = l.next {
		body := l.body()
		for i := 0; i < len(body) && l.readable(); {
			switch {
			case comment:
				end := strings.Index(body[i:], "*/")
				if end < 0 {
					i = len(body)
					break
				}
				comment, i = false, i+end+2
			case isBlank(body[i]):
				i++
			case strings.HasPrefix(body[i:], "/*"):
				comment, i = true, i+2
			case strings.HasPrefix(body[i:], "//"), body[i] == '#':
				i = len(body)
			case strings.IndexByte("{};=", body[i]) >= 0:
				all = append(all, jaasToken{body[i : i+1], false, t.place(l, i, i+1)})
				i++
			case body[i] == '"':
				end := strings.IndexByte(body[i+1:], '"')
				if end < 0 {
					end = len(body) - i - 2
				}
				end = max(i+1, i+1+end)
				all = append(all, jaasToken{body[i+1 : min(end, len(body))], true, t.place(l, i, end+1)})
				i = end + 1
			default:
				end := i
				for end < len(body) && !isBlank(body[end]) && strings.IndexByte(`{};="`, body[end]) < 0 {
					end++
				}
				all = append(all, jaasToken{body[i:end], false, t.place(l, i, end)})
				i = end
			}
		}
	}
	return all
}

// readJAAS reads `entry { class flag option="value" ...; ... };` (ems 1.1).
func readJAAS(t *text, r *report) []LoginModule {
	p := &jaasParser{tokens: jaasTokens(t), r: r, end: Place{File: t.file, Line: t.count()}}
	var all []LoginModule
	for p.more() {
		entry := p.next()
		if !p.expect("{", "an entry is NAME { MODULE FLAG OPTION=\"VALUE\"; };") {
			return all
		}
		for p.more() && p.peek() != "}" {
			m, ok := p.module(entry.text)
			if !ok {
				return all
			}
			if len(all) == MaxModules {
				r.error(m.At, "jaas", fmt.Sprintf("more than %d modules", MaxModules), "the rest does not count")
				return all
			}
			all = append(all, m)
		}
		if !p.expect("}", "close the entry with };") || !p.expect(";", "close the entry with };") {
			return all
		}
	}
	return all
}

type jaasParser struct {
	tokens []jaasToken
	r      *report
	end    Place
}

func (p *jaasParser) more() bool { return len(p.tokens) > 0 }

func (p *jaasParser) peek() string {
	if !p.more() || p.tokens[0].quoted {
		return ""
	}
	return p.tokens[0].text
}

func (p *jaasParser) next() jaasToken {
	if !p.more() {
		return jaasToken{at: p.end}
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

func (p *jaasParser) expect(word, fix string) bool {
	t := p.next()
	if t.text == word && !t.quoted {
		return true
	}
	message := fmt.Sprintf("%q instead of %q", t.text, word)
	if t.text == "" && !t.quoted {
		message = fmt.Sprintf("the file ends where %q is missing", word)
	}
	p.r.error(t.at, "jaas", message, fix)
	return false
}

func (p *jaasParser) module(entry string) (LoginModule, bool) {
	class := p.next()
	flag := p.next()
	m := LoginModule{Entry: entry, Class: class.text, Flag: flag.text, At: class.at}
	if !oneOf(flag.text, []string{"required", "requisite", "sufficient", "optional"}) {
		p.r.error(flag.at, "jaas", fmt.Sprintf("%q is no flag of a login module", flag.text), "write required, requisite, sufficient or optional")
		return m, false
	}
	for p.more() && p.peek() != ";" {
		name := p.next()
		if !p.expect("=", `an option is NAME="VALUE"`) {
			return m, false
		}
		m.Options = append(m.Options, [2]string{name.text, p.next().text})
	}
	return m, p.expect(";", "close the module with ;")
}
