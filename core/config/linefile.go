package config

import (
	"strings"
	"unicode"

	"github.com/tidegate/tidegate/core/property"
)

// lineFile is a file with a line for each object: users, rights, durables, JNDI
// names, listeners of certified Rendezvous.
type lineFile struct {
	*text
	index[*lineItem]
	grammar lineGrammar
}

type lineItem struct {
	Object
	line *line
}

// lineGrammar is what is particular to a class.
type lineGrammar struct {
	class   Class
	comment string
	// read gives the object of a line; nil after it has reported what is wrong.
	read func(f *lineFile, l *line, body string, r *report) *Object
	// write gives the line of an object whose line was body, empty for a new one.
	write func(o *Object, body string) string
}

func readLines(t *text, g lineGrammar, r *report) *lineFile {
	f := &lineFile{text: t, grammar: g, index: newIndex[*lineItem]()}
	for l := t.first; l != nil; l = l.next {
		body := l.body()
		if !l.readable() || blank(body, g.comment) {
			continue
		}
		o := g.read(f, l, body, r)
		if o == nil {
			continue
		}
		o.Class = g.class
		if first := f.find(o.Key()); first != nil {
			twice(o, first, r)
			continue
		}
		f.hold(&lineItem{*o, l})
	}
	return f
}

func twice(o, first *Object, r *report) {
	r.error(o.At, o.Class.String()+"-twice", o.Title()+" stands in line "+number(first.At.Line)+" already", "remove one of the two; this one does not count")
}

func (f *lineFile) add(o Object) { f.hold(&lineItem{o, f.insert(f.last, f.grammar.write(&o, ""))}) }

func (f *lineFile) set(key string, attrs []Attr) {
	item := f.byKey[key]
	item.Attrs = attrs
	body := item.line.body()
	f.splice(item.line, 0, len(body), f.grammar.write(&item.Object, body))
}

func (f *lineFile) drop(key string) { f.remove(f.take(key).line) }

// attr makes an attribute of a stretch of a line.
func (f *lineFile) attr(l *line, name string, s span) Attr {
	at := f.place2(l, s)
	return Attr{Name: name, Value: unquote(s.of(l.body())), At: at}
}

// replace puts words into a line in the place of a stretch of it, if they differ
// from what the stretch says.
func replace(body string, s span, says, words string) string {
	if says == words {
		return body
	}
	return body[:s.from] + words + body[s.to:]
}

// users.conf: NAME:[PASSWORD]:["]DESCRIPTION["] (ems 1.1).
var userGrammar = lineGrammar{class: Users, comment: "#", read: readUser, write: writeUser}

// userParts cuts a line at its colons. A line may lack the description.
func userParts(body string) (name, password, description span, ok bool) {
	i := strings.IndexByte(body, ':')
	if i < 0 {
		return name, password, description, false
	}
	j := strings.IndexByte(body[i+1:], ':')
	if j < 0 {
		return trim(body, span{0, i}), trim(body, span{i + 1, len(body)}), span{len(body), len(body)}, true
	}
	j += i + 1
	return trim(body, span{0, i}), span{i + 1, j}, trim(body, span{j + 1, len(body)}), true
}

func readUser(f *lineFile, l *line, body string, r *report) *Object {
	name, password, description, ok := userParts(body)
	whole := f.place2(l, trim(body, span{0, len(body)}))
	control := strings.IndexFunc(body, func(c rune) bool { return c != '\t' && unicode.IsControl(c) })
	switch {
	case control >= 0:
		r.error(f.place2(l, span{control, control + 1}), "user-line", "there is a control character", "take it out")
		return nil
	case !ok:
		r.error(whole, "user-line", "there is no colon", `write user:password:"description"`)
		return nil
	case name.from == name.to:
		colon := strings.IndexByte(body, ':')
		r.error(f.place2(l, span{colon, colon + 1}), "user-line", "there is no name in front of the colon", `write user:password:"description"`)
		return nil
	}
	text := description.of(body)
	if strings.Contains(unquote(text), `"`) {
		quote := description.from + strings.LastIndexByte(strings.TrimSuffix(text, `"`), '"') // a password may stand before it
		r.error(f.place2(l, span{quote, quote + 1}), "user-line", "there is a quote inside the description", "a password cannot have a colon, a description no quote")
		return nil
	}
	return &Object{Name: name.of(body), At: f.place2(l, name), Attrs: []Attr{
		f.attr(l, "password", password), f.attr(l, "description", description),
	}}
}

