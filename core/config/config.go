package config

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/core/property"
)

// Files is where a set is read from. The caller opens files; this package is pure.
// Names are those of the set, joined with the directory of its main file. Read
// gives fs.ErrNotExist, wrapped or not, for what is not there, and may refuse more
// than MaxFile bytes.
type Files interface {
	Read(name string) ([]byte, error)
	Exists(name string) bool
}

// Names of main files, in the order in which a directory is searched for one.
const (
	MainFile     = "tibemsd.conf"
	MainFileJSON = "tibemsd.json"
)

// Options say how a set is read.
type Options struct {
	Secondary bool // the second server of a pair: its listens of tibemsd.json (ems 8.1)

	// RendezvousURL is rendezvous.url of tidegate.yaml: where the sections of type tibrv
	// are opened whose daemon is no URL of NATS. Empty: the NATS server in this process.
	RendezvousURL string
}

// Config is a set of files: the model, and the text it stands in. It is for one
// goroutine.
type Config struct {
	Main     string // path of the main file
	JSON     bool   // one tibemsd.json instead of .conf files
	Findings []Finding
	Modules  []LoginModule // of jaas.conf

	params params
	trees  [2]*property.Tree
	dests  [2]destinations
	docs   [classes + 1]document
	files  []*file

	rendezvous string // Options.RendezvousURL
}

// params is the text that parameters stand in.
type params interface {
	values(name string) []paramValue // those that count, in order
	names() []paramValue             // all that stands there, set or not
	set(name string, values []string, repeat bool)
	reject(index int) // an error stands in it: it does not count
}

// paramValue is one setting of a parameter.
type paramValue struct {
	Name, Value string
	At, NameAt  Place
	index       int // for reject
}

// file is one file of a set.
type file struct {
	name    string // as the main file says it: what findings call it
	path    string
	text    interface{ bytes() []byte }
	changed *bool
	missing bool // it is not there; it will be when something is added
}

// Load reads a set. main is the path of tibemsd.conf or tibemsd.json, or of the
// directory of one. An error means that there is no such set; all else is in
// Findings, and what an error stands in does not count.
func Load(files Files, main string, o Options) (*Config, error) {
	main, b, err := findMain(files, main)
	if err != nil {
		return nil, err
	}
	c := &Config{Main: main, JSON: strings.HasSuffix(strings.ToLower(main), ".json"), trees: newTrees(), rendezvous: o.RendezvousURL}
	r := &report{}
	if c.JSON {
		c.loadJSON(b, o, r)
	} else {
		c.loadConf(files, b, r)
	}
	check(c, files, r)
	names := make([]string, len(c.files))
	for i, f := range c.files {
		names[i] = f.name
	}
	c.Findings = r.sorted(names)
	return c, nil
}

// New is a classic set without anything in it, its main file at main.
func New(main string) *Config {
	c := &Config{Main: main, trees: newTrees()}
	c.loadConf(nothing{}, nil, &report{})
	return c
}

func newTrees() [2]*property.Tree {
	return [2]*property.Tree{property.NewTree(property.Queue), property.NewTree(property.Topic)}
}

// LoadOne reads one file of a set by itself: users.conf, for who has nothing else of
// EMS's. Its findings are those of the lines; nothing is looked up elsewhere. Put,
// Delete and Changed work for its class alone, which is not Queues or Topics.
func LoadOne(class Class, name string, b []byte) *Config {
	r := &report{}
	t := newText(name, b, r)
	c := &Config{Main: name, trees: newTrees(), params: &paramFile{text: &text{}}, files: []*file{{name: name, path: name, text: t, changed: &t.changed}}}
	c.readClass(class, t, r)
	c.Findings = r.sorted([]string{name})
	return c
}

func findMain(files Files, main string) (string, []byte, error) {
	b, err := files.Read(main)
	if err == nil {
		return main, b, nil
	}
	for _, name := range []string{MainFile, MainFileJSON} {
		if b, err := files.Read(path.Join(main, name)); err == nil {
			return path.Join(main, name), b, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", nil, err
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("there is no configuration at " + main + ": neither a file nor a directory with " + MainFile + " or " + MainFileJSON)
	}
	return "", nil, err
}

func (c *Config) loadConf(files Files, b []byte, r *report) {
	name := path.Base(c.Main)
	t := newText(name, b, r)
	f := readParams(t, r)
	c.params = f
	c.files = append(c.files, &file{name: name, path: c.Main, text: t, changed: &t.changed})
	for _, class := range AllClasses() {
		c.loadClass(files, class, r)
	}
	c.loadJAAS(files, r)
}

// Path is where a name of the set lies: relative ones beside the main file.
func (c *Config) Path(name string) string {
	if path.IsAbs(name) {
		return name
	}
	return path.Join(path.Dir(c.Main), name)
}

// Foreign says whether a path is one of Windows, which cannot be used here. Of
// parameters, only store may be one: others do not count then.
func Foreign(name string) bool {
	if strings.HasPrefix(name, `\\`) {
		return true
	}
	if len(name) < 3 || name[1] != ':' || name[2] != '/' && name[2] != '\\' {
		return false
	}
	drive := name[0] | 0x20
	return drive >= 'a' && drive <= 'z'
}

func (c *Config) loadClass(files Files, class Class, r *report) {
	row := classTable[class]
	name, at := row.file, Place{}
	if v := c.params.values(row.parameter); len(v) > 0 {
		name, at = v[len(v)-1].Value, v[len(v)-1].At
	}
	f := &file{name: name, path: c.Path(name)}
	b, err := c.readPart(files, name)
	if err != nil {
		f.missing = errors.Is(err, fs.ErrNotExist)
		if at.Line > 0 { // the main file names it
			r.error(at, "file-missing", "the file of the "+row.member+" cannot be read: "+reason(err), "write the name of a file beside "+path.Base(c.Main)+", or take the line out").Category = CategoryFiles
		} else if !f.missing {
			r.error(Place{File: name}, "file-missing", "the file cannot be read: "+reason(err), "make it readable").Category = CategoryFiles
		}
	}
	t := newText(name, b, r)
	f.text, f.changed = t, &t.changed
	c.files = append(c.files, f)
	c.readClass(class, t, r)
}

func (c *Config) readPart(files Files, name string) ([]byte, error) {
	if Foreign(name) {
		return nil, errors.New("it is a path of Windows")
	}
	return files.Read(c.Path(name))
}

// reason is an error without the path that the finding names anyway.
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "it is not there"
	}
	return err.Error()
}