func writeUser(o *Object, body string) string {
	if body == "" {
		return o.Name + ":" + o.Get("password") + `:"` + o.Get("description") + `"`
	}
	_, password, description, _ := userParts(body)
	says := unquote(description.of(body))
	if want := o.Get("description"); says != want {
		colon := ""
		if strings.Count(body, ":") < 2 {
			colon = ":"
		}
		body = replace(body, description, says, colon+`"`+want+`"`)
	}
	return replace(body, password, password.of(body), o.Get("password"))
}

// tibrvcm.conf: [TRANSPORT] LISTENER SUBJECT (ems 1.1, 9).
var listenerGrammar = lineGrammar{class: Listeners, comment: "#", read: readListener, write: writeListener}

func readListener(f *lineFile, l *line, body string, r *report) *Object {
	w := words(body)
	if len(w) != 2 && len(w) != 3 {
		r.error(f.place2(l, span{w[0].from, w[len(w)-1].to}), "listener-line", "a line has a transport, a listener and a subject", "write TRANSPORT LISTENER SUBJECT")
		return nil
	}
	o := &Object{Name: w[len(w)-2].of(body), At: f.place2(l, w[len(w)-2])}
	if len(w) == 3 {
		a := f.attr(l, "transport", w[0])
		a.Value = strings.TrimSuffix(strings.TrimPrefix(a.Value, "["), "]")
		o.Attrs = append(o.Attrs, a)
	}
	o.Attrs = append(o.Attrs, f.attr(l, "subject", w[len(w)-1]))
	return o
}

func writeListener(o *Object, _ string) string {
	return strings.TrimSpace(o.Get("transport") + " " + o.Name + " " + o.Get("subject"))
}

// jndinames.conf: NAME TYPE TARGET, the words of `create jndiname` (decision 0051).
var jndiGrammar = lineGrammar{class: JNDINames, comment: "#", read: readJNDI, write: writeJNDI}

var jndiTypes = []string{"queue", "topic", "factory", "jndiname"}

func readJNDI(f *lineFile, l *line, body string, r *report) *Object {
	w := words(body)
	if len(w) != 3 {
		r.error(f.place2(l, span{w[0].from, w[len(w)-1].to}), "jndiname-line", "a line has a name, a type and a target", "write NAME queue|topic|factory|jndiname TARGET")
		return nil
	}
	kind := f.attr(l, "type", w[1])
	if !oneOf(kind.Value, jndiTypes) {
		r.error(kind.At, "jndiname-line", "a JNDI name is of a queue, topic, factory or jndiname", "write NAME queue|topic|factory|jndiname TARGET")
		return nil
	}
	return &Object{Name: unquote(w[0].of(body)), At: f.place2(l, w[0]), Attrs: []Attr{kind, f.attr(l, "target", w[2])}}
}

func writeJNDI(o *Object, _ string) string {
	return quoteIf(o.Name) + " " + o.Get("type") + " " + quoteIf(o.Get("target"))
}

// quoteIf puts quotes around what has blanks.
func quoteIf(s string) string {
	if strings.ContainsAny(s, " \t") {
		return `"` + s + `"`
	}
	return s
}

// didYouMean is the end of a message about an unknown word.
func didYouMean(word string, known []string) string {
	near := property.Nearest(word, func(yield func(string) bool) {
		for _, k := range known {
			if !yield(k) {
				return
			}
		}
	})
	if near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}