func (c *Config) readClass(class Class, t *text, r *report) {
	switch class {
	case Queues, Topics:
		i := treeIndex(class)
		c.dests[i] = readDestinations(t, c.trees[i], r)
	case Users:
		c.docs[class] = readLines(t, userGrammar, r)
	case ACLs:
		c.docs[class] = readLines(t, aclGrammar, r)
	case Durables:
		c.docs[class] = readLines(t, durableGrammar, r)
	case JNDINames:
		c.docs[class] = readLines(t, jndiGrammar, r)
	case Listeners:
		c.docs[class] = readLines(t, listenerGrammar, r)
	case Groups:
		c.docs[class] = readGroups(t, r)
	default:
		c.docs[class] = readSections(t, class, r)
	}
}

func treeIndex(class Class) int {
	if class == Topics {
		return 1
	}
	return 0
}

// classOf is the class of a kind of destination.
func classOf(k property.Kind) Class {
	if k == property.Topic {
		return Topics
	}
	return Queues
}

// Tree is the static destinations of a kind. It is the configuration's own: change
// it through PutDestination and DeleteDestination.
func (c *Config) Tree(k property.Kind) *property.Tree { return c.trees[treeIndex(classOf(k))] }

// Objects lists a class other than queues and topics, in the order of its file,
// without those that an error keeps from counting. They are the configuration's
// own: change them through Put.
func (c *Config) Objects(class Class) []*Object {
	d := c.docs[class]
	if d == nil {
		return nil
	}
	return slices.DeleteFunc(d.objects(), func(o *Object) bool { return o.Ignored })
}

// Object finds one by its key: for most classes its name (Object.Key).
func (c *Config) Object(class Class, key string) (*Object, bool) {
	if c.docs[class] == nil {
		return nil, false
	}
	o := c.docs[class].find(key)
	return o, o != nil && !o.Ignored
}

// Param is the value of a parameter that counts: the last of several lines, the
// default where it is not set (empty if there is none).
func (c *Config) Param(name string) string {
	if v := c.params.values(canonical(name)); len(v) > 0 {
		return v[len(v)-1].Value
	}
	if p, ok := LookupParameter(name); ok && !strings.ContainsAny(p.Default, " (") && p.Default != "empty" && p.Default != "none" && p.Default != "off" {
		return p.Default
	}
	return ""
}

// ParamAll lists the values that count: several of a parameter that may be
// repeated, the last of any other; nil if none is set.
func (c *Config) ParamAll(name string) []string {
	var all []string
	for _, v := range c.params.values(canonical(name)) {
		all = append(all, v.Value)
	}
	if p, ok := LookupParameter(name); ok && !p.Repeat && len(all) > 1 {
		return all[len(all)-1:]
	}
	return all
}

// IsSet says whether the set gives the parameter a value.
func (c *Config) IsSet(name string) bool { return len(c.params.values(canonical(name))) > 0 }

// Mentions says whether the set has a value for the parameter, even one in which
// an error stands and that does not count.
func (c *Config) Mentions(name string) bool {
	return slices.ContainsFunc(c.params.names(), func(v paramValue) bool {
		return canonical(v.Name) == canonical(name) && v.Value != ""
	})
}

// Bool is a parameter of that type.
func (c *Config) Bool(name string) bool {
	on, _ := property.ParseFlag(c.Param(name))
	return on
}

// Fatal lists the errors that startup_abort_list lets keep the server from
// starting.
func (c *Config) Fatal() []Finding {
	var fatal []Finding
	for _, f := range c.Findings {
		if f.Severity == Error && (c.Aborts(f.Category) || f.also != "" && c.Aborts(f.also)) {
			fatal = append(fatal, f)
		}
	}
	return fatal
}

// Aborts says whether startup_abort_list has mistakes of a category keep the server
// from starting.
func (c *Config) Aborts(category Category) bool {
	abort := strings.Split(strings.ToUpper(c.Param("startup_abort_list")), ",")
	return slices.ContainsFunc(abort, func(a string) bool { return strings.TrimSpace(a) == string(category) })
}

func (f *paramFile) values(name string) []paramValue {
	var all []paramValue
	for i := range f.items {
		if canonical(f.items[i].name) == name && f.items[i].value != "" && !f.items[i].bad {
			all = append(all, f.items[i].exported())
		}
	}
	return all
}

func (f *paramFile) names() []paramValue {
	all := make([]paramValue, len(f.items))
	for i := range f.items {
		all[i] = f.items[i].exported()
		all[i].index = i
	}
	return all
}

func (f *paramFile) reject(index int) { f.items[index].bad = true }

func (i *paramItem) exported() paramValue {
	return paramValue{Name: i.name, Value: i.value, At: i.at, NameAt: i.nameAt}
}

// asPropertyError unwraps what property's functions give.
func asPropertyError(err error) *property.Error {
	var e *property.Error
	if errors.As(err, &e) {
		return e
	}
	return &property.Error{Message: err.Error()}
}
